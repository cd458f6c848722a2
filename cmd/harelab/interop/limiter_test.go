//go:build interop

package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// TestLimitedChannelAsRabbitMQ consumes from two and from three backlogged queues on one
// channel with a limit, on a real RabbitMQ and on harelab serve. On both, freed credit
// goes to all queues in equal shares, in runs of the same lengths (rabbit_limiter,
// notify_queues/1).
func TestLimitedChannelAsRabbitMQ(t *testing.T) {
	const deliveries = 24_000 // a share within a twentieth is five standard deviations
	// With one scheduler, the queue that RabbitMQ wakes first asks for the credit first;
	// with more, another queue is sometimes faster.
	theirs := startRabbitMQ(t, "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1").url
	ours := serve(t) + "/"
	for _, queues := range []int{2, 3} {
		t.Run(fmt.Sprintf("queues=%d", queues), func(t *testing.T) {
			var runs [2][]float64
			for i, broker := range []struct{ name, url string }{{"RabbitMQ", theirs}, {"harelab", ours}} {
				served := servedInTurn(t, broker.url, queues, deliveries)
				counts := make([]float64, queues)
				for _, q := range served {
					counts[q]++
				}
				for q, n := range counts {
					if share := n / deliveries * float64(queues); math.Abs(share-1) > 0.05 {
						t.Errorf("%s gave queue %d %.1f %% of the credit, want %.1f %% within a twentieth of it",
							broker.name, q, 100*n/deliveries, 100/float64(queues))
					}
				}
				runs[i] = runLengths(served)
				t.Logf("%s: shares %v of %d, runs by length %v", broker.name, counts, deliveries, runs[i])
			}
			if x2, most := homogeneity(runs[0], runs[1]), beyond[len(runs[0])-1]; x2 > most {
				t.Errorf("runs by length %v on RabbitMQ, %v on harelab: chi-square %.1f, over %.1f", runs[0], runs[1], x2, most)
			}
			if x2, most := fit(runs[1], geometric(queues)), beyond[len(runs[1])-1]; x2 > most {
				t.Errorf("runs by length %v on harelab, want a geometric distribution: chi-square %.1f, over %.1f", runs[1], x2, most)
			}
		})
	}
}

