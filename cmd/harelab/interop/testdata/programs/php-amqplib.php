<?php
// php-amqplib against an AMQP broker: prints what happens, a line for each outcome.
// php php-amqplib.php URL PROXY CUT: PROXY is the address, host:port, of a proxy in front
// of the broker that drops its connections when somebody connects to CUT.
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
require "PhpAmqpLib/autoload.php";

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPExceptionInterface;
use PhpAmqpLib\Exception\AMQPTimeoutException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

$url = parse_url($argv[1]);

function connect(string $address): AMQPStreamConnection
{
    global $url;
    [$host, $port] = explode(":", $address);
    return new AMQPStreamConnection($host, $port, $url["user"], $url["pass"], "/");
}

function direct(): AMQPStreamConnection
{
    global $url;
    return connect($url["host"] . ":" . $url["port"]);
}

function say(string $topic, ...$what): void
{
    foreach ($what as &$w) {
        $w = is_string($w) ? $w : json_encode($w);
    }
    echo $topic, ": ", implode(" ", $what), "\n";
}

function refused(string $topic, callable $try): void
{
    try {
        $try(direct()->channel());
        say($topic, "not refused");
    } catch (AMQPExceptionInterface $e) {
        say($topic, get_class($e), $e->getCode(), $e->getMessage());
    }
}

// await reads from the connection until the condition holds, for at most 10 s.
function await($ch, callable $condition): void
{
    for ($end = microtime(true) + 10; !$condition() && microtime(true) < $end;) {
        try {
            $ch->wait(null, false, 0.05);
        } catch (AMQPTimeoutException $e) {
        }
    }
}

function take($ch, string $queue)
{
    $m = $ch->basic_get($queue, true);
    return $m === null ? null : $m->body . ($m->isRedelivered() ? "/again" : "");
}

function takeAll($ch, string $queue): array
{
    $all = [];
    while (($m = take($ch, $queue)) !== null) {
        $all[] = $m;
    }
    return $all;
}

function count_($ch, string $queue): int
{
    return $ch->queue_declare($queue, true)[1];
}

$conn = direct();
$ch = $conn->channel();

// Declarations.
say("declare", $ch->queue_declare("php.q", false, true, false, false));
say("server-named", str_starts_with($ch->queue_declare("", false, false, true)[0], "amq.gen-"));
refused("passive", fn($c) => $c->queue_declare("php.none", true));
refused("inequivalent", fn($c) => $c->queue_declare("php.q"));
refused("bad argument", fn($c) => $c->queue_declare("php.bad", false, false, false, false, false, new AMQPTable(["x-max-priority" => 300])));
refused("unknown exchange type", fn($c) => $c->exchange_declare("php.x", "strange"));
refused("default exchange", fn($c) => $c->queue_bind("php.q", ""));

// Publishing with confirms, consuming with acks.
$acks = 0;
$ch->set_ack_handler(function () use (&$acks) { $acks++; });
$ch->confirm_select();
for ($i = 0; $i < 20; $i++) {
    $ch->basic_publish(new AMQPMessage("m$i", ["delivery_mode" => 2, "application_headers" => new AMQPTable(["n" => $i, "t" => true, "f" => 1.5, "l" => [1, "x"]])]), "", "php.q");
}
$ch->wait_for_pending_acks(10);
say("confirms", $acks, count_($ch, "php.q"));
$got = [];
$ch->basic_consume("php.q", "t", false, false, false, false, function ($m) use (&$got) {
    $got[] = $m->body . "/" . $m->getDeliveryTag() . "/" . json_encode($m->get("application_headers")->getNativeData());
    $m->ack();
});
await($ch, function () use (&$got) { return count($got) == 20; });
$ch->basic_cancel("t");
say("consume", ...$got);
say("acked", count_($ch, "php.q"));

// Nacks, requeued and not; recover.
foreach (["a", "b", "c"] as $m) {
    $ch->basic_publish(new AMQPMessage($m), "", "php.q");
}
$taken = [$ch->basic_get("php.q"), $ch->basic_get("php.q"), $ch->basic_get("php.q")];
$ch->basic_nack($taken[2]->getDeliveryTag(), false, true);
$ch->basic_nack($taken[1]->getDeliveryTag(), true, true);
say("requeued", takeAll($ch, "php.q"));
$ch->basic_publish(new AMQPMessage("back"), "", "php.q");
$ch->basic_get("php.q");
$ch->basic_recover(true);
say("recovered", takeAll($ch, "php.q"));
refused("unknown tag", function ($c) { $c->basic_ack(99); $c->queue_declare("php.q", true); });

// Prefetch.
for ($i = 0; $i < 8; $i++) {
    $ch->basic_publish(new AMQPMessage("p$i"), "", "php.q");
}
$limited = $conn->channel();
$limited->basic_qos(0, 3, false);
$held = [];
$limited->basic_consume("php.q", "", false, false, false, false, function ($m) use (&$held) { $held[] = $m; });
await($limited, function () use (&$held) { return count($held) == 3; });
try {
    $limited->wait(null, false, 0.3);
} catch (AMQPTimeoutException $e) {
}
say("prefetch", count($held), count_($ch, "php.q"));
$held[1]->ack(true);
await($limited, function () use (&$held) { return count($held) == 5; });
say("multiple ack", array_map(fn($m) => $m->body, $held));
$limited->close();
say("channel closed", takeAll($ch, "php.q"));

