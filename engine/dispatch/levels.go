package dispatch

import "math/bits"

// levels keeps messages by priority, each level in order of age. Finding the
// best level in use is O(1). There is a level for each priority up to the greatest that
// has occurred.
type levels struct {
	t     *Messages
	max   uint8     // greatest priority that counts
	lists []ageList // by priority
	used  [4]uint64 // bit p: level p is not empty
	n     int       // number of messages
}

func newLevels(cfg Config, t *Messages) levels {
	if cfg.MaxPriority == 0 {
		cfg.MaxPriority = 255
	}
	return levels{t: t, max: cfg.MaxPriority}
}

func (s *levels) Len() int { return s.n }

func (s *levels) Push(r Ref) {
	p := min(s.t.At(r).Priority, s.max)
	for int(p) >= len(s.lists) {
		s.lists = append(s.lists, newAgeList())
	}
	s.lists[p].push(s.t, r)
	s.used[p/64] |= 1 << (p % 64)
	s.n++
}

// pop removes and returns the oldest message of a level in use.
func (s *levels) pop(p int) Ref {
	l := &s.lists[p]
	r := l.pop(s.t)
	if l.n == 0 {
		s.used[p/64] &^= 1 << (p % 64)
	}
	s.n--
	return r
}

// below returns the greatest level in use that is less than p, or -1.
func (s *levels) below(p int) int {
	if p <= 0 {
		return -1
	}
	p--
	word := s.used[p/64] << (63 - p%64) >> (63 - p%64)
	for i := p / 64; ; word = s.used[i] {
		if word != 0 {
			return 64*i + 63 - bits.LeadingZeros64(word)
		}
		if i--; i < 0 {
			return -1
		}
	}
}
