//go:build interop

package interop

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	talks   = flag.Int("talks", 32, "how many random conversations of each sort to hold with RabbitMQ")
	shorten = flag.Bool("shorten", false, "print no more of a random conversation than it takes to differ")
	seed    = flag.Uint64("seed", 1, "seed of the first random conversation")
)

// TestSameAnswersAtRandom holds random conversations, orderly and unruly ones, with a real
// RabbitMQ and with the engine, and prints those with different answers. The flags -seed,
// -talks and -conversation choose the conversations.
func TestSameAnswersAtRandom(t *testing.T) {
	rabbit := rabbitWithUsers(t)
	ours := startEngine(t)
	all := randomTalks(t, *seed, *talks)
	for i := range uint64(*talks) {
		all = append(all, unrulyTalk(*seed+i))
	}
	holdAll(all, func(_ int, c talk) {
		line, said := c.differs(t, rabbit, ours, 60*time.Millisecond, 300*time.Millisecond, time.Second)
		if line < 0 {
			return
		}
		c.lines = c.lines[:line+1]
		if *shorten {
			said = c.shorten(t, rabbit, ours, said)
		}
		t.Errorf("%s\n%s\n%s", c.name, strings.Join(c.lines, "\n"), said)
	})
}

// differs returns the first line whose answers differ with the last patience, and these
// answers. It returns -1 if there is a patience with which none differ.
func (c talk) differs(t *testing.T, rabbit, ours dialFunc, patience ...time.Duration) (line int, said string) {
	t.Helper()
	for _, patience := range patience {
		var want, got []string
		prefix := prefix(0, time.Now().UnixNano())
		var wg sync.WaitGroup
		wg.Go(func() { want = c.hold(t, prefix, rabbit, patience) })
		wg.Go(func() { got = c.hold(t, prefix, ours, patience) })
		wg.Wait()
		line = -1
		for i := range c.lines {
			if w, g := byChannel(want[i]), byChannel(got[i]); w != g {
				line, said = i, fmt.Sprintf("RabbitMQ answered%s\nharelab answered%s", w, g)
				break
			}
		}
		if line < 0 {
			break
		}
	}
	return line, said
}

// byChannel sorts the frames of an answer by connection and channel, since frames of
// different channels have no order.
func byChannel(answer string) string {
	frames := strings.Split(answer, "\n")
	slices.SortStableFunc(frames, func(a, b string) int {
		return strings.Compare(firstWord(a), firstWord(b))
	})
	return strings.Join(frames, "\n")
}

func firstWord(frame string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(frame), " ")
	return word
}

// shorten removes lines while the answers still differ.
func (c *talk) shorten(t *testing.T, rabbit, ours dialFunc, said string) string {
	t.Helper()
	for i := len(c.lines) - 2; i >= 0; i-- {
		without := talk{c.name, slices.Delete(slices.Clone(c.lines), i, i+1)}
		if at, s := without.differs(t, rabbit, ours, 60*time.Millisecond); at >= 0 {
			c.lines, said = without.lines[:at+1], s
			i = min(i, at)
		}
	}
	return said
}

// A talker makes up conversations while it holds them with the engine, so that most of
// its lines make sense. The consumers of each queue have their own channel, and other
// channels publish, since RabbitMQ has no order between queues. Conversations leave out
// the differences that differential.txt masks, and these:
//
//   - counts that include expired messages: priority and quorum queues of RabbitMQ keep
//     some until they next check;
//   - in quorum queues of RabbitMQ, the counts of consumers that leave or get while they
//     have unacked messages, since they are counted until those are settled; the order of
//     messages that return from several consumers of a channel; and limits, which are
//     enforced a little late.
type talker struct {
	*rand.Rand
	stage     *stage
	lines     []string
	queues    int
	exchanges int
	consumers []string            // channel and tag of each consumer so far
	held      map[string][]string // delivery tags of unacked messages, by channel
	tx        map[string]bool     // channels with transactions

	// Kinds of conversation:
	active  bool // with single active consumers, which are not cancelled: the next publish may kill RabbitMQ's queue
	limited bool // with prefetch for channels, and no basic.get
	ranked  bool // with priorities, and no time to live
	quorum  bool // with quorum queues: no limits, no time to live, gets without acks, one consumer for each channel
}

// randomTalks makes up conversations with consecutive seeds, in virtual time.
func randomTalks(t *testing.T, seed uint64, n int) (all []talk) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ours := startEngine(t)
		for i := range uint64(n) {
			all = append(all, randomTalk(t, ours, seed+i))
		}
	})
	return all
}

