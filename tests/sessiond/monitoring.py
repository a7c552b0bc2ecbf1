"""The administrator's figures, alerts with their beginning and end, periodic jobs, and the page in a browser."""

import importlib.util
import json
import os
import sqlite3
import time

from cases import case
from harness import ADMIN, ROOT, check, until

ENDLESS = 1000000000


@case()
def the_dashboard_has_every_part(place):
    service = place.service(peer=place.peer(), worker_heartbeat_ms=100, backlog_ms=100)
    session = service.open_session()
    service.do(session, "enqueue", text="a note")
    until(lambda: service.dashboard()["queue"]["done"] == 1, 10, lambda: f"the note is done: {service.dashboard()['queue']}")
    whole = service.dashboard()
    check(set(whole) == {"health", "service", "http", "tasks", "pools", "loops", "events", "breakers", "workers", "queue", "alerts", "locks"},
          f"{sorted(whole)}")
    check(whole["health"]["status"] == "ok" and whole["service"]["sessions"] == 1, whole["service"])
    check([pool["name"] for pool in whole["pools"]] == ["main", "sync"], whole["pools"])
    check([pool["most"] for pool in whole["pools"]] == [30, 15], whole["pools"])
    check([breaker["name"] for breaker in whole["breakers"]] == ["search", "model", "store"], whole["breakers"])
    check({loop["name"] for loop in whole["loops"]} >= {"http", "jobs", "worker-1", "worker-2", "worker-3"}, whole["loops"])
    check(all(loop["beat_age_ms"] <= loop["heartbeat_ms"] for loop in whole["loops"]), whole["loops"])
    check(len(whole["workers"]) == 3 and all(worker["alive"] for worker in whole["workers"]), whole["workers"])
    until(lambda: all(worker["heartbeats"] > 0 for worker in service.admin("worker-pool").json["workers"]), 10, "heartbeats are recorded")
    check(whole["service"]["rss_bytes"] > 1 << 20 and whole["service"]["vms_bytes"] > whole["service"]["rss_bytes"], whole["service"])
    check(service.admin("circuit-breakers").json["breakers"][0]["failures_limit"] == 3, "of search")
    service.stop()


@case()
def locks_tell_what_was_held_and_waited_for(place):
    service = place.service(peer=place.peer(), environment={"LOCKGRAPH_OPTIONS": "profile=1"})
    answer = service.admin("locks")
    if place.bare:
        answer.expect(501, "no_lockgraph")
        check(service.dashboard()["locks"] is None, "nor are they on the dashboard")
        return
    session = service.open_session()
    long = service.operate(session, "monitor", seconds=1)
    until(lambda: service.task(long)["state"] == "running", 10, "it runs")
    service.do(session, "send", text="has to wait for the other")
    locks = service.admin("locks").expect(200)
    classes = {one["name"]: one for one in locks["classes"]}
    check("session.operation" in classes, f"{sorted(classes)}")
    operation = classes["session.operation"]
    check(operation["waits"] >= 1 and 0.1 < operation["wait_max_s"] < 30, f"{operation}")
    check(operation["holds"] >= 2 and operation["hold_max_s"] > 0.5, f"{operation}")
    check({"manager.metrics", "manager.global_task"} <= set(classes), f"{sorted(classes)}")
    check(locks["process"]["findings"] == 0, locks["process"])
    service.stop()


# Those of the documented order that Lockgraph knows by a class of their own.
DOCUMENTED = {"manager.global_task": 10, "manager.metrics": 11, "manager.scrape_slots": 20, "manager.operation_slots": 21,
              "manager.session_locks": 30, "session.operation": 40, "session.task": 50, "session.handler": 60, "pool.slots": 70}


@case(bare=False)
def locks_tell_what_was_waited_for_without_being_asked_to(place):
    service = place.service(peer=place.peer())
    session = service.open_session()
    locks = service.admin("locks").expect(200)
    check({one["name"]: one["level"] for one in locks["classes"] if "level" in one} == DOCUMENTED, locks["classes"])
    check(locks["holds_timed"] is False and not any("holds" in one for one in locks["classes"]), locks["classes"])
    long = service.operate(session, "monitor", seconds=1)
    until(lambda: service.task(long)["state"] == "running", 10, "it runs")
    service.do(session, "send", text="has to wait for the other")
    first = service.admin("locks").json["classes"][0]  # longest waited for
    check(first["name"] == "session.operation" and first["waits"] == 1 and 0.1 < first["wait_max_s"] < 30, first)
    service.stop()


