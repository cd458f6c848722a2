package dispatch_test

import (
	"fmt"

	"harelab/engine/dispatch"
)

// A selector chooses a consumer for each message. Its caller keeps the table of
// consumers up to date and tells the selector what changed, as package queue does.
// Consumer 0 is slow and acknowledges nothing: rr serves it in turn until its prefetch
// is used up, and jsq avoids it from the second message on.
func ExampleSelector() {
	for _, name := range []string{"rr", "jsq"} {
		strategy, err := dispatch.LookupSelector(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		consumers := dispatch.NewConsumers()
		selector := strategy.New(dispatch.Config{}, consumers)
		for range 2 {
			selector.Join(consumers.Add(dispatch.Consumer{Prefetch: 3}))
		}
		fmt.Printf("%-3s", name)
		for now := range int64(6) {
			c := selector.Pick(now)
			fmt.Print(" ", c)
			consumers.Given(c, 0, now)
			selector.Changed(c, now)
			if c == 1 { // the fast consumer acknowledges at once
				consumers.Settled(c, 0, now)
				selector.Changed(c, now)
			}
		}
		fmt.Println()
	}
	// Output:
	// rr  0 1 0 1 0 1
	// jsq 0 1 1 1 1 1
}