// servedInTurn fills queues, consumes from all of them on one channel with a limit of one
// message, acks each delivery, and returns the queue of each delivery.
func servedInTurn(t *testing.T, url string, queues, deliveries int) []int {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	conn, err := amqp.Dial(url)
	must(err)
	defer conn.Close()
	ch, err := conn.Channel()
	must(err)
	must(ch.Confirm(false))
	backlog := deliveries/queues + deliveries/20 // fifteen standard deviations above its share
	var last *amqp.DeferredConfirmation
	for q := range queues {
		name := fmt.Sprintf("limited-%d-%d", queues, q)
		_, err := ch.QueueDeclare(name, false, false, true, false, nil)
		must(err)
		for range backlog {
			last, err = ch.PublishWithDeferredConfirm("", name, false, false, amqp.Publishing{Body: []byte("x")})
			must(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if ok, err := last.WaitContext(ctx); err != nil || !ok {
		t.Fatalf("the last publish was not confirmed: %v, %v", ok, err)
	}
	must(ch.Qos(1, 0, true))
	type delivery struct {
		queue int
		amqp.Delivery
	}
	all := make(chan delivery)
	for q := range queues {
		from, err := ch.Consume(fmt.Sprintf("limited-%d-%d", queues, q), "", false, false, false, false, nil)
		must(err)
		go func() {
			for d := range from {
				select {
				case all <- delivery{q, d}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	var served []int
	for len(served) < deliveries+1 {
		select {
		case d := <-all:
			served = append(served, d.queue)
			must(d.Ack(false))
		case <-ctx.Done():
			t.Fatalf("%d of %d deliveries came", len(served), deliveries)
		}
	}
	return served[1:] // the first delivery came before the other consumers
}

// TestCeleryServesBothQueues runs a real Celery worker with one slot on two queues. It
// takes one message at a time and acks it after the work. On harelab as on RabbitMQ, the
// quick tasks do not wait until the slow ones are done.
func TestCeleryServesBothQueues(t *testing.T) {
	const each = 150
	for _, broker := range []struct{ name, url string }{{"RabbitMQ", rabbitmq(t) + "/"}, {"harelab", serve(t) + "//"}} {
		t.Run(broker.name, func(t *testing.T) {
			kinds := celeryInTurn(t, broker.url, each)
			left := map[string]int{"slow": each, "quick": each}
			switches, n := 0, 0
			for i, kind := range kinds {
				if left[kind]--; i > 0 {
					n++
					if kind != kinds[i-1] {
						switches++
					}
				}
				if left[kind] == 0 {
					break // only one queue has messages now
				}
			}
			t.Logf("%d switches between the queues in %d steps", switches, n)
			// Six standard deviations of a binomial distribution with p = 1/2.
			mean, margin := float64(n)/2, 3*math.Sqrt(float64(n))
			if n < each || math.Abs(float64(switches)-mean) > margin {
				t.Errorf("%d switches between the queues in %d steps, want %.0f within %.0f", switches, n, mean, margin)
			}
		})
	}
}

// celeryInTurn publishes tasks to both queues, runs a worker until all are done and
// returns their kinds in the order in which they were done.
func celeryInTurn(t *testing.T, url string, each int) (kinds []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "record.jsonl")
	env := append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "BROKER_URL="+url, "RECORD="+path, "EACH="+strconv.Itoa(each))
	publish := exec.Command(python, "shared.py")
	publish.Dir, publish.Env = "testdata/celery", env
	if out, err := publish.CombinedOutput(); err != nil {
		t.Fatalf("publish: %v\n%s", err, out)
	}
	worker := exec.Command(python, "-m", "celery", "-A", "shared", "worker", "-l", "INFO", "-n", "shared@interop",
		"--without-mingle", "--without-gossip", "-Q", "cslow,cquick", "-c", "1")
	worker.Dir, worker.Env = "testdata/celery", env
	start(t, worker)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\n"); lines == 2*each {
			for line := range strings.Lines(string(text)) {
				var task struct{ Kind string }
				if err := json.Unmarshal([]byte(line), &task); err != nil {
					t.Fatal(err)
				}
				kinds = append(kinds, task.Kind)
			}
			return kinds
		} else if time.Now().After(deadline) {
			t.Fatalf("%d of %d tasks were done after 2 minutes", lines, 2*each)
		}
	}
}

// longestBin is the length from which on runs are counted together.
const longestBin = 5

// runLengths counts the runs of equal values by their length, from 1.
func runLengths(served []int) []float64 {
	counts := make([]float64, longestBin)
	length := 1
	for i := 1; i <= len(served); i++ {
		if i < len(served) && served[i] == served[i-1] {
			length++
			continue
		}
		counts[min(length, longestBin)-1]++
		length = 1
	}
	return counts
}

// geometric returns the distribution of run lengths if each value is drawn uniformly from
// n values.
func geometric(n int) []float64 {
	p := make([]float64, longestBin)
	rest := 1.0
	for i := range p[:longestBin-1] {
		p[i] = rest * (1 - 1/float64(n))
		rest -= p[i]
	}
	p[longestBin-1] = rest
	return p
}

// beyond has, by degrees of freedom, the value that a chi-square variable exceeds with
// probability one in a million.
var beyond = []float64{0, 23.93, 27.63, 30.66, 33.38}

// fit returns the chi-square statistic of counts against probabilities.
func fit(counts, p []float64) (x2 float64) {
	total := 0.0
	for _, n := range counts {
		total += n
	}
	for i, n := range counts {
		want := total * p[i]
		x2 += (n - want) * (n - want) / want
	}
	return x2
}

// homogeneity returns the chi-square statistic of two lists of counts for the hypothesis
// that they come from one distribution.
func homogeneity(a, b []float64) (x2 float64) {
	totalA, totalB := 0.0, 0.0
	for i := range a {
		totalA, totalB = totalA+a[i], totalB+b[i]
	}
	pooled := make([]float64, len(a))
	for i := range a {
		pooled[i] = (a[i] + b[i]) / (totalA + totalB)
	}
	return fit(a, pooled) + fit(b, pooled)
}
