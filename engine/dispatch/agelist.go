package dispatch

// An ageList holds messages in order of age. Published messages arrive in that order
// and are linked through the table's rows, which costs no memory here. Requeued
// messages arrive out of order and wait in a heap. The oldest message is the older of
// the two heads. Push and pop are O(1), and O(log n) for n requeued messages.
type ageList struct {
	head, tail Ref   // ascending IDs, linked by next
	returned   []Ref // heap of the requeued messages, the oldest first
	n          int   // number of messages
}

func newAgeList() ageList { return ageList{head: NoRef, tail: NoRef} }

func (l *ageList) push(t *Messages, r Ref) {
	l.n++
	m := t.At(r)
	switch {
	case l.head == NoRef:
		l.head = r
	case t.At(l.tail).ID < m.ID:
		t.At(l.tail).next = r
	default:
		l.returned = heapPush(l.returned, r, t, older)
		return
	}
	m.next = NoRef
	l.tail = r
}

// peek returns the oldest message; the list must not be empty.
func (l *ageList) peek(t *Messages) Ref {
	if len(l.returned) > 0 && (l.head == NoRef || t.At(l.returned[0]).ID < t.At(l.head).ID) {
		return l.returned[0]
	}
	return l.head
}

func (l *ageList) pop(t *Messages) Ref {
	l.n--
	r := l.peek(t)
	if r == l.head {
		l.head = t.At(r).next
		return r
	}
	l.returned = heapPop(l.returned, t, older)
	return r
}

func older(a, b *Message) bool { return a.ID < b.ID }
