package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"harelab/engine/store"
)

const (
	histories     = 12 // seeds, from 1
	livesEach     = 5
	changesEach   = 250
	historyQueues = 4
)

func testHistories(t *testing.T, newPlace func(t *testing.T) Place) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprintf("seed=%d", seed+1), func(t *testing.T) { History(t, seed+1, newPlace(t)) })
	}
}

// History makes random changes over several lives, which end with a close, a crash or a
// failure, and compares the contents of each next life with a model. The seed chooses the
// changes.
func History(t *testing.T, seed uint64, place Place) {
	y := &history{
		harness: &harness{t: t, place: place},
		rng:     rand.New(rand.NewPCG(seed, 0)),
		octets:  make(map[store.MessageID]string),
	}
	for range historyQueues {
		y.queues = append(y.queues, newTrack[store.MessageID, store.Entry]())
	}
	y.records = newTrack[string, string]()
	for life := range livesEach {
		y.live(life)
		if t.Failed() {
			t.Fatalf("seed %d: after life %d", seed, life)
		}
	}
}

// A track is the model of one queue, or of the records: each state since the last reported
// round. After a crash the store may be in any of them.
type track[K, V comparable] struct {
	states []map[K]V
	ended  []int // for each unreported round, the number of states at its end
}

func newTrack[K, V comparable]() *track[K, V] {
	return &track[K, V]{states: []map[K]V{make(map[K]V)}}
}

// change adds a state, made by f from a copy of the last one.
func (r *track[K, V]) change(f func(map[K]V)) {
	next := maps.Clone(r.states[len(r.states)-1])
	f(next)
	r.states = append(r.states, next)
}

func (r *track[K, V]) last() map[K]V { return r.states[len(r.states)-1] }

// complete drops the states before the end of the first n unreported rounds.
func (r *track[K, V]) complete(n int) {
	if n == 0 {
		return
	}
	from := r.ended[n-1] - 1
	r.states = r.states[from:]
	r.ended = slices.Clone(r.ended[n:])
	for i := range r.ended {
		r.ended[i] -= from
	}
}

// find returns the index of the newest state that is s, or -1.
func (r *track[K, V]) find(s map[K]V) int {
	for i := len(r.states) - 1; i >= 0; i-- {
		if maps.Equal(r.states[i], s) {
			return i
		}
	}
	return -1
}

// settle keeps only state i.
func (r *track[K, V]) settle(i int) { r.states, r.ended = r.states[i:i+1], nil }

// A history is a harness with a model of its store's contents.
type history struct {
	*harness
	rng       *rand.Rand
	queues    []*track[store.MessageID, store.Entry]
	records   *track[string, string]
	octets    map[store.MessageID]string // the octets of all messages ever published
	next      store.MessageID
	rounds    int         // number of rounds that ended and that the model does not know to be durable
	completed store.Round // the last round that the model knows to be durable
}

// live runs one life of the store, and compares the contents of the next with the model.
func (y *history) live(life int) {
	var faulty *Faulty
	if y.rng.IntN(2) == 0 {
		faulty = y.openFaulty()
		faulty.Hold()
		if y.rng.IntN(2) == 0 {
			faulty.FailWrite(1 + y.rng.IntN(2*changesEach))
		}
	} else {
		y.open()
	}
	if y.place.Fail != nil && y.rng.IntN(3) == 0 {
		y.place.Fail(y.inner, 1+y.rng.IntN(changesEach))
	}
	y.rounds, y.completed = 0, 0
	for range changesEach {
		y.act()
		if faulty != nil && y.rng.IntN(10) == 0 {
			faulty.Release(y.rng.IntN(4))
		}
		if y.Failed() != nil {
			break
		}
	}
	y.leave(life)
	y.open()
	y.compare(life)
	y.end()
}

// leave ends the store's life with a close or a crash.
func (y *history) leave(life int) {
	closed := y.rng.IntN(2) == 0 && y.Close() == nil
	y.learn()
	if !closed {
		y.crash()
		return
	}
	y.watch.check(y.t)
	for _, q := range y.queues {
		q.settle(len(q.states) - 1)
	}
	y.records.settle(len(y.records.states) - 1)
}

