"""What sessions do: each operation, in order, over a real peer; connections that are lost; queues."""

import re
import sqlite3
import time

from cases import case
from harness import check, until


@case()
def every_operation(place):
    service = place.service(peer=place.peer(peer_history=1000))
    session = service.open_session()
    scraped = service.do(session, "scrape", pages=5)
    check(scraped == {"pages": 5, "messages": 500, "stored": 500, "next": 500}, scraped)
    again = service.do(session, "scrape", pages=2)
    check(again["messages"] == 200 and again["stored"] == 0, f"nothing is stored twice: {again}")
    rest = service.do(session, "scrape", **{"from": 950, "pages": 100})
    check(rest == {"pages": 1, "messages": 50, "stored": 50, "next": 1000}, f"the history ends: {rest}")
    check(service.do(session, "send", text="all works, thanks") == {"number": 1000}, "the next number")
    hits = service.do(session, "search", query="thanks", limit=3)
    check(len(hits["hits"]) == 3 and hits["degraded"] is False, hits)
    check(hits["hits"][0]["text"] == "all works, thanks", f"the newest first: {hits}")
    scored = service.do(session, "score", text="great, it works. slow though.")
    check(scored == {"score": 0.6, "words": 5, "degraded": False}, scored)
    digest = service.do(session, "digest", rounds=3)
    check(digest["messages"] == 551 and digest["rounds"] == 3 and digest["bytes"] > 551, digest)
    archived = service.do(session, "archive", name="notes.txt")
    blobs = list((service.data / "blobs").iterdir())
    check([blob.name for blob in blobs] == ["2.notes.txt"], blobs)  # 2: anna, after the default user
    check(archived["messages"] == 551 and blobs[0].stat().st_size == archived["bytes"], archived)
    check(archived["checksum"] == fnv(blobs[0].read_bytes()), archived)
    check(service.do(session, "broadcast", text="hello") == {"subscribers": 0}, "nobody listens")
    service.stop()


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


@case()
def a_search_answers_with_what_can_be_kept(place):
    service = place.service()
    session = service.open_session(connected=False)
    with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
        anna = database.execute("SELECT id FROM users WHERE name = 'anna'").fetchone()[0]
        database.executemany("INSERT INTO messages (user_id, session_id, peer_number, sender, text, stored_ms) VALUES (?, ?, ?, 'x', ?, 0)",
                             [(anna, session, number, "word " + "\x01" * 1990) for number in range(100)])
    few = service.do(session, "search", query="word", limit=2)
    check(len(few["hits"]) == 2 and "truncated" not in few, f"{len(few['hits'])}")
    many = service.do(session, "search", query="word", limit=100)
    check(0 < len(many["hits"]) < 10 and many["truncated"] is True, f"{len(many['hits'])} hits")
    service.stop()


@case()
def enqueue_has_its_effect_once(place):
    service = place.service(peer=place.peer())
    session = service.open_session()
    ids = [service.do(session, "enqueue", text=f"note {number}")["queued"] for number in range(10)]
    database = sqlite3.connect(service.data / "sessiond.db", timeout=30)
    effects = until(lambda: rows_if(database, len(ids)), 20, "ten effects")
    check([queued for queued, _ in effects] == ids, effects)
    check([text for _, text in effects] == [f"note {number}" for number in range(10)], effects)
    service.stop()


def rows_if(database, count):
    rows = database.execute("SELECT queue_id, text FROM effects ORDER BY queue_id").fetchall()
    return rows if len(rows) == count else None


@case()
def monitor_tells_subscribers_and_queues_the_rest(place):
    service = place.service(peer=place.peer())
    watching = service.open_session(name="room")
    other = service.open_session(name="room")
    began = time.monotonic()
    task = service.operate(watching, "monitor", seconds=3)
    until(lambda: service.task(task)["state"] == "running", 10, "it runs")
    time.sleep(0.5)
    behind = service.operate(watching, "send", text="after")
    service.do(other, "send", text="first")
    service.do(other, "send", text="second")
    service.do(watching, "search", query="nothing")  # needs no connection, and passes it
    check(service.task(behind)["state"] == "running", "it waits for the connection, in its task")
    view = service.get(f"/api/v1/sessions/{watching}").expect(200)
    check(view["running"] == 1 and view["waiting"] == 1, f"one works, one waits: {view}")
    check(service.result(task) == {"events": 2, "seconds": 3}, service.task(task))
    check(service.result(behind)["number"] > 0 and time.monotonic() - began > 3, "one after another")
    service.stop()


def end_peer(place):
    """The first process that was started."""
    place.processes[0].kill()
    place.processes[0].wait(10)


@case()
def a_lost_connection_is_made_again(place):
    first = place.peer(name="first")
    service = place.service(peer=first)
    session = service.open_session()
    service.do(session, "send", text="before")
    end_peer(place)
    place.peer(name="second", peer_port=first)
    service.do(session, "send", text="nobody notices")
    view = service.get(f"/api/v1/sessions/{session}").expect(200)
    check((view["state"], view["reconnects"], view["failed"]) == ("connected", 1, 0), view)
    service.stop()


