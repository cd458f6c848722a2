package queue

import (
	"io"
	"strconv"

	"harelab/engine/dispatch"
)

// A Recorder steps a queue and writes a recording that Replay can repeat elsewhere: the
// configuration, and for each step its event, the answers of probes and limiters, and
// the decisions.
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

// NewRecorder returns a recorder of a queue that has not been stepped yet. It writes to
// w in each step, so w should be buffered.
func NewRecorder(q *Queue, w io.Writer) *Recorder {
	r := &Recorder{q: q, w: w}
	q.cons.Log = &r.log
	r.write(AppendConfig(nil, q.cfg))
	return r
}

// Step calls Queue.Step and records it. If the queue panics, Step still writes the
// event, and flushes the writer if it has a Flush method, because a replay needs the
// event.
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

// lastWords writes the event on which the queue panicked.
func (r *Recorder) lastWords() {
	r.write(r.buf)
	if f, ok := r.w.(interface{ Flush() error }); ok && r.err == nil {
		r.err = f.Flush()
	}
}

// EndLine is the last line of a recording that is not cut off.
const EndLine = "end\n"

// End writes the recording's last line, and closes the writer if it is an io.Closer.
// The queue must not be stepped afterwards.
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

// Err returns the first error of the writer.
func (r *Recorder) Err() error { return r.err }
