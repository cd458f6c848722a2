package lab

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"harelab/engine"
	"harelab/loadgen"
	"harelab/loadgen/amqp"
	"harelab/loadgen/run"
	"harelab/loadgen/sim"
	"harelab/reports/stat"
)

// run runs the arm on its target.
func (a Arm) run(ctx context.Context, progress func(loadgen.Progress)) (*run.Result, error) {
	switch a.Target.Kind {
	case Sim:
		return sim.Run(ctx, a.Scenario, sim.Options{})
	case Embedded:
		return a.embedded(ctx, progress)
	default:
		return amqp.Run(ctx, a.Scenario, amqp.Options{URL: a.Target.URL, Progress: progress})
	}
}

// embedded runs the arm on a new broker in this process, over in-memory connections. An
// observer sees inside the broker.
func (a Arm) embedded(ctx context.Context, progress func(loadgen.Progress)) (*run.Result, error) {
	inside := newObserver(a.Scenario)
	choice := a.Scenario.Engine
	e, err := engine.New(engine.Options{
		Matcher:  choice.Matcher,
		Dispatch: choice.Dispatch,
		Order:    choice.Order,
		Seed:     a.Scenario.Seed,
		Tracer:   inside,
		Logger:   slog.New(warnings{slog.Default().Handler()}),
	})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	dial := func(context.Context) (net.Conn, error) { return e.Dial() }
	r, err := amqp.Run(ctx, a.Scenario, amqp.Options{Dial: dial, Observer: inside, Progress: progress})
	if r != nil {
		err = errors.Join(err, sim.Ran(r, a.Scenario))
	}
	return r, err
}

// warnings is a log handler that drops entries below a warning. The broker logs below a
// warning what it refuses a client; the client reports that as the run's error.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// Overloads says in which spans the arm's load needs more slots than there are; nil for a
// load that they can serve.
func (a Arm) Overloads() []string {
	plan, err := loadgen.NewPlan(a.Scenario)
	if err != nil {
		return nil // running it will say what is wrong
	}
	return stat.Overloads(plan.Capacity())
}

// AtLeast returns the shortest time that the arm takes on a real clock: until its load is
// over and its work is done, at most its timeout. It is 0 if the scenario does not say.
func (a Arm) AtLeast() time.Duration {
	plan, err := loadgen.NewPlan(a.Scenario)
	if err != nil {
		return 0 // running it will say what is wrong
	}
	d := loadgen.DemandOf(a.Scenario, plan).Least()
	if limit := a.Scenario.Stop.Timeout; limit > 0 {
		d = min(d, limit)
	}
	return d
}
