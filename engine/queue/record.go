package queue

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

// A Recorder steps a queue and writes down what happened, so that Replay can
// repeat it elsewhere: the configuration, and for each step its event, what
// probes and limiters answered, and the decisions.
//
//	queue selector=jsq order=fifo limits
//	join 0 prefetch=1 probe
//	publish 1500 cost=200
//	? 0
//	> deliver id=1 c=0 ref=0
type Recorder struct {
	q     *Queue
	w     io.Writer
	codec Codec
	log   dispatch.AnswerLog
	buf   []byte
	err   error
}

// NewRecorder records a queue that no event has reached yet. It writes to w with
// each step; the caller buffers.
func NewRecorder(q *Queue, w io.Writer) *Recorder {
	r := &Recorder{q: q, w: w}
	q.cons.Log = &r.log
	r.write(AppendConfig(nil, q.cfg))
	return r
}

// Step is Queue.Step, recorded.
func (r *Recorder) Step(e Event, out []Decision) []Decision {
	n := len(out)
	out = r.q.Step(e, out)
	b := r.codec.AppendEvent(r.buf[:0], e)
	if len(r.log.Answers) > 0 {
		b = append(b, "\n?"...)
		for _, a := range r.log.Answers {
			b = strconv.AppendInt(append(b, ' '), a, 10)
		}
	}
	for _, d := range out[n:] {
		b = AppendDecision(append(b, "\n> "...), d)
	}
	r.write(b)
	return out
}

func (r *Recorder) write(b []byte) {
	r.buf = append(b, '\n')
	if r.err == nil {
		_, r.err = r.w.Write(r.buf)
	}
}

// Err returns the first error of writing.
func (r *Recorder) Err() error { return r.err }

// A replay repeats a recording line by line.
type replay struct {
	q     *Queue
	codec Codec
	log   dispatch.AnswerLog
	event Event
	text  string // of the event
	line  int    // of the event; 0: none is pending
	want  []Decision
	out   []Decision
}

// Replay repeats a recording and compares the decisions. Empty lines and those
// that begin with # are passed over. Its error names the line of the first
// event whose decisions differ, or what cannot be read.
func Replay(r io.Reader) error {
	p := replay{log: dispatch.AnswerLog{Replay: true}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	n := 0
	for lines.Scan() {
		n++
		if err := p.take(lines.Bytes(), n); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("queue: line %d: %w", n+1, err)
	}
	if p.q == nil {
		return fmt.Errorf("queue: the recording is empty")
	}
	return p.perform()
}

// take takes in one line.
func (p *replay) take(line []byte, n int) error {
	var err error
	switch {
	case len(line) == 0 || line[0] == '#':
	case p.q == nil:
		var cfg Config
		if cfg, err = ParseConfig(line); err == nil {
			p.q = New(cfg)
			p.q.cons.Log = &p.log
		}
	case bytes.HasPrefix(line, []byte("? ")):
		err = p.answers(line[2:])
	case bytes.HasPrefix(line, []byte("> ")):
		var d Decision
		d, err = ParseDecision(line[2:])
		p.want = append(p.want, d)
	default:
		if err := p.perform(); err != nil {
			return err
		}
		p.event, err = p.codec.ParseEvent(line)
		p.text, p.line = string(line), n
		p.want, p.log.Answers = p.want[:0], p.log.Answers[:0]
	}
	if err != nil {
		return fmt.Errorf("queue: line %d: %s", n, strings.TrimPrefix(err.Error(), "queue: "))
	}
	return nil
}

func (p *replay) answers(line []byte) error {
	for word := range bytes.FieldsSeq(line) {
		a, err := strconv.ParseInt(string(word), 10, 64)
		if err != nil {
			return fmt.Errorf("answer %q is not a number", word)
		}
		p.log.Answers = append(p.log.Answers, a)
	}
	return nil
}

// perform steps with the pending event and compares.
func (p *replay) perform() error {
	if p.line == 0 {
		return nil
	}
	p.out = p.q.Step(p.event, p.out[:0])
	for i := range max(len(p.out), len(p.want)) {
		switch {
		case i >= len(p.out):
			return p.differs("nothing more", string(AppendDecision(nil, p.want[i])))
		case i >= len(p.want):
			return p.differs(string(AppendDecision(nil, p.out[i])), "nothing more")
		case p.out[i] != p.want[i]:
			return p.differs(string(AppendDecision(nil, p.out[i])), string(AppendDecision(nil, p.want[i])))
		}
	}
	if !p.log.Consumed() {
		return fmt.Errorf("queue: line %d: %s: asked other questions of probes and limiters than were recorded", p.line, p.text)
	}
	return nil
}

func (p *replay) differs(got, want string) error {
	return fmt.Errorf("queue: line %d: %s: decided %q, recorded %q", p.line, p.text, got, want)
}
