package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"harelab/engine/queue"
)

func init() { commands = append(commands, newReplay) }

func newReplay() *cobra.Command {
	return &cobra.Command{
		Use:   "replay FILE...",
		Short: "replay a queue's transcript and report the first decision that differs",
		Long: `Read the transcript of a queue (harelab serve --transcript DIR), feed its events to the
queue's state machine, without clock, connections or messages, and compare the decisions
with those in the transcript.

A transcript that is cut off, for example because the broker was killed, is replayed up
to the cut. If the queue panicked, the replay panics too, on the last event.`,
		Example: `  harelab serve --transcript transcripts/monday
  harelab replay transcripts/monday/000001-celery.transcript
  harelab replay transcripts/monday/*`,
		Args: oneOrMore("FILE", "harelab replay transcripts/monday/000001-celery.transcript"),
		RunE: func(cmd *cobra.Command, args []string) error {
			differ := 0
			for _, path := range args {
				same, err := replay(cmd.OutOrStdout(), path)
				if err != nil {
					return err
				}
				if !same {
					differ++
				}
			}
			if differ > 0 {
				return &exit{exitFailed, fmt.Errorf("decisions differ in %d of %d transcripts", differ, len(args))}
			}
			return nil
		},
	}
}

// replay replays one transcript, prints the outcome, and reports whether the decisions
// are the same.
func replay(w io.Writer, path string) (same bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, usage("%w", err)
	}
	defer f.Close()
	done, err := queue.ReplayCut(f)
	var d *queue.Difference
	switch {
	case errors.As(err, &d):
		fmt.Fprintf(w, "%s: DIFFERENT: event %d (line %d): %s\n", path, d.Event, d.Line, d.Text)
		if d.Asked {
			fmt.Fprintln(w, "  the decisions are the same; what the queue asked probes and limiters differs")
			return false, nil
		}
		fmt.Fprintf(w, "  decided   %s\n  recorded  %s\n", d.Decided, d.Recorded)
		return false, nil
	case err != nil:
		return false, usage("%s is not a transcript: %s", path, strings.TrimPrefix(err.Error(), "queue: "))
	}
	fmt.Fprintf(w, "%s: the same: %d events%s\n", path, done.Events, cut(done))
	return true, nil
}

// cut describes where a transcript is cut off; it is empty for a whole one.
func cut(done queue.Replayed) string {
	switch {
	case done.Ended:
		return ""
	case done.Cut:
		return fmt.Sprintf(", up to where the transcript is cut off, in event %d", done.Events+1)
	}
	return ", up to where the transcript is cut off"
}
