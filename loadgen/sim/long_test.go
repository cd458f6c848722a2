package sim

import (
	"context"
	"strings"
	"testing"
	"time"

	"harelab/loadgen"
	"harelab/scenarios"
)

// long is a scenario of 80 messages with much work in each.
const long = `schema: harelab/v1
name: long
topology: {queues: [{name: q}]}
classes: [{name: job, publish: {exchange: "", key: q}, service: SERVICE}]
load: [{sequence: s, phases: [{class: job, model: burst, count: 80}]}]
workers: [{name: w, threads: 4, consume: [{queue: q}], prefetch: {count: 1}}]
stop: {when: drained, timeout: 1000000h}
`

// TestVirtualTimeCostsByEvents counts what a run allocates: its messages, and a bounded
// number of samples. With 10,000 hours for each message, a sample every 100 ms would be
// several billion.
func TestVirtualTimeCostsByEvents(t *testing.T) {
	for _, service := range []string{"1ms", "1h", "240h", "10000h"} {
		f, err := scenarios.Parse("long.yaml", []byte(strings.Replace(long, "SERVICE", service, 1)))
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Resolve(scenarios.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		work, _ := time.ParseDuration(service)
		if want := 80 * work.Microseconds(); r.Length != want || r.Ledger.Finished != 80 {
			t.Errorf("service %s: %d messages finished after %d us, want 80 after %d us", service, r.Ledger.Finished, r.Length, want)
		}
		if n := len(r.Series); n == 0 || n > loadgen.MaxSamples+1 {
			t.Errorf("service %s: %d samples, want 1 to %d", service, n, loadgen.MaxSamples+1)
		}
		last := r.Series[len(r.Series)-1]
		if last.At != r.Length || last.Acked != 80 {
			t.Errorf("service %s: the last sample is %+v", service, last)
		}
		if lengthened := r.Interval > s.Measure.Interval.Microseconds(); lengthened != (len(r.Findings) == 1) {
			t.Errorf("service %s: interval %d us, findings %+v", service, r.Interval, r.Findings)
		}
	}
}
