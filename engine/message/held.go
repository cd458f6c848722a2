package message

import "sync/atomic"

// held is the memory of messages that somebody holds, in octets.
var held atomic.Int64

// Held returns the octets of memory that messages take in this process, as far as Hold
// was told. Memory is what all brokers of a process share, and so is this count.
func Held() int64 { return held.Load() }

// Hold adds octets to Held and returns the sum. A caller that makes or drops many messages
// adds up their sizes and calls Hold once for all of them, since goroutines contend for
// the count.
func Hold(octets int64) int64 { return held.Add(octets) }

// Size returns the octets of memory that the message takes, not rounded to its size class.
func (m *Message) Size() int { return HeadBytes + int(m.size) }
