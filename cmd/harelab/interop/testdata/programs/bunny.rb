# bunny against an AMQP broker: prints what happens, a line for each outcome.
# ruby bunny.rb URL PROXY CUT: PROXY is the address, host:port, of a proxy in front of the
# broker that drops its connections when somebody connects to CUT.
require "bunny"
require "socket"

url, proxy, cut = ARGV
$conn = Bunny.new(url, log_level: Logger::FATAL)
$conn.start

def say(topic, *what)
  puts "#{topic}: #{what.join(' ')}"
  $stdout.flush
end

def refused(topic)
  yield
  say topic, "not refused"
rescue Bunny::Exception => e
  say topic, e.class, e.message
end

# wait_for calls a block until it returns true, for at most 10 s.
def wait_for
  deadline = Time.now + 10
  sleep 0.01 until yield || Time.now > deadline
end

def delivered(props)
  death = (props.headers || {})["x-death"]&.map { |d| d.slice("queue", "reason", "count", "exchange", "routing-keys") }
  [props.delivery_mode, props.priority, death].compact.join(" ")
end

# Declarations.
ch = $conn.create_channel
q = ch.queue("bunny.q", durable: true)
say "declare", q.name, q.message_count, q.consumer_count
refused("passive") { $conn.create_channel.queue("bunny.none", passive: true) }
refused("inequivalent") { $conn.create_channel.queue("bunny.q", durable: false) }
refused("bad argument") { $conn.create_channel.queue("bunny.bad", arguments: { "x-message-ttl" => "soon" }) }
refused("reserved") { $conn.create_channel.queue("amq.mine") }
say "server-named", ch.queue("", exclusive: true).name.start_with?("amq.gen-")

# Publishing with confirms, consuming with acks.
ch.confirm_select
20.times { |i| q.publish("m#{i}", persistent: true) }
say "confirms", ch.wait_for_confirms, ch.unconfirmed_set.size, q.message_count
got = []
consumer = q.subscribe(manual_ack: true) do |info, props, body|
  got << [body, info.delivery_tag.to_i, info.redelivered?, delivered(props)].join("/")
  ch.ack(info.delivery_tag)
end
wait_for { got.size == 20 }
consumer.cancel
say "consume", *got
say "acked", q.message_count

# Nacks, requeued and not.
ch = $conn.create_channel
%w[a b c].each { |m| q.publish(m) }
taken = 3.times.map { q.pop(manual_ack: true) } # on the channel of q
taken.reverse_each { |info, _, _| q.channel.nack(info.delivery_tag, false, true) }
say "requeued", *3.times.map { |_| q.pop.then { |info, _, body| "#{body}/#{info.redelivered?}" } }
say "empty", q.pop.inspect

# Prefetch.
limited = $conn.create_channel
limited.prefetch(3)
8.times { |i| q.publish("p#{i}") }
held = []
limited.queue("bunny.q", durable: true).subscribe(manual_ack: true) { |info, _, body| held << [info, body] }
wait_for { held.size == 3 }
sleep 0.3
say "prefetch", held.size, q.message_count
limited.ack(held[1][0].delivery_tag, true)
wait_for { held.size == 5 }
sleep 0.3
say "multiple ack", held.map { |_, body| body }.join(",")
limited.close
wait_for { q.message_count == 6 }
say "channel closed", q.message_count, *6.times.map { q.pop.then { |info, _, body| "#{body}/#{info.redelivered?}" } }

# Topics and headers.
ch = $conn.create_channel
inbox = ch.queue("", exclusive: true)
topics = ch.topic("bunny.topics", auto_delete: true)
["*.orange.*", "lazy.#", "#.end"].each { |key| inbox.bind(topics, routing_key: key) }
%w[quick.orange.fox lazy lazy.brown.end orange quick.end ..orange. a.orange.b.c].each { |key| topics.publish(key, routing_key: key) }
sleep 0.2
say "topics", *inbox.message_count.times.map { inbox.pop[2] }
kinds = ch.headers("bunny.kinds", auto_delete: true)
inbox.bind(kinds, arguments: { "x-match" => "any", "type" => "pdf", "size" => 7 })
inbox.bind(kinds, arguments: { "x-match" => "all", "type" => "doc", "size" => 9 })
[{ "type" => "pdf" }, { "size" => 7 }, { "type" => "doc" }, { "type" => "doc", "size" => 9 }, {}].each_with_index do |h, i|
  kinds.publish("h#{i}", headers: h)