// act makes one random change, and sometimes commits.
func (y *history) act() {
	q := y.rng.IntN(historyQueues)
	id := store.QueueID(1 + q)
	switch r := y.rng.IntN(100); {
	case r < 45:
		y.publishSome(q)
	case r < 75 && y.next > 0:
		m := y.some()
		y.Remove(id, m)
		y.queues[q].change(func(s map[store.MessageID]store.Entry) { delete(s, m) })
	case r < 80 && y.next > 0:
		m := y.some()
		if e, ok := y.queues[q].last()[m]; ok {
			e.Redelivered = true
			y.Add(id, m, e)
			y.queues[q].change(func(s map[store.MessageID]store.Entry) { s[m] = e })
		}
	case r < 83 && y.next > 0:
		first := y.some()
		last := first + store.MessageID(y.rng.IntN(5))
		y.Drop(id, first, last)
		y.queues[q].change(func(s map[store.MessageID]store.Entry) {
			maps.DeleteFunc(s, func(m store.MessageID, _ store.Entry) bool { return first <= m && m <= last })
		})
	case r < 84:
		y.Drop(id, 0, store.LastMessage)
		y.queues[q].change(func(s map[store.MessageID]store.Entry) { clear(s) })
	case r < 92:
		name, value := fmt.Sprint(y.rng.IntN(6)), fmt.Sprint(y.rng.IntN(100))
		y.Put('r', name, []byte(value))
		y.records.change(func(s map[string]string) { s[name] = value })
	case r < 95:
		name := fmt.Sprint(y.rng.IntN(6))
		y.Delete('r', name)
		y.records.change(func(s map[string]string) { delete(s, name) })
	}
	if y.rng.IntN(8) == 0 {
		y.commit()
	}
}

// some returns the identity of a published message, most likely a recent one.
func (y *history) some() store.MessageID {
	return y.next - min(y.next-1, store.MessageID(y.rng.ExpFloat64()*30))
}

// publishSome publishes a message to one queue or several; rounds may end in between.
func (y *history) publishSome(q int) {
	y.next++
	m := y.next
	length := y.rng.IntN(40)
	if y.rng.IntN(50) == 0 {
		length = y.rng.IntN(20_000)
	}
	octets := strings.Repeat(string(rune('a'+m%26)), length)
	y.octets[m] = octets
	cut := y.rng.IntN(len(octets) + 1)
	y.Message(m, []byte(octets[:cut]), []byte(octets[cut:]))
	for ; q < historyQueues; q += 1 + y.rng.IntN(3) {
		e := store.Entry{ExpiresAt: int64(y.rng.IntN(3))}
		y.Add(store.QueueID(1+q), m, e)
		y.queues[q].change(func(s map[store.MessageID]store.Entry) { s[m] = e })
		if y.rng.IntN(10) == 0 {
			y.commit()
		}
	}
	y.Done(m)
}

// commit ends a round in the store and in the model.
func (y *history) commit() {
	r := y.Commit()
	if y.Failed() == nil && int(r) > int(y.completed)+y.rounds {
		y.rounds++
		for _, q := range y.queues {
			q.ended = append(q.ended, len(q.states))
		}
		y.records.ended = append(y.records.ended, len(y.records.states))
		if want := int(y.completed) + y.rounds; int(r) != want {
			y.t.Errorf("Commit = %d, want %d", r, want)
		}
	}
	y.learn()
}

// learn updates the model with the rounds that were reported.
func (y *history) learn() {
	n := min(int(y.watch.round()-y.completed), y.rounds)
	y.rounds -= n
	y.completed += store.Round(n)
	for _, q := range y.queues {
		q.complete(n)
	}
	y.records.complete(n)
}

// compare wants the contents of the store to be among the states of the model.
func (y *history) compare(life int) {
	held := make(map[store.MessageID]bool)
	for i, q := range y.queues {
		found := make(map[store.MessageID]store.Entry)
		if err := y.Entries(store.QueueID(1+i), func(m store.MessageID, e store.Entry) error {
			found[m] = e
			held[m] = true
			return nil
		}); err != nil {
			y.t.Error(err)
		}
		at := q.find(found)
		if at < 0 {
			y.t.Errorf("life %d: queue %d holds\n%s\nwant one of %d states from\n%s\nto\n%s",
				life, 1+i, showEntries(found), len(q.states), showEntries(q.states[0]), showEntries(q.last()))
			return
		}
		q.settle(at)
	}
	y.compareRecords(life)
	for m, want := range y.octets {
		switch got, err := y.Load(m, nil); {
		case held[m] && (err != nil || string(got) != want):
			y.t.Errorf("life %d: Load(%d) = %q, %v, want %q", life, m, got, err, want)
		case !held[m] && err != store.ErrNoMessage:
			y.t.Errorf("life %d: Load(%d) = %q, %v, want %v", life, m, got, err, store.ErrNoMessage)
		}
	}
}

func (y *history) compareRecords(life int) {
	found := make(map[string]string)
	if err := y.Records('r', func(name string, value []byte) error {
		found[name] = string(value)
		return nil
	}); err != nil {
		y.t.Error(err)
	}
	at := y.records.find(found)
	if at < 0 {
		y.t.Errorf("life %d: records are\n%v\nwant one of %d states from\n%v\nto\n%v",
			life, found, len(y.records.states), y.records.states[0], y.records.last())
		return
	}
	y.records.settle(at)
}

func showEntries(s map[store.MessageID]store.Entry) string {
	var b strings.Builder
	for _, m := range slices.Sorted(maps.Keys(s)) {
		b.WriteString(describe(m, nil, s[m]) + " ")
	}
	return b.String()
}
