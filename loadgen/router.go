package loadgen

import (
	"fmt"
	"slices"
	"strings"

	"harelab/scenarios"
)

// A Router returns the queues that a message of a scenario reaches, from the
// topology alone. It implements the routing of AMQP 0-9-1 independently of harelab's
// broker, so that the ledger of a run can compare what arrived with what should
// have, on any broker. It leaves out dead-lettering, limits and expiry, which happen
// after routing.
//
// A Router belongs to one goroutine.
type Router struct {
	queues    map[string]int32 // index into Scenario.Queues
	exchanges map[string]*exchange
	routes    map[[2]string][]int32 // results by exchange, and key with headers
	walks     int                   // number of the current walk
}

type exchange struct {
	kind      string
	alternate string // alternate exchange, or empty
	bindings  []binding
	keys      map[string][]int // direct: indexes of bindings by key
	root      *node            // topic: the trie of binding keys
	walk      int              // number of the last walk that visited the exchange
}

type binding struct {
	queue int32  // index into Scenario.Queues; -1: the destination is an exchange
	to    string // the exchange
	args  []scenarios.Argument
}

// A node of the trie stands for the words of a binding key up to one place.
type node struct {
	next     map[string]*node
	star     *node // the child for *
	hash     *node // the child for #
	bindings []int // indexes of the bindings whose keys end here
	isHash   bool  // the node follows a #, so any word leads to it again
}

// NewRouter returns the router of a scenario's topology.
func NewRouter(s *scenarios.Scenario) *Router {
	r := &Router{queues: map[string]int32{}, exchanges: map[string]*exchange{}, routes: map[[2]string][]int32{}}
	for i := range s.Queues {
		r.queues[s.Queues[i].Name] = int32(i)
	}
	for name, kind := range map[string]string{"amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic", "amq.headers": "headers", "amq.match": "headers"} {
		r.exchanges[name] = newExchange(kind)
	}
	for _, x := range s.Exchanges {
		e := newExchange(x.Type)
		for _, a := range x.Arguments {
			if a.Name == "alternate-exchange" {
				e.alternate, _ = a.Value.(string)
			}
		}
		r.exchanges[x.Name] = e
	}
	for _, b := range s.Bindings {
		e := r.exchanges[b.Exchange]
		if e == nil {
			continue
		}
		target := binding{queue: -1, to: b.ToExchange, args: b.Arguments}
		if b.Queue != "" {
			target.queue = r.queues[b.Queue]
		}
		e.bind(b.Key, target)
	}
	return r
}

func newExchange(kind string) *exchange {
	return &exchange{kind: kind, keys: map[string][]int{}, root: &node{}}
}

func (e *exchange) bind(key string, b binding) {
	i := len(e.bindings)
	e.bindings = append(e.bindings, b)
	switch e.kind {
	case "direct":
		e.keys[key] = append(e.keys[key], i)
	case "topic":
		n := e.root
		for _, w := range words(key) {
			n = n.child(w)
		}
		n.bindings = append(n.bindings, i)
	}
}

func (n *node) child(w string) *node {
	switch w {
	case "*":
		if n.star == nil {
			n.star = &node{}
		}
		return n.star
	case "#":
		if n.hash == nil {
			n.hash = &node{isHash: true}
		}
		return n.hash
	}
	if n.next == nil {
		n.next = map[string]*node{}
	}
	if n.next[w] == nil {
		n.next[w] = &node{}
	}
	return n.next[w]
}

// words splits a key at its dots; the empty key has none.
func words(key string) []string {
	if key == "" {
		return nil
	}
	return strings.Split(key, ".")
}

// Route returns the indexes of the queues that a message reaches, in ascending
// order. The result is shared: do not change it.
func (r *Router) Route(exchange, key string, headers []scenarios.Argument) []int32 {
	at := [2]string{exchange, key}
	if len(headers) > 0 {
		at[1] = fmt.Sprint(key, headers)
	}
	if list, ok := r.routes[at]; ok {
		return list
	}
	r.walks++
	list := r.walk(nil, exchange, key, headers)
	slices.Sort(list)
	list = slices.Compact(list)
	if len(r.routes) < maxCached {
		r.routes[at] = list
	}
	return list
}

func (r *Router) walk(list []int32, name, key string, headers []scenarios.Argument) []int32 {
	if name == "" {
		if q, ok := r.queues[key]; ok {
			list = append(list, q)
		}
		return list
	}
	e := r.exchanges[name]
	if e == nil || e.walk == r.walks {
		return list // unknown, or visited already
	}
	e.walk = r.walks
	matched := e.match(key, headers)
	if len(matched) == 0 && e.alternate != "" {
		return r.walk(list, e.alternate, key, headers)
	}
	for _, i := range matched {
		if b := e.bindings[i]; b.queue >= 0 {
			list = append(list, b.queue)
		} else {
			list = r.walk(list, b.to, key, headers)
		}
	}
	return list
}

// match returns the indexes of the bindings that match.
func (e *exchange) match(key string, headers []scenarios.Argument) []int {
	var list []int
	switch e.kind {
	case "direct":
		return e.keys[key]
	case "topic":
		return e.root.match(words(key))
	case "headers":
		for i, b := range e.bindings {
			if matchHeaders(b.args, headers) {
				list = append(list, i)
			}
		}
	default: // fanout
		for i := range e.bindings {
			list = append(list, i)
		}
	}
	return list
}

// match keeps the set of nodes that the words read so far lead to, so it follows
// all binding keys at once. Its work is at most words times nodes.
func (n *node) match(words []string) []int {
	active := n.open(nil, map[*node]bool{})
	for _, w := range words {
		var next []*node
		seen := map[*node]bool{}
		for _, a := range active {
			if a.isHash {
				next = a.open(next, seen)
			}
			if c := a.next[w]; c != nil {
				next = c.open(next, seen)
			}
			if a.star != nil {
				next = a.star.open(next, seen)
			}
		}
		active = next
	}
	var list []int
	for _, a := range active {
		list = append(list, a.bindings...)
	}
	return list
}

// open adds n, and the nodes that # leads to without a word.
func (n *node) open(list []*node, seen map[*node]bool) []*node {
	for n != nil && !seen[n] {
		seen[n] = true
		list = append(list, n)
		n = n.hash
	}
	return list
}

// matchHeaders follows RabbitMQ: x-match is all by default; arguments that begin
// with x- are not compared unless x-match is all-with-x or any-with-x.
func matchHeaders(args, headers []scenarios.Argument) bool {
	mode := "all"
	for _, a := range args {
		if a.Name == "x-match" {
			mode, _ = a.Value.(string)
		}
	}
	withX := strings.HasSuffix(mode, "-with-x")
	anyOf := strings.HasPrefix(mode, "any")
	for _, a := range args {
		if a.Name == "x-match" || strings.HasPrefix(a.Name, "x-") && !withX {
			continue
		}
		has := slices.ContainsFunc(headers, func(h scenarios.Argument) bool {
			return h.Name == a.Name && fmt.Sprint(h.Value) == fmt.Sprint(a.Value)
		})
		if has == anyOf {
			return anyOf
		}
	}
	return !anyOf
}
