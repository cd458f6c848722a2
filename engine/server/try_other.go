//go:build !unix

package server

import "net"

// newTryWriter returns nc as a tryWriter, or nil.
func newTryWriter(nc net.Conn) tryWriter {
	t, _ := nc.(tryWriter)
	return t
}
