package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"harelab/bench/lab"
	"harelab/cmd/harelab/internal/config"
	"harelab/cmd/harelab/internal/transcript"
	"harelab/engine"
	"harelab/engine/broker"
)

func init() { commands = append(commands, newServe) }

// A serving has the flags of `serve`.
type serving struct {
	config      serveConfig
	definitions serveDefinitions
	data        dataFlags
	limits      limitFlags
	tls         tlsFlags
	addr        string
	transcript  string
	verbose     bool
	options     engine.Options
}

// A flagGroup is a group of flags of `serve`, which a file of its own declares.
type flagGroup interface {
	// add declares the flags.
	add(*pflag.FlagSet)

	// fill checks the values and sets the options that they stand for. It opens nothing
	// and changes nothing but o, so that --check can call it. An error about a value
	// begins with the name of the flag, as in `--amqp "x": ...`.
	fill(o *engine.Options) error
}

// groups returns all groups of flags, in the order in which they are filled in.
func (s *serving) groups() []flagGroup {
	return []flagGroup{&s.config, s, &s.data, &s.limits, &s.tls, &s.definitions}
}

func newServe() *cobra.Command {
	s := new(serving)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the broker alone",
		Long: `Run the AMQP 0-9-1 broker until Ctrl-C. RabbitMQ's clients, such as pika, aio-pika,
Celery and amqp091-go, take it for RabbitMQ and connect as guest:guest from this
machine.

` + dataHelp + `

The strategies are broker-wide defaults: a queue chooses its own with the
arguments x-dispatch and x-order, an exchange with x-matcher.

With --transcript, the broker writes the events and decisions of each queue to a file
of its own: no message bodies, but the tenants and task names that dispatch looks at.
harelab replay checks such a file on any machine, so it is a bug report that can be
verified.

` + tlsHelp + "\n\n" + definitionsHelp + "\n\n" + configHelp,
		Example: `  harelab serve
  harelab serve --memory --dispatch fair
  harelab serve --definitions definitions.json
  harelab serve --config harelab.yaml --check
  HARELAB_DISPATCH=rr harelab serve --config harelab.yaml --print-config
  harelab serve --transcript transcripts/monday
  celery -A tasks worker --broker amqp://guest:guest@127.0.0.1:5672//`,
		Args:             none,
		PersistentPreRun: func(cmd *cobra.Command, _ []string) { s.config.read(cmd.Flags()) },
		RunE:             func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	for _, g := range s.groups() {
		g.add(cmd.Flags())
	}
	return cmd
}

func (s *serving) add(f *pflag.FlagSet) {
	f.StringVar(&s.addr, "amqp", ":5672", "address to listen on for AMQP; port 0 takes a free one")
	f.StringVar(&s.options.Matcher, "matcher", "", "topic matching strategy (see harelab list matchers; default nfa)")
	f.StringVar(&s.options.Dispatch, "dispatch", "", "strategy that chooses the next consumer (see harelab list dispatch; default rr)")
	f.StringVar(&s.options.Order, "order", "", "strategy that chooses the next message (see harelab list orders; default fifo, or priority for a queue with x-max-priority)")
	f.StringVar(&s.transcript, "transcript", "", "write each queue's events and decisions to a file in this folder, for harelab replay")
	f.BoolVar(&s.verbose, "verbose", false, "also log connections")
}

func (s *serving) fill(o *engine.Options) error {
	level := broker.LevelNotice
	if s.verbose {
		level = slog.LevelInfo
	}
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level, ReplaceAttr: nameNotice}))
	return errors.Join(
		checkAddress("--amqp", s.addr),
		lab.CheckStrategies(o.Matcher, "", ""),
		lab.CheckStrategies("", o.Dispatch, ""),
		lab.CheckStrategies("", "", o.Order),
	)
}

// nameNotice writes the level of notices as a word.
func nameNotice(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.LevelKey && a.Value.Any() == broker.LevelNotice {
		a.Value = slog.StringValue("NOTICE")
	}
	return a
}

// prepare fills in the options from all groups of flags. Its error has all mistakes.
func (s *serving) prepare(flags *pflag.FlagSet) error {
	mistakes := s.config.mistakes
	for _, g := range s.groups() {
		for _, err := range parts(g.fill(&s.options)) {
			mistakes = append(mistakes, config.Place(flags, err))
		}
	}
	if s.config.check {
		mistakes = append(mistakes, parts(s.definitions.check())...)
	}
	return usages(mistakes)
}

func (s *serving) run(cmd *cobra.Command) error {
	if err := s.prepare(cmd.Flags()); err != nil {
		return err
	}
	if s.config.done() {
		return s.config.report(cmd)
	}
	limitRuntime(&s.options)
	if s.transcript == "" {
		return s.serve(cmd)
	}
	if err := emptyFolder("--transcript", s.transcript); err != nil {
		return err
	}
	transcripts := transcript.New(s.transcript, s.options.Logger)
	s.options.Transcript = transcripts.Open
	return errors.Join(s.serve(cmd), transcripts.Close())
}

// checkAddress checks the form of the address that a flag gives.
func checkAddress(flag, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	var mistake *net.AddrError
	var unknown *net.DNSError
	switch {
	case errors.As(err, &mistake):
		return fmt.Errorf("%s %q: %s (give HOST:PORT or :PORT)", flag, addr, mistake.Err)
	case errors.As(err, &unknown):
		return fmt.Errorf("%s %q: %s %q (give HOST:PORT or :PORT)", flag, addr, unknown.Err, port)
	}
	return err
}
