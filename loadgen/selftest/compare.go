package selftest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

// A checker prints each difference between an outcome and a case's result, and
// counts them.
type checker struct {
	w          io.Writer
	name       string // of the case
	mismatches int
	limit      int // greatest number of differences to print for a case
}

// differ reports a difference. where names the message or is empty.
func (c *checker) differ(where, field string, want, got any) {
	c.mismatches++
	if c.mismatches > c.limit {
		return
	}
	if where != "" {
		where += ": "
	}
	fmt.Fprintf(c.w, "%s: %s%s: want %v, got %v\n", c.name, where, field, want, got)
}

// close prints the number of differences that were not printed, and returns the
// number of all.
func (c *checker) close() int {
	if more := c.mismatches - c.limit; more > 0 {
		fmt.Fprintf(c.w, "%s: %d more mismatches\n", c.name, more)
	}
	return c.mismatches
}

// compare compares an outcome with a case's whole result. It returns an error if the
// result cannot be read.
func (c *checker) compare(t *testCase, o *outcome) error {
	a := analyse(o)
	r := resultReader{fields: t.Result, used: map[string]bool{}}
	for _, f := range []struct {
		name string
		got  int64
	}{
		{"done", a.done}, {"lost", a.lost}, {"unserved", a.unserved},
		{"redelivered", a.redelivered}, {"makespan_us", a.makespan},
	} {
		var want int64
		if r.read(f.name, &want) && want != f.got {
			c.differ("", f.name, want, f.got)
		}
	}
	c.summaries(&r, "wait_us", a.wait)
	c.summaries(&r, "response_us", a.response)
	c.slowdowns(&r, a.slowdown)
	c.perWorker(&r, "served_per_worker", o.served)
	c.perWorker(&r, "busy_us_per_worker", o.busy)
	var j *float64
	if r.read("jain_busy", &j) && a.jainDefined {
		c.decimal("jain_busy", j, a.jain)
	}
	c.text(&r, "trace_sha256", a.trace)
	c.text(&r, "deliveries_sha256", o.deliveries)
	c.rows(&r, o)
	c.closedForms(t, o)
	for _, field := range r.unread() {
		c.differ("", "result."+field, "a value", "none: the field is unknown")
	}
	return r.err
}

func (c *checker) text(r *resultReader, field, got string) {
	var want string
	if r.read(field, &want) && want != got {
		c.differ("", field, want, got)
	}
}

func (c *checker) perWorker(r *resultReader, field string, got []int64) {
	var want []int64
	if !r.read(field, &want) {
		return
	}
	if len(want) != len(got) {
		c.differ("", field, fmt.Sprint(len(want), " workers"), len(got))
		return
	}
	for i := range want {
		if want[i] != got[i] {
			c.differ("", fmt.Sprintf("%s[%d]", field, i), want[i], got[i])
		}
	}
}

func (c *checker) summaries(r *resultReader, field string, got map[string]summary) {
	type figures struct {
		N, Sum, P50, P99, Max int64
		Mean                  float64
	}
	var want map[string]figures
	if !r.read(field, &want) {
		return
	}
	for _, class := range union(want, got) {
		w, g := want[class], got[class]
		at := field + "." + class
		if w.N != g.n {
			c.differ("", at+".n", w.N, g.n)
		}
		if w.N == 0 || g.n == 0 {
			continue
		}
		for _, f := range []struct {
			name      string
			want, got int64
		}{{"sum", w.Sum, g.sum}, {"p50", w.P50, g.p50}, {"p99", w.P99, g.p99}, {"max", w.Max, g.max}} {
			if f.want != f.got {
				c.differ("", at+"."+f.name, f.want, f.got)
			}
		}
		if !close6(w.Mean, g.mean) {
			c.differ("", at+".mean", w.Mean, round6(g.mean))
		}
	}
}

func (c *checker) slowdowns(r *resultReader, got map[string]slowdown) {
	type figures struct{ Mean, Max *float64 }
	var want map[string]figures
	if !r.read("slowdown", &want) {
		return
	}
	for _, class := range union(want, got) {
		w, g := want[class], got[class]
		if (w.Mean != nil) != (g.n > 0) {
			c.differ("", "slowdown."+class, presence(w.Mean != nil), presence(g.n > 0))
			continue
		}
		if g.n > 0 {
			c.decimal("slowdown."+class+".mean", w.Mean, g.mean)
			c.decimal("slowdown."+class+".max", w.Max, g.max)
		}
	}
}

