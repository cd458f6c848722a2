"""What Celery makes of a broker: groups, chains, chords, retries, countdown, rate limits, priorities, routing by glob and
topic, beat, late acks with a killed worker, rpc results, inspect.

Run as a program, it starts workers and prints a line for each outcome. BROKER_URL is the broker, DIR an empty folder for
results and records.
"""
import os
import signal
import subprocess
import sys
import time

from celery import Celery, chain, chord, group
from kombu import Exchange, Queue

HERE, DIR = os.path.dirname(os.path.abspath(__file__)), os.environ["DIR"]
BACKEND = os.environ.get("BACKEND", "file://" + DIR)

app = Celery("features", broker=os.environ["BROKER_URL"], backend=BACKEND)
topics = Exchange("features.topics", type="topic")
app.conf.update(
    worker_prefetch_multiplier=1,
    result_expires=60,
    task_queues=(
        Queue("celery"),
        Queue("feeds"),
        Queue("late"),
        Queue("ranked", queue_arguments={"x-max-priority": 10}),
        Queue("orders", topics, routing_key="orders.#"),
        Queue("audit", topics, routing_key="*.paid"),
    ),
    task_routes={
        "feed.*": {"queue": "feeds"},
        "ranked.*": {"queue": "ranked"},
        "late.*": {"queue": "late"},
        "orders.paid": {"exchange": "features.topics", "exchange_type": "topic", "routing_key": "orders.paid"},
    },
    beat_schedule={"tick": {"task": "tick", "schedule": 0.5}},
)


def note(name, line=""):
    with open(os.path.join(DIR, name), "a") as f:
        f.write(f"{line}\n")


def notes(name):
    try:
        with open(os.path.join(DIR, name)) as f:
            return f.read().split("\n")[:-1]
    except FileNotFoundError:
        return []


@app.task(name="add")
def add(x, y):
    return x + y


@app.task(name="total")
def total(numbers):
    return sum(numbers)


@app.task(name="fail", bind=True, max_retries=3)
def fail(self, until):
    note("retries", self.request.retries)
    if self.request.retries < until:
        raise self.retry(countdown=0.1)
    return f"done after {self.request.retries} retries"


@app.task(name="when")
def when():
    return time.time()


@app.task(name="slowly", rate_limit="5/s")
def slowly():
    return time.time()


@app.task(name="where", bind=True)
def where(self):
    return self.request.delivery_info["routing_key"]


@app.task(name="feed.import", bind=True)
def feed(self):
    return self.request.delivery_info["routing_key"]


@app.task(name="orders.paid", bind=True)
def paid(self):
    note("paid", self.request.hostname.split("@")[0])


@app.task(name="ranked.work", acks_late=True)
def ranked(label, seconds=0):
    time.sleep(seconds)
    note("ranked", label)


@app.task(name="late.work", bind=True, acks_late=True, reject_on_worker_lost=True)
def late(self):
    note("late", self.request.delivery_info["redelivered"])
    if not self.request.delivery_info["redelivered"]:
        time.sleep(60)
    return "finished"


@app.task(name="tick")
def tick():
    note("ticks")


@app.task(name="boom")
def boom():
    raise ValueError("no")


def start(*args, **variables):
    """Starts celery in a process group of its own."""
    env = dict(os.environ, PYTHONPATH=HERE, PYTHONDONTWRITEBYTECODE="1", **variables)
    log = open(os.path.join(DIR, "log"), "ab")
    return subprocess.Popen([sys.executable, "-m", "celery", "-A", "features", *args], cwd=DIR, env=env,
                            stdout=log, stderr=log, start_new_session=True)


def worker(name, queues, *args, **variables):
    return start("worker", "-n", name + "@features", "-Q", queues, "--without-mingle", "--without-gossip", "-l", "INFO", *args, **variables)


def wait(condition, seconds=20):
    """Waits until a condition holds, and reports whether it does."""
    end = time.time() + seconds
    while not condition():
        if time.time() > end:
            return False
        time.sleep(0.05)
    return True


