//go:build interop

package interop

import (
	"bufio"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"harelab/engine/certs/certstest"
)

// serveTLS starts harelab serve with certificates and users for them. It returns the port
// of AMQP over TLS and the folder of the clients' certificates.
func serveTLS(t *testing.T) (port, folder string) {
	t.Helper()
	a := certstest.New(t)
	cert, key := a.Issue("server", x509.Certificate{})
	a.Issue("client", x509.Certificate{Subject: pkix.Name{Organization: []string{"hare"}, CommonName: "client"}})
	a.Issue("stranger", x509.Certificate{Subject: pkix.Name{CommonName: "stranger"}})
	folder = filepath.Dir(a.CA)
	definitions := filepath.Join(folder, "definitions.json")
	const text = `{"users": [
		{"name": "CN=client,O=hare", "password_hash": "", "tags": ""}],
	"permissions": [
		{"user": "CN=client,O=hare", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}`
	if err := os.WriteFile(definitions, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	cmd := exec.Command(harelab, "serve", "--memory", "--amqp", "127.0.0.1:0", "--amqps", "127.0.0.1:0", "--definitions", definitions,
		"--tls-cert", cert, "--tls-key", key, "--tls-ca", a.CA, "--tls-verify", "peer")
	cmd.Stdout = w
	start(t, cmd)
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`amqps://127\.0\.0\.1:(\d+)`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("no port with TLS in %q", line)
	}
	return m[1], folder
}

func TestPikaTLS(t *testing.T) {
	port, folder := serveTLS(t)
	t.Log(script(t, time.Minute, nil, python, "testdata/pika_tls.py", port, folder))
}

func TestPHPTLS(t *testing.T) {
	port, folder := serveTLS(t)
	t.Log(script(t, time.Minute, nil, "php", "testdata/php_tls.php", port, folder))
}
