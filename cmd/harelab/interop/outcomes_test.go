//go:build interop

package interop

import (
	"flag"
	"fmt"
	"slices"
	"testing"
)

var outcomes = flag.Int("outcomes", 1, "how many times to run each configuration of the talk on a real RabbitMQ")

// TestOutcomesOnRabbitMQ runs the talk's split queues with real Celery workers on a real
// RabbitMQ, with slow tasks of 3 s, and prints what came out each time. RabbitMQ's queues
// are processes, so tasks that are published to two of them at nearly the same time are
// dispatched in either order.
func TestOutcomesOnRabbitMQ(t *testing.T) {
	url := rabbitmq(t) + "/"
	split := [][]string{{"-Q", "webapp", "-c", "1"}, {"-Q", "neural_net,webapp", "-c", "3"}}
	for _, c := range []struct {
		name string
		run  celeryRun
	}{
		{"usual prefetch, ack at the start", celeryRun{layout: "topic", workers: split, prefetch: "4", net: "3", url: url}},
		{"prefetch 1, ack after the work", celeryRun{layout: "topic", workers: split, prefetch: "1", late: true, net: "3", url: url}},
	} {
		var means []float64
		for i := range *outcomes {
			t.Run(fmt.Sprintf("%s %d", c.name, i+1), func(t *testing.T) {
				waits := c.run.waits(t)
				slices.Sort(waits)
				mean, longest, stuck := 0.0, waits[len(waits)-1], 0
				for _, w := range waits {
					mean += w / float64(len(waits))
					if w >= 2.5 {
						stuck++
					}
				}
				means = append(means, mean)
				fmt.Printf("%s: queries wait %.2f s on average, %.2f s at the median, %.2f s at most, %d over 2.5 s\n",
					c.name, mean, waits[len(waits)/2], longest, stuck)
			})
		}
		slices.Sort(means)
		fmt.Printf("%s: means %.2f\n", c.name, means)
	}
}
