"""pika against an AMQP broker: the calls of RabbitMQ's tutorials and their answers."""
import sys
import pika

conn = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
ch = conn.channel()
ch.confirm_delivery()


def expect(name, got, want):
    if got != want:
        sys.exit(f"{name}: got {got!r}, want {want!r}")
    print("ok", name)


# Tutorial one and two: a named queue, the default exchange, fair dispatch.
expect("declare", ch.queue_declare("task_queue", durable=True).method.message_count, 0)
for i in range(10):
    ch.basic_publish("", "task_queue", b"task %d" % i, pika.BasicProperties(delivery_mode=2, headers={"n": i}))
expect("passive count", ch.queue_declare("task_queue", passive=True).method.message_count, 10)
ch.basic_qos(prefetch_count=1)
got = []
for method, props, body in ch.consume("task_queue", inactivity_timeout=5):
    if method is None:
        break
    got.append((body, props.headers["n"], method.redelivered))
    ch.basic_ack(method.delivery_tag)
    if len(got) == 10:
        break
ch.cancel()
expect("fifo", got, [(b"task %d" % i, i, False) for i in range(10)])

# A server-named exclusive queue.
q = ch.queue_declare("", exclusive=True).method.queue
expect("server-named", q.startswith("amq.gen-"), True)

# Tutorials three to five: fanout, direct, topic; and headers.
ch.exchange_declare("logs", "fanout", auto_delete=True)
ch.queue_bind(q, "logs")
ch.basic_publish("logs", "ignored", b"fanout")
expect("fanout", ch.basic_get(q, auto_ack=True)[2], b"fanout")
ch.exchange_declare("levels", "direct", auto_delete=True)
ch.queue_bind(q, "levels", "error")
ch.basic_publish("levels", "info", b"dropped")
ch.basic_publish("levels", "error", b"direct")
expect("direct", ch.basic_get(q, auto_ack=True)[2], b"direct")
ch.exchange_declare("animals", "topic", auto_delete=True)
for key in ("*.orange.*", "*.*.rabbit", "lazy.#"):
    ch.queue_bind(q, "animals", key)
for key, want in (("quick.orange.rabbit", True), ("lazy", True), ("quick.brown.fox", False), ("lazy.a.b.c.d", True)):
    ch.basic_publish("animals", key, key.encode())
    expect("topic " + key, ch.basic_get(q, auto_ack=True)[2], key.encode() if want else None)
ch.exchange_declare("kinds", "headers", auto_delete=True)
ch.queue_bind(q, "kinds", arguments={"x-match": "all", "type": "pdf", "size": 1})
ch.basic_publish("kinds", "", b"no", pika.BasicProperties(headers={"type": "pdf"}))
ch.basic_publish("kinds", "", b"yes", pika.BasicProperties(headers={"type": "pdf", "size": 1}))
expect("headers", ch.basic_get(q, auto_ack=True)[2], b"yes")

# Mandatory returns.
try:
    ch.basic_publish("", "nobody", b"x", mandatory=True)
    sys.exit("mandatory: no UnroutableError")
except pika.exceptions.UnroutableError:
    print("ok mandatory")
ch.basic_publish("", "task_queue", b"a")
ch.basic_publish("", "task_queue", b"b")

# A requeued message returns to its place, flagged as redelivered.
m1, _, b1 = ch.basic_get("task_queue")
m2, _, b2 = ch.basic_get("task_queue")
expect("get order", (b1, b2), (b"a", b"b"))
ch.basic_nack(m2.delivery_tag, requeue=True)
ch.basic_reject(m1.delivery_tag, requeue=True)
m1, _, b1 = ch.basic_get("task_queue")
expect("requeue place", (b1, m1.redelivered), (b"a", True))
ch.basic_ack(m1.delivery_tag)

# The unacked messages of a dead connection return to the queue.
other = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
och = other.channel()
expect("held elsewhere", och.basic_get("task_queue")[2], b"b")
expect("invisible meanwhile", ch.basic_get("task_queue")[2], None)
other.close()
m, _, b = ch.basic_get("task_queue")
expect("back after close", (b, m.redelivered), (b"b", True))
ch.basic_ack(m.delivery_tag)

# Exceptions close the channel with RabbitMQ's text, never the connection.
try:
    ch.queue_declare("task_queue", durable=False)
    sys.exit("inequivalent: no error")
except pika.exceptions.ChannelClosedByBroker as e:
    expect("inequivalent", (e.reply_code, e.reply_text),
           (406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'task_queue' in vhost '/': received 'false' but current is 'true'"))
ch = conn.channel()
try:
    ch.basic_publish("nope", "k", b"x")
    ch.queue_declare("task_queue", passive=True)
    sys.exit("missing exchange: no error")
except pika.exceptions.ChannelClosedByBroker as e:
    expect("missing exchange", (e.reply_code, e.reply_text), (404, "NOT_FOUND - no exchange 'nope' in vhost '/'"))
ch = conn.channel()

# A large body crosses many frames unchanged; purge returns the count; delete.
big = bytes(range(256)) * 4096
ch.basic_publish("", "task_queue", big)
expect("1 MiB body", ch.basic_get("task_queue", auto_ack=True)[2] == big, True)
for _ in range(3):
    ch.basic_publish("", "task_queue", b"x")
expect("purge", ch.queue_purge("task_queue").method.message_count, 3)
ch.queue_delete("task_queue")
conn.close()
print("all ok")
