package queue

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"harelab/engine/dispatch"
)

// A Difference is the error for an event whose decisions in the replay differ from the
// recorded ones.
type Difference struct {
	Event int    // number of the event, from 1
	Line  int    // line of the event in the recording, from 1
	Text  string // the event as recorded

	// The first decisions that differ, as AppendDecision writes them; "nothing more"
	// where one side has fewer decisions.
	Decided, Recorded string

	// Asked is set if the decisions are the same, but the queue asked probes and limiters
	// other questions than in the recording. Decided and Recorded are empty then.
	Asked bool
}

func (d *Difference) Error() string {
	if d.Asked {
		return fmt.Sprintf("queue: line %d: %s: asked other questions of probes and limiters than were recorded", d.Line, d.Text)
	}
	return fmt.Sprintf("queue: line %d: %s: decided %q, recorded %q", d.Line, d.Text, d.Decided, d.Recorded)
}

// A Replayed reports how much of a recording was repeated.
type Replayed struct {
	Events int  // number of events whose decisions are the recorded ones
	Ended  bool // the recording has its last line; without it, the recorder stopped before the queue did
	Cut    bool // the last event was cut off, and is not counted
}

// Replay repeats a whole recording, with or without its last line, and compares the
// decisions. It skips empty lines and lines that begin with #. Its error is a
// *Difference for the first event whose decisions differ, or names the line that cannot
// be read.
func Replay(r io.Reader) error {
	_, err := read(r, true)
	return err
}

// ReplayCut is Replay for a recording that may have been cut off anywhere, as when the
// process ended. If it lacks the last line, its last event counts only if all its
// decisions are there.
func ReplayCut(r io.Reader) (Replayed, error) { return read(r, false) }

// maxLine bounds the lines of a recording, in octets.
const maxLine = 16 << 20

func read(r io.Reader, whole bool) (Replayed, error) {
	p := replay{log: dispatch.AnswerLog{Replay: true}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(withEnds)
	n := 0
	var rest []byte // the last line, if it lacks its newline
	for lines.Scan() {
		n++
		line, ended := bytes.CutSuffix(lines.Bytes(), []byte("\n"))
		if !ended && !whole {
			rest = line
			break
		}
		if err := p.take(line, n); err != nil {
			return p.done, err
		}
	}
	if err := lines.Err(); err != nil {
		return p.done, fmt.Errorf("queue: line %d: %w", n+1, err)
	}
	switch {
	case p.q == nil:
		return p.done, errors.New("queue: the recording is empty")
	case p.done.Ended && len(rest) > 0:
		return p.done, fmt.Errorf("queue: line %d: goes on after the end", n)
	case whole || p.done.Ended:
		return p.done, p.perform()
	}
	return p.done, p.last(rest)
}

// withEnds splits into lines, as bufio.ScanLines does, and keeps their newlines.
func withEnds(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// A replay repeats a recording line by line.
type replay struct {
	q     *Queue
	codec Codec
	log   dispatch.AnswerLog
	event Event
	text  string // the line of the pending event
	line  int    // its number; 0: no event is pending
	want  []Decision
	out   []Decision
	done  Replayed
}

// take reads one line. A line of a new event performs the pending one.
func (p *replay) take(line []byte, n int) error {
	var err error
	switch {
	case len(line) == 0 || line[0] == '#':
	case p.done.Ended:
		err = errors.New("goes on after the end")
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
	case string(line) == EndLine[:len(EndLine)-1]:
		p.done.Ended = true
		return p.perform()
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

// perform steps with the pending event and compares the decisions.
func (p *replay) perform() error {
	if p.line == 0 {
		return nil
	}
	p.out = p.q.Step(p.event, p.out[:0])
	for i := range max(len(p.out), len(p.want)) {
		if i >= len(p.out) || i >= len(p.want) || p.out[i] != p.want[i] {
			return p.differs(i)
		}
	}
	if !p.log.Consumed() {
		return &Difference{Event: p.done.Events + 1, Line: p.line, Text: p.text, Asked: true}
	}
	p.done.Events++
	p.line = 0
	return nil
}

// last performs the last event of a recording that lacks its last line. rest is the
// part of the line that was cut off, or empty. If the queue decides or asks more than
// is recorded, the event was cut off.
func (p *replay) last(rest []byte) error {
	next := len(rest) > 0 && !bytes.ContainsRune([]byte("?>#"), rune(rest[0]))
	if p.line == 0 || next { // the part in rest is another event, or there is none
		p.done.Cut = next
		return p.perform()
	}
	err := p.perform()
	if d := (*Difference)(nil); errors.As(err, &d) && p.log.Short() || len(p.want) < len(p.out) && slices.Equal(p.want, p.out[:len(p.want)]) {
		p.done.Cut = true
		return nil
	}
	return err
}

// differs returns the error that decision i of the pending event is not the recorded
// one.
func (p *replay) differs(i int) error {
	d := &Difference{Event: p.done.Events + 1, Line: p.line, Text: p.text, Decided: "nothing more", Recorded: "nothing more"}
	if i < len(p.out) {
		d.Decided = string(AppendDecision(nil, p.out[i]))
	}
	if i < len(p.want) {
		d.Recorded = string(AppendDecision(nil, p.want[i]))
	}
	return d
}
