package auth

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// TopicPermissions are a user's expressions over the routing keys of one topic exchange.
// They come on top of [Permissions]: without TopicPermissions for an exchange every key is
// allowed. The empty expression matches the empty key only.
//
// {username} and {vhost} in an expression stand for the user's name and the virtual host.
// They match these names literally, whatever characters they have, so that no user can
// choose a name that widens an expression. Other words in braces, such as the {client_id} of
// MQTT, stand for themselves, as in RabbitMQ for a connection that does not have them.
type TopicPermissions struct {
	Write, Read string
}

type topicKey struct{ vhost, exchange string }

// topicPermission holds the compiled expressions, with the names filled in.
type topicPermission struct {
	source TopicPermissions
	rule   *TopicRule
}

// A TopicRule says with which routing keys of an exchange a user may publish and bind. It
// does not change. The nil rule allows everything.
type TopicRule struct {
	write, read *regexp.Regexp
}

// May reports whether the rule allows a routing key for op, which is Write or Read. It does
// not allocate. (rabbit_auth_backend_internal, check_topic_access/4.)
func (r *TopicRule) May(op Op, key []byte) bool {
	switch {
	case r == nil:
		return true
	case op == Write:
		return r.write.Match(key)
	case op == Read:
		return r.read.Match(key)
	}
	return false
}

func compileTopic(user, vhost string, p TopicPermissions) (*TopicRule, error) {
	names := strings.NewReplacer("{username}", regexp.QuoteMeta(user), "{vhost}", regexp.QuoteMeta(vhost))
	var compiled [2]*regexp.Regexp
	for i, expr := range []string{p.Write, p.Read} {
		re, err := regexp.Compile(cmp.Or(names.Replace(expr), "^$"))
		if err != nil {
			return nil, fmt.Errorf("auth: topic permission: %w", err)
		}
		compiled[i] = re
	}
	return &TopicRule{compiled[0], compiled[1]}, nil
}

// SetTopicPermissions sets with which routing keys of an exchange a user may publish and
// bind. It fails if there is no such user or an expression is not one of package regexp.
func (a *Auth) SetTopicPermissions(name, vhost, exchange string, p TopicPermissions) error {
	rule, err := compileTopic(name, vhost, p)
	if err != nil {
		return err
	}
	return a.change(name, func(u *user) { u.topics[topicKey{vhost, exchange}] = topicPermission{p, rule} })
}

// ClearTopicPermissions removes what SetTopicPermissions has set.
func (a *Auth) ClearTopicPermissions(name, vhost, exchange string) error {
	return a.change(name, func(u *user) { delete(u.topics, topicKey{vhost, exchange}) })
}

// A TopicGrant is what one user may do with the routing keys of one exchange.
type TopicGrant struct {
	User, VHost, Exchange string
	TopicPermissions
}

// TopicGrants returns all topic permissions in order of user, virtual host and exchange.
func (a *Auth) TopicGrants() []TopicGrant {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var grants []TopicGrant
	for name, u := range a.users {
		for key, p := range u.topics {
			grants = append(grants, TopicGrant{name, key.vhost, key.exchange, p.source})
		}
	}
	slices.SortFunc(grants, func(x, y TopicGrant) int {
		return cmp.Or(strings.Compare(x.User, y.User), strings.Compare(x.VHost, y.VHost), strings.Compare(x.Exchange, y.Exchange))
	})
	return grants
}

// Topics returns the session's rule for the routing keys of a topic exchange; nil if it has
// none. The rule holds until [Session.Generation] changes.
func (s *Session) Topics(exchange string) *TopicRule {
	s.auth.mu.RLock()
	defer s.auth.mu.RUnlock()
	u := s.auth.users[s.user]
	if u == nil {
		return nil
	}
	return u.topics[topicKey{s.vhost, exchange}].rule
}
