package folder

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"harelab/loadgen/run"
)

// repeatColumns is the header of repeats.csv.
var repeatColumns = strings.Split("seq,redeliveries,duplicated", ",")

// once returns the number of redeliveries of a message that is not in repeats.csv.
func once(m *run.Message) int32 {
	if m.Redelivered {
		return 1
	}
	return 0
}

// repeats reports whether a message must be in repeats.csv, since messages.csv does
// not say how often it was delivered or worked on.
func repeats(m *run.Message) bool { return m.Duplicated || m.Redeliveries != once(m) }

func anyRepeats(r *run.Result) bool {
	for i := range r.Messages {
		if repeats(&r.Messages[i]) {
			return true
		}
	}
	return false
}

func writeRepeats(out io.Writer, r *run.Result) error {
	w := bufio.NewWriter(out)
	w.WriteString(strings.Join(repeatColumns, ",") + "\n")
	for i := range r.Messages {
		if m := &r.Messages[i]; repeats(m) {
			w.WriteString(strconv.FormatInt(m.Seq, 10) + "," + strconv.Itoa(int(m.Redeliveries)) + "," + strconv.FormatBool(m.Duplicated) + "\n")
		}
	}
	return w.Flush()
}

func readRepeats(in io.Reader, r *run.Result) error {
	t, err := newTable(in, repeatColumns)
	if err != nil {
		return err
	}
	type repeat struct {
		redeliveries int32
		duplicated   bool
	}
	of := make(map[int64]repeat)
	for t.next() {
		of[t.int64("seq", 0)] = repeat{t.int32("redeliveries", 0), t.bool("duplicated")}
	}
	for i := range r.Messages {
		m := &r.Messages[i]
		if again, ok := of[m.Seq]; ok {
			m.Redeliveries, m.Duplicated = again.redeliveries, again.duplicated
		}
	}
	return t.err
}
