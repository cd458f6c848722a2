package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// v2 returns a header of version 2 with a payload.
func v2(command, family byte, payload ...byte) string {
	b := append([]byte{}, proxyproto.SIGV2...)
	b = append(b, command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return string(append(b, payload...))
}

var v4Addresses = []byte{192, 0, 2, 1, 192, 0, 2, 2, 0x9c, 0x40, 0x16, 0x28}

func TestProxyHeader(t *testing.T) {
	v6 := append(append(net.ParseIP("2001:db8::1"), net.ParseIP("2001:db8::2")...), 0x9c, 0x40, 0x16, 0x28)
	for _, tt := range []struct{ name, header, from, to, err string }{
		{"version 1, IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 5672\r\n", "192.0.2.1:40000", "192.0.2.2:5672", ""},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 40000 5672\r\n", "[2001:db8::1]:40000", "[2001:db8::2]:5672", ""},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", "", "", ""},
		{"version 1, unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "", "", ""},
		{"version 1, without CR", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 5672\n", "", "", "proxyproto"},
		{"version 1, no address", "PROXY TCP4 192.0.2.300 192.0.2.2 40000 5672\r\n", "", "", "proxyproto"},
		{"version 1, no port", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 5672\r\n", "", "", "proxyproto"},
		{"version 1, too few", "PROXY TCP4 192.0.2.1\r\n", "", "", "proxyproto"},
		{"version 1, without end", "PROXY " + strings.Repeat("x", 200), "", "", "more than 107 octets"},
		{"version 2, IPv4", v2(0x21, 0x11, v4Addresses...), "192.0.2.1:40000", "192.0.2.2:5672", ""},
		{"version 2, IPv6", v2(0x21, 0x21, v6...), "[2001:db8::1]:40000", "[2001:db8::2]:5672", ""},
		{"version 2, more than addresses", v2(0x21, 0x11, append(bytes.Clone(v4Addresses), 4, 0, 3, 'a', 'b', 'c')...), "192.0.2.1:40000", "192.0.2.2:5672", ""},
		{"version 2, local", v2(0x20, 0), "", "", ""},
		{"version 2, UDP", v2(0x21, 0x12, v4Addresses...), "", "", "want addresses of TCP"},
		{"version 2, too short", v2(0x21, 0x11, 1, 2, 3), "", "", "proxyproto"},
		{"version 2, too long", v2(0x21, 0x11, make([]byte, maxProxyV2)...), "", "", "octets, want at most 4096"},
		{"version 3", v2(0x31, 0x11, v4Addresses...), "", "", "proxyproto"},
		{"none", "AMQP\x00\x00\x09\x01AMQP", "", "", "the proxy sent none"},
		{"the end", "PROXY TCP4", "", "", "EOF"},
		{"nothing", "", "", "", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := strings.NewReader(tt.header + "AMQP")
			if tt.err == "EOF" {
				r = strings.NewReader(tt.header)
			}
			from, to, err := readProxyHeader(r)
			if err != nil || tt.err != "" {
				if err == nil || tt.err == "" || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			text := func(a net.Addr) string {
				if a == nil {
					return ""
				}
				return a.String()
			}
			if text(from) != tt.from || text(to) != tt.to {
				t.Errorf("from %v to %v, want %s and %s", from, to, tt.from, tt.to)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "AMQP" {
				t.Errorf("%q is left to read, want AMQP", rest)
			}
		})
	}
}

// FuzzProxyHeader reads arbitrary octets, never more of them than a header may have.
func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.1 192.0.2.2 40000 5672\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(v2(0x21, 0x11, v4Addresses...)))
	f.Add([]byte(v2(0x20, 0, 1, 2, 3)))
	f.Add([]byte(v2(0x21, 0x11, make([]byte, 5000)...)))
	f.Fuzz(func(t *testing.T, octets []byte) {
		r := bytes.NewReader(octets)
		from, to, err := readProxyHeader(r)
		if (from == nil) != (to == nil) || err != nil && from != nil {
			t.Errorf("from %v, to %v, %v", from, to, err)
		}
		if read := len(octets) - r.Len(); read > maxProxyV2 {
			t.Errorf("%d octets read", read)
		}
	})
}
