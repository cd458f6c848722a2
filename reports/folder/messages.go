package folder

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"harelab/engine/bom"
	"harelab/loadgen/run"
)

// messageColumns is the header of messages.csv. An empty instant is one that the
// target does not show, or that never came; an empty class, queue or worker means
// that the message has none.
var messageColumns = strings.Split("seq,class,queue,worker,slot,attempts,redelivered,"+
	"intended_us,sent_us,confirmed_us,enqueued_us,dispatched_us,received_us,started_us,done_us,acked_us,state", ",")

// instants returns the nine instants of m, in column order.
func instants(m *run.Message) [9]*int64 {
	return [...]*int64{
		&m.Intended, &m.Sent, &m.Confirmed, &m.Enqueued, &m.Dispatched, &m.Received, &m.Started, &m.Done, &m.Acked,
	}
}

// WriteMessages writes messages.csv.
func WriteMessages(out io.Writer, r *run.Result) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(messageColumns, ",") + "\n")
	classes, queues, workers := quoteAll(r.Classes), quoteAll(r.Queues), quoteAll(workerNames(r))
	var b []byte
	for i := range r.Messages {
		m := &r.Messages[i]
		b = strconv.AppendInt(b[:0], m.Seq, 10)
		b = append(b, ',')
		b = append(b, name(classes, m.Class)...)
		b = append(b, ',')
		b = append(b, name(queues, m.Queue)...)
		b = append(b, ',')
		b = append(b, name(workers, m.Worker)...)
		b = append(b, ',')
		if m.Slot >= 0 {
			b = strconv.AppendInt(b, int64(m.Slot), 10)
		}
		b = append(b, ',')
		b = strconv.AppendInt(b, int64(m.Attempts), 10)
		b = append(b, ',')
		b = strconv.AppendBool(b, m.Redelivered)
		for _, t := range instants(m) {
			b = append(b, ',')
			if *t != run.None {
				b = strconv.AppendInt(b, *t, 10)
			}
		}
		b = append(b, ',')
		b = append(b, m.State.String()...)
		b = append(b, '\n')
		w.Write(b)
	}
	return w.Flush()
}

func workerNames(r *run.Result) []string {
	var names []string
	for _, w := range r.Workers {
		names = append(names, w.Name)
	}
	return names
}

// quoteAll quotes the names that CSV requires in quotes.
func quoteAll(names []string) []string {
	out := slices.Clone(names)
	for i, n := range out {
		if strings.ContainsAny(n, ",\"\r\n") || strings.TrimSpace(n) != n {
			out[i] = `"` + strings.ReplaceAll(n, `"`, `""`) + `"`
		}
	}
	return out
}

func name(names []string, i int32) string {
	if i < 0 || int(i) >= len(names) {
		return ""
	}
	return names[i]
}

// Bounds on numbers that are read. A value beyond them is an error.
const (
	maxSlots   = 1 << 16 // of a worker
	maxInstant = 1 << 53 // microseconds, 285 years: a float64 holds each of them exactly
)

// states are the states of messages by their names.
var states = func() map[string]run.State {
	m := make(map[string]run.State)
	for s := run.Done; s.String() != "unknown"; s++ {
		m[s.String()] = s
	}
	m["unserved"] = run.Left // as folders had it once
	return m
}()

// ReadMessages reads a messages.csv without the rest of its folder, and makes the
// lists of classes, queues and workers from it. The file does not have the intended
// service times, so the times that the work took stand for them.
func ReadMessages(in io.Reader) (*run.Result, error) {
	r := new(run.Result)
	if err := readMessages(in, r); err != nil {
		return nil, err
	}
	return r, nil
}

