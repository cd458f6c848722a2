package loadgen

import "testing"

func TestBook(t *testing.T) {
	b := NewBook()
	b.Open(0, 1, -1)
	b.Open(1, 2, 7)
	b.Open(2, 0, 8)
	for i, step := range []struct {
		seq   int64
		queue int32
		user  int32
		left  int64
	}{
		{1, 4, -1, 2},
		{1, 4, -1, 2}, // the same copy again
		{1, 5, 7, 1},
		{1, 5, -1, 1}, // a message that is through
		{0, 9, -1, 0},
		{3, 0, -1, 0}, // one that was never opened
	} {
		if user := b.Settle(step.seq, step.queue); user != step.user || b.Left() != step.left {
			t.Errorf("step %d: user %d, %d left; want %d, %d", i, user, b.Left(), step.user, step.left)
		}
	}
	select {
	case <-b.Changed():
	default:
		t.Error("no signal when the last copy was settled")
	}
	b.Open(4, 3, 2)
	if user := b.Close(4); user != 2 || b.Left() != 0 {
		t.Errorf("Close: user %d, %d left", user, b.Left())
	}
}
