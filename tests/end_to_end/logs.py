"""Log lines: their form, when they come, what they say of the holder, and where they go."""

import os
import re
import socket

from harness import EXIT_FINDINGS, ROOT, SLOWNESS, check, findings, place

LINE = re.compile(r"^\[(\d+)\.(\d{3})\] (ERROR|WARNING|INFO|DEBUG) lockgraph\[(\d+)/(\d+) ([^\]]+)\]: (\S.*): (.*)$", re.M)
TIMEOUT = re.compile(r"timeout after (\d+) ms; held by (\d+)(?: (\S+?))?(?: when that began)?"
                     r", taken at ([^,;]+\+0x[0-9a-f]+)(?:, for (at least )?(\d+) ms)?(.*)$")
LIMIT_MS = 200


class Line:
    def __init__(self, found):
        self.level, self.pid, self.tid, self.thread = found[3], found[4], found[5], found[6]
        self.lock, self.event = found[7], found[8]


def lines_in(text):
    return [Line(found) for found in LINE.finditer(text)]


def timeouts(text, thread=None):
    """What is said of each wait past its limit: (line, match)"""
    told = [line for line in lines_in(text) if line.event.startswith("timeout")]
    for line in told:
        check(line.level == "WARNING" and TIMEOUT.match(line.event), f"an ill-formed line: {line.event}")
    return [(line, TIMEOUT.match(line.event)) for line in told if thread in (None, line.thread)]


def run(here, build, subject, *arguments, options=""):
    return here.preload(build.subject(subject), *arguments, options="verdict=0:" + options, seconds=30).expect(0)


def says_who_holds_it(build):
    """The form of the line; never early, on an idle machine late by at most a tenth and 50 ms: the best of
    three, since this machine may have other things to do."""
    late = []
    for _ in range(3):
        with place(build) as here:
            told = timeouts(run(here, build, "wait_timeout", "mutex", options=f"lock_timeout={LIMIT_MS}ms").stderr)
        check(told, "not told")
        late = late + [max(int(match[1]) - LIMIT_MS * (i + 1) for i, (_, match) in enumerate(told))]
        for i, (line, match) in enumerate(told):
            check(int(match[1]) >= LIMIT_MS * (i + 1), f"told early: {line.event}")
            check(line.tid == line.pid and line.thread == "wait_timeout", f"not told by the main thread: {line.event}")
            check(match[3] == "holder" and match[2] != line.tid, f"another holder: {line.event}")
            check(match[5] and 0 < int(match[6]) <= int(match[1]), f"no lower bound: {line.event}")
        if len(told) >= 5 and late[-1] <= (LIMIT_MS / 10 + 50) * SLOWNESS:
            return
    check(False, f"told {late} ms late")


def bound_grows_with_the_wait(build):
    with place(build) as here:
        told = timeouts(run(here, build, "wait_timeout", "mutex", options=f"lock_timeout={LIMIT_MS}ms").stderr)
        first, last = told[0][1], told[-1][1]
        check(int(last[6]) - int(first[6]) >= int(last[1]) - int(first[1]) - 5,
              f"one hold, whose bound went from {first[6]} to {last[6]} ms in {first[1]} to {last[1]} ms")


def says_what_the_holder_waits_for(build):
    with place(build) as here:
        told = timeouts(run(here, build, "wait_queue", "chain", options=f"lock_timeout={LIMIT_MS}ms").stderr, "end")
        check(told, "not told")
        check(any("; it waits for main program+0x" in match[7] and match[3] == "middle" and
                  match[7].endswith("; 1 more waits for it") for _, match in told), [m[7] for _, m in told])


def says_that_the_holder_is_at_a_condition(build):
    with place(build) as here:
        told = timeouts(run(here, build, "wait_queue", "condition", options=f"lock_timeout={LIMIT_MS}ms").stderr)
        check(told and all("; it waits for a condition with main program+0x" in m[7] for _, m in told),
              [m[7] for _, m in told])


def readers_behind_a_writer(build):
    """The reader that has the lock is the holder; the writer, which waits in one piece, is told afterwards."""
    with place(build) as here:
        text = run(here, build, "wait_queue", "readers", options=f"lock_timeout={LIMIT_MS}ms").stderr
        readers, writers = timeouts(text, "reader"), timeouts(text, "writer")
        check(readers and all(match[3] == "wait_queue" for _, match in readers), text)
        check("; 1 more waits for it" in readers[0][1][7], text)
        check(len(writers) == 1 and "when that began" in writers[0][0].event, text)
        found = findings(here.json(), "warning")
        check([f["kind"] for f in found] == ["wait-timeout"] * 2, f"found {[f['kind'] for f in found]}")


