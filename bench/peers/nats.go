package main

import (
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/gsl"

	"harelab/bench/matchlab"
	"harelab/engine/topic"
)

// In a NATS subject '*' is one word and '>' at the end is one word or more. So a binding
// key with '#' at the end becomes two subjects, and one with '#' elsewhere has none.

// trailingHash reports whether the key has no '#' before the end and is not only '#'.
func trailingHash(bindingKey string) bool {
	return bindingKey != "" && bindingKey != "#" && !strings.Contains(strings.TrimSuffix(bindingKey, "#"), "#")
}

// subjects returns the one or two subjects with the meaning of a binding key.
func subjects(bindingKey string) []string {
	if prefix, ok := strings.CutSuffix(bindingKey, ".#"); ok {
		return []string{prefix, prefix + ".>"}
	}
	return []string{bindingKey}
}

// asStrings returns the keys as strings that share their memory.
func asStrings(keys [][]byte) []string {
	var all []string
	for _, k := range keys {
		all = append(all, unsafe.String(unsafe.SliceData(k), len(k)))
	}
	return all
}

// natsGSL is the generic sublist, NATS's matcher without its server.
func natsGSL() matchlab.Contender {
	return matchlab.Contender{
		Name:    "nats-gsl",
		Accepts: trailingHash,
		New: func(keys [][]byte) matchlab.Subject {
			return &gslSubject{list: gsl.NewSublist[topic.Dest](), keys: asStrings(keys)}
		},
	}
}

type gslSubject struct {
	list *gsl.GenericSublist[topic.Dest]
	keys []string
	dst  []topic.Dest
}

func (s *gslSubject) Bind(bindingKey string, d topic.Dest) {
	for _, subject := range subjects(bindingKey) {
		must(s.list.Insert(subject, d))
	}
}

func (s *gslSubject) Unbind(bindingKey string, d topic.Dest) {
	for _, subject := range subjects(bindingKey) {
		must(s.list.Remove(subject, d))
	}
}

func (s *gslSubject) Run(from, n int) (matches int) {
	add := func(d topic.Dest) { s.dst = append(s.dst, d) }
	i := from
	for range n {
		s.dst = s.dst[:0]
		s.list.Match(s.keys[i], add) // MatchBytes allocates
		matches += len(s.dst)
		if i++; i == len(s.keys) {
			i = 0
		}
	}
	return matches
}

// natsSublist is the server's matcher, with or without its cache.
func natsSublist(name string, cache bool) matchlab.Contender {
	return matchlab.Contender{
		Name:    name,
		Accepts: trailingHash,
		New: func(keys [][]byte) matchlab.Subject {
			s := &sublistSubject{
				list: server.NewSublist(cache),
				keys: asStrings(keys),
				subs: make(map[subscriptionOf]reflect.Value),
			}
			v := reflect.ValueOf(s.list)
			s.insert, s.remove = v.MethodByName("Insert"), v.MethodByName("Remove")
			return s
		},
	}
}

// sublistSubject makes subscriptions, whose type is not exported, by reflection. Matches
// do not use reflection.
type sublistSubject struct {
	list           *server.Sublist
	keys           []string
	subs           map[subscriptionOf]reflect.Value
	insert, remove reflect.Value
}

type subscriptionOf struct {
	subject string
	dest    topic.Dest
}

func (s *sublistSubject) Bind(bindingKey string, d topic.Dest) {
	for _, subject := range subjects(bindingKey) {
		sub := reflect.New(s.insert.Type().In(0).Elem())
		field := sub.Elem().FieldByName("subject")
		reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().SetBytes([]byte(subject))
		mustCall(s.insert, sub)
		s.subs[subscriptionOf{subject, d}] = sub
	}
}

func (s *sublistSubject) Unbind(bindingKey string, d topic.Dest) {
	for _, subject := range subjects(bindingKey) {
		of := subscriptionOf{subject, d}
		mustCall(s.remove, s.subs[of])
		delete(s.subs, of)
	}
}

func mustCall(method, sub reflect.Value) {
	if err := method.Call([]reflect.Value{sub})[0]; !err.IsNil() {
		panic(err.Interface())
	}
}

func (s *sublistSubject) Run(from, n int) (matches int) {
	i := from
	for range n {
		matches += len(*plainSubscriptions(s.list.Match(s.keys[i])))
		if i++; i == len(s.keys) {
			i = 0
		}
	}
	return matches
}

// plainSubscriptions returns the first field of a result, which is not exported.
func plainSubscriptions(r *server.SublistResult) *[]unsafe.Pointer {
	return (*[]unsafe.Pointer)(unsafe.Pointer(r))
}

func init() {
	if f := reflect.TypeFor[server.SublistResult]().Field(0); f.Name != "psubs" || f.Type.Kind() != reflect.Slice {
		panic(fmt.Sprintf("peers: this version of NATS has %s first in a SublistResult, not psubs", f.Name))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
