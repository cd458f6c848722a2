package sim

// Ranks of events at one instant (R2): what follows from an event at zero delay
// comes before the next outside event, and departures come before arrivals.
// Publishing has the last rank; it is not on the agenda but comes from the source.
const (
	rankInternal uint64 = iota << 62 // a delivery reaching a worker, an ack reaching the broker, a timer of the broker
	rankFinish                       // a service completion
	rankControl                      // a crash, a join
)

type eventKind uint8

const (
	arrival  eventKind = iota // a delivery reaches its worker
	settled                   // an ack or nack reaches the broker
	expired                   // a timer of the broker
	finished                  // work is done
	control                   // an entry of Model.Control, or a worker's first join
	rebind                    // a binding is removed and added again
)

// An event is a change that will happen.
type event struct {
	at     int64  // microseconds of run time
	order  uint64 // its rank in the top bits, below that the number of its creation
	worker int32
	life   uint32 // of the worker: events of an earlier life are void
	arg    int32  // index of a task, timer, Model.Control (-1: a first join) or Model.Rebind
	kind   eventKind
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

// An agenda holds the events to come, in order of (time, rank, creation).
//
// Events with a delay are in a heap. Events of the first rank at the current
// instant are the most frequent. They are in a queue, since they happen in order of
// creation.
type agenda struct {
	now     int64
	created uint64  // number of events created
	heap    []event // 4-ary
	instant []event // ring: the internal events of now, in order of creation
	head, n int     // first event and number of events in instant
}

// add schedules an event at a time not before now.
func (a *agenda) add(at int64, rank uint64, e event) {
	a.created++
	e.at, e.order = at, rank|a.created
	if at == a.now && rank == rankInternal {
		a.addInstant(e)
		return
	}
	a.heap = append(a.heap, e)
	h := a.heap
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

func (a *agenda) addInstant(e event) {
	if a.n == len(a.instant) {
		larger := make([]event, max(16, 2*len(a.instant)))
		for i := range a.n {
			larger[i] = a.instant[(a.head+i)%len(a.instant)]
		}
		a.instant, a.head = larger, 0
	}
	a.instant[(a.head+a.n)&(len(a.instant)-1)] = e
	a.n++
}

// due returns the time of the first event.
func (a *agenda) due() (at int64, ok bool) {
	if a.n > 0 {
		return a.now, true
	}
	if len(a.heap) > 0 {
		return a.heap[0].at, true
	}
	return 0, false
}

// next removes and returns the first event, and sets now to its time. The agenda
// must not be empty.
func (a *agenda) next() event {
	// An internal event in the heap at this instant was created at an earlier
	// instant, so before all events of the queue.
	if a.n > 0 && (len(a.heap) == 0 || a.heap[0].at > a.now || a.heap[0].order >= rankFinish) {
		e := a.instant[a.head]
		a.head = (a.head + 1) & (len(a.instant) - 1)
		a.n--
		return e
	}
	e := a.pop()
	a.now = e.at
	return e
}

func (a *agenda) pop() event {
	h := a.heap
	top := h[0]
	last := len(h) - 1
	e := h[last]
	h = h[:last]
	a.heap = h
	i := 0
	for {
		child := 4*i + 1
		if child >= last {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, last); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	if last > 0 {
		h[i] = e
	}
	return top
}
