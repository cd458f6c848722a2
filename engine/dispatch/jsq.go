package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "jsq",
		Doc:   "to the consumer with the fewest messages outstanding (join the shortest queue)",
		Needs: NeedProbe,
		New:   newJSQ,
	})
}

// newJSQ is join the shortest queue (Winston 1977), which is optimal for
// exponential service times and ignores sizes: it counts messages. Outstanding
// messages are those that a consumer has not finished, if it has a probe, else those
// that it has not acknowledged. So a consumer without acknowledgements looks empty.
// O(log n).
func newJSQ(_ Config, t *Consumers) Selector {
	return &leastLoaded{t: t, load: func(t *Consumers, c ConsumerID, _ int64) (load, rate int64) {
		return int64(t.Outstanding(c)), 0
	}}
}
