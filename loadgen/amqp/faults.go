package amqp

import (
	"context"
	"fmt"
	"sync"
	"time"

	"harelab/scenarios"
)

// inject carries out the scenario's faults.
func (r *runner) inject() {
	byName := map[string]*worker{}
	for _, w := range r.workers {
		byName[w.spec.Name] = w
	}
	sleeper := r.alarm.Sleeper()
	var restarts sync.WaitGroup
	defer restarts.Wait()
	for i := range r.s.Faults {
		f := &r.s.Faults[i]
		if !sleeper.Until(r.at(f.At.Microseconds()), r.halt) {
			return
		}
		w := byName[f.Worker]
		switch f.Do {
		case scenarios.Kill:
			w.die(false)
		case scenarios.CloseConnection:
			w.die(true)
		case scenarios.Stall:
			w.freeze()
		}
		if f.RestartAfter < 0 {
			continue
		}
		r.returning.Add(1)
		restarts.Go(func() {
			defer r.returning.Add(-1)
			if !r.alarm.Sleeper().Until(r.at((f.At + f.RestartAfter).Microseconds()), r.halt) {
				return
			}
			if f.Do == scenarios.Stall {
				w.resume()
				return
			}
			w.rejoin(context.Background())
		})
	}
}

// checkFaults refuses faults that would cut a connection that workers share.
func checkFaults(s *scenarios.Scenario) error {
	for i := range s.Faults {
		for j := range s.Workers {
			f, w := &s.Faults[i], &s.Workers[j]
			if w.Name == f.Worker && w.Shared > 0 && f.Do != scenarios.Stall {
				return &scenarios.Error{File: s.File, Msg: fmt.Sprintf("fault %s: worker %q shares its connection with others, which would die too: leave out connections, or use do: %s", f.Do, w.Name, scenarios.Stall)}
			}
		}
	}
	return nil
}

// linkOf returns the connection for a worker: its own, or one of its group's.
func (r *runner) linkOf(ctx context.Context, w *worker) (*link, error) {
	if w.spec.Shared == 0 {
		return r.connect(ctx, w.spec.Name)
	}
	shared := r.links[w.spec.Group]
	if len(shared) < w.spec.Shared {
		l, err := r.connect(ctx, fmt.Sprintf("%s %d", w.spec.Group, len(shared)+1))
		if err != nil {
			return nil, err
		}
		if r.links == nil {
			r.links = map[string][]*link{}
		}
		r.links[w.spec.Group] = append(shared, l)
		return l, nil
	}
	return shared[int(w.index)%len(shared)], nil
}

// churn adds and removes bindings at the sequences' admin rates. They have the
// exchanges and queues of the topology's bindings but keys of their own, so the
// routes of the load's messages do not change.
func (r *runner) churn() {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, q := range r.s.Load {
		for _, a := range q.Admin {
			wg.Go(func() { r.rebind(q.Name, a) })
		}
	}
}

// maxExtra is the number of extra bindings that exist at once.
const maxExtra = 100

func (r *runner) rebind(name string, a scenarios.Admin) {
	if len(r.s.Bindings) == 0 || a.Rate == 0 {
		return
	}
	l, err := r.connect(context.Background(), "admin "+name)
	if err != nil {
		r.fatal("admin-lost", fmt.Sprintf("Sequence %s could not connect: %v.", name, inWords(err)))
		return
	}
	defer l.close()
	ch, err := l.conn.Channel()
	if err != nil {
		r.fatal("admin-lost", fmt.Sprintf("Sequence %s got no channel: %v.", name, inWords(err)))
		return
	}
	sleeper := r.alarm.Sleeper()
	gap := time.Duration(float64(time.Second) / a.Rate)
	for n := 0; sleeper.Until(r.zero.Add(time.Duration(n)*gap), r.halt); n++ {
		b := &r.s.Bindings[n%len(r.s.Bindings)]
		if b.Queue == "" {
			continue
		}
		key := fmt.Sprintf("churn.%d.%s", n, b.Key)
		if err := ch.QueueBind(b.Queue, key[:min(len(key), 255)], b.Exchange, false, nil); err != nil {
			r.fatal("admin-lost", fmt.Sprintf("Sequence %s: %v.", name, inWords(err)))
			return
		}
		if n < maxExtra {
			continue
		}
		old := &r.s.Bindings[(n-maxExtra)%len(r.s.Bindings)]
		key = fmt.Sprintf("churn.%d.%s", n-maxExtra, old.Key)
		if old.Queue != "" {
			if err := ch.QueueUnbind(old.Queue, key[:min(len(key), 255)], old.Exchange, nil); err != nil {
				r.fatal("admin-lost", fmt.Sprintf("Sequence %s: %v.", name, inWords(err)))
				return
			}
		}
	}
}
