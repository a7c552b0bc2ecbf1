"""Ends: in time, and with nothing lost that was committed; many beginnings at once."""

import http.client
import contextlib
import random
import sqlite3
import threading
import time

from cases import case
from harness import check, until

DATABASE = "sessiond.db"


def rows(service, sql, *values):
    connection = sqlite3.connect(f"file:{service.data / DATABASE}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


@case()
def it_ends_within_three_seconds_and_a_little(place):
    service = place.service(peer=place.peer())
    session = service.open_session()
    service.operate(session, "monitor", seconds=600)
    service.operate(session, "digest", rounds=1000000000)
    until(lambda: service.figures()["active"] == 2, 10, service.figures)
    started = time.monotonic()
    service.stop()
    seconds = time.monotonic() - started
    check(2.9 < seconds, f"what runs has three seconds: {seconds:.1f}")
    check(seconds < 6, f"and no more: {seconds:.1f}")


@case()
def an_idle_one_ends_at_once(place):
    service = place.service()
    started = time.monotonic()
    service.stop()
    check(time.monotonic() - started < 3, f"{time.monotonic() - started:.1f} s")


@case()
def what_runs_may_finish(place):
    service = place.service(peer=place.peer(peer_delay_ms=150))
    session = service.open_session()
    task = service.operate(session, "scrape", pages=6)
    until(lambda: service.task(task)["state"] == "running", 10, "it runs")
    service.stop()
    stored = rows(service, "SELECT count(*) FROM messages")[0][0]
    check(stored == 600, f"{stored} messages are stored, not six pages of a hundred")


class Writer(threading.Thread):
    """Enqueues notes as fast as it can; keeps the ids it was told."""

    def __init__(self, service, session, told):
        super().__init__(daemon=True)
        self.service, self.session, self.told, self.enough = service, session, told, False

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException, AssertionError, ValueError, KeyError):
            while not self.enough:
                result = self.service.do(self.session, "enqueue", text="a note")
                self.told.add(result["queued"])


def check_queue(service, told):
    """Each is done once, or still there."""
    queue = dict(rows(service, "SELECT id, state FROM queue"))
    effects = [row[0] for row in rows(service, "SELECT queue_id FROM effects")]
    lost = sorted(told - set(queue))
    check(not lost, f"told to be queued, and gone: {lost[:5]}")
    check(len(effects) == len(set(effects)), "an effect twice")
    done = {identity for identity, state in queue.items() if state == "done"}
    check(set(effects) == done, f"effects without completion, or the other way round: {sorted(set(effects) ^ done)[:5]}")
    failed = [identity for identity, state in queue.items() if state == "failed"]
    check(not failed, f"failed for no fault of theirs: {failed[:5]}")
    return queue


@case(seconds=400)
def kills_at_random_moments_lose_nothing(place):
    chance = random.Random(4)
    service = place.service(worker_poll_ms=20, kept_results=1000)
    told = set()
    kills = 8 if place.quick else 200
    for number in range(kills):
        if number:
            service.launch()
        session = service.open_session(connected=False)
        writers = [Writer(service, session, told) for _ in range(2)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.01, 0.3))
        service.kill()
        for writer in writers:
            writer.enough = True
            writer.join(30)
        check_queue(service, told)
    check(len(told) >= kills, f"only {len(told)} were queued at all")
    service.launch()
    until(lambda: not rows(service, "SELECT 1 FROM queue WHERE state IN ('queued', 'claimed') LIMIT 1"), 60, "all are done")
    check(set(check_queue(service, told).values()) == {"done"}, "done")
    service.stop()


@case(seconds=120)
def twenty_at_once_seed_one_user(place):
    shared = place.directory / "shared.data"
    services = [place.service(wait=False, name=f"service-{number}", data_dir=shared, workers=1) for number in range(20)]
    for service in services:
        service.wait_until_well(60)
    users = sorted(rows(services[0], "SELECT name, count(*) FROM users GROUP BY name"))
    check(users == [("anna", 1), ("ben", 1), ("default", 1)], f"{users}")
    for service in services:
        service.process.terminate()
    for service in services:
        check(service.process.wait(60) == 0, f"{service.name}: {service.log[-1000:]}")