func randomTalk(t *testing.T, ours dialFunc, seed uint64) talk {
	t.Helper()
	r := &talker{Rand: rand.New(rand.NewPCG(seed, 0)), queues: 3, exchanges: 2, held: make(map[string][]string), tx: make(map[string]bool)}
	r.stage = &stage{t: t, prefix: prefix(0, int64(seed)), dial: ours, patience: 60 * time.Millisecond, peers: make(map[string]*peer)}
	defer r.stage.close()
	for i, kind := range []*bool{&r.active, &r.limited, &r.ranked, &r.quorum} {
		*kind = seed%8 == uint64(i)
	}
	for i := range r.exchanges {
		r.say("a9 exchange.declare exchange=$x%d type=%s%s", i, r.one("direct", "fanout", "topic", "headers"),
			r.some(0.3, " +alternate-exchange=$x1")+r.some(0.06, " autodelete", " internal"))
	}
	for i := range r.queues {
		r.declareQueue(i)
	}
	for range 3 {
		r.bind()
	}
	if r.IntN(2) == 0 {
		r.say("a9 confirm.select")
	}
	for range 30 {
		r.step()
	}
	return talk{fmt.Sprintf("orderly conversation of seed %d", seed), r.lines}
}

var delivered = regexp.MustCompile(`(?m)^   (\S+) basic\.(?:deliver|get-ok).* DeliveryTag=uint64\((\d+)\)`)

// say adds a line and learns from the engine's answer.
func (r *talker) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	r.lines = append(r.lines, line)
	answer := r.stage.say(line)
	channel := firstWord(line)
	for _, m := range delivered.FindAllStringSubmatch(answer, -1) {
		r.held[m[1]] = append(r.held[m[1]], m[2])
	}
	if strings.Contains(answer, "channel.close") {
		delete(r.held, channel)
		delete(r.tx, channel)
	}
}

func (r *talker) one(words ...string) string { return words[r.IntN(len(words))] }

// some returns each word with probability p.
func (r *talker) some(p float64, words ...string) (s string) {
	for _, w := range words {
		if r.Float64() < p {
			s += w
		}
	}
	return s
}

func (r *talker) queue() string    { return fmt.Sprintf("$q%d", r.IntN(r.queues)) }
func (r *talker) exchange() string { return fmt.Sprintf("$x%d", r.IntN(r.exchanges)) }
func (r *talker) key() string      { return r.one("a", "a", "a.b", "a.b", "b", "#", "a.*", "a.#", "") }

func (r *talker) declareQueue(i int) {
	next := fmt.Sprintf("$q%d", (i+1)%r.queues)
	args := r.some(0.4, r.one(" +x-dead-letter-exchange= +x-dead-letter-routing-key="+next, " +x-dead-letter-exchange="+r.exchange(),
		" +x-dead-letter-exchange="+r.exchange()+" +x-dead-letter-routing-key=a.b"))
	switch {
	case r.quorum:
		args += " durable +x-queue-type=quorum +x-delivery-limit=" + r.one("0", "1", "2")
	case r.ranked:
		args += " +x-max-priority=4"
	default:
		args += r.some(0.25, " +x-message-ttl="+r.one("0", "1", "10000"))
	}
	if !r.quorum {
		args += r.some(0.25, " +x-max-length="+r.one("0", "1", "2", "4"), " +x-max-length-bytes="+r.one("4", "9"),
			" +x-overflow="+r.one("reject-publish", "drop-head")) + r.some(0.05, " autodelete", " +x-overflow=reject-publish-dlx")
	}
	if r.active {
		args += " +x-single-active-consumer=t:true"
	}
	r.say("a9 queue.declare queue=$q%d%s", i, args)
}

func (r *talker) bind() {
	if r.IntN(4) == 0 {
		r.say("a9 exchange.bind source=$x0 destination=$x1 routingkey=%s", r.key())
		return
	}
	r.say("a9 queue.bind queue=%s exchange=%s routingkey=%s%s", r.queue(), r.exchange(), r.key(), r.some(0.3, " +x-match="+r.one("all", "any"), " +h=1"))
}

