"""Two queues that one worker shares: `celery worker -Q cslow,cquick -c 1`, which has one message at a time.

Each task appends a line with its kind to the file RECORD.
"""
import json
import os
import time

from celery import Celery

app = Celery("shared", broker=os.environ["BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    task_routes={"shared.slow": {"queue": "cslow"}, "shared.quick": {"queue": "cquick"}},
)


def record(kind):
    fd = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (json.dumps({"kind": kind}) + "\n").encode())
    os.close(fd)


@app.task(name="shared.slow")
def slow():
    time.sleep(0.02)
    record("slow")


@app.task(name="shared.quick")
def quick():
    record("quick")


if __name__ == "__main__":
    each = int(os.environ["EACH"])
    for task in [slow] * each + [quick] * each:
        task.delay()
    print(f"published {each} of each")
