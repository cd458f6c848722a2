package auth

import (
	"sync"
	"time"
)

// A limit bounds how often something may fail: burst times at once, and then every
// interval.
type limit struct {
	burst    int
	interval time.Duration
}

// The limits of logins that fail. A client with a wrong password meets the first one, and
// so does no harm to others at its address or to its user's other clients.
var (
	pairLimit    = limit{5, time.Second}             // one user from one address
	addressLimit = limit{50, 100 * time.Millisecond} // all users from one address
	userLimit    = limit{50, 100 * time.Millisecond} // one user from all addresses
)

// maxTracked bounds the failures that a throttle remembers: names and addresses come from
// strangers.
const maxTracked = 10_000

// maxTrackedName bounds a name in them, in octets. Longer names share a count.
const maxTrackedName = 255

// A throttle decides whether a login is tried at all. It remembers failures only, so that
// users who log in are not slowed, however often they do. Its methods may be called at the
// same time.
type throttle struct {
	mu     sync.Mutex
	failed map[failureKey]failures
}

// A failureKey names what failures are counted for: an address, a user, or both.
type failureKey struct{ address, user string }

// failures are counted as the time at which all of them are forgiven.
type failures struct {
	limit    limit
	forgiven time.Time
}

// exhausted reports whether no further failure is allowed at now.
func (f failures) exhausted(now time.Time) bool {
	return f.forgiven.Sub(now) > time.Duration(f.limit.burst-1)*f.limit.interval
}

func keysOf(address, user string) [3]struct {
	failureKey
	limit
} {
	user = user[:min(len(user), maxTrackedName)]
	return [3]struct {
		failureKey
		limit
	}{
		{failureKey{address, user}, pairLimit},
		{failureKey{address: address}, addressLimit},
		{failureKey{user: user}, userLimit},
	}
}

// allows reports whether a login may be tried.
func (t *throttle) allows(address, user string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keysOf(address, user) {
		if t.failed[k.failureKey].exhausted(now) {
			return false
		}
	}
	return true
}

// fail counts a login that was tried and failed.
func (t *throttle) fail(address, user string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = make(map[failureKey]failures)
	}
	for _, k := range keysOf(address, user) {
		f, known := t.failed[k.failureKey]
		if !known && len(t.failed) >= maxTracked {
			t.sweep(now)
		}
		if f.forgiven.Before(now) {
			f.forgiven = now
		}
		f.limit = k.limit
		f.forgiven = f.forgiven.Add(k.limit.interval)
		t.failed[k.failureKey] = f
	}
}

// sweep forgets what is forgiven, and if that is not enough, any.
func (t *throttle) sweep(now time.Time) {
	for k, f := range t.failed {
		if f.forgiven.Before(now) {
			delete(t.failed, k)
		}
	}
	for k := range t.failed {
		if len(t.failed) < maxTracked*3/4 {
			return
		}
		delete(t.failed, k)
	}
}
