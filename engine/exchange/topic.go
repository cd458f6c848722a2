package exchange

import (
	"slices"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name: "topic",
		Doc:  "to the destinations whose pattern of words, * and # matches the routing key",
		New:  func(c Config) Exchange { return topicExchange{c.Matcher.New()} },
	})
}

// topicExchange is a matcher of package topic. Matchers answer in no set order, so
// Route sorts the destinations by number: every matcher then gives the same history.
type topicExchange struct {
	matcher topic.Matcher
}

func (x topicExchange) Bind(key string, _ wire.Table, d topic.Dest)   { x.matcher.Bind(key, d) }
func (x topicExchange) Unbind(key string, _ wire.Table, d topic.Dest) { x.matcher.Unbind(key, d) }

func (x topicExchange) Route(dst []topic.Dest, m *Message) []topic.Dest {
	first := len(dst)
	dst = x.matcher.Match(dst, m.RoutingKey)
	slices.Sort(dst[first:])
	return dst
}
