package stat

import "encoding/json"

// UnmarshalJSON reads a summary. Older ones called refused messages rejected, and
// messages that were left unserved.
func (s *Summary) UnmarshalJSON(b []byte) error {
	type plain Summary
	if err := json.Unmarshal(b, (*plain)(s)); err != nil {
		return err
	}
	rename(s.Metrics)
	for _, figures := range s.By {
		rename(figures)
	}
	return nil
}

// rename gives the figures of an older summary the names of today. They have no figure
// "left", and messages that a worker rejected were among the dead-lettered.
func rename(figures map[string]float64) {
	if _, ok := figures["left"]; ok {
		return
	}
	if n, ok := figures["unserved"]; ok {
		figures["left"] = n
	}
	if n, ok := figures["rejected"]; ok {
		figures["refused"] = n
		delete(figures, "rejected")
	}
}

// UnmarshalJSON reads a ledger, as [Summary.UnmarshalJSON] reads a summary.
func (l *Ledger) UnmarshalJSON(b []byte) error {
	type plain Ledger
	var v struct {
		*plain
		Refused  *int64 `json:"refused"`
		Unserved int64  `json:"unserved"`
	}
	v.plain = (*plain)(l)
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if v.Refused != nil {
		l.Refused = *v.Refused
		return nil
	}
	l.Refused, l.Rejected, l.Left = l.Rejected, 0, v.Unserved
	return nil
}