def bystanders_of_a_deadlock(build):
    """They are told, and no finding of their own; who is in the deadlock is not told again."""
    with place(build) as here:
        text = here.run(build.subject("wait_queue"), "bystander", options=["-O", f"lock_timeout={LIMIT_MS}ms"],
                        seconds=30).expect(EXIT_FINDINGS).stderr
        found = findings(here.json(), "warning")
        check([f["kind"] for f in found] == ["deadlock"], f"found {[f['kind'] for f in found]}")
        check(timeouts(text) and len(timeouts(text)) == len(timeouts(text, "end")), text)


def one_finding_for_many_waits(build):
    """And every wait is counted."""
    with place(build) as here:
        run(here, build, "wait_queue", "chain", options=f"lock_timeout={LIMIT_MS}ms")
        counts = sorted(f["count"] for f in findings(here.json(), "warning"))
        check(counts == [1, 2], f"three waits at two places, counted {counts}")


def gives_up(build, limit_ms, options=(), arguments=()):
    """The calls end never early, on an idle machine late by at most a tenth and 50 ms, each with one line; others go on."""
    wrong = []
    for _ in range(1 if limit_ms > 10000 else 3):
        with place(build) as here:
            result = here.run(build.subject("lg_limit"), *arguments, options=["--fail-on", "never", *options], seconds=60).expect(0)
            found = [f["kind"] for f in findings(here.json(), "warning")]
        waits = [int(us) for us in re.findall(r"^waited (\d+)$", result.stdout, re.M)]
        others, = re.findall(r"^others (\d+)$", result.stdout, re.M)
        check(len(waits) == 3 and min(waits) >= limit_ms * 1000, f"early: {result.stdout}")
        told = timeouts(result.stderr)
        check(len(told) == 3, f"{len(told)} lines of 3 waits: {result.stderr}")
        for line, match in told:
            check(re.match(r"session 17: session\.operation lock 0x[0-9a-f]+ \(level 40\)$", line.lock), line.lock)
            check(int(match[1]) >= limit_ms and match[3] == "keeper" and match[5], line.event)
        check(found == (["wait-timeout"] if limit_ms >= 30000 else []), f"found {found}")
        wrong.append((max(waits) / 1000 - limit_ms, int(others) / 1000))
        if wrong[-1][0] <= (limit_ms / 10 + 50) * SLOWNESS and wrong[-1][1] < limit_ms:
            return
    check(False, f"ms late, and for which others were kept: {wrong}")


def a_call_that_gives_up_says_so(build):
    gives_up(build, LIMIT_MS, arguments=[str(LIMIT_MS)])


def also_where_no_wait_is_told(build):
    gives_up(build, LIMIT_MS, options=["-O", "lock_timeout=none"], arguments=[str(LIMIT_MS)])


def the_default_is_half_a_minute(build):
    gives_up(build, 30000)


# Of those that blocking_calls.h lists, the ones that nothing but another process or a disk can keep waiting.
NOT_KEPT_WAITING = {"write", "writev", "send", "sendto", "sendmsg", "connect", "fsync", "fdatasync", "pwrite", "pwrite64", "pread", "pread64",
                    "__pread_chk", "__pread64_chk"}


def each_blocking_call_is_told(build):
    table = (ROOT / "lib/interpose/blocking_calls.h").read_text(encoding="utf-8")
    calls = set(re.findall(r"^ +(?:KNOWN|OTHER)\([a-z_ ]+, (\w+), [A-Z]", table, re.M))
    check(len(calls) > 30 and NOT_KEPT_WAITING < calls, f"{calls}")
    missed = calls - NOT_KEPT_WAITING
    for _ in range(5):  # what is waited for may be there already, on a busy machine
        with place(build) as here:
            text = run(here, build, "blocked_calls", options="blocked_limit=1ms").stderr
        missed -= set(re.findall(r"main program\+0x[0-9a-f]+: held for [1-9]\d* ms of (\w+); taken at main program\+", text))
        if not missed:
            return
    check(False, f"not told of: {missed} in {text}")


def release_of_what_is_not_held(build):
    for subject, case in (("misuse_unlock", "twice"), ("rwlock_misuse", "unheld"), ("spin_misuse", "unlocked-free")):
        with place(build) as here:
            said = [line for line in lines_in(run(here, build, subject, case).stderr)]
            check([(line.level, line.event) for line in said] ==
                  [("WARNING", "release of a lock that is not held")], f"{subject}: {[l.event for l in said]}")


def level_error_is_silent(build):
    with place(build) as here:
        text = run(here, build, "wait_timeout", "mutex", options="lock_timeout=100ms:log=error").stderr
        check(not lines_in(text), text)
        check(len(findings(here.json(), "warning")) == 1, "the finding depends on the log")


