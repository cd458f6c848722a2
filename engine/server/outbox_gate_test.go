package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"harelab/engine/broker"
	"harelab/engine/wire"
)

// text appends a few octets.
func (o *outbox) text(s string) {
	if buf, ok := o.begin(len(s)); ok {
		o.end(append(buf, s...))
	}
}

// ready returns the frames that the writer may take now.
func (o *outbox) ready() string {
	o.mu.Lock()
	defer o.unlock()
	if o.holding {
		return ""
	}
	var b bytes.Buffer
	for _, s := range o.fill.segments {
		b.Write(s.octets)
	}
	return b.String()
}

// gated appends a text that waits for the store.
func (o *outbox) gated(s string) {
	o.mu.Lock()
	o.shut()
	o.unlock()
	o.text(s)
}

func TestGate(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(*outbox)
		want string
	}{
		{"what comes before goes", func(o *outbox) { o.text("a"); o.gated("b") }, "a"},
		{"what comes after waits", func(o *outbox) { o.gated("a"); o.text("b"); o.seal(1); o.text("c") }, ""},
		{"all of a chunk has one round", func(o *outbox) { o.gated("a"); o.gated("b"); o.seal(1); o.open(1) }, "ab"},
		{"a round that need not be waited for", func(o *outbox) { o.gated("a"); o.text("b"); o.seal(0) }, "ab"},
		{"a round that was durable before the gate was sealed", func(o *outbox) { o.gated("a"); o.open(1); o.text("b"); o.seal(1) }, "ab"},
		{"a round before it does not open", func(o *outbox) { o.gated("a"); o.seal(2); o.open(1) }, ""},
		{"a later round opens", func(o *outbox) { o.gated("a"); o.seal(2); o.open(3) }, "a"},
		{"gates open in their order", func(o *outbox) { o.gated("a"); o.seal(1); o.gated("b"); o.seal(2); o.open(1) }, "a"},
		{"a gate that is not sealed stays shut", func(o *outbox) { o.gated("a"); o.seal(1); o.gated("b"); o.open(1) }, "a"},
		{"without a gate there is nothing to seal", func(o *outbox) { o.text("a"); o.seal(7); o.text("b") }, "ab"},
		{"held, and opened meanwhile", func(o *outbox) {
			o.gated("a")
			o.seal(1)
			o.hold()
			o.text("c")
			o.open(1)
			o.text("d")
			o.release(0, nil, false)
		}, "acd"},
		{"what waits is lost", func(o *outbox) {
			o.text("a")
			o.gated("b")
			o.seal(1)
			o.text("c")
			o.lose()
			o.text("d")
		}, "ad"},
		{"and stays so", func(o *outbox) { o.lose(); o.gated("a"); o.seal(1); o.text("b") }, "b"},
		{"lost while held", func(o *outbox) {
			o.gated("a")
			o.hold()
			o.text("b")
			o.lose()
			o.release(0, nil, false)
			o.text("c")
		}, "c"},
	} {
		o := newOutbox()
		test.do(o)
		if got := o.ready(); got != test.want {
			t.Errorf("%s: %q is ready, want %q", test.name, got, test.want)
		}
		o.mu.Lock()
		if o.unsent != o.fill.size+o.behind() {
			t.Errorf("%s: %d octets unsent, want %d ready and %d behind gates", test.name, o.unsent, o.fill.size, o.behind())
		}
		o.mu.Unlock()
	}
}

// TestReleaseBehindAGate: the answer and the frames that the method causes wait, frames from
// before the method do not.
func TestReleaseBehindAGate(t *testing.T) {
	o := newOutbox()
	o.text("before")
	o.hold()
	o.text("after")
	o.release(1, &wire.BasicQosOk{}, true)
	if got := o.ready(); got != "before" {
		t.Errorf("%q is ready, want %q", got, "before")
	}
	o.seal(1)
	o.open(1)
	if got, want := o.ready(), "before"+string(wire.AppendMethodFrame(nil, 1, &wire.BasicQosOk{}))+"after"; got != want {
		t.Errorf("%q is ready, want %q", got, want)
	}
}

// TestGatesKeepTheOrder makes random calls: in the end all frames have come out in the order
// in which they were appended, and none before its round.
func TestGatesKeepTheOrder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		o := newOutbox()
		var want, free string // everything appended, and the part that must be ready by now
		var ended, durable broker.Round
		waits := func() bool { return len(o.gates) > 0 }
		for i := range 100 {
			s := fmt.Sprintf("%d,", i)
			switch rng.IntN(6) {
			case 0, 1:
				o.text(s)
			case 2:
				o.gated(s)
			case 3:
				o.hold()
				if durable < ended && rng.IntN(2) == 0 {
					durable++
					o.open(durable)
				}
				o.text(s)
				o.release(0, nil, false)
			case 4:
				ended++
				o.seal(ended)
				s = ""
			case 5:
				if durable < ended {
					durable += 1 + broker.Round(rng.IntN(int(ended-durable)))
					o.open(durable)
				}
				s = ""
			}
			want += s
			if !waits() {
				free = want
			}
			if got := o.ready(); len(got) < len(free) || got != want[:len(got)] || waits() && len(got) == len(want) {
				t.Fatalf("seed %d, step %d: %q is ready of %q, want %q at least", seed, i, got, want, free)
			}
		}
		o.seal(ended + 1)
		o.open(ended + 1)
		if got := o.ready(); got != want {
			t.Fatalf("seed %d: %q is ready, want %q", seed, got, want)
		}
	}
}
