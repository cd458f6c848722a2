package folder

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"harelab/loadgen/run"
)

// causeColumns is the header of causes.csv.
var causeColumns = strings.Split("seq,cause,from", ",")

// causes are the causes of messages by their names.
var causes = func() map[string]run.Cause {
	m := make(map[string]run.Cause)
	for c := run.GivenUp; c.String() != "unknown"; c++ {
		m[c.String()] = c
	}
	return m
}()

func anyCauses(r *run.Result) bool {
	for i := range r.Messages {
		if r.Messages[i].Cause != run.NoCause {
			return true
		}
	}
	return false
}

func writeCauses(out io.Writer, r *run.Result) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(causeColumns, ",") + "\n")
	queues := quoteAll(r.Queues)
	for i := range r.Messages {
		if m := &r.Messages[i]; m.Cause != run.NoCause {
			w.WriteString(strconv.FormatInt(m.Seq, 10) + "," + m.Cause.String() + "," + name(queues, m.From) + "\n")
		}
	}
	return w.Flush()
}

func readCauses(in io.Reader, r *run.Result) error {
	t, err := newTable(in, causeColumns)
	if err != nil {
		return err
	}
	type death struct {
		cause run.Cause
		from  int32
	}
	queues := indexOf(r.Queues)
	of := make(map[int64]death)
	for t.next() {
		cause, ok := causes[t.text("cause")]
		if !ok {
			t.fail("cause", "not a cause")
		}
		of[t.int64("seq", 0)] = death{cause, queues.add(t.text("from"))}
	}
	r.Queues = queues.names
	for i := range r.Messages {
		m := &r.Messages[i]
		if d, ok := of[m.Seq]; ok {
			m.Cause, m.From = d.cause, d.from
		}
	}
	return t.err
}
