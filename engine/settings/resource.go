package settings

import "fmt"

// Resource is what errors call a queue or an exchange. Only an error formats it, so a
// declaration that succeeds pays nothing for it.
type Resource struct {
	Kind  string // "queue" or "exchange"
	Name  string
	VHost string
}

// String returns RabbitMQ's form (rabbit_misc:rs/1), with its words for the exchange
// without a name.
func (r Resource) String() string {
	if r.Kind == "exchange" && r.Name == "" {
		return "default exchange"
	}
	return fmt.Sprintf("%s '%s' in vhost '%s'", r.Kind, r.Name, r.VHost)
}
