package queue

import (
	"io"
	"strconv"

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
//	end
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

// Step is Queue.Step, recorded. If the queue panics, the event is written all the
// same, and flushed if the writer can be: it is what a replay needs.
func (r *Recorder) Step(e Event, out []Decision) []Decision {
	n, stepped := len(out), false
	r.buf = r.codec.AppendEvent(r.buf[:0], e)
	defer func() {
		if !stepped {
			r.lastWords()
		}
	}()
	out = r.q.Step(e, out)
	stepped = true
	b := r.buf
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

// lastWords writes the event that the queue did not survive.
func (r *Recorder) lastWords() {
	r.write(r.buf)
	if f, ok := r.w.(interface{ Flush() error }); ok && r.err == nil {
		r.err = f.Flush()
	}
}

// EndLine is the last line of a recording that was not cut off.
const EndLine = "end\n"

// End writes the recording's last line and closes the writer if it can be closed.
// The queue must not be stepped any more.
func (r *Recorder) End() {
	r.write([]byte(EndLine[:len(EndLine)-1]))
	if c, ok := r.w.(io.Closer); ok {
		if err := c.Close(); r.err == nil {
			r.err = err
		}
	}
}

func (r *Recorder) write(b []byte) {
	r.buf = append(b, '\n')
	if r.err == nil {
		_, r.err = r.w.Write(r.buf)
	}
}

// Err returns the first error of writing.
func (r *Recorder) Err() error { return r.err }
