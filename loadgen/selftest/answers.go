package selftest

import (
	"cmp"
	"encoding/json"
)

// An answersFile is a file of known answers, format 1.
type answersFile struct {
	Format    int                        `json:"format"`
	TimeUnit  string                     `json:"time_unit"`
	Vectors   *vectors                   `json:"rng_test_vectors"`
	Cases     map[string]json.RawMessage `json:"cases"`
	LongRuns  map[string]json.RawMessage `json:"long_runs"`
	Semantics string                     `json:"semantics"`

	cases   []*testCase // Cases, then LongRuns, each in order of name
	refused []error     // an error for each invalid case
	unknown []string    // unknown keys
}

// vectors are the first numbers of the random generator for a seed.
type vectors struct {
	Seed    uint64   `json:"seed"`
	NextHex []string `json:"next_hex"`
	U32     []uint32 `json:"u32"`
	Below11 []uint32 `json:"below_11"`
	Exp     []int64  `json:"exp_mean_1000000"`
}

// A testCase is a scenario and its right result.
type testCase struct {
	Doc        string                     `json:"doc"`
	Scenario   scenario                   `json:"scenario"`
	Result     map[string]json.RawMessage `json:"result"`
	ClosedForm []closedForm               `json:"closed_form"`

	name    string
	unknown []string // unknown keys
}

// A closedForm is a quantity of a long run beside its value in theory.
type closedForm struct {
	Quantity      string  `json:"quantity"`
	Expected      float64 `json:"expected"`
	Tolerance     float64 `json:"tolerance"`
	Observed      float64 `json:"observed"`
	RelativeError float64 `json:"relative_error"`
	StandardError float64 `json:"standard_error"`
	OK            bool    `json:"ok"`
}

type scenario struct {
	Queues  []queueSpec   `json:"queues"`
	Workers []workerSpec  `json:"workers"`
	Publish []publishSpec `json:"publish"`
	Control []controlSpec `json:"control"`
}

type queueSpec struct {
	Name         string           `json:"name"`
	Dispatch     string           `json:"dispatch"`
	Order        string           `json:"order"`
	MaxPriority  *int             `json:"max_priority"`
	AgingUS      int64            `json:"aging_us"`
	Quantum      int64            `json:"quantum"`
	Weights      map[string]int64 `json:"weights"`
	Cost         string           `json:"cost"`
	SingleActive bool             `json:"single_active"`
	Seed         uint64           `json:"seed"`
}

type workerSpec struct {
	Name            string          `json:"name"`
	Concurrency     int             `json:"concurrency"`
	Subscribe       []subscribeSpec `json:"subscribe"`
	Ack             string          `json:"ack"`
	ChannelPrefetch int             `json:"channel_prefetch"`
	Slow            float64         `json:"slow"`
	DeliverUS       int64           `json:"deliver_us"`
	AckUS           int64           `json:"ack_us"`
	JoinsAt         *int64          `json:"joins_at"`
	Seed            uint64          `json:"seed"`
}

// Defaults of queues and workers that are not zero values.
var (
	defaultQueue  = queueSpec{Dispatch: "rr", Order: "fifo", Cost: "one", Quantum: 1}
	defaultWorker = workerSpec{Concurrency: 1, Ack: "late", Slow: 1}
)

// fill replaces zero values by defaults, in a scenario that was not read from a file.
func (s *scenario) fill() {
	for i := range s.Queues {
		q := &s.Queues[i]
		q.Dispatch = cmp.Or(q.Dispatch, defaultQueue.Dispatch)
		q.Order = cmp.Or(q.Order, defaultQueue.Order)
		q.Cost = cmp.Or(q.Cost, defaultQueue.Cost)
		q.Quantum = cmp.Or(q.Quantum, defaultQueue.Quantum)
	}
	for i := range s.Workers {
		w := &s.Workers[i]
		w.Concurrency = cmp.Or(w.Concurrency, defaultWorker.Concurrency)
		w.Ack = cmp.Or(w.Ack, defaultWorker.Ack)
		w.Slow = cmp.Or(w.Slow, defaultWorker.Slow)
	}
}

type subscribeSpec struct {
	Queue    string `json:"queue"`
	Prefetch int    `json:"prefetch"`
	Priority int32  `json:"priority"`
}

// A publishSpec is a group of messages: Of cycled through Count times, or drawn
// by Gen.
type publishSpec struct {
	At    int64     `json:"at"`
	Every int64     `json:"every"`
	Count *int64    `json:"count"`
	Of    templates `json:"of"`
	Gen   *genSpec  `json:"gen"`
}

type template struct {
	Queue    string `json:"queue"`
	Class    string `json:"class"`
	Service  int64  `json:"service"`
	Priority int    `json:"priority"`
	Tenant   string `json:"tenant"`
	Fail     int    `json:"fail"`
}

// templates is one template or a list of them.
type templates []template

type genSpec struct {
	N        int64       `json:"n"`
	Arrival  arrivalSpec `json:"arrival"`
	Service  serviceSpec `json:"service"`
	Queue    string      `json:"queue"`
	Route    *routeSpec  `json:"route"`
	Class    string      `json:"class"`
	Priority int         `json:"priority"`
}

type arrivalSpec struct {
	Kind  string `json:"kind"`
	Mean  int64  `json:"mean"`
	Every int64  `json:"every"`
	Seed  uint64 `json:"seed"`
}

type serviceSpec struct {
	Kind  string     `json:"kind"`
	Mean  int64      `json:"mean"`
	US    int64      `json:"us"`
	Seed  uint64     `json:"seed"`
	Total int64      `json:"total"`
	Items []itemSpec `json:"items"`
}

type itemSpec struct {
	Weight   int64  `json:"weight"`
	Class    string `json:"class"`
	Service  int64  `json:"service"`
	Priority *int   `json:"priority"`
	Queue    string `json:"queue"`
}

type routeSpec struct {
	Seed   uint64   `json:"seed"`
	Queues []string `json:"queues"`
}

type controlSpec struct {
	At    int64  `json:"at"`
	Crash string `json:"crash"`
	Join  string `json:"join"`
}
