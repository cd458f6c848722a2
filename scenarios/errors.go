package scenarios

import (
	"fmt"
	"strings"
)

// An Error is a mistake in a scenario file.
type Error struct {
	File string
	Line int // from 1; 0: the mistake is not in one line
	Msg  string
}

// Error returns "file:line: message".
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// A Refusal is an error of a broker about an entry of a scenario, with the place of the
// entry. A runner makes it with the line, and [Scenario.Locate] completes it.
type Refusal struct {
	File string
	Line int // from 1; 0: not known
	Err  error
}

// Refused returns the error of a broker about the entry in a line, or nil.
func Refused(line int, err error) error {
	if err == nil {
		return nil
	}
	return &Refusal{Line: line, Err: err}
}

// Error returns "file:line: message", or the message alone if the place is not known.
func (r *Refusal) Error() string {
	if r.File == "" || r.Line == 0 {
		return r.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", r.File, r.Line, r.Err)
}

// Unwrap returns the broker's error.
func (r *Refusal) Unwrap() error { return r.Err }

// Locate names the scenario's file in an error that is a [Refusal].
func (s *Scenario) Locate(err error) error {
	if r, ok := err.(*Refusal); ok {
		return &Refusal{File: s.File, Line: r.Line, Err: r.Err}
	}
	return err
}

// Errors are the mistakes of one file, in order of line. [errors.As] returns the
// first.
type Errors []*Error

// Error returns one line per mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the mistakes.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}
