package loadgen

import (
	"fmt"
	"strings"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// CheckLeft adds a finding if a run that should have ended with every message done
// left messages behind: at its timeout, or because nothing would have become of them.
// timedOut says that the run reached its timeout.
func CheckLeft(r *run.Result, s *scenarios.Scenario, timedOut bool) {
	var left []string
	for _, e := range r.Ends() {
		if e.State == run.Left.String() {
			left = append(left, e.String())
		}
	}
	where := ""
	if len(left) > 0 {
		where = ": " + strings.Join(left, "; ")
	}
	switch {
	case timedOut:
		r.Findings = append(r.Findings, run.Finding{Code: "timeout", Text: fmt.Sprintf(
			"The run reached its timeout of %v with %d of %d messages not done%s.", s.Stop.Timeout, r.Ledger.Left, r.Ledger.Published, where)})
	case where != "" && !r.Partial && s.Stop.When == scenarios.StopDrained:
		r.Findings = append(r.Findings, run.Finding{Code: "left", Text: fmt.Sprintf(
			"%d of %d messages were left behind%s.", r.Ledger.Left, r.Ledger.Published, where)})
	}
}
