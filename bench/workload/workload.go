// Package workload makes the binding keys and routing keys of comparisons of topic
// matchers. Each workload is the same on every machine and in every run: its random
// numbers come from a fixed seed.
package workload

import (
	"fmt"
	"math/rand/v2"

	"harelab/engine/nearest"
	"harelab/engine/topic"
)

// A Workload is bindings and a stream of routing keys to match against them.
type Workload struct {
	Name     string
	Bindings []Binding
	Keys     [][]byte // in the order of the stream, which repeats them
}

// A Binding is a binding key and its destination.
type Binding struct {
	Key  string
	Dest topic.Dest
}

// A Spec describes a workload and makes it.
type Spec struct {
	Name string
	Doc  string // one line that describes it
	When string // begins a sentence about it, as "where few keys repeat"

	// Matches is the total number of destinations that the keys of the stream match.
	// A measurement that counts another number did not do the work.
	Matches int

	// NoBacktracking is set if a combinatorial strategy would take hours.
	NoBacktracking bool

	Make func() *Workload
}

// Specs returns the workloads that all comparisons use.
func Specs() []Spec {
	return []Spec{
		{Name: "rabbit2011", Matches: 190_869, Make: rabbit2011,
			Doc:  "2,000 binding keys of 3 to 6 words out of 50, some with '*' or '#' anywhere (RabbitMQ's 2011 benchmark)",
			When: "where '*' and '#' stand anywhere in binding keys"},
		{Name: "rabbit2011-trailing", Matches: 166_261, Make: rabbit2011Trailing,
			Doc:  "the same with '#' at the end only, which NATS and MQTT can express",
			When: "where '#' stands at the end only"},
		{Name: "tyler1000", Matches: 56_598, Make: tyler1000,
			Doc:  "1,000 binding keys of three one-digit words, few routing keys that come again and again",
			When: "where few keys repeat"},
		{Name: "celery", Matches: 50_000, Make: celery,
			Doc:  "200 services, each with a queue bound to all its tasks",
			When: "where each service has one queue"},
		{Name: "iot", Matches: 617_927, Make: func() *Workload { return IoT(100_000) },
			Doc:  "100,000 bindings: sites with '#', devices and metrics with '*' or without",
			When: "with 100,000 bindings"},
		{Name: "adversarial4", Matches: 17_590, Make: func() *Workload { return Adversarial(4, 120) },
			Doc:  "200 binding keys with four '#', routing keys of 120 words of one letter",
			When: "with four '#' in each binding key"},
		{Name: "adversarial7", Matches: 16_192, Make: func() *Workload { return Adversarial(7, 120) }, NoBacktracking: true,
			Doc:  "200 binding keys with seven '#', routing keys of 120 words of one letter",
			When: "with seven '#' in each binding key"},
	}
}

// Lookup returns the spec of a workload.
func Lookup(name string) (Spec, error) {
	var have []string
	for _, s := range Specs() {
		if s.Name == name {
			return s, nil
		}
		have = append(have, s.Name)
	}
	return Spec{}, fmt.Errorf("unknown workload %q%s", name, nearest.Choices(name, have))
}

// frameOctets is the number of octets between two routing keys of a stream: the rest of
// a basic.publish frame, a content header and a short body.
const frameOctets = 64

// Arriving returns the workload with its routing keys in an order drawn from seed, laid
// out as in the buffer of a connection: one after another, with the rest of each publish
// between them. So no matcher finds a key, or the nodes of the key before it, in the
// processor's cache by luck of the order.
func (w *Workload) Arriving(seed uint64) *Workload {
	n := 0
	for _, k := range w.Keys {
		n += len(k) + frameOctets
	}
	buf := make([]byte, 0, n)
	keys := make([][]byte, 0, len(w.Keys))
	for _, i := range rand.New(rand.NewPCG(seed, 2011)).Perm(len(w.Keys)) {
		from := len(buf)
		buf = append(buf, w.Keys[i]...)
		keys = append(keys, buf[from:len(buf):len(buf)])
		buf = buf[:len(buf)+frameOctets]
	}
	return &Workload{Name: w.Name, Bindings: w.Bindings, Keys: keys}
}

// Fill binds the workload's bindings.
func (w *Workload) Fill(m topic.Matcher) {
	for _, b := range w.Bindings {
		m.Bind(b.Key, b.Dest)
	}
}

// newRand returns the random numbers of one purpose.
func newRand(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(2011, purpose)) }

// binds returns bindings with a destination each.
func binds(keys []string) []Binding {
	bindings := make([]Binding, len(keys))
	for i, k := range keys {
		bindings[i] = Binding{k, topic.Dest(i)}
	}
	return bindings
}

// word returns a random word of the given number of letters.
func word(rng *rand.Rand, letters int) string {
	b := make([]byte, letters)
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return string(b)
}

// distinctWords returns n different words of lo to hi letters.
func distinctWords(rng *rand.Rand, n, lo, hi int) []string {
	seen := make(map[string]bool)
	var words []string
	for len(words) < n {
		if w := word(rng, lo+rng.IntN(hi-lo+1)); !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }
