package exchange

import (
	"sync/atomic"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name: "x-random",
		Doc:  "to one destination, drawn at random",
		Once: true,
		New: func(c Config) Exchange {
			x := new(random)
			x.drawn.Store(c.Seed)
			return x
		},
	})
}

// random draws a destination for each message, all with the same chance. The draws are
// those of splitmix64: a counter, which publishers share, and a mix of its bits.
type random struct {
	choices
	drawn atomic.Uint64
}

func (x *random) Bind(key string, _ wire.Table, d topic.Dest)   { x.bind(key, d, 1) }
func (x *random) Unbind(key string, _ wire.Table, d topic.Dest) { x.unbind(key, d) }

func (x *random) Route(dst []topic.Dest, _ *Message) []topic.Dest {
	list, n := x.list()
	if list == nil {
		return dst
	}
	z := x.drawn.Add(0x9e3779b97f4a7c15)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return append(dst, list.dests[(z^z>>31)%uint64(n)])
}
