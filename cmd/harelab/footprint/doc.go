// Package footprint measures the memory of harelab serve from outside, with a real client:
// what a backlog costs, a consumer that does not read, queues that are filled and purged,
// and a flood that nobody consumes. `make memory` prints the table for a gibibyte; the gate
// runs it small.
package footprint
