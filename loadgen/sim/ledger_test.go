package sim

import (
	"context"
	"testing"

	"harelab/scenarios"
)

// The work of a message is done again if its worker dies with the ack on the wire: of
// the first message three times, of the second twice. Each counts once as duplicated.
// A redelivery out of order is not an inversion.
func TestLedgerCountsWorkDoneTwice(t *testing.T) {
	workers := oneWorker("q", 1)
	workers[0].AckDelay = 50
	m := Model{
		Queues: []scenarios.Queue{queueOf("q")}, Workers: workers,
		Control: []Control{
			{At: 20, Do: Crash}, {At: 30, Do: Join}, {At: 60, Do: Crash}, {At: 70, Do: Join},
			{At: 150, Do: Crash}, {At: 160, Do: Join},
		},
		Source: &listSource{list: burst(0, 2, "q", 10)},
	}
	o, err := m.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	l := o.Ledger
	if l.Delivered != 5 || l.Redelivered != 3 || l.Finished != 2 || l.Duplicated != 2 || l.Inversions != 0 || l.Lost != 0 {
		t.Errorf("ledger %+v, want 5 deliveries, 3 of them redelivered, 2 messages finished, both again, none lost or inverted", l)
	}
	if first := o.Messages[0]; first.Attempts != 3 || first.Started != 70 || first.Acked != 130 {
		t.Errorf("message 0: %+v, want the third attempt, from 70, acked at 130", first)
	}
}

// A queue of order sjf inverts messages whose costs differ. A queue after a crash only
// redelivers messages that it delivered in order. Copies in another queue do not count.
func TestLedgerCountsInversions(t *testing.T) {
	inverted := func(prefetch int, order string, control ...Control) int64 {
		t.Helper()
		load := burst(0, 4, "q", 10)
		for i := range load {
			load[i].Cost = int64(9 - i) // the first finds the worker idle
			load[i].Exchange = "amq.fanout"
		}
		m := Model{
			Queues:   []scenarios.Queue{queueOf("q", "x-order", order), queueOf("other")},
			Bindings: []scenarios.Binding{{Exchange: "amq.fanout", Queue: "q"}, {Exchange: "amq.fanout", Queue: "other"}},
			Workers:  oneWorker("q", prefetch),
			Control:  control, Source: &listSource{list: load},
		}
		o, err := m.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return o.Ledger.Inversions
	}
	crash := []Control{{At: 15, Do: Crash}, {At: 20, Do: Join}}
	for _, c := range []struct {
		name string
		got  int64
		want int64
	}{
		{"in order", inverted(1, "fifo"), 0},
		{"the third and the second after the fourth", inverted(1, "sjf"), 2},
		{"two come back, after the second of them", inverted(2, "fifo", crash...), 0},
		{"all come back", inverted(0, "sjf", crash...), 0},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d inversions, want %d", c.name, c.got, c.want)
		}
	}
}

// A delivery that needs no ack is acked when it is dispatched.
func TestAutoAckIsAtDispatch(t *testing.T) {
	workers := oneWorker("q", 0)
	workers[0].Ack, workers[0].Deliver = AckAuto, 30
	m := Model{Queues: []scenarios.Queue{queueOf("q")}, Workers: workers, Source: &listSource{list: burst(5, 1, "q", 10)}}
	o, err := m.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Messages[0]; got.Acked != 5 || got.Dispatched != 5 || got.Received != 35 || got.Done != 45 {
		t.Errorf("%+v, want it dispatched and acked at 5, received at 35, done at 45", got)
	}
}
