package scenarios_test

import (
	"fmt"
	"log"
	"slices"

	"harelab/scenarios"
)

const office = `schema: harelab/v1
name: office
params: {prefetch: 4}
topology: {queues: [{name: print}]}
classes: [{name: page, publish: {exchange: "", key: print}, service: 2s}]
load: [{sequence: staff, phases: [{class: page, model: open, arrival: poisson, rate: 20/min, duration: 1h}]}]
workers: [{name: printer, count: 2, consume: [{queue: print}], prefetch: =prefetch}]
expect: {that: ["wait.p99{class=page} < 1min"]}
stop: {when: drained, timeout: 2h}
variants: {fair: {set: {prefetch: 1}}}
`

// Parse reads and checks a scenario. Resolve evaluates it for a variant.
func ExampleParse() {
	f, err := scenarios.Parse("office.yaml", []byte(office))
	if err != nil {
		log.Fatal(err)
	}
	for _, variant := range append([]string{""}, f.Variants()...) {
		s, err := f.Resolve(scenarios.Options{Variant: variant})
		if err != nil {
			log.Fatal(err)
		}
		w := s.Workers[1]
		fmt.Printf("variant %q: %s has %d slot, prefetch %d\n", variant, w.Name, w.Slots, w.Prefetch)
	}
	// Output:
	// variant "": printer-2 has 1 slot, prefetch 4
	// variant "fair": printer-2 has 1 slot, prefetch 1
}

// The error of a wrong scenario names the file, the line and the right value of each
// mistake.
func ExampleParse_mistakes() {
	_, err := scenarios.Parse("office.yaml", []byte(`schema: harelab/v1
name: office
topology: {queues: [{name: print}]}
classes: [{name: page, publish: {exchange: "", key: printer}, service: 2}]
load: [{sequence: staff, phases: [{class: pages, model: burst, count: 10}]}]
`))
	fmt.Println(err)
	// Output:
	// office.yaml:4: 2 has no unit: give a time such as 100ms
	// office.yaml:4: key: queue "printer" is not declared: did you mean "print"? (have print)
	// office.yaml:5: unknown class "pages": did you mean "page"? (have page)
}

// Names lists the shipped scenarios. The two of the talk have the tag seed and celery.
func ExampleNames() {
	for _, name := range scenarios.Names() {
		f, err := scenarios.Load(name)
		if err != nil {
			log.Fatal(err)
		}
		if slices.Contains(f.Tags, "celery") && slices.Contains(f.Tags, "seed") {
			fmt.Printf("%s: %s\n", f.Name, f.Title)
		}
	}
	// Output:
	// celery-initial: Four slow jobs starve forty quick ones
	// celery-optimized: A topic exchange and one reserved thread help, and leave eleven stuck
}
