package scenarios

import "go.yaml.in/yaml/v3"

// A Feature is a part of the format that a runner may lack. [Scenario.Refuse]
// compares the features of a scenario with those of a runner, so that no run does
// less than its scenario says without an error.
type Feature string

// The features.
const (
	FeatureRebind     Feature = "load.admin rebind"
	FeatureClosed     Feature = "load model closed"
	FeatureAckBatch   Feature = "ack.batch"
	FeatureAckForget  Feature = "ack.forget"
	FeatureDependency Feature = "dependencies"
	FeatureFail       Feature = "fail"
	FeatureBackoff    Feature = "fail.retry backoff-jitter"
	FeatureKill       Feature = "faults kill"
	FeatureClose      Feature = "faults close-connection"
	FeatureStall      Feature = "faults stall"
	FeatureJoin       Feature = "workers.joins_at"
	FeatureShared     Feature = "workers.connections shared"
	FeatureSpin       Feature = "workers.work spin"
	FeatureRTT        Feature = "network.rtt"
)

// A Use is the first use of a feature in a scenario.
type Use struct {
	Feature Feature
	Line    int // of the file, from 1
}

// use notes that the scenario uses a feature at n.
func (d *decoder) use(n *yaml.Node, f Feature) {
	for _, u := range d.uses {
		if u.Feature == f {
			return
		}
	}
	d.uses = append(d.uses, Use{f, n.Line})
}

// Refuse returns an error that names each feature of the scenario that is not among
// supported, or nil if there is none. runner names the runner in the error.
func (s *Scenario) Refuse(runner string, supported ...Feature) error {
	d := decoder{file: s.File}
	for _, u := range s.Features {
		known := false
		for _, f := range supported {
			known = known || f == u.Feature
		}
		if !known {
			d.fail(&yaml.Node{Line: u.Line}, "%s: %s does not carry this out", u.Feature, runner)
		}
	}
	return d.mistakes()
}
