package selftest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// An answersFile is a file of known answers, format 1.
type answersFile struct {
	Format    int                  `json:"format"`
	TimeUnit  string               `json:"time_unit"`
	Vectors   *vectors             `json:"rng_test_vectors"`
	Cases     map[string]*testCase `json:"cases"`
	LongRuns  map[string]*testCase `json:"long_runs"`
	Semantics string               `json:"semantics"`
}

// vectors are the first numbers of the random generator for a seed.
type vectors struct {
	Seed    uint64   `json:"seed"`
	NextHex []string `json:"next_hex"`
	U32     []uint32 `json:"u32"`
	Below11 []uint32 `json:"below_11"`
	Exp     []int64  `json:"exp_mean_1000000"`
}

// A testCase is a scenario and what must come out of it.
type testCase struct {
	Doc        string                     `json:"doc"`
	Scenario   scenario                   `json:"scenario"`
	Result     map[string]json.RawMessage `json:"result"`
	ClosedForm []closedForm               `json:"closed_form"`

	name string
}

// A closedForm is a quantity of a long run beside the value theory gives.
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

// UnmarshalJSON refuses keys it does not know, since they would change the meaning
// of the case.
func (s *scenario) UnmarshalJSON(b []byte) error {
	type plain scenario
	return unmarshalStrict(b, (*plain)(s))
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

// UnmarshalJSON reads either form.
func (t *templates) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if bytes.HasPrefix(b, []byte("[")) {
		return unmarshalStrict(b, (*[]template)(t))
	}
	*t = make([]template, 1)
	return unmarshalStrict(b, &(*t)[0])
}

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

// readAnswers reads and checks a file of known answers. Its errors say which case
// is wrong and what would have been right.
func readAnswers(r io.Reader) (*answersFile, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("selftest: answers: %w", err)
	}
	f := new(answersFile)
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("selftest: answers: %w", position(b, err))
	}
	if f.Format != 1 {
		return nil, fmt.Errorf("selftest: answers: format %d, want 1", f.Format)
	}
	if f.TimeUnit != "microseconds" {
		return nil, fmt.Errorf("selftest: answers: time_unit %q, want \"microseconds\"", f.TimeUnit)
	}
	if len(f.Cases)+len(f.LongRuns) == 0 {
		return nil, errors.New("selftest: answers: no cases")
	}
	for _, c := range f.ordered() {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("selftest: answers: case %q: %w", c.name, err)
		}
	}
	return f, nil
}

// ordered returns all cases, the short ones before the long runs, each in order of
// their names.
func (f *answersFile) ordered() []*testCase {
	var all []*testCase
	for _, group := range []map[string]*testCase{f.Cases, f.LongRuns} {
		start := len(all)
		for name, c := range group {
			if c == nil {
				c = new(testCase)
			}
			c.name = name
			all = append(all, c)
		}
		part := all[start:]
		sort.Slice(part, func(i, j int) bool { return part[i].name < part[j].name })
	}
	return all
}

// unmarshalStrict is json.Unmarshal that refuses unknown keys and trailing data.
func unmarshalStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text after the end of the JSON value")
	}
	return nil
}

// position adds the line to an error of package json that knows its offset.
func position(b []byte, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return err
	}
	offset = min(max(offset, 0), int64(len(b)))
	return fmt.Errorf("line %d: %w", 1+bytes.Count(b[:offset], []byte("\n")), err)
}
