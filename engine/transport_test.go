package engine_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
	"harelab/engine/auth"
	"harelab/engine/certs"
	"harelab/engine/certs/certstest"
)

// A logBuffer is a log that a test reads while others write.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A secured engine listens on a plain port and on one with TLS that asks for certificates.
type secured struct {
	*engine.Engine
	t           *testing.T
	authority   *certstest.Authority
	plain, amqs string
	log         logBuffer
}

func newSecured(t *testing.T, files certs.Files, proxies ...netip.Prefix) *secured {
	t.Helper()
	s := &secured{t: t, authority: certstest.New(t)}
	logger := slog.New(slog.NewTextHandler(&s.log, nil))
	s.authority.Issue("client", x509.Certificate{Subject: pkix.Name{Organization: []string{"hare"}, CommonName: "client"}})
	s.authority.Issue("stranger", x509.Certificate{Subject: pkix.Name{CommonName: "stranger"}})
	files.Cert, files.Key = s.authority.Issue("server", x509.Certificate{})
	files.CA = s.authority.CA
	source, err := certs.Open(files, logger)
	if err != nil {
		t.Fatal(err)
	}
	if s.Engine, err = engine.New(engine.Options{Logger: logger}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	plain, err := s.ListenOver("127.0.0.1:0", engine.Transport{ProxyFrom: proxies})
	if err != nil {
		t.Fatal(err)
	}
	amqs, err := s.ListenOver("127.0.0.1:0", engine.Transport{TLS: source.Config(), ProxyFrom: proxies})
	if err != nil {
		t.Fatal(err)
	}
	s.plain, s.amqs = plain.String(), amqs.String()
	b := s.Broker()
	if err := errors.Join(b.AddUser("CN=client,O=hare", auth.Hash{}), b.SetPermissions("CN=client,O=hare", "/", auth.All)); err != nil {
		t.Fatal(err)
	}
	return s
}

// wantLogged waits until the server has logged a text: a client may learn of a refusal
// before the server has logged it.
func (s *secured) wantLogged(text string) {
	s.t.Helper()
	for range 1000 {
		if strings.Contains(s.log.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Errorf("log %q, want %q in it", s.log.String(), text)
}

// external is the mechanism for clients with a certificate.
type external struct{}

func (external) Mechanism() string { return "EXTERNAL" }
func (external) Response() string  { return "" }

// connect connects over TLS and returns the error. before is sent before the handshake.
func (s *secured) connect(client *tls.Config, login amqp.Authentication, before string) error {
	s.t.Helper()
	conn, err := amqp.DialConfig("amqps://"+s.amqs+"/", amqp.Config{
		SASL:            []amqp.Authentication{login},
		Vhost:           "/",
		TLSClientConfig: client,
		Dial: func(network, addr string) (net.Conn, error) {
			nc, err := net.Dial(network, addr)
			if err == nil {
				_, err = io.WriteString(nc, before)
			}
			return nc, err
		},
	})
	if err != nil {
		return err
	}
	return conn.Close()
}

var guest = &amqp.PlainAuth{Username: "guest", Password: "guest"}

// TestTLS: who may connect, by what the server asks for and the client has.
func TestTLS(t *testing.T) {
	for _, tt := range []struct {
		verify, require bool
		client          string
		login           amqp.Authentication
		want            string // part of the error
		logged          string
	}{
		{false, false, "", guest, "", ""},
		{false, false, "client", guest, "", ""},
		{false, false, "client", external{}, "SASL could not negotiate", ""}, // nothing was verified
		{true, false, "", guest, "", ""},
		{true, false, "", external{}, "SASL could not negotiate", ""},
		{true, false, "client", external{}, "", ""},
		{true, false, "client", guest, "", ""},
		{true, false, "stranger", external{}, "username or password not allowed", `no user \"CN=stranger\"`},
		{true, true, "client", external{}, "", ""},
		{true, true, "", guest, "", "client didn't provide a certificate"},
	} {
		name := fmt.Sprintf("verify=%t require=%t client=%s login=%s", tt.verify, tt.require, tt.client, tt.login.Mechanism())
		t.Run(name, func(t *testing.T) {
			s := newSecured(t, certs.Files{VerifyPeer: tt.verify, RequirePeer: tt.require})
			err := s.connect(s.authority.Client(tt.client), tt.login, "")
			if (err == nil) != (tt.want == "" && tt.logged == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			s.wantLogged(tt.logged)
		})
	}
	t.Run("certificate of another authority", func(t *testing.T) {
		s := newSecured(t, certs.Files{VerifyPeer: true})
		other := certstest.New(t)
		other.Issue("client", x509.Certificate{Subject: pkix.Name{CommonName: "client"}})
		client := other.Client("client")
		client.RootCAs = s.authority.Pool
		// The client sends its certificate although the server does not name its authority.
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &client.Certificates[0], nil
		}
		if err := s.connect(client, external{}, ""); err == nil {
			t.Error("connected")
		}
		s.wantLogged("certificate signed by unknown authority")
	})
}

// TestWrongPort: a client that speaks TLS to a port without it, or the other way round, is
// named in the log, and the connection ends soon.
func TestWrongPort(t *testing.T) {
	s := newSecured(t, certs.Files{})
	for _, tt := range []struct {
		name, addr string
		tls        bool
		want       string
	}{
		{"AMQP to TLS", s.amqs, false, `a client without TLS on a port with TLS: it sent \"AMQP\\x00\"`},
		{"TLS to AMQP", s.plain, true, "a client with TLS on a port without TLS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			nc, err := net.Dial("tcp", tt.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(30 * time.Second))
			if tt.tls {
				if err := tls.Client(nc, s.authority.Client("")).Handshake(); err == nil {
					t.Error("the handshake succeeded")
				}
			} else {
				io.WriteString(nc, "AMQP\x00\x00\x09\x01")
				if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the connection stays open")
				}
			}
			s.wantLogged(tt.want)
		})
	}
}

// TestProxy: behind a proxy the client's own address counts.
func TestProxy(t *testing.T) {
	const header = "PROXY TCP4 192.0.2.1 192.0.2.2 40000 5671\r\n"
	here := netip.MustParsePrefix("127.0.0.0/8")
	elsewhere := netip.MustParsePrefix("192.0.2.0/24")
	for _, tt := range []struct {
		name   string
		from   netip.Prefix
		before string
		login  amqp.Authentication
		want   string
		logged string
	}{
		{"guest from elsewhere", here, header, guest, "username or password not allowed", `can only connect via localhost`},
		{"a certificate from elsewhere", here, header, external{}, "", ""},
		{"the proxy itself", here, "PROXY UNKNOWN\r\n", guest, "", ""},
		{"no header", here, "", guest, "EOF", "the proxy sent none"},
		{"a header from others", elsewhere, header, guest, "", "a client without TLS"},
		{"no header from others", elsewhere, "", guest, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSecured(t, certs.Files{VerifyPeer: true}, tt.from)
			client := s.authority.Client("")
			if tt.login == (external{}) {
				client = s.authority.Client("client")
			}
			err := s.connect(client, tt.login, tt.before)
			if tt.want == "EOF" || tt.logged == "a client without TLS" {
				if err == nil {
					t.Error("connected")
				}
			} else if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			s.wantLogged(tt.logged)
		})
	}
}

// TestProxiedName: the names of connections tell where clients are.
func TestProxiedName(t *testing.T) {
	s := newSecured(t, certs.Files{}, netip.MustParsePrefix("127.0.0.1/32"))
	nc, err := net.Dial("tcp", s.plain)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(nc, "PROXY TCP4 127.0.0.1 192.0.2.2 40000 5672\r\n")
	conn, err := amqp.Open(nc, amqp.Config{SASL: []amqp.Authentication{guest}, Vhost: "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	v, _ := s.Broker().VHost("/")
	if conns := v.Connections(); len(conns) != 1 || conns[0].Name != "127.0.0.1:40000 -> 192.0.2.2:5672" {
		t.Errorf("connections: %+v", conns)
	}
}
