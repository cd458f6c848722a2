package pebble

import (
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"harelab/engine/store"
)

// A readAhead reads octets ahead of those that are asked for, since a broker loads a
// queue's messages mostly in order. It keeps the octets of several runs of messages, one
// of each queue. Octets do not change and messages that are removed are not asked for, so
// a run is never wrong.
type readAhead struct {
	db *pebble.DB

	mu   sync.Mutex
	runs []*run // the one used last comes last
}

const (
	runsMax      = 16
	runMessages  = 512      // messages of a run
	runOctets    = 64 << 10 // octets of a run, if they are of more than one message
	growMessages = 4        // factor by which the next run of a queue has more messages
)

// A run is some messages whose octets were read together.
type run struct {
	in area // guarded by readAhead.mu

	mu     sync.Mutex
	read   area // of which area the messages are
	ids    []store.MessageID
	ends   []int // for each message, the end of its octets
	octets []byte
	wanted int // number of messages to read the next time
}

// An area is a range of keys with octets: a queue's entries, or, if queue is 0 and apart is
// true, the octets that have keys of their own.
type area struct {
	queue store.QueueID
	apart bool
}

func (a area) key(m store.MessageID) []byte {
	if a.apart {
		return appendMessageKey(nil, m)
	}
	return appendEntryKey(nil, a.queue, m, formWhole)
}

func (a area) end() []byte {
	if a.apart {
		return []byte{messageKey + 1}
	}
	return appendEntryKey(nil, a.queue, store.LastMessage, formOverride+1)
}

// parse returns the message and the octets of a key and its value. It returns false for a
// key without octets.
func (a area) parse(key, value []byte) (m store.MessageID, octets []byte, ok bool, err error) {
	if a.apart {
		if m, err = parseMessageKey(key); err == nil {
			octets, err = checkSum(key, value)
		}
		return m, octets, true, err
	}
	_, m, form, err := parseEntryKey(key)
	if err != nil || form != formWhole {
		return m, nil, false, err
	}
	_, octets, err = parseEntry(key, value)
	return m, octets, true, err
}

// load appends the octets of a message in an area to dst.
func (r *readAhead) load(a area, m store.MessageID, dst []byte) ([]byte, error) {
	run := r.run(a)
	run.mu.Lock()
	defer run.mu.Unlock()
	if run.read != a { // the run was another area's
		run.read, run.wanted = a, 0
		run.ids = run.ids[:0]
	}
	i, found := slices.BinarySearch(run.ids, m)
	if !found {
		if n := len(run.ids); n > 0 && m > run.ids[n-1] {
			run.wanted = min(run.wanted*growMessages, runMessages)
		} else {
			run.wanted = 1
		}
		i = 0
		big, err := run.fill(r.db, m)
		if err != nil {
			return dst, err
		}
		if big != nil {
			return append(dst, big...), nil
		}
		if len(run.ids) == 0 || run.ids[0] != m {
			return dst, store.ErrNoMessage
		}
	}
	start := 0
	if i > 0 {
		start = run.ends[i-1]
	}
	return append(dst, run.octets[start:run.ends[i]]...), nil
}

// run returns the run of an area.
func (r *readAhead) run(a area) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.runs, func(u *run) bool { return u.in == a })
	var u *run
	switch {
	case i >= 0:
		u = r.runs[i]
		r.runs = slices.Delete(r.runs, i, i+1)
	case len(r.runs) < runsMax:
		u = new(run)
	default:
		u = r.runs[0]
		r.runs = slices.Delete(r.runs, 0, 1)
	}
	u.in = a
	r.runs = append(r.runs, u)
	return u
}

// fill reads run.wanted messages from m on, or fewer if the area or the room ends. If the
// octets of m are too many to keep, it returns them.
func (u *run) fill(db *pebble.DB, m store.MessageID) (big []byte, err error) {
	u.ids, u.ends, u.octets = u.ids[:0], u.ends[:0], u.octets[:0]
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: u.read.key(m), UpperBound: u.read.end()})
	if err != nil {
		return nil, readError(err)
	}
	defer func() {
		if closed := it.Close(); err == nil {
			err = readError(closed)
		}
	}()
	for ok := it.First(); ok && len(u.ids) < u.wanted; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, readError(err)
		}
		n, octets, ok, err := u.read.parse(it.Key(), v)
		switch {
		case err != nil && n != m:
			return nil, nil // said to whoever asks for that one
		case err != nil:
			return nil, err
		case !ok:
			continue
		case len(u.ids) == 0 && n != m:
			return nil, nil
		case len(u.octets)+len(octets) > runOctets && len(u.ids) > 0:
			return nil, nil
		case len(octets) > runOctets:
			return slices.Clone(octets), nil
		}
		u.ids = append(u.ids, n)
		u.octets = append(u.octets, octets...)
		u.ends = append(u.ends, len(u.octets))
	}
	return nil, readError(it.Error())
}
