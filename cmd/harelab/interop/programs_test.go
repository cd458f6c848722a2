//go:build interop

package interop

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is a client that prints what happens to it, a line for each outcome. The same
// program must print the same on a real RabbitMQ and on harelab serve.
type program struct {
	name string
	run  func(t *testing.T, url string) string // url has guest's password and no virtual host
}

// programs begin with the slow ones, since two run at a time.
var programs = []program{
	{"celery", func(t *testing.T, url string) string {
		env := []string{"PYTHONDONTWRITEBYTECODE=1", "BROKER_URL=" + url + "//", "DIR=" + t.TempDir()}
		return runProgram(t, 3*time.Minute, env, python, "testdata/celery/features.py")
	}},
	{"amqp091-go", goClientTests},
	{"bunny", behindProxy("/usr/bin/ruby", "testdata/programs/bunny.rb")},
	{"php-amqplib", behindProxy("/usr/bin/php", "testdata/programs/php-amqplib.php")},
	{"pika", func(t *testing.T, url string) string {
		return runProgram(t, time.Minute, nil, python, "testdata/pika_lifecycle.py", url+"/%2f")
	}},
	{"aio-pika", func(t *testing.T, url string) string {
		return runProgram(t, time.Minute, nil, python, "testdata/aio_pika_lifecycle.py", url+"/")
	}},
}

// behindProxy returns a function that runs a program which loses its connection: it gets
// the addresses of a proxy besides the URL of the broker.
func behindProxy(name, file string) func(*testing.T, string) string {
	return func(t *testing.T, brokerURL string) string {
		u, err := url.Parse(brokerURL)
		if err != nil {
			t.Error(err)
			return ""
		}
		p := newProxy(t, u.Host)
		return runProgram(t, time.Minute, nil, name, file, brokerURL, p.addr, p.cut)
	}
}

// TestProgramsAsOnRabbitMQ runs each program on both brokers and compares what they print,
// line by line.
func TestProgramsAsOnRabbitMQ(t *testing.T) {
	rabbit, ours := strings.TrimSuffix(rabbitmq(t), "/"), serve(t)
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var want, got string
			var wg sync.WaitGroup
			wg.Go(func() { want = p.run(t, rabbit) })
			wg.Go(func() { got = p.run(t, ours) })
			wg.Wait()
			t.Logf("on RabbitMQ:\n%s", want)
			sameLines(t, want, got)
		})
	}
}

// sameLines reports the lines in which the outputs of a program differ.
func sameLines(t *testing.T, want, got string) {
	t.Helper()
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var onRabbit, onOurs string
		if i < len(w) {
			onRabbit = w[i]
		}
		if i < len(g) {
			onOurs = g[i]
		}
		if onRabbit != onOurs {
			t.Errorf("line %d:\n on harelab %s\non RabbitMQ %s", i+1, onOurs, onRabbit)
		}
	}
}

// runProgram runs a program and returns what it printed. A program that fails may do so on
// both brokers alike, so this is an error of its own.
func runProgram(t *testing.T, limit time.Duration, env []string, name string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// notOnGoClient are the tests of amqp091-go that are left out, each with the reason.
var notOnGoClient = map[string]string{
	"TestConnectionRecovery":                   "it closes connections over the management API",
	"TestTLSHandshake":                         "it needs certificates of its own",
	"TestChannelCounterShouldNotPanicIssue136": "it opens 80,000 channels, which takes RabbitMQ minutes",
}

// goClientTests runs the integration tests of amqp091-go, from the module that harelab
// itself uses, and returns their outcomes in order of names. Its other tests speak to no
// broker.
func goClientTests(t *testing.T, url string) string {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/rabbitmq/amqp091-go")
	dir, err := list.Output()
	if err != nil {
		t.Errorf("go list: %v", err)
		return ""
	}
	var skip, note []string
	for name, why := range notOnGoClient {
		skip = append(skip, name)
		note = append(note, "left out: "+name+": "+why)
	}
	root := strings.TrimSpace(string(dir))
	tests := exec.Command("go", "test", "-tags", "integration", "-count", "1", "-v", "-timeout", "2m",
		"-run", integrationTests(t, root), "-skip", strings.Join(skip, "|"), ".")
	tests.Dir = root
	tests.Env = append(os.Environ(), "AMQP_URL="+url+"/")
	out, err := tests.CombinedOutput()
	if err != nil {
		t.Errorf("the tests of amqp091-go on %s: %v\n%s", url, err, out)
	}
	outcomes := append(note, outcome.FindAllString(string(out), -1)...)
	slices.Sort(outcomes)
	return strings.Join(outcomes, "\n")
}

// integrationTests returns an expression for the tests in the files of a folder that are built
// with the tag integration.
func integrationTests(t *testing.T, dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "//go:build integration") {
			continue
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 50 {
		t.Errorf("found %d integration tests in %s, want at least 50", len(names), dir)
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// outcome matches the line with the outcome of a test, without its time.
var outcome = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): \S+`)

// A proxy forwards connections to a broker and drops all of them when somebody connects to
// another address.
type proxy struct{ addr, cut string }

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	var mu sync.Mutex
	var open []net.Conn
	drop := func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
		open = nil
	}
	listen := func(serve func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				serve(c)
			}
		}()
		return l.Addr().String()
	}
	t.Cleanup(drop)
	p := new(proxy)
	p.cut = listen(func(c net.Conn) {
		c.Close()
		drop()
	})
	p.addr = listen(func(c net.Conn) {
		far, err := net.Dial("tcp", to)
		if err != nil {
			c.Close()
			return
		}
		mu.Lock()
		open = append(open, c, far)
		mu.Unlock()
		go pump(c, far)
		go pump(far, c)
	})
	return p
}

// pump copies from one connection to another until one of them ends, and ends both.
func pump(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
