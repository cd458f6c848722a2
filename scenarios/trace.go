package scenarios

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"harelab/engine/nearest"
)

// traceColumns are the columns of a trace. The first line of its file names them, in
// any order; at and class are needed.
var traceColumns = []string{"at", "class", "exchange", "routing_key", "size", "service"}

// traceExample is a row of a trace.
const traceExample = "1.5s,job,,work,512,20ms"

// The columns of the messages.csv of a run that a trace is made of.
const (
	messageIntended = "intended_us"
	messageStarted  = "started_us"
	messageDone     = "done_us"
)

// A traceRow is a row of a trace before its time is placed within the phase.
type traceRow struct {
	Row
	at   instant
	line int // of the file; in a scenario the number of the row, from 1
}

// traceFile reads a trace: a CSV file with the columns traceColumns, or the messages.csv
// of a run. An empty size or service is drawn from the class.
func (d *decoder) traceFile(s *Scenario, n *yaml.Node) []Row {
	var path string
	d.text(&path)(n)
	data, err := d.read(path)
	if err != nil {
		d.fail(n, "%v", err)
		return nil
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		d.fail(n, "%s: %v", path, err)
		return nil
	}
	var header []string
	if len(records) > 0 {
		header = records[0]
	}
	read, err := s.traceReader(header)
	if err != nil {
		d.fail(n, "%s:1: %v", path, err)
		return nil
	}
	if len(records) == 1 {
		d.fail(n, "%s: there are no rows below the header", path)
		return nil
	}
	rows := make([]traceRow, 0, len(records)-1)
	for i, rec := range records[1:] {
		row, err := traceRow{}, error(nil)
		if len(rec) != len(header) {
			err = fmt.Errorf("the row has %d columns, and the header %d: %s", len(rec), len(header), strings.Join(header, ","))
		} else {
			row, err = read(rec)
		}
		if err != nil {
			d.fail(n, "%s:%d: %v", path, i+2, err)
			return nil
		}
		row.line = i + 2
		rows = append(rows, row)
	}
	placed, note, err := place(rows)
	if err != nil {
		d.fail(n, "%s:%v", path, err)
	}
	if note != "" {
		s.Notes = append(s.Notes, path+" "+note)
	}
	return placed
}

// traceReader returns a function that reads the rows below a header.
func (s *Scenario) traceReader(header []string) (func([]string) (traceRow, error), error) {
	column := map[string]int{}
	for i, name := range header {
		column[strings.TrimSpace(name)] = i
	}
	has := func(name string) bool { _, ok := column[name]; return ok }
	if has(messageIntended) && has("class") {
		started, done := -1, -1
		if has(messageStarted) && has(messageDone) {
			started, done = column[messageStarted], column[messageDone]
		}
		return func(rec []string) (traceRow, error) {
			return s.messageRow(rec, column["class"], column[messageIntended], started, done)
		}, nil
	}
	unknown := slices.ContainsFunc(header, func(name string) bool { return !slices.Contains(traceColumns, strings.TrimSpace(name)) })
	if unknown || len(column) < len(header) || !has("at") || !has("class") {
		return nil, fmt.Errorf("the header is %q: give %s, as in %s (at and class are needed), or the messages.csv of a run",
			strings.Join(header, ","), strings.Join(traceColumns, ","), traceExample)
	}
	return func(rec []string) (traceRow, error) {
		inOrder := make([]string, len(traceColumns))
		for i, name := range traceColumns {
			if has(name) {
				inOrder[i] = rec[column[name]]
			}
		}
		return s.traceRow(inOrder)
	}, nil
}

