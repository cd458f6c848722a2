package server

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/pires/go-proxyproto"
)

const (
	maxProxyV1 = 107     // octets of the longest line of version 1
	maxProxyV2 = 4 << 10 // octets of the longest header of version 2 that is accepted
)

// readProxyHeader reads a header of the PROXY protocol, version 1 or 2, and not one octet
// more, so that what follows is read from the socket as if there were no proxy. from and to
// are nil if the proxy speaks for itself (LOCAL, UNKNOWN), as it does to check health.
//
// The parser is go-proxyproto's. Its listener and its connection are not used, since they
// would hide the socket.
func readProxyHeader(r io.Reader) (from, to net.Addr, err error) {
	header, err := cutProxyHeader(r)
	if err != nil {
		return nil, nil, err
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(header), len(header)))
	if err != nil {
		return nil, nil, err
	}
	if h.Command.IsLocal() {
		return nil, nil, nil
	}
	from, ok := h.SourceAddr.(*net.TCPAddr)
	to, ok2 := h.DestinationAddr.(*net.TCPAddr)
	if !ok || !ok2 {
		return nil, nil, fmt.Errorf("want addresses of TCP, got %v and %v", h.SourceAddr, h.DestinationAddr)
	}
	return from, to, nil
}

// cutProxyHeader reads the octets of a header.
func cutProxyHeader(r io.Reader) ([]byte, error) {
	b := make([]byte, 16, maxProxyV1)
	if _, err := io.ReadFull(r, b[:12]); err != nil {
		return nil, err
	}
	switch {
	case bytes.Equal(b[:12], proxyproto.SIGV2):
		if _, err := io.ReadFull(r, b[12:]); err != nil {
			return nil, err
		}
		size := int(binary.BigEndian.Uint16(b[14:]))
		if 16+size > maxProxyV2 {
			return nil, fmt.Errorf("header of %d octets, want at most %d", 16+size, maxProxyV2)
		}
		b = append(b, make([]byte, size)...)
		_, err := io.ReadFull(r, b[16:])
		return b, err
	case bytes.HasPrefix(b, append(proxyproto.SIGV1, ' ')):
		b = b[:12]
		for b[len(b)-1] != '\n' {
			if len(b) == maxProxyV1 {
				return nil, fmt.Errorf("line of more than %d octets", maxProxyV1)
			}
			b = b[:len(b)+1]
			if _, err := io.ReadFull(r, b[len(b)-1:]); err != nil {
				return nil, err
			}
		}
		return b, nil
	}
	return nil, errors.New("the proxy sent none")
}
