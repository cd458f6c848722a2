//go:build unix

package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"harelab/engine"
	"harelab/engine/certs/certstest"
)

// TestServeTLS serves both ports, and reads its files again at SIGHUP.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{Subject: pkix.Name{CommonName: "first"}})
	p := start(t, "serve", "--memory", "--amqp", "127.0.0.1:0", "--amqps", "127.0.0.1:0",
		"--tls-cert", cert, "--tls-key", key, "--tls-ca", a.CA, "--tls-verify", "peer", "--tls-login-from", "common_name")
	line := await(t, p.stdout, "amqps://")
	plain := strings.Replace(urlIn(line), "amqp://", "amqp://guest:guest@", 1)
	_, secure, _ := strings.Cut(line, " and ")
	secure, _, _ = strings.Cut(secure, " ")
	shown := func() string {
		t.Helper()
		conn, err := amqp091.DialConfig(secure, amqp091.Config{
			SASL:            []amqp091.Authentication{&amqp091.PlainAuth{Username: "guest", Password: "guest"}},
			TLSClientConfig: a.Client(""),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	conn, err := amqp091.Dial(plain)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if got := shown(); got != "first" {
		t.Errorf("the certificate of %s", got)
	}
	for _, step := range []struct {
		do        func()
		log, want string
	}{
		{func() { a.Issue("server", x509.Certificate{Subject: pkix.Name{CommonName: "second"}}) }, "TLS files were read again", "second"},
		{func() { os.WriteFile(cert, []byte("broken"), 0o600) }, "TLS goes on with the files as they were", "second"},
	} {
		step.do()
		p.Process.Signal(syscall.SIGHUP)
		await(t, p.stderr, step.log)
		if got := shown(); got != step.want {
			t.Errorf("%s: the certificate of %s, want %s", step.log, got, step.want)
		}
	}
	p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// TestTLSFlags: each mistake is told with its flag and what would have been right.
func TestTLSFlags(t *testing.T) {
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{})
	good := tlsFlags{verify: "none", cert: cert, key: key}
	for _, tt := range []struct {
		change func(*tlsFlags)
		want   string // part of the error
	}{
		{func(*tlsFlags) {}, ""},
		{func(f *tlsFlags) { f.proxies = []string{"10.0.0.0/8", "192.0.2.1", "::1"} }, ""},
		{func(f *tlsFlags) { f.verify, f.ca, f.require = "peer", a.CA, true }, ""},
		{func(f *tlsFlags) { f.proxies = []string{"10.0.0.0/33"} }, `--proxy-protocol "10.0.0.0/33": give an address`},
		{func(f *tlsFlags) { f.loginFrom = "cn" }, `--tls-login-from "cn": certs: unknown part`},
		{func(f *tlsFlags) { f.verify = "yes" }, `--tls-verify "yes": give none or peer`},
		{func(f *tlsFlags) { f.verify = "peer" }, "(CA)"},
		{func(f *tlsFlags) { f.require = true }, "has to verify it"},
		{func(f *tlsFlags) { f.addr = "5671" }, `--amqps "5671": missing port`},
		{func(f *tlsFlags) { f.key = "" }, "needs a certificate and a key"},
		{func(f *tlsFlags) { f.cert = filepath.Join(t.TempDir(), "none") }, "no such file"},
		{func(f *tlsFlags) { f.cert, f.key, f.addr = "", "", ":5671" }, `--amqps ":5671": TLS needs --tls-cert and --tls-key`},
		{func(f *tlsFlags) { f.cert, f.key, f.ca = "", "", a.CA }, "TLS needs --tls-cert and --tls-key"},
	} {
		f := good
		tt.change(&f)
		err := f.fill(new(engine.Options))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
	var o engine.Options
	f := tlsFlags{loopback: []string{"none"}}
	if err := f.fill(&o); err != nil || o.LoopbackUsers == nil || len(o.LoopbackUsers) != 0 {
		t.Errorf("no loopback users: %v, %v, want an empty list that is not nil", o.LoopbackUsers, err)
	}
}
