package dispatch

// An AnswerLog holds the answers of probes and limiters during a step: all that a
// queue learns from elsewhere. With the answers recorded, a step can be repeated
// when the workers and channels are gone. A nil log does nothing.
type AnswerLog struct {
	Answers []int64
	Replay  bool // Answers are given instead of asking
	next    int
	short   bool
	list    []ConsumerID
}

// Rewind starts a step: answers are recorded anew, or replayed from the first.
func (l *AnswerLog) Rewind() {
	l.next, l.short = 0, false
	if !l.Replay {
		l.Answers = l.Answers[:0]
	}
}

// Consumed reports whether a replayed step asked for just the answers there
// were.
func (l *AnswerLog) Consumed() bool { return !l.Replay || l.next == len(l.Answers) && !l.short }

// Short reports whether a replayed step asked for more answers than there were.
func (l *AnswerLog) Short() bool { return l.short }

func (l *AnswerLog) ask(real func() int64) int64 {
	switch {
	case l == nil:
		return real()
	case !l.Replay:
		a := real()
		l.Answers = append(l.Answers, a)
		return a
	case l.next < len(l.Answers):
		l.next++
		return l.Answers[l.next-1]
	}
	l.short = true
	return 0
}

// consumers is ask for a list of consumers, which is valid until the next call.
func (l *AnswerLog) consumers(real []ConsumerID) []ConsumerID {
	if l == nil {
		return real
	}
	n := int(l.ask(func() int64 { return int64(len(real)) }))
	l.list = l.list[:0]
	for i := 0; i < n && !l.short; i++ {
		l.list = append(l.list, ConsumerID(l.ask(func() int64 { return int64(real[i]) })))
	}
	return l.list
}
