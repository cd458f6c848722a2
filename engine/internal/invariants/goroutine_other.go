//go:build (invariants || race) && !amd64 && !arm64

package invariants

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutine returns a number that no other running goroutine has: the one in the first
// line of its printed stack.
func goroutine() uintptr {
	var buf [64]byte
	stack := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	number, _, _ := bytes.Cut(stack, []byte(" "))
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic(err) // the runtime prints it so
	}
	return uintptr(n)
}
