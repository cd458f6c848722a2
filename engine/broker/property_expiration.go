package broker

import (
	"fmt"
	"math/big"

	"harelab/engine/settings"
	"harelab/engine/wire"
)

// parseExpiration reads the property expiration, in milliseconds, as RabbitMQ does
// (rabbit_basic, parse_expiration/1).
//
// Errors: 406 with RabbitMQ's text.
func parseExpiration(s string) (ms int64, err error) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, ok := new(big.Int).SetString(s[:end], 10)
	problem := ""
	switch {
	case !ok:
		problem = "no_integer"
	case end < len(s):
		problem = fmt.Sprintf("{leftover_string,%q}", s[end:])
	case n.Sign() < 0:
		problem = numberProblem(s, "value_negative", n)
	case n.Cmp(big.NewInt(settings.MaxTimer)) > 0:
		problem = numberProblem(s, "value_too_large", n)
	default:
		return n.Int64(), nil
	}
	return 0, refuse(wire.PreconditionFailed, "%s%s", expirationText(s), problem)
}

func expirationText(s string) string { return "invalid expiration '" + s + "': " }

// numberProblem formats a pair as Erlang does: on two lines if one would go past column
// 78.
func numberProblem(s, reason string, n *big.Int) string {
	const width = 78
	column := len(expirationText(s))
	if pair := fmt.Sprintf("{%s,%d}", reason, n); column+len(pair) <= width {
		return pair
	}
	return fmt.Sprintf("{%s,\n%*s%d}", reason, column+1, "", n)
}
