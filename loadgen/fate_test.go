package loadgen

import (
	"testing"

	"harelab/loadgen/run"
	"harelab/scenarios"
)

// TestSettle: the state of a message follows from what is known of it. Where a target
// shows nothing, no cause is guessed.
func TestSettle(t *testing.T) {
	// Queues: 0 is consumed, 1 is not, 2 is not and dead-letters.
	queues := []scenarios.Queue{{Name: "q"}, {Name: "dead"}, {Name: "delay", Arguments: []scenarios.Argument{{Name: "x-dead-letter-exchange", Value: ""}}}}
	limited := NewSettler(queues, []bool{true, false, false}, true)
	free := NewSettler(queues, []bool{true, false, false}, false)
	single := End{Routed: 1, Workable: 1, In: -1}
	with := func(change func(*End)) End { e := single; change(&e); return e }
	for _, tt := range []struct {
		name     string
		settler  *Settler
		state    run.State // before
		attempts int32
		end      End
		want     run.State
		queue    int32
		cause    run.Cause
	}{
		{"finished", free, run.Left, 1, with(func(e *End) { e.Finished = 1 }), run.Done, 0, run.NoCause},
		{"one of two copies finished", free, run.Done, 1, End{Routed: 2, Workable: 2, Finished: 1, In: -1, There: true}, run.Left, 0, run.NoCause},
		{"a copy that nobody works on does not count", free, run.Done, 1, End{Routed: 2, Workable: 1, Finished: 1, In: 1, Home: -1}, run.Done, 0, run.NoCause},
		{"still there", free, run.Left, 0, with(func(e *End) { e.There = true }), run.Left, 0, run.NoCause},
		{"gone from a broker without limits", free, run.Left, 0, single, run.Lost, 0, run.NoCause},
		{"gone from a broker with limits that shows nothing", limited, run.Left, 0, single, run.Gone, 0, run.NoCause},
		{"gone from one that shows everything", limited, run.Left, 0, with(func(e *End) { e.Shown = true }), run.Lost, 0, run.NoCause},
		{"dropped", limited, run.Left, 0, with(func(e *End) { e.Fate = Fate{Cause: run.MaxOctets, To: -1, Gone: 1} }), run.Dropped, 0, run.MaxOctets},
		{"cut off after its ack", limited, run.Left, 1, with(func(e *End) { e.Cut = true }), run.Lost, 0, run.NoCause},
		{"dead-lettered", free, run.Left, 0, with(func(e *End) { e.In, e.Fate = 1, Fate{Cause: run.TTL, To: 1} }), run.DeadLetter, 1, run.TTL},
		{"dead-lettered, as only its place shows", free, run.Left, 0, with(func(e *End) { e.In = 1 }), run.DeadLetter, 1, run.NoCause},
		{"given up by a worker", free, run.Left, 2, with(func(e *End) { e.In = 1 }), run.DeadLetter, 1, run.GivenUp},
		{"waiting for its next attempt", free, run.Left, 2, with(func(e *End) { e.In = 2 }), run.Left, 2, run.NoCause},
		{"published to where nobody consumes", free, run.Left, 0, End{Routed: 1, In: 1, Home: 1}, run.Left, 1, run.NoCause},
		{"refused", limited, run.Refused, 0, single, run.Refused, 0, run.NoCause},
		{"refused and dead-lettered", limited, run.Refused, 0, with(func(e *End) { e.In, e.Fate = 1, Fate{Cause: run.MaxMessages, To: 1} }), run.DeadLetter, 1, run.MaxMessages},
		{"returned", free, run.Returned, 0, End{In: -1}, run.Returned, 0, run.NoCause},
		{"unroutable", free, run.Left, 0, End{In: -1}, run.Unroutable, 0, run.NoCause},
	} {
		row := run.Message{State: tt.state, Attempts: tt.attempts, Worker: -1}
		tt.settler.Settle(&row, tt.end)
		if row.State != tt.want || row.Queue != tt.queue || row.Cause != tt.cause {
			t.Errorf("%s: %v in queue %d (%v), want %v in %d (%v)", tt.name, row.State, row.Queue, row.Cause, tt.want, tt.queue, tt.cause)
		}
	}
}
