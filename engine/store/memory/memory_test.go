package memory

import (
	"testing"

	"harelab/engine/store"
	"harelab/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) func() store.Store {
		s := New()
		return func() store.Store { return s }
	})
}
