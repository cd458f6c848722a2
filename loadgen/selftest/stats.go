package selftest

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"math/big"
	"slices"
	"strconv"
)

// A row is one message and its fate, in the columns of a known-answers file. Times
// and indexes of events that did not happen are -1.
type row struct {
	class, queue, worker, slot, attempts int32
	redelivered                          bool
	state                                string // done, lost or unserved
	arrival, service                     int64
	delivered, start, finish             int64
}

// An outcome is the result of a scenario's run.
type outcome struct {
	rows       []row // by seq
	classes    []string
	queues     []string
	served     []int64 // by worker: number of successful attempts
	busy       []int64 // by worker: time of these attempts
	deliveries string  // hash of the deliveries (R20)
}

// A summary holds the statistics of some times, as R19 defines them.
type summary struct {
	n, sum, p50, p99, max int64
	mean                  float64
}

// summarize sorts values.
func summarize(values []int64) summary {
	s := summary{n: int64(len(values))}
	if s.n == 0 {
		return s
	}
	slices.Sort(values)
	for _, v := range values {
		s.sum += v
	}
	s.mean = float64(s.sum) / float64(s.n)
	s.p50, s.p99, s.max = percentile(values, 50), percentile(values, 99), values[s.n-1]
	return s
}

// percentile returns the ceil(p*n/100)-th smallest of sorted values.
func percentile(sorted []int64, p int) int64 {
	rank := (p*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

// A slowdown holds the mean and the maximum of response divided by service, over n
// messages.
type slowdown struct {
	n         int64
	mean, max float64
}

// allClasses is the name of the statistics over all classes.
const allClasses = "all"

// An analysis holds the statistics of an outcome that known-answers files give.
type analysis struct {
	done, lost, unserved, redelivered int64
	makespan                          int64
	wait, response                    map[string]summary
	slowdown                          map[string]slowdown
	jain                              float64
	jainDefined                       bool // a worker was busy
	trace                             string
}

// analyse computes the statistics of R19 and the trace's hash of R20.
func analyse(o *outcome) *analysis {
	a := &analysis{wait: map[string]summary{}, response: map[string]summary{}, slowdown: map[string]slowdown{}}
	groups := make([][]int32, len(o.classes))
	var all []int32
	for i := range o.rows {
		r := &o.rows[i]
		if r.redelivered {
			a.redelivered++
		}
		switch r.state {
		case "done":
			a.done++
			a.makespan = max(a.makespan, r.finish)
			groups[r.class] = append(groups[r.class], int32(i))
			all = append(all, int32(i))
		case "lost":
			a.lost++
		default:
			a.unserved++
		}
	}
	for c, rows := range groups {
		a.group(o, o.classes[c], rows)
	}
	a.group(o, allClasses, all)
	a.jain, a.jainDefined = jain(o.busy)
	a.trace = traceHash(o.rows)
	return a
}

// group adds the statistics of some rows under a name, unless there are no rows.
func (a *analysis) group(o *outcome, name string, rows []int32) {
	if len(rows) == 0 {
		return
	}
	waits, responses := make([]int64, len(rows)), make([]int64, len(rows))
	slow := slowdown{}
	for i, n := range rows {
		r := &o.rows[n]
		waits[i], responses[i] = r.start-r.arrival, r.finish-r.arrival
		if r.service > 0 {
			x := float64(responses[i]) / float64(r.service)
			slow.n++
			slow.mean += x
			slow.max = max(slow.max, x)
		}
	}
	if slow.n > 0 {
		slow.mean /= float64(slow.n)
	}
	a.wait[name], a.response[name], a.slowdown[name] = summarize(waits), summarize(responses), slow
}

// jain returns Jain's index of fairness over x: 1 if all are equal, 1/n if all but
// one are 0, not defined if all are 0. The sums are exact.
func jain(x []int64) (index float64, defined bool) {
	sum, squares := new(big.Int), new(big.Int)
	for _, v := range x {
		b := big.NewInt(v)
		sum.Add(sum, b)
		squares.Add(squares, b.Mul(b, b))
	}
	if squares.Sign() == 0 {
		return 0, false
	}
	squares.Mul(squares, big.NewInt(int64(len(x))))
	index, _ = new(big.Rat).SetFrac(sum.Mul(sum, sum), squares).Float64()
	return index, true
}

// traceHash is the SHA-256 of the lines "seq start finish worker" (R20).
func traceHash(rows []row) string {
	h := newLineHash()
	for seq := range rows {
		r := &rows[seq]
		worker := int64(r.worker)
		if r.state != "done" {
			worker = -1
		}
		h.line(int64(seq), r.start, r.finish, worker)
	}
	return h.hex()
}

// A lineHash is the SHA-256 of lines of decimal numbers with spaces between them.
type lineHash struct {
	sha hash.Hash
	buf []byte
}

func newLineHash() *lineHash { return &lineHash{sha: sha256.New()} }

func (h *lineHash) line(numbers ...int64) {
	for _, n := range numbers {
		h.buf = append(strconv.AppendInt(h.buf, n, 10), ' ')
	}
	h.buf[len(h.buf)-1] = '\n'
	if len(h.buf) > 1<<12 {
		h.sha.Write(h.buf)
		h.buf = h.buf[:0]
	}
}

func (h *lineHash) hex() string {
	h.sha.Write(h.buf)
	h.buf = h.buf[:0]
	return hex.EncodeToString(h.sha.Sum(nil))
}
