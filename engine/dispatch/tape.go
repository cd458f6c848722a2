package dispatch

// A Tape holds the answers of probes and ledgers during a step: all that a
// queue learns from elsewhere. With the answers recorded, a step can be
// repeated where workers and channels are no more. A nil tape does nothing.
type Tape struct {
	Answers []int64
	Replay  bool // Answers are given instead of asking
	next    int
	short   bool
	list    []ConsumerID
}

// Rewind starts a step: answers are recorded anew, or replayed from the first.
func (t *Tape) Rewind() {
	t.next, t.short = 0, false
	if !t.Replay {
		t.Answers = t.Answers[:0]
	}
}

// Consumed reports whether a replayed step asked for just the answers there
// were.
func (t *Tape) Consumed() bool { return !t.Replay || t.next == len(t.Answers) && !t.short }

func (t *Tape) ask(real func() int64) int64 {
	switch {
	case t == nil:
		return real()
	case !t.Replay:
		a := real()
		t.Answers = append(t.Answers, a)
		return a
	case t.next < len(t.Answers):
		t.next++
		return t.Answers[t.next-1]
	}
	t.short = true
	return 0
}

// consumers is ask for a list of consumers, which is valid until the next call.
func (t *Tape) consumers(real []ConsumerID) []ConsumerID {
	if t == nil {
		return real
	}
	n := int(t.ask(func() int64 { return int64(len(real)) }))
	t.list = t.list[:0]
	for i := 0; i < n && !t.short; i++ {
		t.list = append(t.list, ConsumerID(t.ask(func() int64 { return int64(real[i]) })))
	}
	return t.list
}
