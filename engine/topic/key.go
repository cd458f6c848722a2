package topic

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
)

// MaxKeyLen is the longest binding or routing key, in bytes. Keys travel as
// AMQP short strings, whose length is one byte (AMQP 0-9-1 section 4.2.5.3).
const MaxKeyLen = 255

// CheckKey returns an error if a key is longer than [MaxKeyLen]. An exchange
// calls it on keys that did not arrive as AMQP short strings.
func CheckKey(key string) error {
	if len(key) <= MaxKeyLen {
		return nil
	}
	return fmt.Errorf("topic: key %.16q... is %d bytes long (at most %d)", key, len(key), MaxKeyLen)
}

// mustCheckKey is what Bind does with a key that CheckKey refuses.
func mustCheckKey(bindingKey string) {
	if err := CheckKey(bindingKey); err != nil {
		panic(err)
	}
}

// words returns the words of a binding key. The empty key has none.
func words(bindingKey string) []string {
	if bindingKey == "" {
		return nil
	}
	return strings.Split(bindingKey, ".")
}

// routingWords is a routing key cut into words. The spans hold no pointers, so a
// pooled one keeps no caller's memory alive.
type routingWords struct {
	key    []byte
	spans  []span
	reach  []bool   // scratch of scan
	hashes []uint64 // scratch of tuple
}

type span struct{ start, end int }

var routingWordsPool = sync.Pool{New: func() any { return new(routingWords) }}

// splitRouting returns the words of a routing key. The caller returns them with
// free. The empty key has no words.
func splitRouting(key []byte) *routingWords {
	r := routingWordsPool.Get().(*routingWords)
	r.key, r.spans = key, r.spans[:0]
	if len(key) == 0 {
		return r
	}
	for start := 0; ; {
		dot := bytes.IndexByte(key[start:], '.')
		if dot < 0 {
			r.spans = append(r.spans, span{start, len(key)})
			return r
		}
		r.spans = append(r.spans, span{start, start + dot})
		start += dot + 1
	}
}

// n returns the number of words, and at the i-th word.
func (r *routingWords) n() int          { return len(r.spans) }
func (r *routingWords) at(i int) []byte { return r.key[r.spans[i].start:r.spans[i].end] }

func (r *routingWords) free() {
	r.key = nil
	routingWordsPool.Put(r)
}
