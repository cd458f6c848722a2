package pebble

import (
	"testing"

	"harelab/engine/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Place { return newPlace(1) })
}
