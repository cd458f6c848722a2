package auth

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// SASL mechanisms.
const (
	Plain    = "PLAIN"    // RFC 4616
	AMQPlain = "AMQPLAIN" // a field table with LOGIN and PASSWORD
	External = "EXTERNAL" // the name of the TLS certificate
)

// Mechanisms is what connection.start offers to clients without a certificate, in
// RabbitMQ's order: some clients take the first that they know.
const Mechanisms = AMQPlain + " " + Plain

// Refused is the text of the 403 that answers a login that failed, with the
// mechanism for %s (rabbit_reader, auth_phase/2).
const Refused = "Login was refused using authentication mechanism %s. For details see the broker logfile."

// ErrRefused says that a login failed. It does not say why, so that the peer does not
// learn which names exist; errors that wrap it do, for the log.
var ErrRefused = errors.New("auth: login refused")

// A Login is the name and proof that a client sends. It prints without the password.
type Login struct {
	Mechanism string
	User      string
	password  []byte
}

// NewLogin returns a Login with a password, for callers that speak no SASL.
func NewLogin(user, password string) Login {
	return Login{Mechanism: Plain, User: user, password: []byte(password)}
}

// Format omits the password for every verb, so that no log or error text holds it.
func (l Login) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s login of %q", l.Mechanism, l.User) }

// LogValue omits the password, so that no structured log holds it.
func (l Login) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(l)) }

// ParseLogin reads a client's first response under a SASL mechanism. The result
// holds no part of response. For EXTERNAL the name comes with the [Peer].
func ParseLogin(mechanism string, response []byte) (Login, error) {
	l := Login{Mechanism: mechanism}
	var ok bool
	switch mechanism {
	case Plain:
		l.User, l.password, ok = parsePlain(response)
	case AMQPlain:
		l.User, l.password, ok = parseAMQPlain(response)
	case External:
		ok = true
	default:
		return Login{}, fmt.Errorf("auth: unknown mechanism %.32q (have %s %s)", mechanism, Mechanisms, External)
	}
	if !ok {
		return Login{}, fmt.Errorf("auth: %s response of %d octets is not well formed", mechanism, len(response))
	}
	return l, nil
}

// parsePlain reads authorization id, name and password, separated by zero octets. It
// ignores the authorization id, as RabbitMQ does.
func parsePlain(response []byte) (user string, password []byte, ok bool) {
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 {
		return "", nil, false
	}
	return string(parts[1]), bytes.Clone(parts[2]), true
}

// parseAMQPlain reads the fields of a table that comes without its length. All
// values must be long strings.
func parseAMQPlain(response []byte) (user string, password []byte, ok bool) {
	var login, pass []byte
	for b := response; len(b) > 0; {
		n := 1 + int(b[0])
		if len(b) < n+5 || b[n] != 'S' {
			return "", nil, false
		}
		key, size, rest := b[1:n], binary.BigEndian.Uint32(b[n+1:]), b[n+5:]
		if uint64(size) > uint64(len(rest)) {
			return "", nil, false
		}
		switch string(key) {
		case "LOGIN":
			login = rest[:size]
		case "PASSWORD":
			pass = rest[:size]
		}
		b = rest[size:]
	}
	if login == nil || pass == nil {
		return "", nil, false
	}
	return string(login), bytes.Clone(pass), true
}

// A Peer holds what the transport knows about a client.
type Peer struct {
	Loopback    bool   // connected from this machine, or in memory
	Address     string // without the port; logins that fail are counted by it, unless Loopback
	Certificate string // name in the certificate that TLS verified; empty: none
}

// nobody holds the hash that an unknown name's password is compared with, so that an
// unknown name takes as long as a known one.
var nobody = Hash{make([]byte, saltLen+32)}

// SetLoopbackUsers sets the users who may log in from this machine only, whatever their
// password. Without a call that is guest (RabbitMQ's setting loopback_users).
func (a *Auth) SetLoopbackUsers(names ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loopback = slices.Clone(names)
}

// LoopbackUsers returns the users who may log in from this machine only.
func (a *Auth) LoopbackUsers() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.loopback)
}

// Authenticate checks a login and returns the user's name. Its error is ErrRefused, with
// the reason for the log, which no peer should see.
//
// Who fails often is refused without a look at the password for a while: a user at an
// address after 5 failures, then once a second; an address or a user as a whole after 50,
// then ten times a second. Peers on this machine are not slowed by that.
func (a *Auth) Authenticate(l Login, peer Peer) (user string, err error) {
	name := l.User
	if l.Mechanism == External {
		name = peer.Certificate
	}
	now := time.Now()
	if !peer.Loopback && !a.throttle.allows(peer.Address, name, now) {
		return "", fmt.Errorf("%w: too many failed logins of %q from %s", ErrRefused, name, peer.Address)
	}
	if err := a.check(l, name, peer); err != nil {
		if !peer.Loopback {
			a.throttle.fail(peer.Address, name, now)
		}
		return "", err
	}
	return name, nil
}

// check takes about as long for a name that does not exist as for one that does. A bcrypt
// hash takes longer.
func (a *Auth) check(l Login, name string, peer Peer) error {
	a.mu.RLock()
	hash, local := nobody, slices.Contains(a.loopback, name)
	u := a.users[name]
	if u != nil {
		hash = u.hash
	}
	a.mu.RUnlock()
	proved := l.Mechanism == External && name != "" || l.Mechanism != External && hash.Verify(l.password)
	switch {
	case u == nil:
		return fmt.Errorf("%w: no user %q", ErrRefused, name)
	case !proved:
		return fmt.Errorf("%w: user %q - invalid credentials", ErrRefused, name)
	case local && !peer.Loopback:
		return fmt.Errorf("%w: user %q can only connect via localhost", ErrRefused, name)
	}
	return nil
}
