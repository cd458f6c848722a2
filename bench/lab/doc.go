// Package lab runs experiments: scenarios in virtual time, on the broker in this
// process, or on any AMQP broker by URL, always the same scenario unchanged.
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
// Each kind of experiment is a request, checked as a whole before anything runs, and
// then run, with progress told to a watcher:
//
//   - [Expand] makes arms of a [Request], which [Measure] runs. An arm is a scenario's
//     variant on one target. [Verdict] judges what comes out by the scenario's own
//     expectations.
//   - [NewVary] runs a scenario under several values of one setting, in turns and with
//     the same seeds, and compares them.
//   - [NewSweep] runs a grid of settings, in random order, and keeps what is done in a
//     [CellLog], so that it can be interrupted and resumed.
//   - [NewSearch] looks for the last value of a param at which bounds still hold.
//   - [OpenPast] runs a results folder again and says what differs.
//   - [OpenSides] and [OpenGate] read results folders to compare them.
//
// An [Output] runs an experiment, prints its tables and writes its results folder, also
// when the experiment is interrupted.
//
// A mistake in a request is a [UsageError], or a scenario's error with file and line:
// [IsUsage] tells them from what went wrong while it ran. Messages lead with the thing
// and not with this package's name, since a command prints them as they are.
package lab
