//go:build interop

package interop

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rabbitmq starts a real RabbitMQ and returns the URL of its default vhost.
func rabbitmq(t *testing.T) string {
	t.Helper()
	return startRabbitMQ(t).url
}

// A rabbitNode is a real RabbitMQ for one test, with its own node name, ports and
// directory.
type rabbitNode struct {
	url  string // URL of the default vhost
	env  []string
	attr *syscall.SysProcAttr
}

// ctl runs rabbitmqctl on the node.
func (n *rabbitNode) ctl(t *testing.T, args ...string) {
	t.Helper()
	command := exec.Command("/usr/lib/rabbitmq/bin/rabbitmqctl", args...)
	command.Env, command.SysProcAttr, command.Dir = n.env, n.attr, os.TempDir()
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("rabbitmqctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// startRabbitMQ starts a node with additional environment variables and waits until it
// answers.
func startRabbitMQ(t *testing.T, env ...string) *rabbitNode {
	t.Helper()
	const server = "/usr/lib/rabbitmq/bin/rabbitmq-server"
	if _, err := os.Stat(server); err != nil {
		t.Fatalf("no RabbitMQ here: %v (Debian: apt-get install rabbitmq-server)", err)
	}
	// The server must not run as root, so it runs as the user rabbitmq, in a directory
	// that this user may write to.
	dir, err := os.MkdirTemp("", "harelab-rabbitmq-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	port, dist := freePort(t), freePort(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := write("rabbitmq.conf", "listeners.tcp.1 = 127.0.0.1:"+port+"\n")
	plugins := write("plugins", "[].")
	command := exec.Command(server)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "-R", "rabbitmq", dir).CombinedOutput(); err != nil {
			t.Fatalf("chown: %v %s", err, out)
		}
		command.SysProcAttr.Credential = credential(t, "rabbitmq")
	}
	command.Dir = dir
	command.Env = append(os.Environ(), "HOME="+dir, "RABBITMQ_NODENAME=harelab"+port+"@localhost",
		"RABBITMQ_DIST_PORT="+dist, "RABBITMQ_MNESIA_BASE="+dir+"/mnesia", "RABBITMQ_LOG_BASE="+dir+"/log",
		"RABBITMQ_CONFIG_FILE="+strings.TrimSuffix(config, ".conf"), "RABBITMQ_ENABLED_PLUGINS_FILE="+plugins)
	command.Env = append(command.Env, env...)
	start(t, command)
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		conn.Write([]byte("AMQP\x00\x00\x09\x01"))
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, _ := conn.Read(make([]byte, 8))
		conn.Close()
		if n > 0 {
			return &rabbitNode{"amqp://guest:guest@127.0.0.1:" + port + "/", command.Env, command.SysProcAttr}
		}
	}
	t.Fatal("RabbitMQ did not answer within 90 s")
	return nil
}

// credential returns the credential with which a process runs as the named user.
func credential(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// TestSameScenarioOnRabbitMQ runs one scenario on the embedded broker and on a real
// RabbitMQ with the same load generator. Both must agree with each other and with the
// exact answer of virtual time.
func TestSameScenarioOnRabbitMQ(t *testing.T) {
	url := rabbitmq(t)
	out := filepath.Join(t.TempDir(), "run")
	text := script(t, 2*time.Minute, nil, harelab, "run", "celery-initial",
		"--target", "sim", "--target", "embedded", "--target", url, "--out", out)
	t.Log(text)
	for _, want := range []string{"RabbitMQ 3.", "not visible"} {
		if !strings.Contains(text, want) {
			t.Errorf("the output does not say %q", want)
		}
	}
	if strings.Contains(text, "guest:guest") {
		t.Error("the output shows the password")
	}
	manifest, err := os.ReadFile(filepath.Join(out, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(manifest) || strings.Contains(string(manifest), "guest:guest") {
		t.Errorf("manifest.json is not JSON without credentials:\n%s", manifest)
	}
}
