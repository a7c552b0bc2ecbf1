"""Limits: how many tasks run at once, how many wait and for how long, how long each may take; handles of the pool; locks."""

import concurrent.futures
import socket
import time

from cases import case
from harness import check, token_of, until

ENDLESS = 1000000000  # rounds of a digest: longer than any case


def digest(service, session, **fields):
    return service.operate(session, "digest", rounds=ENDLESS, **fields)


def kind(service, name):
    return service.figures()["kinds"][name]


@case()
def five_database_tasks_at_once(place):
    service = place.service(task_queue_wait_ms=1500)
    session = service.open_session(connected=False)
    tasks = [digest(service, session) for _ in range(5)]
    until(lambda: service.figures()["active_database"] == 5, 10, "five run")
    started = time.monotonic()
    refused = service.post(f"/api/v1/sessions/{session}/operations", {"operation": "digest"})
    refused.expect(503, "queue_wait")
    check(1.4 < time.monotonic() - started, "the sixth should have waited before it was refused")
    check(refused.headers["Retry-After"], "a refusal says when to come again")
    check(kind(service, "database")["active"] == 5 and kind(service, "database")["refused"] == 1, service.figures())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(service.post, f"/api/v1/sessions/{session}/operations", {"operation": "digest"})
        until(lambda: service.figures()["queued"] == 1, 10, "the sixth waits")
        service.delete(f"/api/v1/tasks/{tasks[0]}").expect(202)
        service.result(waiting.result().expect(202)["task"])
    check(service.ended(tasks[0])["state"] == "cancelled", service.task(tasks[0]))
    service.delete(f"/api/v1/sessions/{session}").expect(200)
    until(lambda: service.figures()["active"] == 0, 20, lambda: f"the rest is cancelled: {service.figures()}")
    service.stop()


@case()
def fifty_general_tasks_at_once(place):
    service = place.service(peer=place.peer(), task_queue_wait_ms=1000)
    sessions = [service.open_session() for _ in range(51)]
    for session in sessions[:50]:
        service.operate(session, "monitor", seconds=600)
    until(lambda: kind(service, "general")["active"] == 50, 20, lambda: f"fifty run: {service.figures()}")
    send = {"operation": "send", "text": "one too many"}
    service.post(f"/api/v1/sessions/{sessions[50]}/operations", send).expect(503, "queue_wait")
    check(kind(service, "general")["active"] == 50, service.figures())
    service.do(sessions[50], "digest")  # those of the database have slots of their own
    service.delete(f"/api/v1/sessions/{sessions[0]}").expect(200)
    service.do(sessions[50], "send", text="now there is room")
    service.stop()


@case()
def no_more_than_256_wait(place):
    service = place.service(general_tasks=1, task_queue_wait_ms=20000, session_queue=1000, peer=place.peer())
    session = service.open_session()
    service.operate(session, "monitor", seconds=600)
    body = b'{"operation":"search","query":"anything"}'
    request = (f"POST /api/v1/sessions/{session}/operations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
               f"Authorization: Bearer {token_of('anna')}\r\n\r\n").encode() + body
    clients = []
    try:
        for _ in range(256):
            clients.append(socket.create_connection(("127.0.0.1", service.port)))
            clients[-1].sendall(request)
        until(lambda: service.figures()["queued"] == 256, 10, lambda: f"256 wait: {service.figures()}")
        service.post(f"/api/v1/sessions/{session}/operations", {"operation": "search", "query": "x"}).expect(503, "queue_full")
        service.post("/api/v1/sessions", {"name": "last"}).expect(503, "queue_full")
        check(len(service.get("/api/v1/sessions").json["sessions"]) == 1, "a session that was refused is not there")
    finally:
        for client in clients:
            client.close()
    service.stop()


@case()
def tasks_end_at_their_time_limits(place):
    service = place.service(peer=place.peer(), database_limit_ms=400, general_limit_ms=600)
    session = service.open_session()
    for operation, fields, limit in (("digest", {"rounds": ENDLESS}, 400), ("monitor", {"seconds": 600}, 600),
                                     ("monitor", {"seconds": 600, "limit_ms": 200}, 200)):
        task = service.ended(service.operate(session, operation, **fields))
        check(task["state"] == "timed_out" and task["error"]["code"] == "time_limit", f"{operation}: {task}")
        took = task["ended_ms"] - task["started_ms"]
        check(limit - 5 <= took, f"{operation} took {took} ms of {limit}")
    service.do(session, "send", text="the session is usable")
    check(kind(service, "database")["timed_out"] == 1 and kind(service, "general")["timed_out"] == 2, service.figures())
    service.stop()


@case()
def thirty_handles_and_a_limited_wait_for_one(place):
    service = place.service(database_tasks=40, pool_wait_ms=800, workers=0, database_limit_ms=60000, alerts_ms=50, session_queue=64)
    session = service.open_session(connected=False)
    tasks = [digest(service, session) for _ in range(30)]

    def pool():
        return service.dashboard()["pools"][0]
    until(lambda: pool()["checked_out"] == 30, 20, lambda: f"all handles are out: {pool()}")
    check(pool()["overflow"] == 20, f"ten of them are kept: {pool()}")
    task = service.ended(digest(service, session))
    check(task["state"] == "failed" and task["error"]["code"] in ("pool_timeout",), f"{task}")
    check(task["ended_ms"] - task["started_ms"] >= 800, f"it should have waited: {task}")
    until(lambda: [a for a in service.admin("alerts").json["alerts"] if a["kind"] == "pool" and a["active"]], 10, "an alert")
    for one in tasks:
        service.delete(f"/api/v1/tasks/{one}").expect(202)
    until(lambda: pool()["checked_out"] == 0, 20, lambda: f"all come back: {pool()}")
    check(pool()["checked_in"] == 10 and pool()["overflow"] == 0 and pool()["timeouts"] == 1, pool())
    until(lambda: [a for a in service.admin("alerts").json["alerts"] if a["kind"] == "pool" and a["cured_ms"] >= a["started_ms"] > 0],
          10, "the alert's end")
    service.stop()


@case()
def a_lock_that_is_not_had_in_time_is_an_error_of_that_client_alone(place):
    service = place.service(peer=place.peer(), lock_timeout_ms=300)
    busy, other = service.open_session(), service.open_session()
    long = service.operate(busy, "monitor", seconds=600)
    until(lambda: service.task(long)["state"] == "running", 10, "it runs")
    late = [service.operate(busy, "send", text="too late") for _ in range(2)]
    service.do(other, "send", text="nothing stands in my way")
    for task in map(service.ended, late):
        check(task["state"] == "failed" and task["error"]["code"] == "lock_timeout", f"{task}")
    service.delete(f"/api/v1/tasks/{long}").expect(202)
    check(service.ended(long)["state"] == "cancelled", f"{service.task(long)}")
    service.do(busy, "send", text="the session is usable")
    service.stop()
    check("timed out" in service.log, "it is in the log")


@case()
def operations_of_one_session_queue_up(place):
    service = place.service(peer=place.peer(peer_delay_ms=50), session_queue=4)
    session = service.open_session()
    tasks = []
    for number in range(40):
        answer = service.post(f"/api/v1/sessions/{session}/operations", {"operation": "send", "text": f"{number}"})
        if answer.status == 503:
            break
        tasks.append(answer.expect(202)["task"])
    answer.expect(503, "session_busy")
    numbers = [service.result(task)["number"] for task in tasks]
    check(len(set(numbers)) == len(numbers) >= 4, f"each was sent once: {numbers}")
    service.stop()
