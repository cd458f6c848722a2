package pebble

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"harelab/engine/store"
	"harelab/engine/store/storetest"
)

// TestStore runs the suite on a file system in memory of which a crash leaves what was
// synced.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Place {
		fs := vfs.NewCrashableMem()
		return storetest.Place{
			Open: func(t *testing.T) store.Store {
				s, err := Open("data", Options{fs: fs})
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Crash: func(t *testing.T, s store.Store) {
				left := fs.CrashClone(vfs.CrashCloneCfg{})
				if s := s.(*Store); !s.closing {
					s.Close() // ends the goroutines; what it writes stays in the old file system
				}
				fs = left
			},
		}
	})
}