end
sleep 0.2
say "headers", *inbox.message_count.times.map { inbox.pop[2] }

# Dead letters, times to live, priorities.
dead = ch.queue("bunny.dead")
work = ch.queue("bunny.work", arguments: { "x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => "bunny.dead",
                                           "x-message-ttl" => 200, "x-max-length" => 2 })
work.publish("rejected")
info, = work.pop(manual_ack: true)
ch.reject(info.delivery_tag)
wait_for { dead.message_count == 1 }
%w[too-many expired-1 expired-2].each { |m| work.publish(m) }
wait_for { dead.message_count == 4 }
4.times { dead.pop.then { |_, props, body| say "dead letter", body, delivered(props) } }
work.publish("own", expiration: "50")
wait_for { dead.message_count == 1 }
dead.pop.then { |_, props, body| say "own expiration", body, delivered(props), props.headers["x-death"][0]["original-expiration"] }
ranked = ch.queue("bunny.ranked", arguments: { "x-max-priority" => 5 })
[1, 5, 3, 9, 0, 3].each_with_index { |p, i| ranked.publish("#{p}.#{i}", priority: p) }
sleep 0.2
say "priorities", *6.times.map { ranked.pop[2] }

# Exclusive queues and consumers.
ch.queue("bunny.mine", exclusive: true)
other = Bunny.new(url, log_level: Logger::FATAL).start
refused("exclusive queue") { other.create_channel.queue("bunny.mine", exclusive: true) }
ch.queue("bunny.only").subscribe(exclusive: true) {}
refused("exclusive consumer") { other.create_channel.queue("bunny.only").subscribe {} }
other.close

# Returns and transactions.
returned = []
direct = ch.default_exchange
direct.on_return { |info, _, body| returned << "#{info.reply_code} #{info.reply_text} #{info.routing_key} #{body}" }
direct.publish("lost", routing_key: "bunny.none", mandatory: true)
wait_for { returned.size == 1 }
say "returned", *returned
tx = $conn.create_channel
tx.tx_select
q.channel.default_exchange # the queue's own channel looks on
tx.default_exchange.publish("never", routing_key: "bunny.q")
tx.tx_rollback
tx.default_exchange.publish("committed", routing_key: "bunny.q")
say "before commit", q.message_count
tx.tx_commit
say "after commit", q.message_count, q.pop[2]

# A lost connection: bunny connects anew and declares everything again.
host, port = proxy.split(":")
through = Bunny.new(url.sub(/@[^\/]+/, "@#{host}:#{port}"), log_level: Logger::FATAL, network_recovery_interval: 0.2)
through.start
lost = through.create_channel
lost.prefetch(10)
again = lost.queue("bunny.again", durable: true)
again.bind(lost.fanout("bunny.again.x", auto_delete: true))
arrived = []
again.subscribe(manual_ack: true) do |info, _, body|
  arrived << "#{body}/#{info.redelivered?}"
  lost.ack(info.delivery_tag) unless body == "held" && !info.redelivered?
end
%w[before held].each { |m| ch.fanout("bunny.again.x", auto_delete: true).publish(m) }
wait_for { arrived.size == 2 }
TCPSocket.new(*cut.split(":")).close
wait_for { !through.open? }
wait_for { through.open? && ch.queue("bunny.again", passive: true).consumer_count == 1 rescue (ch = $conn.create_channel; false) }
ch.fanout("bunny.again.x", auto_delete: true).publish("after")
wait_for { arrived.size == 4 }
say "reconnected", *arrived
through.close

%w[q dead work ranked only again].each { |name| say "delete", name, $conn.create_channel.queue_delete("bunny.#{name}").message_count }
$conn.close
say "closed", $conn.status
