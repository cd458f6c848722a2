package sim

import (
	"fmt"

	"harelab/engine/broker"
	"harelab/engine/wire"
	"harelab/scenarios"
)

// declare declares the model's exchanges, queues and bindings, in this order.
func (d *driver) declare() error {
	for _, x := range d.model.Exchanges {
		args, err := table(x.Arguments)
		if err == nil {
			err = d.conn.DeclareExchange(broker.ExchangeSpec{
				Name: x.Name, Type: x.Type, Durable: x.Durable,
				AutoDelete: x.AutoDelete, Internal: x.Internal, Arguments: args,
			})
		}
		if err != nil {
			return scenarios.Refused(x.Line, fmt.Errorf("exchange %q: %w", x.Name, err))
		}
	}
	for i, q := range d.model.Queues {
		args, err := table(q.Arguments)
		if err == nil {
			// Neither exclusive nor auto-delete, since drain reads it at the end.
			_, err = d.conn.DeclareQueue(broker.QueueSpec{Name: q.Name, Durable: q.Durable, Arguments: args})
		}
		if err != nil {
			return scenarios.Refused(q.Line, fmt.Errorf("queue %q: %w", q.Name, err))
		}
		d.queues[q.Name] = int32(i)
	}
	for _, b := range d.model.Bindings {
		if err := d.bind(b); err != nil {
			return scenarios.Refused(b.Line, fmt.Errorf("binding %q of exchange %q to %q: %w", b.Key, b.Exchange, b.Queue+b.ToExchange, err))
		}
	}
	return nil
}

func (d *driver) bind(b scenarios.Binding) error {
	spec, err := bindingSpec(b)
	if err != nil {
		return err
	}
	return d.conn.Bind(spec)
}

func bindingSpec(b scenarios.Binding) (broker.BindingSpec, error) {
	args, err := table(b.Arguments)
	return broker.BindingSpec{
		Source: b.Exchange, Destination: b.Queue + b.ToExchange, ToExchange: b.ToExchange != "",
		RoutingKey: b.Key, Arguments: args,
	}, err
}

// rebind removes the next binding, adds it again, and schedules the next rebind.
func (d *driver) rebind(e event) {
	if _, more := d.model.Source.Due(d.now); !more || len(d.model.Bindings) == 0 {
		return
	}
	b := d.model.Bindings[d.rebound%len(d.model.Bindings)]
	d.rebound++
	err := d.unbind(b)
	if err == nil {
		err = d.bind(b)
	}
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("binding %q of exchange %q: %w", b.Key, b.Exchange, err)
	}
	d.add(d.now+d.model.Rebind[e.arg], rankControl, event{kind: rebind, arg: e.arg})
}

func (d *driver) unbind(b scenarios.Binding) error {
	spec, err := bindingSpec(b)
	if err != nil {
		return err
	}
	return d.conn.Unbind(spec)
}

// table makes a field table of arguments.
func table(args []scenarios.Argument) (wire.Table, error) {
	t := make(wire.Table, 0, len(args))
	for _, a := range args {
		v, err := value(a.Value)
		if err != nil {
			return nil, fmt.Errorf("argument %q: %w", a.Name, err)
		}
		t = append(t, wire.Field{Key: a.Name, Value: v})
	}
	return t, nil
}

func value(v any) (any, error) {
	switch v := v.(type) {
	case string, int64, float64, bool:
		return v, nil
	case []scenarios.Argument:
		return table(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			var err error
			if list[i], err = value(e); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return nil, fmt.Errorf("%T has no AMQP type (have string, int64, float64, bool, table, array)", v)
}
