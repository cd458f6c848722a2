package lab

import (
	"errors"
	"fmt"

	"harelab/reports/stat"
	"harelab/scenarios"
)

// A UsageError is a mistake in a request.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// IsUsage reports whether err is a usage error or a mistake in a scenario file.
func IsUsage(err error) bool {
	var usage *UsageError
	var scenario *scenarios.Error
	return errors.As(err, &usage) || errors.As(err, &scenario)
}

// An InvalidError says that the figures of a run must not be used.
type InvalidError struct{ Text string }

func (e *InvalidError) Error() string { return e.Text }

func invalid(s *stat.Summary) error {
	return &InvalidError{fmt.Sprintf("the run of %s on %s is invalid; see the findings above", s.Arm, s.Target.Name())}
}

// An UnmetError says that expectations of a scenario were not met. Lateness of the machine
// is not the cause: where it could turn the result of an expectation, the run is invalid.
type UnmetError struct{ Unmet, Runs int }

func (e *UnmetError) Error() string {
	return fmt.Sprintf("expectations were not met in %d of %d runs", e.Unmet, e.Runs)
}

// An IncompleteError says that a run left messages that it should have done.
type IncompleteError struct{ Text string }

func (e *IncompleteError) Error() string { return e.Text }

// Verdict returns an *InvalidError if a run is invalid, else an *UnmetError if a run
// does not meet the scenario's expectations, else an *IncompleteError if a run left
// messages that it should have done, else nil.
func Verdict(ss []*stat.Summary) error {
	e := UnmetError{Runs: len(ss)}
	for _, s := range ss {
		if !s.Valid() {
			return invalid(s)
		}
		if !stat.AllMet(s.Verdicts) {
			e.Unmet++
		}
	}
	if e.Unmet > 0 {
		return &e
	}
	return incomplete(ss)
}

// incomplete returns an *IncompleteError for the first run that left messages which it
// should have done.
func incomplete(ss []*stat.Summary) error {
	for _, s := range ss {
		if text := s.Incomplete(); text != "" {
			return &IncompleteError{fmt.Sprintf("the run of %s on %s is partial: %s", s.Arm, s.Target.Name(), text)}
		}
	}
	return nil
}
