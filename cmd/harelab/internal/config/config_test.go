package config

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// newFlags returns flags of each type.
func newFlags() *pflag.FlagSet {
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.String("amqp", ":5672", "")
	f.String("dispatch", "", "")
	f.Int("channel-max", 2047, "")
	f.Duration("heartbeat", time.Minute, "")
	f.Bool("verbose", false, "")
	f.StringSlice("trust", nil, "")
	f.String("config", "", "")
	f.Bool("help", false, "")
	return f
}

// TestStrength: the command line goes before the environment, and that before the file.
func TestStrength(t *testing.T) {
	t.Setenv("HARELAB_AMQP", "env:1")
	t.Setenv("HARELAB_CHANNEL_MAX", "7")
	t.Setenv("HARELAB_HELP", "true")
	f := newFlags()
	if err := f.Parse([]string{"--amqp", "line:1"}); err != nil {
		t.Fatal(err)
	}
	const file = "amqp: file:1\nchannel-max: 8\nheartbeat: 5s\ntrust: [10.0.0.0/8, 127.0.0.1]\n"
	if mistakes := append(FromEnvironment(f), fromText(f, "c.yaml", []byte(file), []string{"config"})...); len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	var out bytes.Buffer
	if err := Print(&out, f, "config"); err != nil {
		t.Fatal(err)
	}
	const want = `amqp: line:1 # --amqp
channel-max: 7 # HARELAB_CHANNEL_MAX
dispatch: "" # default
heartbeat: 5s # c.yaml:3
trust: [10.0.0.0/8, 127.0.0.1] # c.yaml:4
verbose: false # default
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
	again := newFlags()
	if mistakes := fromText(again, "again.yaml", out.Bytes(), []string{"config"}); len(mistakes) > 0 {
		t.Errorf("what Print writes has mistakes: %v", mistakes)
	}
	f.VisitAll(func(f *pflag.Flag) {
		if got := again.Lookup(f.Name).Value.String(); got != f.Value.String() {
			t.Errorf("--%s is %s after Print and FromFile, want %s", f.Name, got, f.Value)
		}
	})
}

func TestMistakesInFiles(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"# nothing\n", nil},
		{"disptach: fair\n", []string{`c.yaml:1: unknown key "disptach": did you mean "dispatch"? (have amqp, channel-max, dispatch, heartbeat, trust, verbose)`}},
		{"config: other.yaml\n", []string{`c.yaml:1: unknown key "config" (have amqp, channel-max, dispatch, heartbeat, trust, verbose)`}},
		{"help: true\n", []string{`c.yaml:1: unknown key "help" (have amqp, channel-max, dispatch, heartbeat, trust, verbose)`}},
		{"amqp: a\n\namqp: b\n", []string{"c.yaml:3: amqp is given twice, first in line 1"}},
		{"amqp:\nverbose: maybe\nchannel-max: 1.5\nheartbeat: 5\n", []string{
			"c.yaml:1: amqp: the value is missing",
			`c.yaml:2: verbose "maybe": give true or false`,
			`c.yaml:3: channel-max "1.5": give a whole number`,
			`c.yaml:4: heartbeat "5": give a time such as 5ms`,
		}},
		{"amqp: [a, b]\n", []string{"c.yaml:1: amqp: give a single value"}},
		{"amqp: {a: b}\n", []string{"c.yaml:1: amqp: give a single value"}},
		{"trust: [a, {b: c}]\n", []string{"c.yaml:1: trust: give a value or a list of values"}},
		{"amqp: &a x\ndispatch: *a\n", []string{"c.yaml:2: dispatch: anchors and aliases are not part of the format"}},
		{"<<: {amqp: x}\n", []string{"c.yaml:1: a key must be a plain word"}},
		{"- amqp\n", []string{"c.yaml:1: give a mapping of settings, as in dispatch: fair"}},
		{"amqp: x\n---\namqp: y\n", []string{"c.yaml:2: a second document: give one"}},
		{"amqp: 'x\n", []string{"c.yaml:2: not YAML: found unexpected end of stream"}},
		{"\xff\xfea\x00", []string{"c.yaml: the text is in UTF-16: save it as UTF-8"}},
		{strings.Repeat(" ", maxFile+1), []string{"c.yaml: the file is longer than 1048576 octets"}},
	} {
		var got []string
		for _, err := range fromText(newFlags(), "c.yaml", []byte(test.text), []string{"config"}) {
			got = append(got, err.Error())
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%.60q:\n got %q\nwant %q", test.text, got, test.want)
		}
	}
	if mistakes := FromFile(newFlags(), "none.yaml"); len(mistakes) != 1 || !errors.Is(mistakes[0], os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", mistakes)
	}
}

func TestMistakesInVariables(t *testing.T) {
	t.Setenv("HARELAB_CHANNEL_MAX", "many")
	t.Setenv("HARELAB_VERBOSE", "2")
	var got []string
	for _, err := range FromEnvironment(newFlags()) {
		got = append(got, err.Error())
	}
	want := []string{`HARELAB_CHANNEL_MAX="many": give a whole number`, `HARELAB_VERBOSE="2": give true or false`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPlace: an error about a flag names the file or variable that the value came from.
func TestPlace(t *testing.T) {
	f := newFlags()
	f.Parse([]string{"--heartbeat", "1s"})
	fromText(f, "c.yaml", []byte("\namqp: x\n"), nil)
	for text, want := range map[string]string{
		`--amqp "x": missing port`: `c.yaml:2: amqp "x": missing port`,
		"amqp: missing port":       "c.yaml:2: amqp: missing port",
		"--heartbeat 1s: too much": "--heartbeat 1s: too much",
		"dispatch: unknown":        "dispatch: unknown",
		"no flag begins this":      "no flag begins this",
	} {
		err := errors.New(text)
		if got := Place(f, err); got.Error() != want || !errors.Is(got, err) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	f := newFlags()
	f.Parse([]string{"--amqp", "nats://user:hunter2@host/"})
	var out bytes.Buffer
	if err := Print(&out, f); err != nil || strings.Contains(out.String(), "hunter2") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// FuzzFromText: no text makes a panic or a value that Print cannot give back.
func FuzzFromText(f *testing.F) {
	f.Add("amqp: 127.0.0.1:5672\ndispatch: fair\nverbose: true\n")
	f.Add("trust: [a, \"b: c\", 'd']\nheartbeat: 1m30s\n")
	f.Add("amqp: |\n  two\n  lines\n")
	f.Add("a: &a [*a]\n? {x: y}\n: z\n")
	f.Fuzz(func(t *testing.T, text string) {
		flags := newFlags()
		if len(fromText(flags, "c.yaml", []byte(text), nil)) > 0 {
			return
		}
		var out bytes.Buffer
		if err := Print(&out, flags); err != nil {
			t.Fatal(err)
		}
		again := newFlags()
		if mistakes := fromText(again, "again.yaml", out.Bytes(), nil); len(mistakes) > 0 {
			t.Fatalf("%q becomes\n%swith %v", text, &out, mistakes)
		}
		flags.VisitAll(func(f *pflag.Flag) {
			if got := again.Lookup(f.Name).Value.String(); got != f.Value.String() && !strings.Contains(f.Value.String(), "@") {
				t.Errorf("%q: %s is %q, after Print %q", text, f.Name, f.Value, got)
			}
		})
	})
}
