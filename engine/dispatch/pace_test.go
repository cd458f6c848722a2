package dispatch

import "testing"

// TestPaceStaysWithinBounds measures and grows windows to both bounds: the number of
// slots, and the greatest prefetch of basic.qos.
func TestPaceStaysWithinBounds(t *testing.T) {
	measured := func(least, interval, slots int64) uint32 {
		p := pace{window: 1, least: least}
		p.sampleInterval(16*interval, uint32(slots))
		return p.window
	}
	grown := func(window, slots uint32, samples int64) uint32 {
		p := pace{window: window, samples: samples}
		p.grow(slots)
		return p.window
	}
	for _, tt := range []struct {
		name      string
		got, want uint32
	}{
		{"no round trip", measured(1000, 1000, 1), 1},
		{"less than an interval each, as noise may have it", measured(500, 1000, 1), 1},
		{"no round trip, three slots", measured(1000, 1000, 3), 3},
		{"a round trip of one service", measured(2000, 1000, 1), 2},
		{"of a little less than a sixteenth", measured(2060, 1000, 1), 2},
		{"of a little more", measured(2070, 1000, 1), 3},
		{"of 65534 services", measured(65535, 1, 1), 65535},
		{"of more", measured(65536, 1, 1), 65535},
		{"no time at all between acknowledgements", measured(1, 0, 1), 16},
		{"twice as large while nothing is measured", grown(1, 1, 0), 2},
		{"at least the slots", grown(1, 5, 0), 5},
		{"by a quarter once something is", grown(8, 1, 1), 10},
		{"by one at least", grown(3, 1, 1), 4},
		{"to the greatest", grown(52428, 1, 1), 65535},
		{"and no further", grown(52429, 1, 1), 65535},
		{"from there", grown(65535, 1, 0), 65535},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: window %d, want %d", tt.name, tt.got, tt.want)
		}
	}
}

// TestPaceKeepsTimesInOrder delivers three messages for each acknowledgement, so that
// the ring of times grows with its head at different indexes.
func TestPaceKeepsTimesInOrder(t *testing.T) {
	p := pace{window: 1}
	var want []int64
	for now := int64(1); now < 400; now++ {
		if now%4 == 0 {
			p.acked(now, 1, false)
			want = want[1:]
		} else {
			p.give(now)
			want = append(want, now)
		}
		for i, at := range want {
			if got := p.given[(p.first+uint32(i))&uint32(len(p.given)-1)]; got != at {
				t.Fatalf("at %d: message %d of %d was given at %d, want %d", now, i, len(want), got, at)
			}
		}
	}
}
