package broker

// startIdle starts the timer that deletes the queue after it was unused for x-expires.
// Consumers, declarations and gets are uses. The queue has no consumer; it is locked, or
// not linked yet.
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

// armIdle calls expire after some microseconds.
func (q *Queue) armIdle(after int64) {
	q.idleTimer = q.vhost.broker.after(after, q.expire)
}

// expire deletes the queue if it was unused for x-expires. Otherwise it waits for the rest
// of that time.
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
