package dispatch

func init() {
	RegisterSelector(SelectorStrategy{
		Name:  "lwl",
		Doc:   "to whoever has the least work left, by cost hints",
		Needs: NeedCost | NeedTime | NeedProbe,
		New:   newLWL,
	})
}

// newLWL is least work left: with exact sizes it gives each message the wait it
// would have in one central queue, without that queue's round trip for each
// message (Harchol-Balter, Crovella, Murta 1998). The work is the worker's where
// a probe can see it, else the sum of the cost hints of what is not
// acknowledged; messages without a hint weigh nothing. O(log n).
func newLWL(_ Config, t *Consumers) Selector {
	return &leastLoaded{t: t, load: (*Consumers).WorkLeft}
}
