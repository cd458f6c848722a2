package exchange

import (
	"fmt"

	"harelab/engine/topic"
	"harelab/engine/wire"
)

func init() {
	Register(Type{
		Name:         "x-recent-history",
		Doc:          "every message to every destination, and the latest ones to each new destination",
		Remembers:    true,
		CheckDeclare: checkHistory,
		New:          func(Config) Exchange { return &fanout{bindings: make(map[topic.Dest]int)} },
	})
}

const (
	historyLength  = "x-recent-history-length"
	historyNoStore = "x-recent-history-no-store"
)

// checkHistory is validate/1 of rabbit_exchange_type_recent_history.
func checkHistory(args wire.Table) (refusal string) {
	v, ok := args.Get(historyLength)
	if !ok {
		return ""
	}
	if n, ok := wire.Integer(v); !ok || n <= 0 {
		return fmt.Sprintf("Invalid argument %s, 'x-recent-history-length' must be a positive integer", wire.Term(v))
	}
	return ""
}

// HistoryLength returns how many messages an exchange with these arguments remembers.
func HistoryLength(args wire.Table) int {
	if v, ok := args.Get(historyLength); ok {
		if n, ok := wire.Integer(v); ok && n > 0 {
			return int(min(n, maxHistory))
		}
	}
	return 20
}

// maxHistory bounds the number of messages that an exchange remembers, which RabbitMQ does
// not.
const maxHistory = 1 << 20

// Forgettable reports whether a message asks not to be remembered. headers are an encoded
// table, or nil.
func Forgettable(headers []byte) bool {
	v, ok := wire.TableLookup(headers, historyNoStore)
	if !ok {
		return false
	}
	no, _ := v.Bool()
	return no
}
