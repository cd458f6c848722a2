package broker

// ConfirmSelect has publishes confirmed from now on.
//
// Errors: 406 with tx.
func (ch *Channel) ConfirmSelect() error { return nil }

// TxSelect makes the channel transactional: publishes, acks, nacks and rejects wait
// for TxCommit.
//
// Errors: 406 with confirms.
func (ch *Channel) TxSelect() error { return nil }

// TxCommit carries out what waits. Mandatory publishes that no queue took are
// returned to the caller, which sends and releases them before tx.commit-ok.
//
// Errors: 406 without tx.
func (ch *Channel) TxCommit() (unroutable []*Message, err error) { return nil, nil }

// TxRollback forgets what waits.
//
// Errors: 406 without tx.
func (ch *Channel) TxRollback() error { return nil }
