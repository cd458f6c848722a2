package main

import (
	"strconv"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"harelab/bench/matchlab"
	"harelab/engine/topic"
)

// mochi is the topics index of the MQTT broker mochi. MQTT writes '/' for the dot, '+'
// for '*', and '#' at the end for zero or more words. Mochi's "x/+/#" does not match
// "x/y", so such binding keys are left out too.
func mochi() matchlab.Contender {
	return matchlab.Contender{
		Name: "mochi-mqtt",
		Accepts: func(bindingKey string) bool {
			return trailingHash(bindingKey) && !strings.HasSuffix(bindingKey, "*.#")
		},
		New: func(keys [][]byte) matchlab.Subject {
			s := &mochiSubject{index: mqtt.NewTopicsIndex()}
			for _, k := range keys {
				s.keys = append(s.keys, strings.ReplaceAll(string(k), ".", "/"))
			}
			return s
		},
	}
}

type mochiSubject struct {
	index *mqtt.TopicsIndex
	keys  []string
}

var toMQTT = strings.NewReplacer(".", "/", "*", "+")

func (s *mochiSubject) Bind(bindingKey string, d topic.Dest) {
	s.index.Subscribe(strconv.Itoa(int(d)), packets.Subscription{Filter: toMQTT.Replace(bindingKey)})
}

func (s *mochiSubject) Unbind(bindingKey string, d topic.Dest) {
	s.index.Unsubscribe(toMQTT.Replace(bindingKey), strconv.Itoa(int(d)))
}

func (s *mochiSubject) Run(from, n int) (matches int) {
	i := from
	for range n {
		matches += len(s.index.Subscribers(s.keys[i]).Subscriptions)
		if i++; i == len(s.keys) {
			i = 0
		}
	}
	return matches
}
