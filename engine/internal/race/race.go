// Package race tells whether the race detector is on. It allocates and slows down
// what it watches, so that tests of allocations and of speed have to know.
package race
