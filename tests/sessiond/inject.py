"""Each way of breaking it: what Lockgraph finds, and what users would see without."""

import calendar
import dataclasses
import json
import re
import subprocess
import time

from cases import case
from harness import EXIT_FINDINGS, SLOWNESS, check

SECONDS = 5  # within which each is found


@dataclasses.dataclass
class Expected:
    kind: str
    severity: str
    locks: dict      # name of each lock in the finding, with its level
    says: tuple      # in its title or explanation
    symptom: str     # what the log says without Lockgraph
    beside: tuple = ()  # other kinds that tell of the same, first


EXPECTED = {
    "reverse-order": Expected(
        "level-violation", "error", {"manager.metrics": 11, "session.operation": 40},
        ("takes manager.metrics (level 11", "while it holds session.operation (level 40", "send_and_count"),
        "was not to be had in time"),
    "abba": Expected(
        "deadlock", "error", {"session.task": 50, "session.handler": 60},
        ("wait for each other", "call_handlers", "sd_session_remove_handler"),
        "was not to be had in time", beside=("level-violation",)),
    "three-way": Expected(
        "deadlock", "error", {"manager.session_locks": 30},
        ("wait for one another", "move_messages"), "to->place was not to be had in time", beside=("level-violation",)),
    "pool-exhaustion": Expected(
        "deadlock", "error", {"pool.slots": 70},
        ("pool.slots has 30 slots, and all are held by threads that wait themselves", "look_up"),
        "no handle of pool main was free within"),
    "held-over-io": Expected(
        "blocked-under-lock", "warning", {"session.task": 50}, ("while it holds session.task", "view_with_history"),
        "a look at the session took 1"),
    "stall": Expected(
        "heartbeat-missed", "warning", {}, ("(notices) missed its heartbeat (1000 ms)",), "the next notice came after 2"),
    "lost-task": Expected("user", "error", {}, ("task lost: import, task 1",), "task 1 ended without a word of why"),
    "unlock-twice": Expected(
        "unlock-unheld", "error", {"session.operation": 40}, ("unlocks session.operation, which nobody holds", "scrape"),
        "session.operation cannot be destroyed"),
    "forgotten-unlock": Expected(
        "thread-exit-held", "error", {"session.task": 50}, ("ends while it holds session.task", "add_entry"),
        "session->task was not to be had in time"),
    "signal-handler": Expected(
        "signal-unsafe", "error", {"manager.metrics": 11}, ("handler of SIGUSR1", "count_signal"), "a page of figures took",
        beside=("self-deadlock",)),
    "fork-held": Expected(
        "fork-held", "error", {"manager.metrics": 11}, ("asks for manager.metrics", "start_helper"),
        "the helper was not up after"),
}


def arguments(place, name):
    return [place.program, "--port", 0, "--data-dir", place.directory / "data", "--inject", name]


def run(place, command, seconds):
    """Exit status, and how long it took."""
    started = time.monotonic()
    process = place.start(*command, name="sessiond")
    try:
        status = process.wait(seconds * SLOWNESS)
    except subprocess.TimeoutExpired:
        check(False, f"still running after {seconds * SLOWNESS:.0f} s")
    return status, time.monotonic() - started


def report(place):
    told = subprocess.run([place.build.lockgraph, "report", "--format", "json", place.directory / "lockgraph.data"],
                          capture_output=True, check=False, timeout=60 * SLOWNESS)
    return json.loads(told.stdout)


def seconds_of(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{fraction or 0}")


def check_locks(told, finding, expected):
    locks = {lock["id"]: lock for lock in told["locks"]}
    found = {locks[lock]["name"]: locks[lock].get("level") for lock in finding["locks"]}
    found = {re.sub(r"#\d+$", "", name): level for name, level in found.items()}
    check(found == expected.locks, f"locks {expected.locks} expected, not {found}")


def check_found(place, name, expected):
    told = report(place)
    graver = [finding for finding in told["findings"] if finding["severity"] != "note"]
    ours = [finding for finding in graver if finding["kind"] == expected.kind]
    others = [finding["title"] for finding in graver if finding["kind"] not in (expected.kind, *expected.beside)]
    check(len(ours) == 1 and not others, f"one {expected.kind} expected and nothing else: {[f['title'] for f in graver]}")
    finding = ours[0]
    check(finding["severity"] == expected.severity, f"{expected.severity} expected: {finding['title']}: {finding['severity']}")
    text = finding["title"] + finding["explanation"] + json.dumps(finding)
    for words in expected.says:
        check(words in text, f"{words!r} expected in: {finding['title']} {finding['explanation']}")
    check_locks(told, finding, expected)
    injected = re.search(rf"\[(\d+\.\d+)\] WARNING manager: injecting {name}", place.log())
    check(injected, "the log should say what is injected")
    after = seconds_of(finding["time"]) - float(injected[1])
    check(after <= SECONDS * SLOWNESS, f"found after {after:.1f} s")


def with_lockgraph(place, name, expected):
    command = [place.build.lockgraph, "run", "--fail-on", "warning", "--on-deadlock", "kill", "--", *arguments(place, name)]
    status, seconds = run(place, command, 40)
    check(status == EXIT_FINDINGS, f"exit status {EXIT_FINDINGS} expected, not {status}: {place.log()[-2000:]}")
    check_found(place, name, expected)
    check(seconds <= SECONDS * SLOWNESS, f"with its start and its end it took {seconds:.1f} s")


def without(place, name, expected):
    """Waits are as long as ever, but for those whose end is the symptom."""
    limits = ["--pool-wait-ms", 2000] if name == "pool-exhaustion" else []
    limits += ["--lock-timeout-ms", 2000] if "had in time" in expected.symptom else []
    status, _ = run(place, [*arguments(place, name), *limits], 30)
    check(status == 1, f"exit status 1 expected, not {status}")
    check(expected.symptom in place.log(), f"{expected.symptom!r} expected in the log: {place.log()[-2000:]}")


def add(name, expected):
    def injected(place):
        (without if place.bare else with_lockgraph)(place, name, expected)
    injected.__name__ = name
    case(seconds=60)(injected)


for each, what in EXPECTED.items():
    add(each, what)


@case(seconds=20)
def unknown_injection(place):
    status, _ = run(place, arguments(place, "nothing"), 15)
    check(status == 2, f"exit status 2 expected, not {status}")
    check(all(name in place.log() for name in EXPECTED), f"all names expected: {place.log()}")
