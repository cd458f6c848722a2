package workload

import (
	"fmt"
	"strings"
)

// tyler1000 follows the benchmark of Tyler Treat's fast-topic-matching: it has short
// words, many of them equal. All routing keys fit a cache.
func tyler1000() *Workload {
	rng := newRand(2)
	keys := make([]string, 1000)
	for i := range keys {
		ws := make([]string, 3)
		for j := range ws {
			if ws[j] = string('0' + rune(rng.IntN(10))); rng.Float64() < 0.06 {
				ws[j] = "*"
			}
		}
		keys[i] = strings.Join(ws, ".")
	}
	w := &Workload{Name: "tyler1000", Bindings: binds(keys)}
	for range 20_000 {
		x := rng.IntN(1000)
		w.Keys = append(w.Keys, fmt.Appendf(nil, "%d.%d.%d", x/100, x/10%10, x%10))
	}
	return w
}

// celery is a topic exchange for task queues: the key service.# binds a service's queue,
// and the routing key is the task's name.
func celery() *Workload {
	rng := newRand(3)
	var keys, tasks []string
	for _, service := range distinctWords(rng, 200, 4, 9) {
		keys = append(keys, service+".#")
		for _, task := range distinctWords(rng, 25, 3, 6) {
			tasks = append(tasks, service+"."+task+"_"+word(rng, 5))
		}
	}
	w := &Workload{Name: "celery", Bindings: binds(keys)}
	for range 50_000 {
		w.Keys = append(w.Keys, []byte(pick(rng, tasks)))
	}
	return w
}
