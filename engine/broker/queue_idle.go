package broker

// startIdle has the queue deleted once it was not used for as long as x-expires says.
// Use is a consumer, a declaration or a get. It is called when the queue has no
// consumer; the queue is locked, or not known to anybody yet.
func (q *Queue) startIdle(op *operation) {
	expires := q.settings.Load().Expires
	if expires < 0 || q.deleted {
		return
	}
	q.usedAt = op.time()
	q.armIdle(expires)
}

func (q *Queue) stopIdle() {
	if q.idleTimer != nil {
		q.idleTimer.Stop()
		q.idleTimer = nil
	}
}

// armIdle looks again after some microseconds.
func (q *Queue) armIdle(after int64) {
	q.idleTimer = q.vhost.broker.after(after, q.expire)
}

func (q *Queue) expire(op *operation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted || q.idleTimer == nil || q.machine.Consumers() > 0 {
		return
	}
	if left := q.usedAt + q.settings.Load().Expires - op.time(); left > 0 {
		q.armIdle(left)
		return
	}
	q.close(op)
	op.effects = append(op.effects, effect{queue: q})
}
