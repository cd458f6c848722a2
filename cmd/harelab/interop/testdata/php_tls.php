<?php
// php-amqplib over TLS, with a password.
require_once '/usr/share/php/PhpAmqpLib/autoload.php';
$c = new PhpAmqpLib\Connection\AMQPSSLConnection('localhost', (int)$argv[1], 'guest', 'guest', '/',
    ['cafile' => $argv[2] . '/ca.pem', 'verify_peer' => true]);
$ch = $c->channel();
list($q) = $ch->queue_declare('', false, false, true);
$ch->basic_publish(new PhpAmqpLib\Message\AMQPMessage(str_repeat('x', 300000)), '', $q);
$m = $ch->basic_get($q, true);
echo "ok ", strlen($m->getBody()), "\n";
$c->close();