@case()
def alerts_begin_and_end(place):
    service = place.service(alerts_ms=50, search_url="http://127.0.0.1:1/", search_open_ms=300)

    def alert(kind, active):
        found = [one for one in service.admin("alerts").json["alerts"] if one["kind"] == kind and one["active"] == active]
        return found[0] if found else None
    session = service.open_session(connected=False)
    tasks = [service.operate(session, "digest", rounds=ENDLESS) for _ in range(3)]
    time.sleep(0.3)
    check(alert("database-tasks", True) is None, "three are well")
    tasks.append(service.operate(session, "digest", rounds=ENDLESS))
    until(lambda: alert("database-tasks", True), 10, "four are not")
    for task in tasks:
        service.delete(f"/api/v1/tasks/{task}").expect(202)
    over = until(lambda: alert("database-tasks", False), 10, "it is over")
    check(over["cured_ms"] >= over["started_ms"] > 0, f"{over}")
    for _ in range(12):
        service.ended(service.operate(session, "search", query="anything"))
    check(until(lambda: alert("breaker", True), 10, "the breaker is open")["subject"] == "search", "of search")
    until(lambda: alert("failures", True), 10, "more than one in ten failed")
    service.admin("circuit-breakers/search/reset", "POST").expect(200)
    until(lambda: alert("breaker", False), 10, "the breaker is closed")
    service.stop()
    for words in ("alert: database-tasks", "alert is over: database-tasks", "alert: breaker search", "alert is over: breaker search"):
        check(words in service.log, f"{words}: {service.log}")


@case()
def a_backlog_is_an_alert(place):
    service = place.service(alerts_ms=50, backlog_ms=50, alert_backlog=5, workers=0)

    def backlog():
        return [one for one in service.admin("alerts").json["alerts"] if one["kind"] == "backlog"]
    session = service.open_session(connected=False)
    for number in range(5):
        service.do(session, "enqueue", text=f"{number}")
    until(lambda: service.dashboard()["queue"]["queued"] == 5, 10, "five wait")
    time.sleep(0.2)
    check(not backlog(), "five are well")
    service.do(session, "enqueue", text="one more")
    check(until(backlog, 10, "six are not")[0]["active"], f"{backlog()}")
    with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
        database.execute("DELETE FROM queue")
    until(lambda: not backlog()[0]["active"], 10, "it is over")
    service.stop()


@case()
def what_was_done_long_ago_is_purged(place):
    service = place.service(kept_queue_s=1, queue_purge_ms=100)
    session = service.open_session(connected=False)
    with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
        database.execute("INSERT INTO queue (name, payload, user_id, state, created_ms, done_ms) VALUES ('note', '', 2, 'failed', 0, 0)")
        database.executemany("INSERT INTO queue (name, payload, user_id, state, created_ms, done_ms) VALUES ('note', '', 2, 'done', 0, ?)",
                             [(number,) for number in range(1500)])
    service.do(session, "enqueue", text="a note")

    def left(table):
        with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
            return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    until(lambda: left("effects") == 1, 10, "the note is done")
    until(lambda: left("queue") == 1 and left("effects") == 0, 10, lambda: f"{left('queue')} rows, {left('effects')} effects")
    service.stop()
    check("1500 durable tasks that were done long ago are forgotten" in service.log, service.log)


@case()
def old_messages_and_what_a_crash_left_are_purged(place):
    service = place.service(kept_message_s=3600, kept_messages=700, queue_purge_ms=100)
    blobs, now = service.data / "blobs", time.time()
    for name, age in ((".4711.0", 7200), (".4711.1", 0), ("2.notes.txt", 7200)):
        (blobs / name).write_text("x")
        os.utime(blobs / name, (now - age, now - age))
    with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
        users = dict(database.execute("SELECT name, id FROM users"))
        rows = [(users["anna"], number, 0) for number in range(600)]
        rows += [(users["anna"], 1000 + number, int(now * 1000)) for number in range(300)]
        rows += [(users["ben"], 2000 + number, int(now * 1000)) for number in range(1800)]
        database.executemany("INSERT INTO messages (user_id, session_id, peer_number, sender, text, stored_ms) VALUES (?, 1, ?, 'x', 'word', ?)", rows)

    def left():
        with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
            return dict(database.execute("SELECT u.name, count(*) FROM messages m JOIN users u ON u.id = m.user_id GROUP BY u.id"))
    until(lambda: left() == {"anna": 300, "ben": 700}, 20, lambda: f"{left()}")
    with sqlite3.connect(service.data / "sessiond.db", timeout=30) as database:
        check(database.execute("SELECT min(peer_number) FROM messages WHERE user_id = ?", (users["ben"],)).fetchone() == (3100,), "the newest stay")
        check(database.execute("SELECT count(*) FROM message_index WHERE message_index MATCH 'word'").fetchone() == (1000,), "so does the index")
    until(lambda: sorted(blob.name for blob in blobs.iterdir()) == [".4711.1", "2.notes.txt"], 10, lambda: f"{list(blobs.iterdir())}")
    service.stop()
    check("messages that are old, or too many are forgotten" in service.log and "1 files that were begun" in service.log, service.log)


@case()
def archives_are_bounded(place):
    service = place.service(peer=place.peer(), archives_per_user=2)
    session, others = service.open_session(), service.open_session(user="ben")
    for name in ("one", "two", "one"):
        service.do(session, "archive", name=name)
    refused = service.ended(service.operate(session, "archive", name="three"))
    check(refused["state"] == "failed" and refused["error"]["code"] == "too_many_archives", refused)
    service.do(session, "archive", name="two")
    service.do(others, "archive", user="ben", name="three")
    check(len(list((service.data / "blobs").iterdir())) == 3, "no file without a name of its own")
    service.stop()


