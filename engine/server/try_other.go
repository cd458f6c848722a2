//go:build !unix

package server

import "net"

// newTryWriter returns a tryWriter for nc, or nil if nc cannot write without waiting.
func newTryWriter(nc net.Conn) tryWriter {
	t, _ := nc.(tryWriter)
	return t
}
