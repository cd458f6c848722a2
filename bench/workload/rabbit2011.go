package workload

import "strings"

// RabbitMQ's benchmark of its topic exchange, as described in "Very fast and scalable
// topic routing, part 2" (2011). The article gives the counts; the words are ours. Half
// of the routing keys are made to match a binding key.
const (
	rabbitBindings = 2000
	rabbitKeys     = 200_000
	rabbitStar     = 0.12  // share of '*' among the words of binding keys
	rabbitHash     = 0.013 // share of '#'
)

func rabbit2011() *Workload {
	rng := newRand(1)
	vocabulary := distinctWords(rng, 50, 3, 9)
	patterns := make([][]string, rabbitBindings)
	keys := make([]string, rabbitBindings)
	for i := range patterns {
		ws := make([]string, 3+rng.IntN(4))
		for j := range ws {
			switch x := rng.Float64(); {
			case x < rabbitStar:
				ws[j] = "*"
			case x < rabbitStar+rabbitHash:
				ws[j] = "#"
			default:
				ws[j] = pick(rng, vocabulary)
			}
		}
		patterns[i], keys[i] = ws, strings.Join(ws, ".")
	}
	w := &Workload{Name: "rabbit2011", Bindings: binds(keys)}
	for i := range rabbitKeys {
		var ws []string
		if i%2 == 0 {
			ws = make([]string, 3+rng.IntN(4))
			for j := range ws {
				ws[j] = pick(rng, vocabulary)
			}
		} else {
			for _, p := range pick(rng, patterns) {
				n := 1
				if p == "#" {
					n = rng.IntN(3)
				}
				for range n {
					if p == "#" || p == "*" {
						ws = append(ws, pick(rng, vocabulary))
					} else {
						ws = append(ws, p)
					}
				}
			}
		}
		w.Keys = append(w.Keys, []byte(strings.Join(ws, ".")))
	}
	return w
}

// rabbit2011Trailing returns rabbit2011 without the binding keys that have '#' before
// the end.
func rabbit2011Trailing() *Workload {
	full := rabbit2011()
	w := &Workload{Name: "rabbit2011-trailing", Keys: full.Keys}
	for _, b := range full.Bindings {
		if !strings.Contains(strings.TrimSuffix(b.Key, "#"), "#") {
			w.Bindings = append(w.Bindings, b)
		}
	}
	return w
}
