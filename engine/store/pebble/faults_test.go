package pebble

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"harelab/engine/store"
	"harelab/engine/store/memory"
)

// A waiter is an observer on which a test can wait.
type waiter struct {
	mu     sync.Mutex
	change sync.Cond
	round  store.Round
	err    error
}

func newWaiter() *waiter {
	w := new(waiter)
	w.change.L = &w.mu
	return w
}

func (w *waiter) Completed(r store.Round) {
	w.mu.Lock()
	w.round = r
	w.mu.Unlock()
	w.change.Broadcast()
}

func (w *waiter) Failed(err error) {
	w.mu.Lock()
	w.err = err
	w.mu.Unlock()
	w.change.Broadcast()
}

// wait waits for a round to be durable, or for the failure of the store.
func (w *waiter) wait(r store.Round) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.round < r && w.err == nil {
		w.change.Wait()
	}
	if w.round >= r {
		return nil
	}
	return w.err
}

const (
	scriptSteps = 60
	scriptClose = 25 // the step before which the script closes and opens its store
)

// scriptStep makes the changes of one round.
func scriptStep(s store.Store, step int) {
	m := store.MessageID(1 + step)
	body := []byte(strings.Repeat(string(rune('a'+step%26)), 50*step))
	if step%10 == 9 {
		body = make([]byte, 20_000) // a batch larger than a memtable
	}
	s.Message(m, body[:len(body)/2], body[len(body)/2:])
	s.Add(1, m, store.Entry{})
	if step%3 == 0 {
		s.Add(2, m, store.Entry{ExpiresAt: int64(step)})
	}
	s.Done(m)
	s.Put('r', fmt.Sprint(step%7), []byte(fmt.Sprint(step)))
	if step%5 == 4 {
		s.Add(1, m-1, store.Entry{Redelivered: true})
		s.Delete('r', fmt.Sprint((step+1)%7))
	}
	if step > 15 {
		s.Remove(1, m-15)
	}
	if step == 40 {
		s.Drop(1, m-12, m-1)
		s.Drop(2, 0, store.LastMessage)
	}
}

// contents writes down what a store holds.
func contents(s store.Store) (string, error) {
	var b strings.Builder
	err := s.Records('r', func(name string, value []byte) error {
		fmt.Fprintf(&b, "%s=%s ", name, value)
		return nil
	})
	for q := store.QueueID(1); q <= 2; q++ {
		fmt.Fprintf(&b, "\nqueue %d:", q)
		err = errors.Join(err, s.Entries(q, func(m store.MessageID, e store.Entry) error {
			octets, err := s.Load(m, nil)
			fmt.Fprintf(&b, " %d%v:%d*%.1s", m, e, len(octets), octets)
			return err
		}))
	}
	return b.String(), err
}

// scriptStates returns what a store holds after each number of steps.
func scriptStates(t *testing.T) (states []string) {
	s := memory.New()
	for step := range scriptSteps + 1 {
		state, err := contents(s)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, state)
		scriptStep(s, step)
	}
	return states
}

// A nthCall makes the n-th call of a file system fail, or all calls from it on. It does not
// count reads of tables and folders while the store is opened: if Pebble cannot be opened,
// its goroutines may use what has gone, and the program, which ends anyway, panics.
type nthCall struct {
	n       int64
	after   bool
	err     error
	calls   atomic.Int64
	opening atomic.Bool
}

func (c *nthCall) MaybeError(op errorfs.Op) error {
	if c.opening.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsRead && !strings.HasSuffix(op.Path, ".log") {
		return nil
	}
	if c.err == syscall.ENOSPC && op.Kind.ReadOrWrite() == errorfs.OpIsRead {
		return nil // reading needs no space
	}
	if i := c.calls.Add(1); i == c.n || c.after && i > c.n {
		return c.err
	}
	return nil
}

func (c *nthCall) String() string { return "the n-th call fails" }

// injected returns a file system with faults. Package errorfs leaves out the files that
// ReuseForWrite returns, which are most of Pebble's logs.
func injected(fs vfs.FS, inj errorfs.Injector) vfs.FS {
	return &reusing{errorfs.Wrap(fs, inj), inj}
}

type reusing struct {
	*errorfs.FS
	inj errorfs.Injector
}

func (r *reusing) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := r.FS.ReuseForWrite(old, name, c)
	if err != nil {
		return nil, err
	}
	return errorfs.WrapFile(f, r.inj), nil
}

// runScript runs the script on a disk and returns how many steps were durable. opened is
// false if the store could not be opened because of the fault.
func runScript(disk vfs.FS, c *nthCall) (durable int, opened bool, err error) {
	o := Options{fs: injected(disk, c), memTableSize: 16 << 10, pause: time.Millisecond}
	step := 0
	for _, until := range []int{scriptClose, scriptSteps} {
		c.opening.Store(true)
		s, err := Open("data", o)
		c.opening.Store(false)
		if err != nil {
			return step, false, err
		}
		w := newWaiter()
		s.Start(w)
		for ; step < until && err == nil; step++ {
			scriptStep(s, step)
			if err = w.wait(s.Commit()); err != nil {
				s.Close()
				return step, true, err
			}
		}
		if err := s.Close(); err != nil {
			return step, true, err
		}
	}
	return step, true, nil
}

// TestErrorAtEveryCall runs the script again and again, each time with a fault at another
// call of the file system. What was durable is there when the store is opened on a sound
// disk, and rounds are there as a whole or not at all.
func TestErrorAtEveryCall(t *testing.T) {
	states := scriptStates(t)
	stride := int64(1)
	if *seeds == 0 { // not make powerfail
		stride = 23
	}
	for _, fault := range []struct {
		name  string
		after bool
		err   error
	}{
		{"one I/O error", false, syscall.EIO},
		{"I/O errors from then on", true, syscall.EIO},
		{"a disk that is full once", false, syscall.ENOSPC},
	} {
		t.Run(fault.name, func(t *testing.T) {
			calls, n := int64(0), int64(1)
			for ; ; n += stride {
				fs := vfs.NewCrashableMem()
				c := &nthCall{n: n, after: fault.after, err: fault.err}
				durable, opened, err := runScript(fs, c)
				if calls = c.calls.Load(); calls < n {
					break
				}
				if fault.err == syscall.ENOSPC && opened && err != nil {
					checkFullOnce(t, n, err)
				}
				checkScript(t, fs.CrashClone(vfs.CrashCloneCfg{}), n, durable, states)
				if t.Failed() {
					t.Fatalf("with a fault at call %d", n)
				}
			}
			t.Logf("%d calls", calls)
		})
	}
}

// checkFullOnce allows a full disk to fail the store only at an fsync.
func checkFullOnce(t *testing.T, n int64, err error) {
	if !strings.Contains(err.Error(), "fsync") {
		t.Errorf("call %d: a full disk failed the store: %v", n, err)
	}
}

func checkScript(t *testing.T, fs vfs.FS, n int64, durable int, states []string) {
	s, err := Open("data", Options{fs: fs, memTableSize: 16 << 10})
	if err != nil {
		t.Errorf("call %d: open after the fault: %v", n, err)
		return
	}
	defer s.Close()
	got, err := contents(s)
	if err != nil {
		t.Errorf("call %d: %v", n, err)
	}
	for k := durable; k <= min(durable+1, scriptSteps); k++ {
		if got == states[k] {
			return
		}
	}
	t.Errorf("call %d: %d steps were durable; the store holds\n%s\nwant\n%s", n, durable, got, states[durable])
}
