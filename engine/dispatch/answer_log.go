package dispatch

// An AnswerLog holds the answers of probes and limiters during a step of a queue: the
// only inputs of a step besides its event. With the recorded answers, a step can be
// repeated when the workers and channels are gone. A nil log does nothing.
type AnswerLog struct {
	Answers []int64
	Replay  bool         // true: return Answers; false: ask, and append to Answers
	next    int          // index of the next answer to replay
	short   bool         // see Short
	list    []ConsumerID // the latest result of consumers
}

// Rewind starts a step: it discards the recorded answers, or replays from the first.
func (l *AnswerLog) Rewind() {
	l.next, l.short = 0, false
	if !l.Replay {
		l.Answers = l.Answers[:0]
	}
}

// Consumed reports whether a replayed step asked for exactly the recorded answers.
func (l *AnswerLog) Consumed() bool { return !l.Replay || l.next == len(l.Answers) && !l.short }

// Short reports whether a replayed step asked for more answers than were recorded.
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

// consumers is ask for a list of consumers. The result is valid until the next call.
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
