package loadgen

import "harelab/scenarios"

// Features are the parts of the scenario format that every runner carries out, as
// passed to [scenarios.Scenario.Refuse]. Do not change it.
var Features = []scenarios.Feature{
	scenarios.FeatureRebind, scenarios.FeatureClosed, scenarios.FeatureAckBatch, scenarios.FeatureAckForget,
	scenarios.FeatureFail, scenarios.FeatureBackoff, scenarios.FeatureKill, scenarios.FeatureClose,
	scenarios.FeatureStall, scenarios.FeatureJoin, scenarios.FeatureShared, scenarios.FeatureSpin,
	scenarios.FeatureRTT, scenarios.FeatureDependency,
}
