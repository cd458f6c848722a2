package amqp

import (
	"context"
	"fmt"
	"sync"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/loadgen"
	"harelab/scenarios"
)

// An admin declares the topology, reads the depth of queues during the run, and at
// the end deletes the exchanges and queues that it created.
type admin struct {
	r         *runner
	link      *link
	ch        *amqp091.Channel
	mu        sync.Mutex // guards ch during the run
	queues    []string   // created by this run, deleted at the end
	exchanges []string   // created by this run, deleted at the end
	foreign   []string   // queues that existed before the run, purged at the end
}

func (r *runner) newAdmin(ctx context.Context) (*admin, error) {
	l, err := r.connect(ctx, "admin")
	if err != nil {
		return nil, err
	}
	a := &admin{r: r, link: l}
	r.target = r.targetOf(l)
	if a.ch, err = l.conn.Channel(); err != nil {
		l.close()
		return nil, err
	}
	return a, nil
}

// declare declares the scenario's topology. Queues must be empty and without
// consumers, else the run would not measure the scenario.
func (a *admin) declare() error {
	s := a.r.s
	for _, x := range s.Exchanges {
		had := a.exists(func(ch *amqp091.Channel) error {
			return ch.ExchangeDeclarePassive(x.Name, x.Type, x.Durable, x.AutoDelete, x.Internal, false, nil)
		})
		if err := a.ch.ExchangeDeclare(x.Name, x.Type, x.Durable, x.AutoDelete, x.Internal, false, tableOf(x.Arguments)); err != nil {
			return scenarios.Refused(x.Line, fmt.Errorf("exchange %q: %w", x.Name, err))
		}
		if !had {
			a.exchanges = append(a.exchanges, x.Name)
		}
	}
	for _, q := range s.Queues {
		if err := a.declareQueue(q); err != nil {
			return err
		}
	}
	for _, b := range s.Bindings {
		var err error
		if b.Queue != "" {
			err = a.ch.QueueBind(b.Queue, b.Key, b.Exchange, false, tableOf(b.Arguments))
		} else {
			err = a.ch.ExchangeBind(b.ToExchange, b.Key, b.Exchange, false, tableOf(b.Arguments))
		}
		if err != nil {
			return scenarios.Refused(b.Line, fmt.Errorf("binding %q of exchange %q: %w", b.Key, b.Exchange, err))
		}
	}
	return nil
}

func (a *admin) declareQueue(q scenarios.Queue) error {
	args := tableOf(q.Arguments)
	if key := a.r.s.Engine.FairKey; key != "" {
		if _, ok := args["x-fair-key"]; !ok {
			if args == nil {
				args = amqp091.Table{}
			}
			args["x-fair-key"] = key
		}
	}
	had := a.exists(func(ch *amqp091.Channel) error {
		_, err := ch.QueueDeclarePassive(q.Name, q.Durable, q.AutoDelete, q.Exclusive, false, nil)
		return err
	})
	state, err := a.ch.QueueDeclare(q.Name, q.Durable, q.AutoDelete, q.Exclusive, false, args)
	if err != nil {
		return scenarios.Refused(q.Line, fmt.Errorf("queue %q: %w", q.Name, err))
	}
	if !had {
		a.queues = append(a.queues, q.Name)
		return nil
	}
	switch {
	case state.Messages > 0:
		return scenarios.Refused(q.Line, fmt.Errorf("queue %q is not empty (messages: %d): purge or delete it, or use another virtual host", q.Name, state.Messages))
	case state.Consumers > 0:
		return scenarios.Refused(q.Line, fmt.Errorf("queue %q has consumers of another program (consumers: %d): stop them, or use another virtual host", q.Name, state.Consumers))
	}
	a.foreign = append(a.foreign, q.Name)
	return nil
}

// exists reports whether an exchange or queue exists, by a passive declare. The
// broker of this process is new, so nothing exists there. The broker closes the
// channel when it refuses, so each call opens its own.
func (a *admin) exists(ask func(*amqp091.Channel) error) bool {
	if a.r.target.Kind == "embedded" {
		return false
	}
	ch, err := a.link.conn.Channel()
	if err != nil {
		return false
	}
	defer ch.Close()
	return ask(ch) == nil
}

// ready returns the number of messages that wait in the queues of the given indexes.
func (a *admin) ready(queues []int) (int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	sum := int64(0)
	for _, i := range queues {
		q := &a.r.s.Queues[i]
		state, err := a.ch.QueueDeclarePassive(q.Name, q.Durable, q.AutoDelete, q.Exclusive, false, nil)
		if err != nil {
			return 0, err
		}
		sum += int64(state.Messages)
	}
	return sum, nil
}

// drain empties the queues without consumers and returns the messages that were in
// them.
func (a *admin) drain(r *runner) []loadgen.Parked {
	var found []loadgen.Parked
	for i := range r.s.Queues {
		if r.consumed[i] || a.ch == nil {
			continue
		}
		for {
			d, ok, err := a.ch.Get(r.s.Queues[i].Name, true)
			if err != nil || !ok {
				break
			}
			if seq, ok := loadgen.BodySeq(d.Body); ok {
				found = append(found, loadgen.Parked{Seq: seq, Queue: int32(i)})
			}
		}
	}
	return found
}

// close deletes the queues and exchanges that declare created, and purges the queues
// that existed before.
func (a *admin) close() error {
	if a.link == nil {
		return nil
	}
	var errs []error
	for _, name := range a.queues {
		if _, err := a.ch.QueueDelete(name, false, false, false); err != nil {
			errs = append(errs, fmt.Errorf("queue %q: %w", name, inWords(err)))
			break
		}
	}
	for _, name := range a.foreign {
		if _, err := a.ch.QueuePurge(name, false); err != nil {
			errs = append(errs, fmt.Errorf("queue %q: %w", name, inWords(err)))
			break
		}
	}
	for _, name := range a.exchanges {
		if err := a.ch.ExchangeDelete(name, false, false); err != nil {
			errs = append(errs, fmt.Errorf("exchange %q: %w", name, inWords(err)))
			break
		}
	}
	a.link.close()
	a.link = nil
	return together(errs...)
}

// tableOf turns a scenario's arguments into the client's table.
func tableOf(args []scenarios.Argument) amqp091.Table {
	if len(args) == 0 {
		return nil
	}
	t := make(amqp091.Table, len(args))
	for _, a := range args {
		t[a.Name] = valueOf(a.Value)
	}
	return t
}

func valueOf(v any) any {
	switch v := v.(type) {
	case []scenarios.Argument:
		return tableOf(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = valueOf(v[i])
		}
		return list
	}
	return v
}
