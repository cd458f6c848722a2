// Package certs makes TLS configurations from files, and users' names from certificates.
//
// A [Source] reads its files again when asked to, for connections that begin from then on.
// Files that are broken change nothing.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Files says which certificate a server shows, and which it wants to see. All files are
// PEM.
type Files struct {
	Cert, Key string // the server's certificate, with those of its issuers, and its key
	CA        string // certificates of the issuers of clients' certificates

	// VerifyPeer asks clients for a certificate. A certificate must be verified by CA.
	VerifyPeer bool

	// RequirePeer, with VerifyPeer, refuses clients without a certificate.
	RequirePeer bool
}

// A Source is a TLS configuration that can be loaded again. Any number of goroutines may
// call its methods.
type Source struct {
	files  Files
	logger *slog.Logger
	config atomic.Pointer[tls.Config]
}

// soon is how long before its end a certificate is warned of.
const soon = 14 * 24 * time.Hour

// Open reads the files. It warns of a certificate that has expired or will soon.
func Open(files Files, logger *slog.Logger) (*Source, error) {
	s := &Source{files: files, logger: logger}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the files again. After an error the source stays as it was.
func (s *Source) Reload() error {
	config, err := s.files.load(s.logger)
	if err != nil {
		return fmt.Errorf("certs: %w", err)
	}
	s.config.Store(config)
	return nil
}

// Config returns a configuration that always uses what was loaded last. TLS 1.2 is its
// oldest version.
func (s *Source) Config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.config.Load(), nil },
	}
}

func (f Files) load(logger *slog.Logger) (*tls.Config, error) {
	switch {
	case f.Cert == "" || f.Key == "":
		return nil, errors.New("a server needs a certificate and a key")
	case f.VerifyPeer && f.CA == "":
		return nil, errors.New("to verify clients a server needs the certificates of their issuers (CA)")
	case f.RequirePeer && !f.VerifyPeer:
		return nil, errors.New("to require a certificate of clients a server has to verify it")
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	warn(logger, f.Cert, pair.Leaf)
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if f.CA != "" {
		if config.ClientCAs, err = issuers(f.CA); err != nil {
			return nil, err
		}
	}
	switch {
	case f.RequirePeer:
		config.ClientAuth = tls.RequireAndVerifyClientCert
	case f.VerifyPeer:
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return config, nil
}

func issuers(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return pool, nil
}

// warn logs that a certificate has expired, is not valid yet, or expires soon.
func warn(logger *slog.Logger, file string, c *x509.Certificate) {
	now := time.Now()
	what := ""
	switch {
	case now.After(c.NotAfter):
		what = "the certificate has expired: clients that verify it will refuse to connect"
	case now.Before(c.NotBefore):
		what = "the certificate is not valid yet: clients that verify it will refuse to connect"
	case c.NotAfter.Sub(now) < soon:
		what = "the certificate expires soon"
	default:
		return
	}
	logger.Warn(what, "file", file, "subject", Subject(c), "from", c.NotBefore, "until", c.NotAfter)
}