// traceRows reads a trace that is part of the scenario.
func (d *decoder) traceRows(s *Scenario, n *yaml.Node) []Row {
	var rows []traceRow
	d.each(n, "rows", func(n *yaml.Node) {
		var rec []string
		d.each(n, "row", func(n *yaml.Node) {
			v, _ := d.scalar(n)
			rec = append(rec, v)
		})
		if len(rec) != len(traceColumns) {
			d.fail(n, "row: give [%s], as [%s]", strings.Join(traceColumns, ", "), `1.5s, job, "", work, 512, 20ms`)
			return
		}
		row, err := s.traceRow(rec)
		if err != nil {
			d.fail(n, "row: %v", err)
			return
		}
		row.line = len(rows) + 1
		rows = append(rows, row)
	})
	placed, note, err := place(rows)
	if err != nil {
		d.fail(n, "rows:%v", err)
	}
	if note != "" {
		s.Notes = append(s.Notes, "A trace "+note)
	}
	return placed
}

// traceRow reads the fields of a row in the order of traceColumns.
func (s *Scenario) traceRow(rec []string) (traceRow, error) {
	row := traceRow{Row: Row{Exchange: rec[2], Key: rec[3], Size: -1, Service: -1}}
	var err error
	if row.at, err = parseInstant(rec[0]); err != nil {
		return row, fmt.Errorf("at: %w", err)
	}
	if row.Class, err = s.classOf(rec[1]); err != nil {
		return row, err
	}
	if len(row.Key) > maxKey || len(row.Exchange) > maxKey {
		return row, fmt.Errorf("exchange or routing_key is longer than %d bytes", maxKey)
	}
	if rec[4] != "" {
		v := parseLiteral(rec[4])
		if v.kind != number || v.time != 0 || v.num < 0 || v.num > MaxSize {
			return row, fmt.Errorf("size %q: give bytes, as 512 or 2KiB, at most 128MiB", rec[4])
		}
		row.Size = int64(v.num)
	}
	if rec[5] != "" {
		if row.Service, err = traceTime(rec[5]); err != nil {
			return row, fmt.Errorf("service: %w", err)
		}
	}
	return row, nil
}

// messageRow reads a row of messages.csv. Its message is published when that of the run
// was meant to be sent, to the exchange of its class, and is worked on for as long as
// that was; the service of a message whose work was not finished is drawn.
func (s *Scenario) messageRow(rec []string, class, intended, started, done int) (traceRow, error) {
	row := traceRow{Row: Row{Size: -1, Service: -1}}
	us := func(column int) (int64, error) {
		v, err := strconv.ParseInt(rec[column], 10, 64)
		if err != nil || v < 0 || v > math.MaxInt64/2000 {
			return 0, fmt.Errorf("%q: give a time in microseconds", rec[column])
		}
		return v, nil
	}
	at, err := us(intended)
	if err != nil {
		return row, fmt.Errorf("%s %w", messageIntended, err)
	}
	row.at = instant{seconds: float64(at) / 1e6}
	if row.Class, err = s.classOf(rec[class]); err != nil {
		return row, err
	}
	if started < 0 || rec[started] == "" || rec[done] == "" {
		return row, nil
	}
	from, err := us(started)
	if err != nil {
		return row, fmt.Errorf("%s %w", messageStarted, err)
	}
	to, err := us(done)
	if err != nil {
		return row, fmt.Errorf("%s %w", messageDone, err)
	}
	row.Service = time.Duration(max(0, to-from)) * time.Microsecond
	return row, nil
}

func (s *Scenario) classOf(name string) (int, error) {
	names := make([]string, len(s.Classes))
	for i := range s.Classes {
		if names[i] = s.Classes[i].Name; names[i] == name {
			return i, nil
		}
	}
	return -1, fmt.Errorf("unknown class %q%s", name, nearest.Choices(name, names))
}

// traceTime reads a time with a unit, or seconds without one.
func traceTime(s string) (time.Duration, error) {
	v := parseLiteral(s)
	if v.kind != number || v.time != 1 && v.time != 0 || v.bytes != 0 || v.num < 0 {
		return 0, fmt.Errorf("%s: give a time such as 1.5s", strconv.Quote(s))
	}
	t, ok := duration(v.num)
	if !ok {
		return 0, fmt.Errorf("%s is out of range", strconv.Quote(s))
	}
	return t, nil
}
