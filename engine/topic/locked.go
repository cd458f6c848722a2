package topic

import "sync"

func init() {
	RegisterWrapper(Wrapper{
		Name: "locked",
		Doc:  "behind a readers-writer lock",
		Wrap: lock,
	})
}

// lock makes matchers of s that hold a readers-writer lock. Matches run side by
// side; a bind waits for them and they wait for a bind.
func lock(s Strategy) func() Matcher {
	inner := s.Bare
	if inner == nil {
		inner = s.New
	}
	return func() Matcher {
		m := inner()
		if steps, ok := m.(Stepper); ok {
			return &lockedStepper{locked{m: m}, steps}
		}
		return &locked{m: m}
	}
}

// locked is a Matcher behind a readers-writer lock.
type locked struct {
	mu sync.RWMutex
	m  Matcher
}

func (l *locked) Bind(bindingKey string, d Dest) bool {
	mustCheckKey(bindingKey) // panics before the lock is taken
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.Bind(bindingKey, d)
}

func (l *locked) Unbind(bindingKey string, d Dest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.Unbind(bindingKey, d)
}

func (l *locked) Match(dst []Dest, routingKey []byte) []Dest {
	l.mu.RLock()
	dst = l.m.Match(dst, routingKey)
	l.mu.RUnlock()
	return dst
}

func (l *locked) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.m.Len()
}

// lockedStepper is a locked matcher that counts its steps.
type lockedStepper struct {
	locked
	steps Stepper
}

func (l *lockedStepper) MatchSteps(dst []Dest, routingKey []byte) ([]Dest, int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.steps.MatchSteps(dst, routingKey)
}
