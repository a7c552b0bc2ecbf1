"""Circuit breakers, at their exact thresholds, with dependencies that fail when they are told to."""

import contextlib
import http.server
import json
import os
import pathlib
import signal
import sqlite3
import threading
import time

from cases import case
from harness import check, until


class Stub:
    """A dependency behind a URL: it answers, fails or waits as it is told, and counts."""

    def __init__(self, answer):
        self.answer, self.mode, self.calls, self.go_on = answer, "well", 0, threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.calls += 1
                self.rfile.read(int(self.headers["Content-Length"]))
                mode = outer.mode
                if mode == "slow":
                    outer.go_on.wait(30)
                body = json.dumps(outer.answer).encode() if mode != "bad" else b"{}"
                with contextlib.suppress(OSError):
                    self.send_response(500 if mode == "bad" else 200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/ask"

    def close(self):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


OPERATIONS = {"search": {"query": "queue"}, "model": {"text": "good"}, "store": {"name": "blob"}}
NAMES = {"search": "search", "model": "score", "store": "archive"}
ANSWERS = {"search": {"hits": []}, "model": {"score": 0.5, "words": 1}, "store": {}}
THRESHOLDS = {"search": 3, "model": 5, "store": 3}


def breaker(service, name):
    return next(one for one in service.admin("circuit-breakers").expect(200)["breakers"] if one["name"] == name)


def ask(service, session, name, **fields):
    """The task when it has ended."""
    return service.ended(service.operate(session, NAMES[name], **{**OPERATIONS[name], **fields}))


def start(place, stub, name, **settings):
    service = place.service(peer=place.peer(), **{f"{name}_url": stub.url, **settings})
    return service, service.open_session()


def check_failures_open_it(service, session, stub, name):
    stub.mode = "bad"
    for failures in range(1, THRESHOLDS[name] + 1):
        check(breaker(service, name)["state"] == "closed", f"closed before failure {failures}")
        calls = stub.calls
        task = ask(service, session, name)
        check(task["state"] == "failed" and task["error"]["code"] == "bad_answer", task)
        check(stub.calls == calls + 1, "each was asked")
    check(breaker(service, name)["state"] == "open", f"open after {THRESHOLDS[name]}")


def thresholds(name):
    def exact(place):
        stub = Stub(ANSWERS[name])
        with contextlib.closing(stub):
            service, session = start(place, stub, name, **{f"{name}_open_ms": 2000})
            check(ask(service, session, name)["result"]["degraded"] is False, "well")
            check_failures_open_it(service, session, stub, name)
            opened, calls = time.monotonic(), stub.calls
            task = ask(service, session, name)
            check(stub.calls == calls, "nothing is asked while it is open")
            if name == "store":
                check(task["state"] == "failed" and task["error"]["code"] == "circuit_open", task)
            else:
                check(task["result"] == {**ANSWERS[name], "degraded": True}, f"the last good result: {task}")
            # One probe, which fails: open again, for as long.
            until(lambda: breaker(service, name)["retry_in_ms"] == 0, 5, "the time passed")
            check(time.monotonic() - opened > 1.5, "after two seconds, not before")
            ask(service, session, name)
            check(stub.calls == calls + 1, "one probe")
            check(breaker(service, name)["state"] == "open", "open again")
            # One that is well closes it.
            stub.mode = "well"
            until(lambda: breaker(service, name)["retry_in_ms"] == 0, 5, "the time passed again")
            check(ask(service, session, name)["result"]["degraded"] is False, "well again")
            check(breaker(service, name)["state"] == "closed", "closed")
            service.stop()
    exact.__name__ = f"{name}_at_its_thresholds"
    return exact


for each in OPERATIONS:
    case()(thresholds(each))


@case()
def a_success_between_failures_begins_anew(place):
    stub = Stub(ANSWERS["search"])
    with contextlib.closing(stub):
        service, session = start(place, stub, "search")
        for mode in ("bad", "bad", "well", "bad", "bad"):
            stub.mode = mode
            ask(service, session, "search")
        check(breaker(service, "search")["state"] == "closed", breaker(service, "search"))
        stub.mode = "bad"
        ask(service, session, "search")
        check(breaker(service, "search")["state"] == "open", breaker(service, "search"))
        service.stop()


@case()
def half_open_has_exactly_one_probe(place):
    stub = Stub(ANSWERS["search"])
    with contextlib.closing(stub):
        service, session = start(place, stub, "search", search_open_ms=500)
        check_failures_open_it(service, session, stub, "search")
        time.sleep(0.7)
        stub.mode, calls = "slow", stub.calls
        probe = service.operate(session, "search", query="queue")
        until(lambda: stub.calls == calls + 1, 10, "the probe arrives")
        check(breaker(service, "search")["state"] == "half-open", breaker(service, "search"))
        for _ in range(5):
            task = ask(service, session, "search")
            check(task["state"] == "failed" and task["error"]["code"] == "circuit_open", task)
        check(stub.calls == calls + 1, "no other one was let through")
        stub.go_on.set()
        service.result(probe)
        check(breaker(service, "search")["state"] == "closed", breaker(service, "search"))
        service.stop()


@case()
def a_slow_call_is_a_failure_and_a_cancelled_one_is_none(place):
    stub = Stub(ANSWERS["search"])
    with contextlib.closing(stub):
        service, session = start(place, stub, "search", search_limit_ms=300, search_failures=2)
        stub.mode = "slow"
        for _ in range(3):  # a client's own limit says nothing of the dependency
            task = ask(service, session, "search", limit_ms=100)
            check(task["state"] == "timed_out", task)
        check(breaker(service, "search")["failures"] == 0, breaker(service, "search"))
        for _ in range(2):
            task = ask(service, session, "search")
            check(task["state"] == "failed" and task["error"]["code"] == "time_limit", task)
        check(breaker(service, "search")["state"] == "open", breaker(service, "search"))
        service.stop()


@case()
def reset_by_hand(place):
    stub = Stub(ANSWERS["model"])
    with contextlib.closing(stub):
        service, session = start(place, stub, "model")
        check_failures_open_it(service, session, stub, "model")
        stub.mode = "well"
        check(service.admin("circuit-breakers/model/reset", "POST").status in (200, 204), "reset")
        check(breaker(service, "model")["state"] == "closed", breaker(service, "model"))
        check(ask(service, session, "model")["state"] == "completed", "asked again")
        service.admin("circuit-breakers/nothing/reset", "POST").expect(404)
        service.stop()


@case()
def the_model_that_dies_is_started_again(place):
    service = place.service(peer=place.peer(), model_limit_ms=500)
    session = service.open_session()
    check(ask(service, session, "model")["result"]["score"] == 0.67, "built in")
    child = child_of(service)
    os.kill(child, signal.SIGKILL)
    task = ask(service, session, "model")
    check(task["state"] == "failed", task)
    check(ask(service, session, "model")["state"] == "completed", "a new one")
    os.kill(child_of(service), signal.SIGSTOP)  # it does not answer
    task = ask(service, session, "model")
    check(task["state"] == "failed" and task["error"]["code"] == "time_limit", task)
    check(ask(service, session, "model")["state"] == "completed", "killed, and a new one")
    service.stop()


def child_of(service):
    """Threads have children of their own."""
    tasks = pathlib.Path(f"/proc/{service.process.pid}/task")
    children = " ".join((task / "children").read_text() for task in tasks.iterdir()).split()
    check(len(children) == 1, f"one child expected: {children}")
    return int(children[0])


@case()
def the_search_client_is_closed_when_idle_and_after_an_error(place):
    service = place.service(peer=place.peer(), search_idle_s=1, results_ms=100)
    session = service.open_session()
    check(breaker(service, "search")["client_open"] is False, "opened at the first use")
    service.do(session, "search", query="queue")
    check(breaker(service, "search")["client_open"] is True, "and kept")
    until(lambda: not breaker(service, "search")["client_open"], 10, "it is closed when idle")
    database = sqlite3.connect(service.data / "sessiond.db", timeout=30)
    database.execute("ALTER TABLE message_index RENAME TO elsewhere")
    task = ask(service, session, "search")
    check(task["state"] == "failed" and task["error"]["code"] == "database", task)
    check(breaker(service, "search")["client_open"] is False, "closed after the error")
    database.execute("ALTER TABLE elsewhere RENAME TO message_index")
    check(ask(service, session, "search")["state"] == "completed", "opened anew")
    check(breaker(service, "search")["client_users"] == 0, "nobody uses it")
    service.stop()
