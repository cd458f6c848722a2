package settings

import (
	"errors"
	"fmt"
	"strings"

	"harelab/engine/wire"
)

// VHostLimits bound what a virtual host has at the same time. A nil or negative limit is
// none; zero refuses everything (rabbit_vhost_limit). The names in JSON are those of
// definitions files.
type VHostLimits struct {
	MaxConnections *int `json:"max-connections,omitempty"`
	MaxQueues      *int `json:"max-queues,omitempty"`
}

// ParseVHostLimits reads limits by name.
//
// Errors: RabbitMQ's texts for values that are not integers and for other names.
func ParseVHostLimits(t wire.Table) (l VHostLimits, err error) {
	var problems, unknown strings.Builder
	for _, f := range t {
		n, ok := wire.Integer(f.Value)
		limit := int(n)
		switch {
		case f.Key != "max-connections" && f.Key != "max-queues":
			if unknown.Len() > 0 {
				unknown.WriteString(",")
			}
			fmt.Fprintf(&unknown, "{%s,%s}", policyTerm(f.Key), policyTerm(f.Value))
		case !ok:
			fmt.Fprintf(&problems, "%s should be a number, actually was %s\n", f.Key, policyTerm(f.Value))
		case f.Key == "max-connections":
			l.MaxConnections = &limit
		default:
			l.MaxQueues = &limit
		}
	}
	text := problems.String()
	if unknown.Len() > 0 {
		text = fmt.Sprintf("Unrecognised terms [%s] in limits\n", unknown.String()) + text
	}
	if text != "" {
		return VHostLimits{}, errors.New("Validation failed\n\n" + text)
	}
	return l, nil
}

// Table returns the limits by name.
func (l VHostLimits) Table() wire.Table {
	var t wire.Table
	if l.MaxConnections != nil {
		t.Set("max-connections", int64(*l.MaxConnections))
	}
	if l.MaxQueues != nil {
		t.Set("max-queues", int64(*l.MaxQueues))
	}
	return t
}

// Connections returns the limit of connections. ok is false if there is none.
func (l VHostLimits) Connections() (limit int, ok bool) { return limited(l.MaxConnections) }

// Queues returns the limit of queues. ok is false if there is none.
func (l VHostLimits) Queues() (limit int, ok bool) { return limited(l.MaxQueues) }

func limited(limit *int) (int, bool) {
	if limit == nil || *limit < 0 {
		return 0, false
	}
	return *limit, true
}