// Topics and headers.
$inbox = $ch->queue_declare("", false, false, true)[0];
$ch->exchange_declare("php.topics", "topic");
foreach (["*.orange.*", "lazy.#", "#.end"] as $key) {
    $ch->queue_bind($inbox, "php.topics", $key);
}
foreach (["quick.orange.fox", "lazy", "lazy.brown.end", "orange", "quick.end", "..orange.", "a.orange.b.c"] as $key) {
    $ch->basic_publish(new AMQPMessage($key), "php.topics", $key);
}
$ch->wait_for_pending_acks(10);
say("topics", takeAll($ch, $inbox));
$ch->exchange_declare("php.kinds", "headers");
$ch->queue_bind($inbox, "php.kinds", "", false, new AMQPTable(["x-match" => "any", "type" => "pdf", "size" => 7]));
$ch->queue_bind($inbox, "php.kinds", "", false, new AMQPTable(["x-match" => "all", "type" => "doc", "size" => 9]));
foreach ([["type" => "pdf"], ["size" => 7], ["type" => "doc"], ["type" => "doc", "size" => 9], []] as $i => $headers) {
    $ch->basic_publish(new AMQPMessage("h$i", ["application_headers" => new AMQPTable($headers)]), "php.kinds");
}
$ch->wait_for_pending_acks(10);
say("headers", takeAll($ch, $inbox));

// Dead letters, times to live, priorities.
$ch->queue_declare("php.dead", false, false, false, false);
$ch->queue_declare("php.work", false, false, false, false, false, new AMQPTable([
    "x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => "php.dead", "x-message-ttl" => 200, "x-max-length" => 2]));
$dead = function (int $count) use ($ch) {
    await($ch, fn() => count_($ch, "php.dead") == $count);
    while ($m = $ch->basic_get("php.dead", true)) {
        $death = $m->get("application_headers")->getNativeData()["x-death"][0];
        unset($death["time"]);
        ksort($death);
        say("dead letter", $m->body, $death);
    }
};
$ch->basic_publish(new AMQPMessage("rejected"), "", "php.work");
$ch->basic_reject($ch->basic_get("php.work")->getDeliveryTag(), false);
$dead(1);
foreach (["too-many", "expired-1", "expired-2"] as $m) {
    $ch->basic_publish(new AMQPMessage($m), "", "php.work");
}
$dead(3);
$ch->basic_publish(new AMQPMessage("own", ["expiration" => "50"]), "", "php.work");
$dead(1);
$ch->queue_declare("php.ranked", false, false, false, false, false, new AMQPTable(["x-max-priority" => 5]));
foreach ([1, 5, 3, 9, 0, 3] as $i => $p) {
    $ch->basic_publish(new AMQPMessage("$p.$i", ["priority" => $p]), "", "php.ranked");
}
$ch->wait_for_pending_acks(10);
say("priorities", takeAll($ch, "php.ranked"));

// Exclusive queues and consumers.
$ch->queue_declare("php.mine", false, false, true);
refused("exclusive queue", fn($c) => $c->queue_declare("php.mine", false, false, true));
$ch->queue_declare("php.only", false, false, false, false);
$ch->basic_consume("php.only", "only", false, true, true);
refused("exclusive consumer", fn($c) => $c->basic_consume("php.only"));
$ch->basic_cancel("only");

// Returns and transactions.
$ch->set_return_listener(fn($code, $text, $exchange, $key, $m) => say("returned", $code, $text, $key, $m->body));
$ch->basic_publish(new AMQPMessage("lost"), "", "php.none", true);
$ch->wait_for_pending_acks_returns(10);
$tx = $conn->channel();
$tx->tx_select();
$tx->basic_publish(new AMQPMessage("never"), "", "php.q");
$tx->tx_rollback();
$tx->basic_publish(new AMQPMessage("committed"), "", "php.q");
say("before commit", count_($ch, "php.q"));
$tx->tx_commit();
say("after commit", takeAll($ch, "php.q"));

// A lost connection: the program connects anew, and the message that it held comes back.
$through = connect($argv[2]);
$lost = $through->channel();
$ch->basic_publish(new AMQPMessage("held"), "", "php.q");
$ch->wait_for_pending_acks(10);
say("held", $lost->basic_get("php.q")->body);
fclose(stream_socket_client("tcp://" . $argv[3]));
try {
    $lost->queue_declare("php.q", true);
    say("cut", "not noticed");
} catch (Exception $e) {
    say("cut", "noticed");
}
$through->reconnect();
$lost = $through->channel();
await($ch, fn() => count_($ch, "php.q") == 1);
say("reconnected", takeAll($lost, "php.q"));
$through->close();

foreach (["q", "dead", "work", "ranked", "only"] as $name) {
    say("delete", $name, $ch->queue_delete("php.$name"));
}
$ch->exchange_delete("php.topics");
$ch->exchange_delete("php.kinds");
$conn->close();
say("closed", $conn->isConnected());