@case()
def every_job_has_its_switch(place):
    often = {"pool_figures_ms": 50, "memory_ms": 50, "limiter_cleanup_ms": 50}
    service = place.service(rate_per_s=1000, burst=10, **often)
    service.get("/api/v1/sessions")
    until(lambda: service.log.count("pool main:") > 2 and service.log.count("memory:") > 2, 10, "figures are logged")
    until(lambda: service.dashboard()["service"]["rate_buckets"] == 0, 10, "buckets are cleaned up")
    service.stop()
    names = ("limiter_cleanup", "pool_figures", "backlog", "memory", "alerts", "results", "queue")
    service = place.service(name="without", rate_per_s=1000, burst=10, **often, **{f"job_{name}": "off" for name in names})
    service.get("/api/v1/sessions")
    time.sleep(0.5)
    check("pool main:" not in service.log and service.log.count("memory:") <= 1, service.log)
    check(service.dashboard()["service"]["rate_buckets"] == 1, "nobody cleans up")
    service.stop()


def browser():
    """That of the end-to-end tests, with the loopback to go to."""
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests/end_to_end/browser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ARGUMENTS = [argument + (", EXCLUDE 127.0.0.1" if argument.startswith("--host-resolver-rules") else "") for argument in module.ARGUMENTS]
    return module


def log_in(page, token):
    page.find("#token").type(token)
    page.find("#login button").click()


@case(seconds=90, bare=False)
def the_dashboard_in_a_browser(place):
    service = place.service(peer=place.peer(), model_url="http://127.0.0.1:1/", backlog_ms=100,
                            environment={"LOCKGRAPH_OPTIONS": "profile=1"})
    session = service.open_session()
    for _ in range(6):
        service.ended(service.operate(session, "score", text="what a fine day"))
    service.operate(session, "monitor", seconds=600)
    with browser().page() as page:
        page.show(1280, 900)
        page.call("POST", "/url", {"url": f"http://127.0.0.1:{service.port}/api/v1/monitoring/dashboard"})
        page.expect(lambda: page.texts("#entry-title") == ["Administrator's token"], "it asks for the token")
        log_in(page, "not-the-administrators-token")
        page.expect(lambda: "not the administrator's" in page.texts("#trouble")[0], "a wrong one is told")
        log_in(page, ADMIN)
        page.expect(lambda: page.texts("#service h2") == ["Service"], "the dashboard is shown")
        check([text for text in page.texts("#board h2")] == ["Service", "Alerts", "Tasks", "Database handles", "Circuit breakers",
                                                            "Workers and their queue", "Event loops", "Locks"], page.texts("#board h2"))
        for words, part in (("monitor", "#tasks"), ("main", "#pools"), ("worker-1", "#workers"), ("http", "#loops"),
                            ("model", "#breakers"), ("open", "#breakers"), ("manager.metrics", "#locks"), ("breaker", "#alerts")):
            page.expect(lambda: words in page.texts(part)[0], f"{words} is in {part}: {page.texts(part)}")
        before = page.texts("#when")[0]
        page.expect(lambda: page.texts("#when")[0] != before, "it looks again by itself")
        page.find("[data-reset=model]").click()
        page.expect(lambda: not page.texts("[data-reset=model]"), "the breaker is reset by hand")
        check(service.admin("circuit-breakers").json["breakers"][1]["state"] == "closed", "it is")
        for width, theme in ((1280, "light"), (1280, "dark"), (380, "dark"), (380, "light")):
            page.show(width, 900, theme)
            check(page.run("return document.documentElement.scrollWidth <= window.innerWidth"), f"wider than its window at {width}")
            wrong = page.run(CONTRAST)
            check(not wrong, f"too little contrast ({theme}): {wrong}")
        check(page.run("return [...document.querySelectorAll('button, input, meter')].every((one) => one.labels?.length || one.ariaLabel || one.textContent)"),
              "every control has a name")
        page.find("#leave").click()
        page.expect(lambda: page.texts("#board")[0] == "", "nothing is left of it")
        complaints = [text for text in page.complaints() if "401" not in text]
        check(not complaints, f"{complaints}")
    check(ADMIN not in service.log, "the token is in the log")
    service.stop()


# Text against what is behind it: at least 4.5 to 1.
CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = (one) => { for (; one; one = one.parentElement) { const c = parse(getComputedStyle(one).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
return [...document.querySelectorAll('h1, h2, h3, th, td, dt, dd, caption, .pill, button, label, .none')].filter((one) => one.checkVisibility() && one.textContent.trim()).filter((one) => {
    const a = light(parse(getComputedStyle(one).color)), b = light(behind(one));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
}).map((one) => one.outerHTML.slice(0, 120)).slice(0, 3);
"""