def goes_to_a_file(build):
    with place(build) as here:
        for value in ("./told.log", "'file:./told.log'"):
            text = run(here, build, "wait_timeout", "mutex", options=f"lock_timeout=500ms:log_to={value}").stderr
            check(not lines_in(text), text)
        log = here.directory / "told.log"
        pids = {line.pid for line, _ in timeouts(log.read_text())}
        check(len(pids) == 2, "not appended to")
        check(log.stat().st_mode & 0o777 == 0o600, "others may read the log")


def goes_to_the_system_log(build):
    """A datagram each, of which a system log makes a line of its own."""
    with place(build) as here:
        path = here.directory / "log"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system_log:
            system_log.bind(str(path))
            system_log.settimeout(5)
            text = run(here, build, "wait_timeout", "mutex", options=f"lock_timeout=500ms:log_to='syslog:{path}'").stderr
            check(not lines_in(text), text)
            got = system_log.recv(4096).decode()
        found = re.match(r"<12>lockgraph\[(\d+)\]: (.*)$", got, re.S)
        check(found and timeouts(found[2]) and timeouts(found[2])[0][0].pid == found[1], got)


def without_a_system_log(build):
    with place(build) as here:
        for value in ("'syslog:./none'", "syslog"):
            if value == "syslog" and os.path.exists("/dev/log"):
                continue
            text = run(here, build, "wait_timeout", "mutex", options=f"lock_timeout=500ms:log_to={value}").stderr
            check(text.count("cannot be opened") == 1 and timeouts(text), text)


def a_file_that_cannot_be_opened(build):
    with place(build) as here:
        text = run(here, build, "wait_timeout", "mutex", options="lock_timeout=500ms:log_to=./no/such.log").stderr
        check(text.count("cannot be opened") == 1 and timeouts(text), text)


def a_file_whose_descriptor_was_closed(build):
    with place(build) as here:
        run(here, build, "closes_descriptors", options="log=debug:log_to=./told.log")
        told = lines_in((here.directory / "told.log").read_text())
        check(told and told[-1].event.startswith("released"), "the last lines are missing")
        check(not [n for n in os.listdir(here.directory) if n not in ("told.log", "lockgraph.data")], "written elsewhere")


def debug_tells_every_call(build):
    with place(build) as here:
        text = run(here, build, "wait_timeout", "mutex", options="log=debug").stderr
        steps = {}
        for line in lines_in(text):
            steps.setdefault(line.thread, []).append(re.sub(r"\d+", "N", line.event))
        check(list(steps.values()) == [["acquiring", "acquired after N ms", "released after N ms"]] * 2, text)
        held = next(int(line.event.split()[2]) for line in lines_in(text)
                    if line.thread == "holder" and line.event.startswith("released"))
        check(held >= 1500, f"held for {held} ms")


def debug_knows_since_when(build):
    with place(build) as here:
        told = timeouts(run(here, build, "wait_timeout", "mutex", options="log=debug:lock_timeout=200ms").stderr)
        check(told and not told[0][1][5] and int(told[0][1][6]) >= int(told[0][1][1]), told[0][0].event)


def debug_changes_no_finding(build):
    """All goes the slow way then, and nothing gets lost on it."""
    for subject, arguments in (("abba", ()), ("rwlock_abba", ()), ("spin_abba", ()), ("sem_abba", ("wait",)),
                               ("cond_wait_holding", ("signaller-holds",)), ("ordered_by_condition", ()),
                               ("misuse_unlock", ("foreign",)), ("misuse_exit", ("pthread-exit",))):
        with place(build) as here:
            kinds = []
            for options in ("log=warning", "log=debug:log_to=./told.log"):
                here.run(build.subject(subject), *arguments, options=["--fail-on", "never", "-O", options], seconds=30)
                kinds.append(sorted((f["kind"], f["verdict"], f["severity"]) for f in here.json()["findings"]))
            check(kinds[0] == kinds[1] and kinds[0], f"{subject}: {kinds}")


def cases():
    for function in (says_who_holds_it, bound_grows_with_the_wait, says_what_the_holder_waits_for,
                     says_that_the_holder_is_at_a_condition, readers_behind_a_writer, bystanders_of_a_deadlock,
                     one_finding_for_many_waits, a_call_that_gives_up_says_so, also_where_no_wait_is_told,
                     the_default_is_half_a_minute, each_blocking_call_is_told, release_of_what_is_not_held, level_error_is_silent, goes_to_a_file,
                     goes_to_the_system_log, without_a_system_log,
                     a_file_that_cannot_be_opened, a_file_whose_descriptor_was_closed, debug_tells_every_call,
                     debug_knows_since_when, debug_changes_no_finding):
        yield f"log {function.__name__.replace('_', ' ')}", function is the_default_is_half_a_minute, function
