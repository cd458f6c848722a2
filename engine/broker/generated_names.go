package broker

import (
	crand "crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"sync"
)

// A nameGenerator generates names of queues, consumers and reply addresses. Each has 128
// random bits, which nobody can guess unless the broker has a seed.
type nameGenerator struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func (n *nameGenerator) init(seed uint64) {
	var key [32]byte
	if seed != 0 {
		binary.LittleEndian.PutUint64(key[:], seed)
	} else {
		crand.Read(key[:]) // never fails
	}
	n.source = rand.NewChaCha8(key)
}

// generateName returns a name with a prefix, such as amq.gen-Lh1dXBnh_3rjYIfOMbR41g.
func (b *Broker) generateName(prefix string) string {
	var bits [16]byte
	b.names.mu.Lock()
	b.names.source.Read(bits[:])
	b.names.mu.Unlock()
	return prefix + base64.RawURLEncoding.EncodeToString(bits[:])
}
