package sim_test

import (
	"context"
	"fmt"
	"log"

	"harelab/loadgen/sim"
	"harelab/scenarios"
)

// Run runs a scenario in virtual time. Its forty seconds of work take no real
// time, and the figures are exact. Here, four slow tasks at the head of a queue make ten
// quick ones wait.
func ExampleRun() {
	f, err := scenarios.Parse("starving.yaml", []byte(`schema: harelab/v1
name: starving
topology: {queues: [{name: tasks}]}
classes:
  - {name: slow, publish: {exchange: "", key: tasks}, service: 10s}
  - {name: quick, publish: {exchange: "", key: tasks}, service: 100ms}
load: [{sequence: app, phases: [{class: slow, model: burst, count: 4}, {class: quick, model: burst, count: 10}]}]
workers: [{name: worker, threads: 2, consume: [{queue: tasks}], prefetch: 1, ack: on-start}]
stop: {when: drained, timeout: 2min}
`))
	if err != nil {
		log.Fatal(err)
	}
	s, err := f.Resolve(scenarios.Options{})
	if err != nil {
		log.Fatal(err)
	}
	r, err := sim.Run(context.Background(), s, sim.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sum, n := int64(0), int64(0)
	for _, m := range r.Messages {
		if r.Classes[m.Class] == "quick" {
			sum, n = sum+m.Started-m.Intended, n+1
		}
	}
	fmt.Printf("%d of %d messages done in %d us\n", r.Ledger.Finished, r.Ledger.Published, r.Length)
	fmt.Printf("%d quick ones waited %d us in the mean\n", n, sum/n)
	// Output:
	// 14 of 14 messages done in 20500000 us
	// 10 quick ones waited 20200000 us in the mean
}
