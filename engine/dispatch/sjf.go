package dispatch

func init() {
	RegisterOrder(OrderStrategy{
		Name:  "sjf",
		Doc:   "the shortest job first, by cost hint",
		Needs: NeedCost,
		New:   func(_ Config, t *Messages) Order { return &sjf{t: t} },
	})
}

// sjf chooses the message of least cost, and the oldest on ties. It has the least
// mean wait of all orders that do not interrupt work, and starves long jobs under
// load. A message without a hint counts as the shortest. O(log n).
type sjf struct {
	t    *Messages
	heap []Ref
}

func (o *sjf) Push(r Ref)     { o.heap = heapPush(o.heap, r, o.t, shorter) }
func (o *sjf) Peek(int64) Ref { return o.heap[0] }
func (o *sjf) Len() int       { return len(o.heap) }

func (o *sjf) Pop(int64) Ref {
	r := o.heap[0]
	o.heap = heapPop(o.heap, o.t, shorter)
	return r
}

func shorter(a, b *Message) bool {
	if a.Cost != b.Cost {
		return a.Cost < b.Cost
	}
	return a.ID < b.ID
}
