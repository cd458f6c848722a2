"""The talk's two task configurations: LAYOUT=one-queue is Celery's default, LAYOUT=topic splits the work.

With topic, every task goes to the topic exchange `smart` with its name as routing key, and a queue per kind of
work is bound by prefix. Each task appends a line with its wait to the file RECORD. NET is the time of a slow task in
seconds.
"""
import json
import os
import time

from celery import Celery
from kombu import Exchange, Queue

app = Celery("tasks", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=int(os.environ.get("PREFETCH", "4")),
    task_acks_late=os.environ.get("ACKS_LATE", "") == "1",
)


def route(name, args, kwargs, options, task=None, **kw):
    return {"exchange": "smart", "exchange_type": "topic", "routing_key": name}


if os.environ["LAYOUT"] == "topic":
    smart = Exchange("smart", type="topic")
    app.conf.update(
        task_queues=(
            Queue("neural_net", smart, routing_key="neural_net.#"),
            Queue("webapp", smart, routing_key="webapp.#"),
        ),
        task_routes=(route,),
    )


def record(kind, published, started):
    line = json.dumps({"kind": kind, "wait": started - published}) + "\n"
    fd = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)


@app.task(name="neural_net.tasks.fit_neural_net")
def fit_neural_net(published):
    started = time.time()
    time.sleep(float(os.environ.get("NET", "10")))
    record("net", published, started)


@app.task(name="webapp.tasks.run_user_query")
def run_user_query(published):
    started = time.time()
    time.sleep(0.1)
    record("query", published, started)


if __name__ == "__main__":
    with app.producer_pool.acquire(block=True) as producer:  # one connection, which is open when the first task is sent
        producer.connection.ensure_connection()
        for _ in range(4):
            fit_neural_net.apply_async((time.time(),), producer=producer)
        for _ in range(40):
            run_user_query.apply_async((time.time(),), producer=producer)
    print("published 4 nets, 40 queries")
