package loadgen

import "testing"

func TestOutstanding(t *testing.T) {
	o := NewOutstanding()
	o.Add(0, 1, -1)
	o.Add(1, 2, 7)
	o.Add(2, 0, 8)
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
		{3, 0, -1, 0}, // one that was never added
	} {
		if user := o.Settle(step.seq, step.queue); user != step.user || o.Left() != step.left {
			t.Errorf("step %d: user %d, %d left; want %d, %d", i, user, o.Left(), step.user, step.left)
		}
	}
	select {
	case <-o.Drained():
	default:
		t.Error("no signal when the last copy was settled")
	}
	o.Add(4, 3, 2)
	if user := o.Drop(4); user != 2 || o.Left() != 0 {
		t.Errorf("Drop: user %d, %d left", user, o.Left())
	}
}