def say(topic, *what):
    print(topic + ":", *what, flush=True)


def main():
    running = {}
    try:
        converse(running)
    finally:
        for process in running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def converse(running):
    everywhere = [name + "@features" for name in ("first", "second", "third", "fourth")]
    running["first"] = worker("first", "celery,feeds,orders", "-c", "2")
    running["second"] = worker("second", "ranked,audit", "-c", "1")
    running["third"] = worker("third", "late", "-c", "1")
    running["fourth"] = worker("fourth", "rpc", "-P", "solo", BACKEND="rpc://")
    inspect = app.control.inspect(timeout=1)
    say("workers", wait(lambda: len(app.control.inspect(everywhere, timeout=1).ping() or {}) == 4, 60))

    get = lambda result: result.get(timeout=40)
    say("result", get(add.delay(2, 3)))
    say("group", get(group(add.s(i, i) for i in range(10))()))
    say("chain", get(chain(add.s(1, 1), add.s(10), add.s(100))()))
    say("chord", get(chord([add.s(i, 1) for i in range(5)])(total.s())))
    say("group of chains", get(group(chain(add.s(i, 1), add.s(i)) for i in range(3))()))
    say("retries", get(fail.delay(2)), notes("retries"))
    try:
        get(fail.delay(9))
    except Exception as e:
        say("retries spent", type(e).__name__)
    try:
        get(boom.delay())
    except ValueError as e:
        say("exception", e)

    sent = time.time()
    say("countdown", 0.6 < get(when.apply_async(countdown=0.7)) - sent < 5)
    times = sorted(get(group(slowly.s() for _ in range(6))()))
    say("rate limit", times[-1] - times[0] > 0.7)
    say("default routing", get(where.delay()))
    say("glob routing", get(feed.delay()))
    say("explicit routing", get(where.apply_async(queue="feeds")))
    paid.delay()
    say("topic routing", wait(lambda: len(notes("paid")) == 2), sorted(notes("paid")))

    ranked.delay("first", 1.0)
    time.sleep(0.3)  # the worker is busy, and the rest waits in the queue
    ranked.delay("without")
    for label, priority in (("low", 0), ("middle", 5), ("high", 9), ("middle again", 5)):
        ranked.apply_async((label,), priority=priority)
    say("priorities", wait(lambda: len(notes("ranked")) == 6), notes("ranked"))

    work = late.delay()
    wait(lambda: notes("late") == ["False"])
    os.killpg(running["third"].pid, signal.SIGKILL)
    running.pop("third").wait()
    replies = app.control.add_consumer("late", destination=["first@features"], reply=True, timeout=5)
    say("add_consumer", [list(r["first@features"]) for r in replies])
    say("late ack of a killed worker", get(work), notes("late"))

    rpc = Celery("features", broker=os.environ["BROKER_URL"], backend="rpc://")
    results = [rpc.send_task("add", (i, i), queue="rpc") for i in range(5)]
    say("rpc results", [get(r) for r in results])
    failed = rpc.send_task("boom", queue="rpc")
    say("rpc failure", repr(failed.get(timeout=20, propagate=False)), failed.status)

    say("ping", sorted(inspect.ping()))
    say("active queues", {name.split("@")[0]: sorted(q["name"] for q in queues) for name, queues in sorted(inspect.active_queues().items())})
    say("registered", sorted(inspect.registered()["first@features"]))
    say("prefetch", {name.split("@")[0]: s["prefetch_count"] for name, s in sorted(inspect.stats().items())})
    say("scheduled", [len(s) for s in inspect.scheduled().values()], [len(s) for s in inspect.reserved().values()])
    running["beat"] = start("beat", "-s", os.path.join(DIR, "schedule"), "--pidfile", "", "--max-interval", "1")
    say("beat", wait(lambda: len(notes("ticks")) >= 3))

    for process in running.values():
        process.terminate()
    say("ended", [process.wait(20) for process in running.values()])


if __name__ == "__main__":
    main()
