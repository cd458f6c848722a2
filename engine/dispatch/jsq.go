package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "jsq",
		Doc:   "to whoever has the fewest messages outstanding (join the shortest queue)",
		Needs: NeedProbe,
		New:   newJSQ,
	})
}

// newJSQ is join the shortest queue (Winston 1977), which is optimal for
// exponential service times and blind to sizes: it counts, it does not weigh.
// Outstanding are messages assigned and not finished where a probe can see
// that, else those not acknowledged; so a consumer without acknowledgements
// looks empty. O(log n).
func newJSQ(_ Config, t *Consumers) Selector {
	return &leastLoaded{t: t, load: func(t *Consumers, c ConsumerID, _ int64) (load, rate int64) {
		return int64(t.Outstanding(c)), 0
	}}
}
