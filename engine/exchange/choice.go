package exchange

import (
	"slices"
	"sync/atomic"

	"harelab/engine/topic"
)

// choices holds destinations with weights, for types that choose one of them. Bind and
// Unbind copy the list that Route reads.
type choices struct {
	bindings []choiceBinding // in the order in which they were made
	current  atomic.Pointer[choiceList]
}

type choiceBinding struct {
	key    string
	dest   topic.Dest
	weight int
}

// A choiceList has each destination once.
type choiceList struct {
	dests  []topic.Dest
	before []int // the weights of dests[0] to dests[i], added up
}

func (c *choices) bind(key string, d topic.Dest, weight int) {
	c.bindings = append(slices.Clip(c.bindings), choiceBinding{key, d, weight})
	c.publish()
}

func (c *choices) unbind(key string, d topic.Dest) {
	i := slices.IndexFunc(c.bindings, func(b choiceBinding) bool { return b.key == key && b.dest == d })
	if i < 0 {
		return
	}
	c.bindings = slices.Delete(slices.Clone(c.bindings), i, i+1)
	c.publish()
}

// publish makes the list anew. A destination with several bindings has the weight of its
// oldest one.
func (c *choices) publish() {
	list := new(choiceList)
	seen := make(map[topic.Dest]bool, len(c.bindings))
	total := 0
	for _, b := range c.bindings {
		if !seen[b.dest] {
			seen[b.dest] = true
			total += b.weight
			list.dests = append(list.dests, b.dest)
			list.before = append(list.before, total)
		}
	}
	c.current.Store(list)
}

// list returns the destinations; buckets is the sum of their weights.
func (c *choices) list() (list *choiceList, buckets int) {
	if list = c.current.Load(); list == nil || len(list.dests) == 0 {
		return nil, 0
	}
	return list, list.before[len(list.before)-1]
}

// at returns the destination that a bucket belongs to.
func (l *choiceList) at(bucket int) topic.Dest {
	i, found := slices.BinarySearch(l.before, bucket)
	if found {
		i++
	}
	return l.dests[i]
}

// hash returns a hash of octets that is the same in each life of the broker and on each
// machine: FNV-1a, mixed by the finalizer of MurmurHash3, since its upper bits count too.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// jump returns the bucket of a hash among n: jump consistent hash (Lamping, Veach 2014).
// When a bucket is added at the end, one in n+1 hashes moves, to the new bucket.
func jump(h uint64, n int) int {
	bucket, next := int64(-1), int64(0)
	for next < int64(n) {
		bucket = next
		h = h*2862933555777941757 + 1
		next = int64(float64(bucket+1) * (float64(1<<31) / float64(h>>33+1)))
	}
	return int(bucket)
}
