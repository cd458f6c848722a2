package scenarios

import "fmt"

// An Error is a mistake in a scenario file.
type Error struct {
	File string
	Line int // from 1; 0 when the mistake has no place in the file
	Msg  string
}

// Error returns "file:line: message".
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Options settle what a file leaves open.
type Options struct {
	Set      map[string]string // params, over the file's and the variant's
	Variant  string            // empty: the scenario itself
	Seed     *uint64           // nil: the file's
	Matcher  string            // over engine.matcher when not empty
	Dispatch string            // over engine.dispatch
	Order    string            // over engine.order
}
