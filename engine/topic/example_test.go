package topic_test

import (
	"fmt"
	"slices"

	"harelab/engine/topic"
)

// A matcher holds the bindings of one topic exchange. Destinations are numbers of the
// caller's, here indexes into a list of queues.
func Example() {
	strategy, err := topic.Lookup("nfa")
	if err != nil {
		fmt.Println(err)
		return
	}
	queues := []string{"everything", "kitchen", "alarms"}
	m := strategy.New()
	m.Bind("#", 0)
	m.Bind("sensor.kitchen.*", 1)
	m.Bind("sensor.*.smoke", 2)
	m.Bind("#.alarm", 2)

	dst := make([]topic.Dest, 0, len(queues)) // with room for all, Match does not allocate
	for _, key := range []string{"sensor.kitchen.smoke", "sensor.cellar.heat", "door.alarm"} {
		dst = m.Match(dst[:0], []byte(key))
		slices.Sort(dst) // Match returns them in no set order
		fmt.Print(key, ":")
		for _, d := range dst {
			fmt.Print(" ", queues[d])
		}
		fmt.Println()
	}
	// Output:
	// sensor.kitchen.smoke: everything kitchen alarms
	// sensor.cellar.heat: everything
	// door.alarm: everything alarms
}

// A wrapper combines with a strategy by name. An unknown name is an error.
func ExampleLookup() {
	s, _ := topic.Lookup("cached(trie)")
	fmt.Println(s.Name)
	_, err := topic.Lookup("cached(trie")
	fmt.Println(err)
	// Output:
	// cached(trie)
	// topic: strategy "cached(trie": want a name or wrapper(name)
}
