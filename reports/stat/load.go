package stat

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"harelab/loadgen/run"
)

// A Load tells whether two runs were asked to do the same: the same messages
// of the same classes at the same intended instants with the same work.
// Queues are no part of it, so that a topology can be compared with another.
type Load struct {
	Messages int      `json:"messages"`
	Work     float64  `json:"work"` // s of service asked for
	Counts   []Counts `json:"counts"`
	Hash     string   `json:"hash"` // over class, intended instant, work and tenant of each message
}

// Counts is how many messages of a class were asked for.
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

// loadOf fingerprints what r was asked to do. A closed loop decides its
// instants as it goes, so on a real clock only counts and work can agree;
// instants enter the hash to the millisecond.
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
