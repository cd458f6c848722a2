package stat

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"harelab/loadgen/run"
)

// A Load identifies the work that a scenario asks for, so that two runs can be
// checked for the same work: the same messages of the same classes at the same
// intended instants with the same service times. Queues are not part of it, so
// that two topologies can be compared.
type Load struct {
	Messages int      `json:"messages"`
	Work     float64  `json:"work"`   // s, the sum of the intended service times
	Counts   []Counts `json:"counts"` // one for each class
	Hash     string   `json:"hash"`   // over class, intended instant, work and tenant of each message
}

// Counts is the number of messages of a class that the scenario asks for.
type Counts struct {
	Class string `json:"class"`
	N     int    `json:"n"`
}

// Same reports whether the loads are equal.
func (l Load) Same(o Load) bool { return l.Hash == o.Hash }

// String says the load in words, as "4 fit_neural_net, 40 run_user_query".
func (l Load) String() string {
	var parts []string
	for _, c := range l.Counts {
		parts = append(parts, fmt.Sprintf("%d %s", c.N, c.Class))
	}
	return strings.Join(parts, ", ")
}

// loadOf returns the load of r. Instants enter the hash at a precision of one
// millisecond. A closed loop chooses its instants while it runs, so that on a real
// clock two of its runs can agree in counts and work only.
func loadOf(r *run.Result) Load {
	l := Load{Messages: len(r.Messages)}
	counts := make([]int, len(r.Classes))
	h := sha256.New()
	var work int64
	var buf [24]byte
	for i := range r.Messages {
		m := &r.Messages[i]
		if m.Class >= 0 && int(m.Class) < len(counts) {
			counts[m.Class]++
		}
		work += m.Service
		binary.BigEndian.PutUint64(buf[0:], uint64(m.Intended/1000))
		binary.BigEndian.PutUint64(buf[8:], uint64(m.Service))
		binary.BigEndian.PutUint32(buf[16:], uint32(m.Class))
		binary.BigEndian.PutUint32(buf[20:], uint32(m.Tenant))
		h.Write(buf[:])
	}
	for i, n := range counts {
		l.Counts = append(l.Counts, Counts{r.Classes[i], n})
		fmt.Fprintln(h, r.Classes[i])
	}
	l.Work = seconds(work)
	l.Hash = hex.EncodeToString(h.Sum(nil)[:8])
	return l
}
