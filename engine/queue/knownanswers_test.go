package queue

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"harelab/engine/internal/race"
)

// TestKnownAnswers runs the cases of an independent simulator on queues and a
// small model of workers (world_test.go). The traces must be the same: when and where
// each message started and finished, and each delivery.
func TestKnownAnswers(t *testing.T) {
	const file = "../../../shared/knownanswers/known_answers.json"
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no known answers at %s", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	var answers struct {
		Cases    map[string]answer
		LongRuns map[string]answer `json:"long_runs"`
	}
	if err := json.Unmarshal(data, &answers); err != nil {
		t.Fatal(err)
	}
	for name, a := range answers.Cases {
		t.Run(name, func(t *testing.T) { a.check(t, true) })
	}
	for name, a := range answers.LongRuns {
		t.Run(name, func(t *testing.T) {
			if testing.Short() || race.Enabled {
				t.Skip("400,000 messages in one goroutine")
			}
			a.check(t, false)
		})
	}
}

type answer struct {
	Scenario scenario
	Result   struct {
		Lost, Redelivered int
		Trace             string `json:"trace_sha256"`
		Deliveries        string `json:"deliveries_sha256"`
	}
}

func (a answer) check(t *testing.T, checked bool) {
	w, err := newWorld(a.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	w.checked = checked
	w.run()
	if w.err != nil {
		t.Fatal(w.err)
	}
	var trace strings.Builder
	lost, redelivered := 0, 0
	for i, m := range w.msgs {
		worker := m.worker
		if !m.done {
			worker = -1
		}
		fmt.Fprintf(&trace, "%d %d %d %d\n", i, m.start, m.finish, worker)
		if m.lost {
			lost++
		}
		if m.attempts > 1 {
			redelivered++
		}
	}
	if lost != a.Result.Lost || redelivered != a.Result.Redelivered {
		t.Errorf("%d lost and %d redelivered, want %d and %d", lost, redelivered, a.Result.Lost, a.Result.Redelivered)
	}
	if got := digest(w.deliveries.String()); got != a.Result.Deliveries {
		t.Errorf("deliveries differ: %s, want %s", got, a.Result.Deliveries)
	}
	if got := digest(trace.String()); got != a.Result.Trace {
		t.Errorf("traces differ: %s, want %s", got, a.Result.Trace)
	}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// A scenario is the input of a case.
type scenario struct {
	Queues  []queueSpec
	Workers []workerSpec
	Publish []publishSpec
	Control []struct {
		At          int64
		Crash, Join string
	}
}

type queueSpec struct {
	Name, Dispatch, Order string
	MaxPriority           *uint8 `json:"max_priority"`
	AgingUS               int64  `json:"aging_us"`
	Quantum               int64
	Weights               map[string]int64
	Cost                  string
	SingleActive          bool `json:"single_active"`
	Seed                  uint64
}

type workerSpec struct {
	Name        string
	Concurrency int
	Subscribe   []struct {
		Queue    string
		Prefetch uint32
		Priority int32
	}
	Ack             string
	ChannelPrefetch uint32 `json:"channel_prefetch"`
	Slow            int64
	DeliverUS       int64  `json:"deliver_us"`
	AckUS           int64  `json:"ack_us"`
	JoinsAt         *int64 `json:"joins_at"`
	Seed            uint64
}

type template struct {
	Queue, Class, Tenant string
	Service              int64
	Priority             uint8
	Fail                 int
}

type templates []template

func (ts *templates) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]template)(ts))
	}
	*ts = make(templates, 1)
	return json.Unmarshal(b, &(*ts)[0])
}

type publishSpec struct {
	At, Every int64
	Count     int
	Of        templates
	Gen       *genSpec
}

type genSpec struct {
	N       int
	Arrival struct {
		Kind        string
		Mean, Every int64
		Seed        uint64
	}
	Service struct {
		Kind            string
		Mean, US, Total int64
		Seed            uint64
		Items           []struct {
			Weight int64
			template
		}
	}
	Queue, Class string
	Priority     uint8
	Route        *struct {
		Seed   uint64
		Queues []string
	}
}

// published expands the publish groups, in order of time.
func (s scenario) published() []*message {
	var msgs []*message
	for _, p := range s.Publish {
		if p.Gen != nil {
			msgs = append(msgs, p.Gen.messages()...)
			continue
		}
		for i := range p.Count {
			msgs = append(msgs, &message{at: p.At + int64(i)*p.Every, template: p.Of[i%len(p.Of)]})
		}
	}
	slices.SortStableFunc(msgs, func(a, b *message) int { return cmp.Compare(a.at, b.at) })
	for i, m := range msgs {
		m.seq = i
		m.Class = cmp.Or(m.Class, "all")
		m.Tenant = cmp.Or(m.Tenant, m.Class)
		m.start, m.finish, m.worker = -1, -1, -1
	}
	return msgs
}