// decimal compares a decimal with the wanted one, which may be nil for none.
func (c *checker) decimal(field string, want *float64, got float64) {
	switch {
	case want == nil:
		c.differ("", field, "none", round6(got))
	case !close6(*want, got):
		c.differ("", field, *want, round6(got))
	}
}

func presence(there bool) string {
	if there {
		return "a value"
	}
	return "none"
}

func union[A, B any](a map[string]A, b map[string]B) []string {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return slices.Sorted(maps.Keys(keys))
}

// rows compares the result's rows, message by message.
func (c *checker) rows(r *resultReader, o *outcome) {
	for _, part := range []struct{ rows, columns string }{{"rows", "columns"}, {"first_rows", "first_rows_columns"}} {
		var columns []string
		var rows [][]any
		r.read(part.columns, &columns)
		if !r.read(part.rows, &rows) {
			continue
		}
		truncated := part.rows == "first_rows"
		if part.rows == "rows" {
			r.read("rows_truncated", &truncated)
		}
		if !truncated && len(rows) != len(o.rows) {
			c.differ("", part.rows, fmt.Sprint(len(rows), " messages"), len(o.rows))
		}
		for i, want := range rows {
			if len(want) != len(columns) {
				r.fail(fmt.Errorf("%s[%d] has %d values, want one for each of %d columns", part.rows, i, len(want), len(columns)))
				return
			}
			if err := c.row(o, i, columns, want); err != nil {
				r.fail(err)
				return
			}
		}
	}
}

func (c *checker) row(o *outcome, i int, columns []string, want []any) error {
	seq := i
	if at := slices.Index(columns, "seq"); at >= 0 {
		n, ok := want[at].(float64)
		if !ok || n != math.Trunc(n) || n < 0 || n >= 1<<31 {
			return fmt.Errorf("row %d: seq %v is not a message number", i, want[at])
		}
		seq = int(n)
	}
	if seq >= len(o.rows) {
		c.differ(fmt.Sprint("message ", seq), "seq", "a message", "none")
		return nil
	}
	for k, column := range columns {
		got, ok := o.column(seq, column)
		if !ok {
			return fmt.Errorf("unknown column %q (have %s)", column, strings.Join(columnNames, ", "))
		}
		if got != want[k] {
			c.differ(fmt.Sprint("message ", seq), column, plain(want[k]), plain(got))
		}
	}
	return nil
}

var columnNames = []string{"seq", "class", "queue", "arrival", "service", "delivered", "start", "finish",
	"worker", "slot", "attempts", "redelivered", "state"}

// column returns a value of a row with the type that package json gives it. All
// integers of a file are below 2^53, so float64 holds them exactly.
func (o *outcome) column(seq int, name string) (any, bool) {
	r := &o.rows[seq]
	switch name {
	case "seq":
		return float64(seq), true
	case "class":
		return o.classes[r.class], true
	case "queue":
		return o.queues[r.queue], true
	case "arrival":
		return float64(r.arrival), true
	case "service":
		return float64(r.service), true
	case "delivered":
		return float64(r.delivered), true
	case "start":
		return float64(r.start), true
	case "finish":
		return float64(r.finish), true
	case "worker":
		return float64(r.worker), true
	case "slot":
		return float64(r.slot), true
	case "attempts":
		return float64(r.attempts), true
	case "redelivered":
		if r.redelivered {
			return 1.0, true
		}
		return 0.0, true
	case "state":
		return r.state, true
	}
	return nil, false
}

// plain turns a whole number into an int64, which prints without an exponent.
func plain(v any) any {
	if f, ok := v.(float64); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return v
}

// close6 reports whether got equals want to 1e-6 relative plus 1e-6. Files round to
// 6 places.
func close6(want, got float64) bool {
	return math.Abs(want-got) <= 1e-6*math.Abs(want)+1e-6
}

func round6(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// A resultReader decodes the fields of a result and keeps the first error.
type resultReader struct {
	fields map[string]json.RawMessage
	used   map[string]bool
	err    error
}

// read decodes a field into v. It returns false if the field is missing or invalid.
func (r *resultReader) read(field string, v any) bool {
	r.used[field] = true
	b, ok := r.fields[field]
	if !ok || r.err != nil {
		return false
	}
	if err := unmarshalStrict(b, v); err != nil {
		r.fail(fmt.Errorf("result: %s: %w", field, err))
		return false
	}
	return true
}

func (r *resultReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// unread returns the fields for which read was not called.
func (r *resultReader) unread() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(r.fields)), func(f string) bool { return r.used[f] })
}
