package exchange

import (
	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name:         delayedMessage,
		Doc:          "as the type in x-delayed-type, after the milliseconds in the header x-delay",
		CheckDeclare: checkDelayedType,
		Inner:        innerType,
		New:          newDelayed,
	})
}

const (
	delayedMessage = "x-delayed-message"
	delayedType    = "x-delayed-type"
	delayHeader    = "x-delay"
)

// innerType returns the type that an x-delayed-message exchange routes as. ok is false if
// the arguments name none.
func innerType(args wire.Table) (t Type, ok bool) {
	name, _ := textArgument(args, delayedType)
	t, err := Lookup(name)
	return t, err == nil && t.Inner == nil
}

// checkDelayedType is validate/1 of rabbit_exchange_type_delayed_message, and the inner
// type's own check.
func checkDelayedType(args wire.Table) (refusal string) {
	t, ok := innerType(args)
	if !ok {
		return "Invalid argument, 'x-delayed-type' must be an existing exchange type"
	}
	if t.CheckDeclare != nil {
		return t.CheckDeclare(args)
	}
	return ""
}

// newDelayed returns a router of the inner type. Without arguments, it has no
// destinations.
func newDelayed(c Config) Exchange {
	t, ok := innerType(c.Arguments)
	if !ok {
		return nowhere{}
	}
	return t.New(c)
}

type nowhere struct{}

func (nowhere) Bind(string, wire.Table, topic.Dest)   {}
func (nowhere) Unbind(string, wire.Table, topic.Dest) {}

func (nowhere) Route(dst []topic.Dest, _ *Message) []topic.Dest { return dst }

// Delay returns the milliseconds for which an x-delayed-message exchange holds a message
// with these headers, an encoded table or nil; 0: it does not.
func Delay(headers []byte) int64 {
	v, ok := wire.TableLookup(headers, delayHeader)
	if !ok {
		return 0
	}
	n, _ := v.Int64()
	return max(n, 0)
}

// Delayed changes the header x-delay of a message that was held: it becomes negative, and
// so the message is not held again.
func Delayed(headers *wire.Table) {
	v, _ := headers.Get(delayHeader)
	n, _ := wire.Integer(v)
	headers.Set(delayHeader, -n)
}
