//go:build interop

package interop

import (
	"cmp"
	"fmt"
	"math/rand/v2"
)

// unrulyTalk returns a conversation in which the server refuses most lines, for one reason
// or for several at once. It tests which reason comes first, and its text. It leaves out
// requests that RabbitMQ answers with an internal error: unknown types of queues without
// a name, and unknown queue master locators.
func unrulyTalk(seed uint64) talk {
	r := &unruly{talker{Rand: rand.New(rand.NewPCG(seed, 1))}}
	var lines []string
	for range 40 {
		// The user weak may do less; names say what it may do.
		lines = append(lines, r.one("a1", "a1", "a2", "w1")+" "+r.line())
	}
	return talk{fmt.Sprintf("unruly conversation of seed %d", seed), lines}
}

type unruly struct{ talker }

func (r *unruly) queue() string {
	return r.one("$cwr", "$cwr", "$cwr", "$c", "$w", "$r", "$cw", "$n", "amq.q", "")
}

func (r *unruly) exchange() string {
	return r.one("$cwrx", "$cwrx", "$cwrx", "$cx", "$wx", "$nx", "$h", "amq.direct", "amq.topic", "amq.x", "")
}

func (r *unruly) line() string {
	switch n := r.IntN(20); {
	case n < 5:
		flags := r.some(0.15, " passive", " durable", " exclusive", " autodelete")
		if name := r.queue(); name != "" {
			return "queue.declare queue=" + name + flags + r.queueArguments()
		}
		return "queue.declare queue=" + flags
	case n < 8:
		return "exchange.declare exchange=" + r.exchange() + " type=" + r.one("direct", "direct", "topic", "headers", "fanout", "odd", "") +
			r.some(0.15, " passive", " durable", " internal", " autodelete") +
			r.some(0.2, " +alternate-exchange="+r.one(r.exchange(), "5", "V:", "t:true"))
	case n < 10:
		return "queue." + r.one("bind", "bind", "unbind") + " queue=" + r.queue() + " exchange=" + r.exchange() +
			r.some(0.5, " routingkey=$k") + r.some(0.2, " +x-match="+r.one("all", "any", "odd", "5"))
	case n < 11:
		return "exchange." + r.one("bind", "bind", "unbind") + " source=" + r.exchange() + " destination=" + r.exchange() + r.some(0.5, " routingkey=$k")
	case n < 12:
		return r.one("queue.purge queue="+r.queue(), "queue.delete queue="+r.queue()+r.some(0.3, " ifunused", " ifempty"),
			"exchange.delete exchange="+r.exchange()+r.some(0.3, " ifunused"))
	case n < 15:
		return "publish " + cmp.Or(r.exchange(), "-") + " " + cmp.Or(r.one("$k", r.queue()), "-") + " m" + r.some(0.1, " mandatory", " immediate",
			" userid="+r.one("guest", "weak", "odd"), " expiration="+r.one("1000000", "-1", "x"), " deliverymode="+r.one("1", "2", "3"),
			" +CC="+r.one("A:$k", "A:5", "k", "V:"), " +BCC="+r.one("A:$cwr", "k"), " replyto="+r.one("amq.rabbitmq.reply-to", "x"))
	case n < 17:
		return "basic.consume queue=" + r.one(r.queue(), r.queue(), "amq.rabbitmq.reply-to") + r.some(0.5, " consumertag="+r.one("t", "u")) +
			r.some(0.2, " noack", " exclusive", " nolocal") + r.some(0.15, " +x-priority="+r.one("1", "x", "V:", "d:1.5"))
	case n < 18:
		return r.one("basic.get queue="+r.queue()+r.some(0.5, " noack"), "basic.cancel consumertag=t", "basic.qos prefetchcount=1"+r.some(0.3, " global", " prefetchsize=1"))
	case n < 19:
		return r.one("tx.select", "confirm.select", "tx.commit", "tx.rollback", "channel.flow", "channel.flow active", "basic.recover", "basic.recover requeue")
	default:
		return r.one("basic.ack deliverytag=1", "basic.nack multiple", "basic.reject deliverytag=2 requeue", "channel.close", "access.request", "connection.close")
	}
}

func (r *unruly) queueArguments() string {
	bad := func() string {
		return r.one("-1", "x", "t:true", "d:1.5", "V:", "F:", "A:1,2", "b:3", "l:99999999999999", "T:5", "0")
	}
	return r.some(0.06, " +x-max-length="+r.one("5", bad()), " +x-max-length-bytes="+r.one("500", bad()), " +x-message-ttl="+r.one("100000", bad()),
		" +x-expires="+r.one("100000", bad()), " +x-max-priority="+r.one("5", "256", bad()), " +x-overflow="+r.one("drop-head", "reject-publish", "odd", bad()),
		" +x-dead-letter-exchange="+r.one(r.exchange(), bad()), " +x-dead-letter-routing-key="+r.one("k", bad()),
		" +x-single-active-consumer="+r.one("t:true", "t:false", bad()), " +x-queue-type="+r.one("classic", "odd", bad()),
		" +x-queue-mode="+r.one("lazy", "default", "odd", bad()), " +x-delivery-limit="+r.one("5", bad()), " +x-odd="+bad(),
		" +x-queue-version="+r.one("1", "2", "3", bad()), " +x-queue-master-locator="+r.one("client-local", "random"))
}
