"""pika over TLS: with a password, with a certificate, and with a certificate of nobody."""
import ssl
import sys
import pika

port, folder = int(sys.argv[1]), sys.argv[2]


def connect(name, certificate, credentials, want):
    context = ssl.create_default_context(cafile=folder + "/ca.pem")
    if certificate:
        context.load_cert_chain(f"{folder}/{certificate}.pem", f"{folder}/{certificate}.key")
    parameters = pika.ConnectionParameters(
        "localhost", port, credentials=credentials, connection_attempts=1,
        ssl_options=pika.SSLOptions(context, "localhost"))
    try:
        conn = pika.BlockingConnection(parameters)
        ch = conn.channel()
        ch.confirm_delivery()
        q = ch.queue_declare("", exclusive=True).method.queue
        ch.basic_publish("", q, b"x" * 300_000)
        got = len(ch.basic_get(q, auto_ack=True)[2])
        conn.close()
    except pika.exceptions.AMQPError as e:
        got = type(e).__name__
    if got != want:
        sys.exit(f"{name}: got {got!r}, want {want!r}")
    print("ok", name)


external = pika.credentials.ExternalCredentials()
connect("password", None, pika.PlainCredentials("guest", "guest"), 300_000)
connect("certificate", "client", external, 300_000)
connect("password and certificate", "client", pika.PlainCredentials("guest", "guest"), 300_000)
connect("certificate of nobody", "stranger", external, "ProbableAuthenticationError")
connect("no certificate", None, external, "AuthenticationError")
