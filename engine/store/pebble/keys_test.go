package pebble

import (
	"bytes"
	"errors"
	"testing"

	"harelab/engine/store"
)

// FuzzStored parses arbitrary keys and values: what is not corrupt is written again as it
// was, and what is corrupt is called so.
func FuzzStored(f *testing.F) {
	key := appendEntryKey(nil, 1, 2, formWhole)
	e := store.Entry{ExpiresAt: 3, Redelivered: true}
	value := make([]byte, entryLen(e)+6)
	putEntry(key, value, e, []byte("octets"))
	f.Add(key, value)
	f.Add(appendMessageKey(nil, 7), []byte("octets"))
	f.Add([]byte{entryKey}, []byte{})
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if q, m, form, err := parseEntryKey(key); err == nil {
			if again := appendEntryKey(nil, q, m, form); !bytes.Equal(again, key) {
				t.Errorf("key %x becomes %x", key, again)
			}
		} else if !errors.Is(err, ErrCorrupt) {
			t.Error(err)
		}
		if m, err := parseMessageKey(key); err == nil {
			if again := appendMessageKey(nil, m); !bytes.Equal(again, key) {
				t.Errorf("key %x becomes %x", key, again)
			}
		}
		sum := make([]byte, sumLen)
		putSum(key, value, sum)
		for _, v := range [][]byte{value, append(bytes.Clone(value), sum...)} {
			e, octets, err := parseEntry(key, v)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) {
					t.Error(err)
				}
				continue
			}
			again := make([]byte, entryLen(e)+len(octets))
			putEntry(key, again, e, octets)
			if e.ExpiresAt != 0 || v[0]&flagExpires == 0 { // an expiry of 0 is written as none
				if !bytes.Equal(again, v) {
					t.Errorf("value %x becomes %x", v, again)
				}
			}
		}
	})
}

// TestFlippedBit: a bit that flips in a value or its key is found.
func TestFlippedBit(t *testing.T) {
	key := appendEntryKey(nil, 1, 2, formWhole)
	value := make([]byte, entryLen(store.Entry{})+6)
	putEntry(key, value, store.Entry{}, []byte("octets"))
	for _, b := range [][]byte{key, value} {
		for i := range 8 * len(b) {
			b[i/8] ^= 1 << (i % 8)
			if _, _, err := parseEntry(key, value); !errors.Is(err, ErrCorrupt) {
				t.Errorf("bit %d: %v, want %v", i, err, ErrCorrupt)
			}
			b[i/8] ^= 1 << (i % 8)
		}
	}
}
