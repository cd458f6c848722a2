package pebble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"harelab/engine/store"
)

// Keys, by their first octet:
//
//	'e' queue(8) message(8) form   an entry; a queue's entries are one range
//	'm' message(8)                 octets of a message that may have several entries
//	'r' kind name                  a record
//
// Numbers are big-endian, so that keys are in order of numbers. A form is how an entry is
// kept: with the octets, with octets elsewhere, or as a second key that replaces the entry
// of the first.
const (
	entryKey   = 'e'
	messageKey = 'm'
	recordKey  = 'r'

	entryKeyLen   = 18
	messageKeyLen = 9
)

// Forms of an entry, in the order in which a queue's range has them.
const (
	formWhole    = 0 // entry and octets
	formBare     = 1 // entry; the octets are under messageKey
	formOverride = 2 // the entry that replaces the one under the other form
)

// Every value ends with the CRC-32C of its key and of what is before.
const sumLen = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Flags of an entry's value.
const (
	flagRedelivered = 1 << iota
	flagExpires     // eight octets of ExpiresAt follow
	flagsKnown      = flagRedelivered | flagExpires
)

func putEntryKey(k []byte, q store.QueueID, m store.MessageID, form byte) {
	_ = k[entryKeyLen-1]
	k[0] = entryKey
	binary.BigEndian.PutUint64(k[1:], uint64(q))
	binary.BigEndian.PutUint64(k[9:], uint64(m))
	k[17] = form
}

func appendEntryKey(k []byte, q store.QueueID, m store.MessageID, form byte) []byte {
	n := len(k)
	k = append(k, make([]byte, entryKeyLen)...)
	putEntryKey(k[n:], q, m, form)
	return k
}

func putMessageKey(k []byte, m store.MessageID) {
	k[0] = messageKey
	binary.BigEndian.PutUint64(k[1:], uint64(m))
}

func appendMessageKey(k []byte, m store.MessageID) []byte {
	return binary.BigEndian.AppendUint64(append(k, messageKey), uint64(m))
}

// parseEntryKey returns the parts of an entry's key.
func parseEntryKey(k []byte) (q store.QueueID, m store.MessageID, form byte, err error) {
	if len(k) != entryKeyLen || k[0] != entryKey || k[17] > formOverride {
		return 0, 0, 0, fmt.Errorf("%w: key %q is none of an entry", ErrCorrupt, k)
	}
	return store.QueueID(binary.BigEndian.Uint64(k[1:])), store.MessageID(binary.BigEndian.Uint64(k[9:])), k[17], nil
}

func parseMessageKey(k []byte) (store.MessageID, error) {
	if len(k) != messageKeyLen || k[0] != messageKey {
		return 0, fmt.Errorf("%w: key %q is none of a message", ErrCorrupt, k)
	}
	return store.MessageID(binary.BigEndian.Uint64(k[1:])), nil
}

// entryLen returns the length of an entry's value without octets.
func entryLen(e store.Entry) int {
	if e.ExpiresAt != 0 {
		return 1 + 8 + sumLen
	}
	return 1 + sumLen
}

// putEntry writes an entry's value, of length entryLen(e) + len(octets).
func putEntry(key, v []byte, e store.Entry, octets []byte) {
	n := 1
	v[0] = 0
	if e.Redelivered {
		v[0] |= flagRedelivered
	}
	if e.ExpiresAt != 0 {
		v[0] |= flagExpires
		binary.BigEndian.PutUint64(v[1:], uint64(e.ExpiresAt))
		n = 9
	}
	n += copy(v[n:], octets)
	putSum(key, v[:n], v[n:])
}

// parseEntry returns the entry and the octets of an entry's value, which octets aliases.
func parseEntry(key, v []byte) (e store.Entry, octets []byte, err error) {
	if v, err = checkSum(key, v); err != nil {
		return e, nil, err
	}
	if len(v) == 0 || v[0]&^flagsKnown != 0 {
		return e, nil, fmt.Errorf("%w: entry %q begins with no known flags", ErrCorrupt, key)
	}
	e.Redelivered = v[0]&flagRedelivered != 0
	octets = v[1:]
	if v[0]&flagExpires != 0 {
		if len(octets) < 8 {
			return e, nil, fmt.Errorf("%w: entry %q has %d octets of its expiry, want 8", ErrCorrupt, key, len(octets))
		}
		e.ExpiresAt = int64(binary.BigEndian.Uint64(octets))
		octets = octets[8:]
	}
	return e, octets, nil
}

func putSum(key, v, sum []byte) {
	binary.LittleEndian.PutUint32(sum, crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, v))
}

// checkSum returns a value without its sum.
func checkSum(key, v []byte) ([]byte, error) {
	n := len(v) - sumLen
	if n < 0 {
		return nil, fmt.Errorf("%w: the value of key %q has %d octets, fewer than a checksum", ErrCorrupt, key, len(v))
	}
	want := binary.LittleEndian.Uint32(v[n:])
	if got := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, v[:n]); got != want {
		return nil, fmt.Errorf("%w: the value of key %q has checksum %08x, want %08x", ErrCorrupt, key, got, want)
	}
	return v[:n], nil
}

// ErrCorrupt means that what a store reads is not what it wrote.
var ErrCorrupt = errors.New("store: corrupt data")
