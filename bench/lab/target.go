package lab

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/engine/nearest"
)

// A Kind says where an arm runs.
type Kind string

// The kinds of target.
const (
	Sim      Kind = "sim"      // virtual time on the broker's own code
	Embedded Kind = "embedded" // the broker in this process, the real client, the real clock
	AMQP     Kind = "amqp"     // any AMQP 0-9-1 broker by URL
)

// exampleURL shows the form of a broker's URL.
const exampleURL = "amqp://user:password@host:port/vhost"

// A Target is where an arm runs.
type Target struct {
	Kind Kind
	URL  string // with credentials; only for AMQP
}

// ParseTarget reads a target, the value of the flag --target: "sim", "embedded" or a URL
// that begins with amqp:// or amqps://.
func ParseTarget(s string) (Target, error) {
	switch {
	case s == string(Sim) || s == string(Embedded):
		return Target{Kind: Kind(s)}, nil
	case strings.HasPrefix(s, "amqp://") || strings.HasPrefix(s, "amqps://"):
		if _, err := amqp091.ParseURI(s); err != nil {
			if syntax := (*url.Error)(nil); errors.As(err, &syntax) {
				err = syntax.Err // without the URL, which holds the password
			}
			return Target{}, &UsageError{fmt.Sprintf("target %q: %v (give %s)", redact(s), err, exampleURL)}
		}
		return Target{Kind: AMQP, URL: s}, nil
	}
	return Target{}, &UsageError{fmt.Sprintf("unknown target %q%s", redact(s), nearest.Choices(s, []string{string(Sim), string(Embedded), exampleURL}))}
}

// String names the target without its credentials.
func (t Target) String() string {
	if t.Kind == AMQP {
		return redact(t.URL)
	}
	return string(t.Kind)
}

// redact removes user and password from a URL. In a text that is no URL it removes
// everything up to the last '@', since a password may contain any character.
func redact(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		if i := strings.LastIndexByte(s, '@'); i >= 0 {
			return "amqp://" + s[i+1:]
		}
		return s
	}
	u.User = nil
	return u.String()
}

func join(names []string) string { return strings.Join(names, ", ") }