// readMessages adds the rows to r, and the names that r does not have yet.
func readMessages(in io.Reader, r *run.Result) error {
	t, err := newTable(in, messageColumns)
	if err != nil {
		return err
	}
	classes, queues, workers := indexOf(r.Classes), indexOf(r.Queues), indexOf(workerNames(r))
	for t.next() {
		m := run.Message{
			Seq: t.int64("seq", 0), Class: classes.add(t.text("class")), Queue: queues.add(t.text("queue")), Tenant: -1,
			Worker: workers.add(t.text("worker")), Slot: t.int32("slot", -1), Attempts: t.int32("attempts", 0),
			Redelivered: t.bool("redelivered"),
		}
		for i, at := range instants(&m) {
			*at = t.instant(messageColumns[7+i])
		}
		if m.Slot >= maxSlots {
			t.fail("slot", "out of range")
		}
		state, ok := states[t.text("state")]
		if !ok {
			t.fail("state", "not a state of a message")
		}
		if m.State = state; state == run.Rejected && m.Attempts == 0 {
			m.State = run.Refused // as folders had it before workers' rejections had a state
		}
		if m.Started != run.None && m.Done != run.None {
			m.Service = m.Done - m.Started
		}
		m.Redeliveries = once(&m)
		if t.err == nil {
			r.Messages = append(r.Messages, m)
		}
	}
	r.Classes, r.Queues = classes.names, queues.names
	for _, w := range workers.names[len(r.Workers):] {
		r.Workers = append(r.Workers, run.Worker{Name: w})
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		r.Length = max(r.Length, m.Done, m.Acked)
		if m.Worker >= 0 {
			w := &r.Workers[m.Worker]
			w.Slots = max(w.Slots, int(m.Slot)+1)
		}
	}
	return t.err
}

// An index numbers names in order of appearance. The number of "" is -1.
type index struct {
	names []string
	at    map[string]int32
}

func indexOf(names []string) *index {
	x := &index{at: make(map[string]int32)}
	for _, n := range names {
		x.add(n)
	}
	return x
}

func (x *index) add(name string) int32 {
	if name == "" {
		return -1
	}
	i, ok := x.at[name]
	if !ok {
		i = int32(len(x.names))
		x.names = append(x.names, name)
		x.at[name] = i
	}
	return i
}

// A table reads a CSV file with known columns. It stops at the first error.
type table struct {
	r      *csv.Reader
	column map[string]int
	row    []string
	err    error
}

func newTable(in io.Reader, columns []string) (*table, error) {
	in, err := bom.Reader(in)
	if err != nil {
		return nil, err
	}
	t := &table{r: csv.NewReader(in), column: make(map[string]int)}
	t.r.ReuseRecord = true
	header, err := t.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: it needs a header line " + strings.Join(columns, ","))
	}
	if err != nil {
		return nil, err
	}
	for i, name := range header {
		t.column[name] = i
	}
	for _, c := range columns {
		if _, ok := t.column[c]; !ok {
			return nil, fmt.Errorf("line 1: there is no column %q (columns are %s)", c, strings.Join(columns, ","))
		}
	}
	return t, nil
}

func (t *table) next() bool {
	if t.err != nil {
		return false
	}
	row, err := t.r.Read()
	if errors.Is(err, io.EOF) {
		return false
	}
	t.row, t.err = row, err
	return err == nil
}

func (t *table) text(column string) string { return t.row[t.column[column]] }

// fail sets the error to a problem with a field of the current row, unless there is
// an error already.
func (t *table) fail(column, problem string) {
	if t.err == nil {
		line, _ := t.r.FieldPos(t.column[column])
		t.err = fmt.Errorf("line %d: %s %q is %s", line, column, t.text(column), problem)
	}
}

func (t *table) int64(column string, empty int64) int64 {
	s := t.text(column)
	if s == "" {
		return empty
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.fail(column, "not a whole number")
	}
	return n
}

func (t *table) instant(column string) int64 {
	n := t.int64(column, run.None)
	if n != run.None && (n > maxInstant || n < -maxInstant) {
		t.fail(column, "out of range")
	}
	return n
}

func (t *table) int32(column string, empty int32) int32 {
	n := t.int64(column, int64(empty))
	if int64(int32(n)) != n {
		t.fail(column, "out of range")
	}
	return int32(n)
}

func (t *table) bool(column string) bool {
	b, err := strconv.ParseBool(t.text(column))
	if err != nil {
		t.fail(column, "neither true nor false")
	}
	return b
}
