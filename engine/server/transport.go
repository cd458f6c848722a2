package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
)

// A Transport says what lies between a listener's sockets and AMQP. The zero Transport is
// nothing: a plain socket.
type Transport struct {
	// TLS, if not nil, is the configuration of TLS. A client with a certificate that it
	// verifies may log in with EXTERNAL.
	TLS *tls.Config

	// ProxyFrom are the addresses of proxies. Each connection from them begins with a
	// header of the PROXY protocol, version 1 or 2, which says where the client is.
	// Connections from elsewhere have none.
	ProxyFrom []netip.Prefix
}

// wrap returns a socket's connection for AMQP.
func (t *Transport) wrap(socket net.Conn) net.Conn {
	if t.TLS == nil {
		return socket
	}
	return tls.Server(socket, t.TLS)
}

// proxied reports whether a socket comes from a proxy.
func (t *Transport) proxied(socket net.Conn) bool {
	a, ok := socket.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	ip := a.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(t.ProxyFrom, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// begin reads what comes before AMQP: the header of the PROXY protocol and the handshake
// of TLS.
func (c *conn) begin() error {
	if c.transport.proxied(c.socket) {
		from, to, err := readProxyHeader(c.socket)
		if err != nil {
			return cannotBegin("PROXY header", err)
		}
		if from != nil {
			c.log = c.srv.opts.Logger.With("peer", from.String(), "proxy", c.remote.String())
			c.remote, c.local = from, to
		}
	}
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return nil
	}
	if err := t.Handshake(); err != nil {
		if noTLS, ok := errors.AsType[tls.RecordHeaderError](err); ok && noTLS.Conn != nil {
			return hangUpOn(fmt.Errorf("a client without TLS on a port with TLS: it sent %q", noTLS.RecordHeader[:]))
		}
		return cannotBegin("TLS handshake", err)
	}
	state := t.ConnectionState()
	if len(state.VerifiedChains) > 0 {
		name, err := c.srv.opts.LoginFrom.Of(state.PeerCertificates[0])
		if err != nil {
			c.log.Warn("the client's certificate names no user", "error", err)
		}
		c.certificate, c.verified = name, true
	}
	return nil
}

// cannotBegin returns a refusal, or err itself if the peer only went away: monitors of
// ports do that.
func cannotBegin(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return hangUpOn(fmt.Errorf("%s: %w", what, err))
}

// hangUpOn returns a refusal that closes the connection at once.
func hangUpOn(reason error) error { return &refusal{reason: reason} }

// looksLikeTLS reports whether a client's first octets are a TLS handshake.
func looksLikeTLS(header [8]byte) bool { return header[0] == 22 && header[1] == 3 }

// host returns an address without its port, for counting failures.
func host(a net.Addr) string {
	if h, _, err := net.SplitHostPort(a.String()); err == nil {
		return h
	}
	return a.String()
}
