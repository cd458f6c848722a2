// Command harelab is a lab for message routing and dispatch around a complete
// AMQP 0-9-1 broker: it predicts, measures and compares how workers, prefetch, queue
// layouts and dispatch strategies change waiting times.
//
// Results go to stdout, progress and errors to stderr.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/progress"
)

func main() { os.Exit(execute(os.Args[1:])) }

// An exit is an error with an exit code.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// usages returns the mistakes as one error with the exit code for usage, a line for each,
// or nil if there are none.
func usages(mistakes []error) error {
	if len(mistakes) == 0 {
		return nil
	}
	return &exit{exitUsage, errors.Join(mistakes...)}
}

// execute runs the command line and returns the exit code.
func execute(args []string) int {
	signal.Ignore(syscall.SIGPIPE) // results handles readers that have gone
	if interactive(os.Stderr) {
		log.SetOutput(progress.OverBar(os.Stderr))
	}
	out := &results{to: os.Stdout, style: styleOf(os.Stdout)}
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(out)
	code := complain(root.Execute())
	if err := out.failure(); err != nil {
		fmt.Fprintln(os.Stderr, "harelab:", err)
		if code == exitDone {
			code = exitFailed
		}
	}
	return code
}

// complain prints the error, unless it has no text, and returns the exit code.
func complain(err error) int {
	if err != nil && err.Error() != "" {
		fmt.Fprintln(os.Stderr, "harelab:", inWords(err))
	}
	return codeOf(err)
}

// inWords returns the text of an error. For a file it says what is the matter with it, and
// not which call of the system failed.
func inWords(err error) string {
	var file *fs.PathError
	if errors.As(err, &file) {
		return strings.Replace(err.Error(), file.Error(), file.Path+": "+file.Err.Error(), 1)
	}
	return err.Error()
}

// codeOf returns the exit code of an error.
func codeOf(err error) int {
	var coded *exit
	var interrupted *lab.InterruptedError
	var invalid *lab.InvalidError
	var unmet *lab.UnmetError
	var partial *lab.IncompleteError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &interrupted):
		return exitInterrupted
	case errors.As(err, &invalid):
		return exitInvalid
	case errors.As(err, &unmet):
		return exitExpectation
	case errors.As(err, &partial):
		return exitInvalid
	case lab.IsUsage(err):
		return exitUsage
	}
	return exitFailed
}
