// Package lab runs experiments. It runs the same unchanged scenario in virtual time, on
// the broker in this process, or on any AMQP broker by URL.
//
// # In a test
//
// [Run] runs one scenario and fails the test unless the run is valid and meets the
// scenario's expectations. In virtual time that takes milliseconds and gives the same
// figures on every machine:
//
//	func TestReportsStayQuick(t *testing.T) {
//		r := lab.Run(t, "testdata/reports.yaml", lab.Set("workers", 4))
//		if wait := lab.Figure(t, r, "wait.max{class=quick}"); wait > 1 {
//			t.Errorf("a quick task waits %.2f s, want at most 1 s", wait)
//		}
//	}
//
// # Experiments
//
// Each kind of experiment begins with a request, which is checked as a whole before
// anything runs. A watcher follows the progress.
//
//   - [Expand] makes arms of a [Request], and [Measure] runs them. An arm is a scenario's
//     variant on one target. [Verdict] judges the runs by the scenario's expectations.
//   - [NewVary] runs a scenario under several values of one setting, alternating and
//     with the same seeds, and compares them.
//   - [NewSweep] runs a grid of settings in random order. It keeps finished cells in a
//     [CellLog], so that it can be interrupted and resumed.
//   - [NewSearch] looks for the last value of a param at which bounds still hold.
//   - [OpenPast] reads a results folder, to run it again and report what differs.
//   - [OpenSides] and [OpenGate] read results folders to compare them.
//
// An [Output] runs an experiment, prints its tables and writes its results folder, also
// when the experiment is interrupted.
//
// A mistake in a request is a [UsageError], or a scenario's error with file and line;
// [IsUsage] tells both from failures of a run. Error texts begin with the thing that is
// wrong, not with this package's name, since a command prints them unchanged.
package lab