@case()
def a_peer_that_is_gone_is_an_error_and_the_session_stays_usable(place):
    first = place.peer(name="first")
    service = place.service(peer=first)
    session = service.open_session()
    end_peer(place)
    began = time.monotonic()
    task = service.ended(service.operate(session, "send", text="nobody hears it"))
    check(task["state"] == "failed" and task["error"]["code"] == "unreachable", task)
    check(time.monotonic() - began > 1.4, "with pauses of 100, 200, 400 and 800 ms")
    view = service.get(f"/api/v1/sessions/{session}").expect(200)
    check(view["state"] == "lost" and view["failed"] == 1, view)
    place.peer(name="second", peer_port=first)
    service.do(session, "send", text="after")
    view = service.get(f"/api/v1/sessions/{session}").expect(200)
    check(view["state"] == "connected" and view["reconnects"] == 1, view)
    service.stop()


@case()
def a_session_that_is_deleted_cancels_its_operations(place):
    service = place.service(peer=place.peer())
    session, other = service.open_session(), service.open_session()
    tasks = [service.operate(session, "monitor", seconds=60), service.operate(session, "send", text="waits")]
    service.delete(f"/api/v1/sessions/{session}").expect(200)
    for task in tasks:
        check(service.ended(task, seconds=5)["state"] == "cancelled", service.task(task))
    service.get(f"/api/v1/sessions/{session}").expect(404)
    service.do(other, "send", text="others go on")
    service.stop()


@case()
def a_session_has_a_queue(place):
    service = place.service(peer=place.peer(), session_queue=2, lock_timeout_ms=20000)
    session = service.open_session()
    running = service.operate(session, "monitor", seconds=60)
    until(lambda: service.get(f"/api/v1/sessions/{session}").expect(200)["running"] == 1, 10, "it runs")
    for _ in range(2):
        service.operate(session, "send", text="waits")
    full = service.post(f"/api/v1/sessions/{session}/operations", {"operation": "send", "text": "one too many"})
    full.expect(503, "session_busy")
    check(int(full.headers["Retry-After"]) >= 1, "Retry-After")
    service.delete(f"/api/v1/sessions/{session}").expect(200)
    check(service.ended(running)["state"] == "cancelled", "cancelled")
    service.stop()


@case()
def a_lock_that_is_not_to_be_had_is_an_error_of_one_session(place):
    service = place.service(peer=place.peer(), lock_timeout_ms=500)
    session, other = service.open_session(), service.open_session()
    service.operate(session, "monitor", seconds=60)
    until(lambda: service.get(f"/api/v1/sessions/{session}").expect(200)["running"] == 1, 10, "it runs")
    late = service.ended(service.operate(session, "send", text="too late"))
    check(late["state"] == "failed" and late["error"]["code"] == "lock_timeout", late)
    service.do(other, "send", text="others go on")
    check("timed out acquiring &session->locks.operation" in service.log, service.log)
    service.delete(f"/api/v1/sessions/{session}").expect(200)
    service.stop()


@case(bare=False)
def limits_can_follow_how_long_locks_are_held(place):
    service = place.service(peer=place.peer(), adaptive_timeouts="on", adaptive_min_ms=700)
    session = service.open_session()
    for number in range(110):
        service.do(session, "send", text=f"message {number}")
    changes = [line for line in service.log.splitlines() if re.search(r"limit \d+ ms; of \d+ holds", line)]
    mine = [line for line in changes if " send: session.operation (level 40" in line]
    check(mine and "INFO session" in mine[0], f"by class and operation, after 100 holds: {changes[:5]}")
    check(int(re.search(r"limit (\d+) ms", mine[0])[1]) >= 700, mine)
    service.stop()


@case()
def what_is_not_well_formed_is_told(place):
    service = place.service(peer=place.peer())
    session = service.open_session()
    path = f"/api/v1/sessions/{session}/operations"
    for body, field in (({}, "operation"), ({"operation": "dance"}, "operation"), ({"operation": "send"}, "text"),
                        ({"operation": "send", "text": 7}, "text"), ({"operation": "send", "text": "a\nb"}, "text"),
                        ({"operation": "send", "text": "x" * 2001}, "text"), ({"operation": "send", "text": ""}, "text"),
                        ({"operation": "scrape", "pages": 0}, "pages"), ({"operation": "scrape", "pages": "5"}, "pages"),
                        ({"operation": "scrape", "text": "x"}, "text"), ({"operation": "search"}, "query"),
                        ({"operation": "digest", "rounds": 1.5}, "rounds"),
                        ({"operation": "archive", "name": "../../etc/passwd"}, "name"), ({"operation": "archive", "name": ".x"}, "name"),
                        ({"operation": "score", "text": "x", "limit_ms": 0}, "limit_ms")):
        service.post(path, body).expect(400, "bad_field", field)
    for body, field in (({}, "name"), ({"name": ""}, "name"), ({"name": "a b"}, "name"), ({"name": "a", "port": 0}, "port"),
                        ({"name": "a", "colour": "red"}, "colour"), ({"name": "a", "host": 1}, "host")):
        service.post("/api/v1/sessions", body).expect(400, "bad_field", field)
    service.post(path, {"operation": "search", "query": '"'}).expect(400, "bad_field", "query")
    service.stop()
