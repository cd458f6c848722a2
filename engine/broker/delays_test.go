package broker

import (
	"strings"
	"testing"

	"harelab/engine/store/memory"
)

// TestDelaysSurviveRestart: persistent messages wait on in the next life of a durable
// exchange, for the rest of their time; what came due meanwhile goes out at once. What went
// out does not come back.
func TestDelaysSurviveRestart(t *testing.T) {
	s := memory.New()
	before := startScript(t, s)
	before.run(`
> a1 exchange d x-delayed-message durable x-delayed-type=fanout
> a1 exchange transient x-delayed-message x-delayed-type=fanout
> a1 declare q durable
> a1 bind q d
> a1 publish d k gone persistent x-delay=10
> advance 10ms
> a1 get q no-ack
> a1 publish d k stays persistent x-delay=7200000
> a1 publish d k short persistent x-delay=20
> a1 publish d k lost x-delay=20
> a1 publish transient k lost persistent x-delay=20
`)
	if err := before.broker.Close(); err != nil {
		t.Fatal(err)
	}
	after := startScript(t, s)
	after.run(`
> advance 20ms
> a1 get q
> a1 get q
> advance 2h
> a1 get q
> advance 24h
> a1 get q
> a1 publish d k dropped persistent x-delay=10
> a1 delete-exchange d
`)
	got := after.out.String()
	for _, want := range []string{`#1 "short" from q`, `#2 "stays" from q`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	for _, never := range []string{"lost", "gone"} {
		if strings.Contains(got, never) {
			t.Errorf("%s is in\n%s", never, got)
		}
	}
	if err := after.broker.Close(); err != nil {
		t.Fatal(err)
	}
	last := startScript(t, s)
	last.run("> advance 1h\n> queues\n")
	if got := last.out.String(); !strings.Contains(got, "q: 2 ready") {
		t.Errorf("after the exchange was deleted:\n%s", got)
	}
	if err := last.broker.Close(); err != nil {
		t.Fatal(err)
	}
}
