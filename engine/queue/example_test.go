package queue_test

import (
	"fmt"
	"strings"

	"harelab/engine/dispatch"
	"harelab/engine/queue"
)

// A queue is stepped with events and returns decisions. Here a consumer with prefetch 1
// gets the first of two messages, and the second one when it has acknowledged the first.
func Example() {
	selector, _ := dispatch.LookupSelector(dispatch.DefaultSelector)
	order, _ := dispatch.LookupOrder(dispatch.DefaultOrder)
	q := queue.New(queue.Config{Selector: selector, Order: order, Limits: queue.Unlimited})

	var payloads [2]string // by Ref: the queue knows messages, not their contents
	step := func(e queue.Event) {
		fmt.Printf("%d us: %s\n", e.Now, e.Kind)
		for _, d := range q.Step(e, nil) {
			fmt.Printf("  %s %q to consumer %d\n", d.Kind, payloads[d.Ref], d.Consumer)
		}
	}
	publish := func(now int64, payload string) {
		payloads[q.NextRef()] = payload
		step(queue.Event{Kind: queue.Publish, Now: now})
	}

	publish(0, "resize cat.jpg")
	step(queue.Event{Kind: queue.Join, Now: 100, Prefetch: 1})
	publish(200, "resize dog.jpg")
	step(queue.Event{Kind: queue.Ack, Now: 900, Refs: []dispatch.Ref{0}})
	fmt.Println("ready:", q.Ready(), "unacked:", q.Unacked())
	// Output:
	// 0 us: publish
	// 100 us: join
	//   deliver "resize cat.jpg" to consumer 0
	// 200 us: publish
	// 900 us: ack
	//   deliver "resize dog.jpg" to consumer 0
	// ready: 0 unacked: 1
}

// A recording of a queue can be replayed, which repeats each decision and names the
// first event on which a decision differs.
func ExampleReplay() {
	err := queue.Replay(strings.NewReader(`queue selector=rr order=fifo limits
join 0 prefetch=1
publish 100
> deliver id=1 c=0 ref=0
publish 200
> deliver id=2 c=0 ref=1
end
`))
	fmt.Println(err)
	// Output:
	// queue: line 5: publish 200: decided "nothing more", recorded "deliver id=2 c=0 ref=1"
}
