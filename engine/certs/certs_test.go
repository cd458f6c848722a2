package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"harelab/engine/certs/certstest"
)

// TestSubject compares with the texts that RabbitMQ 3.10.8 makes of the same subjects.
func TestSubject(t *testing.T) {
	attribute := func(oid string, value string) pkix.AttributeTypeAndValue {
		var id asn1.ObjectIdentifier
		for part := range strings.SplitSeq(oid, ".") {
			n := 0
			for _, c := range part {
				n = 10*n + int(c-'0')
			}
			id = append(id, n)
		}
		return pkix.AttributeTypeAndValue{Type: id, Value: value}
	}
	for _, tt := range []struct {
		want string
		sets pkix.RDNSequence
	}{
		{"CN=client,OU=lab,O=hare", pkix.RDNSequence{{attribute("2.5.4.10", "hare")}, {attribute("2.5.4.11", "lab")}, {attribute("2.5.4.3", "client")}}},
		{"CN=client,O=hare", pkix.RDNSequence{{attribute("2.5.4.10", "hare")}, {attribute("2.5.4.3", "client")}}},
		{"O=hare,CN=client", pkix.RDNSequence{{attribute("2.5.4.3", "client")}, {attribute("2.5.4.10", "hare")}}}, // the certificate's own order counts
		{"CN=a+OU=b", pkix.RDNSequence{{attribute("2.5.4.3", "a"), attribute("2.5.4.11", "b")}}},
		{`CN=\#a\, b \+ c\ `, pkix.RDNSequence{{attribute("2.5.4.3", "#a, b + c ")}}},
		{`CN=\C3\A9t\C3\A9`, pkix.RDNSequence{{attribute("2.5.4.3", "été")}}},
		{"EMAILADDRESS=a@b,UID=u,DC=test", pkix.RDNSequence{{attribute("0.9.2342.19200300.100.1.25", "test")},
			{attribute("0.9.2342.19200300.100.1.1", "u")}, {attribute("1.2.840.113549.1.9.1", "a@b")}}},
		{"1.2.3.4=x", pkix.RDNSequence{{attribute("1.2.3.4", "x")}}},
	} {
		raw, err := asn1.Marshal(tt.sets)
		if err != nil {
			t.Fatal(err)
		}
		if got := Subject(&x509.Certificate{RawSubject: raw}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	a := certstest.New(t)
	uri, _ := url.Parse("urn:client")
	file, _ := a.Issue("full", x509.Certificate{
		Subject: pkix.Name{Organization: []string{"hare"}, CommonName: "client", ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "client"},
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "second"},
		}},
		DNSNames:       []string{"one.test", "two.test"},
		EmailAddresses: []string{"client@one.test"},
		IPAddresses:    []net.IP{net.IPv4(192, 0, 2, 1)},
		URIs:           []*url.URL{uri},
	})
	bare, _ := a.Issue("bare", x509.Certificate{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}})
	for _, tt := range []struct{ file, from, want string }{
		{file, "", "CN=second,CN=client,O=hare"},
		{file, "distinguished_name", "CN=second,CN=client,O=hare"},
		{file, "common_name", "client,second"},
		{file, "subject_alternative_name", "one.test"},
		{file, "subject_alt_name:dns", "one.test"},
		{file, "subject_alternative_name:email", "client@one.test"},
		{file, "subject_alternative_name:ip", "192.0.2.1"},
		{file, "subject_alternative_name:uri", "urn:client"},
		{bare, "", ""},
		{bare, "common_name", ""},
		{bare, "subject_alternative_name", ""},
		{bare, "subject_alternative_name:email", ""},
		{bare, "subject_alternative_name:uri", ""},
	} {
		from, err := ParseNameFrom(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := from.Of(parse(t, tt.file))
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s of %s = %q, %v, want %q", tt.from, tt.file, got, err, tt.want)
		}
	}
	if _, err := ParseNameFrom("subject"); err == nil || !strings.Contains(err.Error(), "(have distinguished_name, ") {
		t.Errorf("ParseNameFrom(subject): %v", err)
	}
}

func parse(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".pem")+".key")
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

// TestReload: connections get what was loaded last; broken files change nothing.
func TestReload(t *testing.T) {
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{Subject: pkix.Name{CommonName: "first"}})
	s, err := Open(Files{Cert: cert, Key: key}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		t.Helper()
		near, far := net.Pipe()
		defer near.Close()
		go tls.Server(far, s.Config()).Handshake()
		client := tls.Client(near, a.Client(""))
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		return client.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := shown(); got != "first" {
		t.Errorf("the certificate of %s", got)
	}
	a.Issue("server", x509.Certificate{Subject: pkix.Name{CommonName: "second"}})
	if got := shown(); got != "first" {
		t.Errorf("before Reload the certificate of %s", got)
	}
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "second" {
		t.Errorf("after Reload the certificate of %s", got)
	}
	if err := os.WriteFile(key, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("Reload with a broken key: %v, want an error that names the file", err)
	}
	if got := shown(); got != "second" {
		t.Errorf("after a Reload that failed the certificate of %s", got)
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{})
	s, err := Open(Files{Cert: cert, Key: key}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	defer near.Close()
	go tls.Server(far, s.Config()).Handshake()
	old := a.Client("")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if err := tls.Client(near, old).Handshake(); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// TestWarnings: a certificate that clients refuse, or will soon, is named in the log.
func TestWarnings(t *testing.T) {
	a := certstest.New(t)
	now := time.Now()
	for name, tt := range map[string]struct {
		from, until time.Time
		want        string
	}{
		"good":    {now.Add(-time.Hour), now.Add(365 * 24 * time.Hour), ""},
		"expired": {now.Add(-2 * time.Hour), now.Add(-time.Hour), "has expired"},
		"early":   {now.Add(time.Hour), now.Add(1000 * time.Hour), "is not valid yet"},
		"soon":    {now.Add(-time.Hour), now.Add(time.Hour), "expires soon"},
	} {
		cert, key := a.Issue(name, x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: tt.from, NotAfter: tt.until})
		var log bytes.Buffer
		if _, err := Open(Files{Cert: cert, Key: key}, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
			t.Fatal(err)
		}
		if got := log.String(); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%s: log %q, want %q in it", name, got, tt.want)
		}
	}
}

func TestBadFiles(t *testing.T) {
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{})
	for name, files := range map[string]Files{
		"no certificate":          {Key: key},
		"no key":                  {Cert: cert},
		"no such file":            {Cert: cert + "x", Key: key},
		"a key of another":        {Cert: a.CA, Key: key},
		"verify without a CA":     {Cert: cert, Key: key, VerifyPeer: true},
		"require without verify":  {Cert: cert, Key: key, CA: a.CA, RequirePeer: true},
		"a CA without a CA in it": {Cert: cert, Key: key, CA: key, VerifyPeer: true},
		"a CA that is missing":    {Cert: cert, Key: key, CA: "missing", VerifyPeer: true},
	} {
		if _, err := Open(files, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