func (r *talker) publish(channel string) {
	exchange, key := r.exchange(), r.key()
	if r.IntN(2) == 0 {
		exchange, key = "-", r.queue()
	}
	extra := " expiration=" + r.one("0", "1", "10000")
	switch {
	case r.quorum:
		extra = ""
	case r.ranked:
		extra = " priority=" + r.one("1", "2", "4", "9")
	}
	r.say("%s publish %s %s m%d%s%s", channel, exchange, cmp.Or(key, "-"), len(r.lines), r.some(0.3, extra),
		r.some(0.15, " mandatory", " +h=1", " +CC=A:"+r.queue(), " +BCC=A:"+r.queue(), " deliverymode=2"))
}

// step says one line in the middle of a conversation.
func (r *talker) step() {
	switch n := r.IntN(100); {
	case n < 36:
		r.publish("a9")
	case n < 40:
		r.transact("a8")
	case n < 86:
		r.consume(r.IntN(r.queues))
	case n < 90:
		r.bind()
	case n < 91:
		r.say("a9 queue.unbind queue=%s exchange=%s routingkey=%s", r.queue(), r.exchange(), r.key())
	case n < 92:
		r.say("a9 queue.purge queue=%s", r.queue())
	case n < 93:
		r.say("a9 queue.delete queue=%s%s", r.queue(), r.some(0.3, " ifunused", " ifempty"))
	case n < 94:
		r.say("a9 exchange.delete exchange=%s%s", r.exchange(), r.some(0.5, " ifunused"))
	case n < 96:
		r.declareQueue(r.IntN(r.queues))
	default:
		r.say("a9 queue.declare queue=%s passive", r.queue())
	}
}

// transact says a line of a channel with transactions of at most one message.
func (r *talker) transact(channel string) {
	if !r.tx[channel] {
		r.tx[channel] = true
		r.say("%s tx.select", channel)
	}
	if channel == "a8" {
		r.publish(channel)
	}
	if channel == "a8" || r.IntN(2) == 0 {
		r.say("%s tx.%s", channel, r.one("commit", "commit", "rollback"))
	}
}

// consume says a line about a queue's consumers, on their channel.
func (r *talker) consume(q int) {
	ch := fmt.Sprintf("%s%d", r.one("a", "a", "b"), q+1)
	switch n := r.IntN(60); {
	case n < 16:
		if r.quorum && slices.ContainsFunc(r.consumers, func(c string) bool { return firstWord(c) == ch }) {
			return
		}
		tag := fmt.Sprintf("c%d", len(r.consumers))
		r.consumers = append(r.consumers, fmt.Sprintf("%s basic.cancel consumertag=%s", ch, tag))
		options := r.some(0.12, " exclusive") + r.some(0.12, " noack") + r.some(0.15, " +x-priority="+r.one("-1", "2"))
		r.say("%s basic.consume queue=$q%d consumertag=%s%s", ch, q, tag, options)
	case n < 20:
		if len(r.consumers) > 0 && !r.active && !r.quorum {
			r.say("%s", r.consumers[r.IntN(len(r.consumers))])
		}
	case n < 28:
		if !r.limited {
			r.say("%s basic.get queue=$q%d%s", ch, q, r.some(map[bool]float64{true: 1, false: 0.3}[r.quorum], " noack"))
		}
	case n < 46:
		r.settle(ch)
	case n < 51:
		r.say("%s basic.qos prefetchcount=%d%s", ch, r.IntN(4), map[bool]string{true: " global"}[r.limited && r.IntN(2) == 0])
	case n < 53:
		if !r.quorum {
			r.say("%s basic.recover requeue", ch)
		}
	case n < 55:
		r.transact(ch)
	case n < 58:
		r.say("%s channel.close", ch)
		delete(r.held, ch)
		delete(r.tx, ch)
	default:
		r.say("b drop")
		maps.DeleteFunc(r.held, func(ch string, _ []string) bool { return ch[0] == 'b' })
		maps.DeleteFunc(r.tx, func(ch string, _ bool) bool { return ch[0] == 'b' })
	}
}

// settle acks or rejects an unacked message, and rarely one that does not exist.
func (r *talker) settle(ch string) {
	held := r.held[ch]
	tag := r.one("0", "1", "2", "3")
	if len(held) > 0 {
		i := r.IntN(len(held))
		tag = held[i]
		r.held[ch] = slices.Delete(held, i, i+1)
	} else if r.IntN(10) > 0 {
		return
	}
	r.say("%s %s deliverytag=%s", ch, r.one("basic.ack", "basic.ack", "basic.nack", "basic.nack requeue", "basic.reject", "basic.reject requeue"), tag)
}
