"""Looking at what runs: `lockgraph top`, `report --follow`, and what `run` tells of a program that hangs."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from harness import EXIT_FINDINGS, SLOWNESS, check, load_schema, place

USAGE, UNREADABLE = 2, 65
LIMIT = 20


class Service:
    """live_service under the bare runtime, told what to do letter by letter."""

    def __init__(self, here, data):
        environment = {**os.environ, "LD_PRELOAD": str(here.build.runtime), "LOCKGRAPH_OPTIONS": f"data={data}"}
        self.process = subprocess.Popen([here.build.subject("live_service")], cwd=here.directory, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid

    def do(self, letters):
        for letter in letters.encode():
            os.write(self.process.stdin.fileno(), bytes([letter]))
            ready, _, _ = select.select([self.process.stdout], [], [], LIMIT * SLOWNESS)
            check(ready and os.read(self.process.stdout.fileno(), 1) == bytes([letter]), f"{chr(letter)} is not done")

    def end(self):
        self.process.stdin.close()
        check(self.process.wait(LIMIT * SLOWNESS) == 0, "the service failed")


@contextlib.contextmanager
def service(here, data="lockgraph.data"):
    one = Service(here, data)
    try:
        until(lambda: any((here.directory / data).glob("*.lgd")), "evidence")
        yield one
    finally:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait()


def until(what, name):
    for _ in range(int(LIMIT * SLOWNESS * 20)):
        found = what()
        if found:
            return found
        time.sleep(0.05)
    check(False, f"no {name} comes")
    return None


class Watcher:
    """A command that looks at the service, and what it said so far."""

    def __init__(self, here, *arguments):
        self.process = subprocess.Popen([str(a) for a in (here.build.command, *arguments)], cwd=here.directory,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.said = ""

    def until(self, what):
        """Until it says these words, or what it said is as a function wants it."""
        there = what if callable(what) else lambda: what in self.said
        end = time.monotonic() + LIMIT * SLOWNESS
        while not there() and time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.1)
            self.said += os.read(self.process.stdout.fileno(), 65536).decode() if ready else ""
        check(there(), f"it never says {what}: {self.said}")

    def end(self, status, number=None):
        if number:
            self.process.send_signal(number)
        self.said += self.process.communicate(timeout=LIMIT * SLOWNESS)[0].decode()
        check(self.process.returncode == status, f"status {status} expected, not {self.process.returncode}: {self.said}")


# ---- top ----

def top(here, *arguments):
    return here.execute([here.build.command, "top", *map(str, arguments)])


def row_of(said, name):
    """{column: cell} of the row of that name."""
    heading = None
    for line in said.splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if line.startswith(" ") and cells[0] == "waiting":
            heading = cells
        elif heading and len(cells) == len(heading) and cells[-1].startswith(name):
            return dict(zip(heading, cells))
    return None


def top_tells_waits(build):
    """A wait that goes on, by process, directory and file; and none once it is over."""
    with place(build) as here, service(here) as one:
        one.do("wc")
        file, = here.data.glob("*.lgd")
        for what in (one.pid, here.data, file):
            said = until(lambda: row_of(top(here, "--once", what).expect(0).stdout, "T4"), "wait")
            check(said["thread"].startswith("T4 (patient) waits for door at wait_at_door() live_service.c:"), said)
            check(said["thread"].endswith(", held by T1 (main)") and said["waiting"] != "-", said)
        said = top(here, "--once", one.pid).stdout
        door, counter = row_of(said, "door"), row_of(said, "counter")
        check(door["waiting"] == "1" and door["wait total"] != "0 ns", f"the wait at the door: {said}")
        check(counter["waiting"] == "-" and int(counter["waits"]) > 10, f"the waits for the counter: {said}")
        check(f"live_service (pid {one.pid});" in said.splitlines()[0] and "\033" not in said, said)
        one.do("o")
        said = top(here, "--once").expect(0).stdout
        check(row_of(said, "door")["waiting"] == "-" and "patient) waits" not in said, f"it is over: {said}")


def top_tells_what_changed(build):
    """Figures per second are of the time between two looks; and it ends with the process."""
    with place(build) as here, service(here) as one:
        one.do("c")
        looking = Watcher(here, "top", "--interval", "0.3", one.pid)

        def rates():
            looks = looking.said.split("lockgraph top, ")[2:-1]  # whole ones, behind the first
            return [int(row_of(look, "counter")["waits/s"]) for look in looks]
        looking.until(lambda: 0 in rates())
        before = len(rates())
        one.do("c")
        looking.until(lambda: any(rates()[before:]))
        one.end()
        looking.end(0)
        check("not running" in looking.said.rsplit("lockgraph top, ", 1)[1], f"the end is not told: {looking.said}")


def top_ends(build):
    """--count; a signal."""
    with place(build) as here, service(here) as one:
        said = top(here, "--count", "3", "--interval", "0.1", one.pid).expect(0).stdout
        check(said.count("lockgraph top, ") == 3, f"not three looks: {said}")
        for number in (signal.SIGINT, signal.SIGTERM):
            looking = Watcher(here, "top", here.data)
            looking.until("lockgraph top, ")
            looking.end(0, number)


def top_finds_evidence(build):
    """Of a process, wherever it is, also after the directory was moved; not that of another one."""
    with place(build) as here, service(here, "elsewhere") as one, service(here) as other:
        one.do("c")
        for moved in (False, True):
            said = top(here, "--once", one.pid).expect(0).stdout
            check(f"(pid {one.pid})" in said and int(row_of(said, "counter")["waits"]) > 10, said)
            if not moved:
                os.rename(here.directory / "elsewhere", here.directory / "moved")
        check(f"(pid {other.pid})" in top(here, "--once", other.pid).expect(0).stdout, "the other one")
        both = top(here, "--once", here.data, "moved").expect(0).stdout
        check("2 processes, 2 running" in both and f"live_service[{one.pid}] T4 (counter)" in both, both)


def screen(command, directory, keys):
    """What a terminal of 24 lines gets, until the command ends; `keys` follow the first screen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LINES="24", COLUMNS="60")
        os.environ.pop("NO_COLOR", None)
        os.chdir(directory)
        os.execv(command[0], command)
    import fcntl
    import struct
    import termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    seen, sent, end = b"", False, time.monotonic() + LIMIT * SLOWNESS
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        try:
            seen += os.read(terminal, 65536) if ready else b""
        except OSError:
            break
        if not sent and seen.count(b"\033[J") > 1:
            cooked = bool(termios.tcgetattr(terminal)[3] & termios.ICANON)
            os.write(terminal, keys)
            sent = True
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    check(sent and not cooked, "keys are not read one by one")
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


def top_on_a_terminal(build):
    """Written over, within its size, with colours; q ends it, and any other key looks at once."""
    with place(build) as here, service(here) as one:
        one.do("wc")
        time.sleep(0.5)
        command = [str(build.command), "top", "--interval", "0.3", str(one.pid)]
        for keys in (b"xq", b"\003"):
            status, seen = screen(command, here.directory, keys)
            check(status == 0, f"status {status} after {keys}: {seen}")
            check("\033[H\033[2J" in seen and "\033[1m" in seen, f"no screen: {seen}")
            last = seen.split("\033[H")[-1]
            lines = re.sub(r"\033\[[0-9;]*[A-Za-z]", "", last).split("\r\n")
            check(len(lines) <= 25 and all(len(line) <= 60 for line in lines), f"it does not fit: {lines}")


def top_gives_the_terminal_back(build):
    """Keys are read line by line again after a signal that stops it or ends it."""
    import termios
    with place(build) as here, service(here) as one:
        for keys in (b"\034", b"\032"):
            pid, terminal = pty.fork()
            if pid == 0:  # a shell is the session, so that a job in it can be stopped
                os.environ["TERM"] = "xterm"
                os.chdir(here.directory)
                script = 'ulimit -c 0; set -m; "$@"; stty -a | tr " " "\\n" | grep icanon; kill -9 %1 2>/dev/null'
                os.execvp("bash", ["bash", "-c", script, "bash", str(build.command), "top", str(one.pid)])

            def by_keys():
                return not termios.tcgetattr(terminal)[3] & termios.ICANON
            until(by_keys, "screen")
            os.write(terminal, keys)
            seen, end = b"", time.monotonic() + LIMIT * SLOWNESS
            while b"icanon" not in seen and time.monotonic() < end:
                ready, _, _ = select.select([terminal], [], [], 0.1)
                seen += os.read(terminal, 65536) if ready else b""
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)
            check(b"icanon" in seen and b"-icanon" not in seen, f"not as it was after {keys}: {seen.decode()}")


def top_of_what_is_over(build):
    """One look at finished evidence, also of a process that it finds by its number only."""
    with place(build) as here:
        with service(here) as one:
            one.do("c")
            time.sleep(1)  # so that they wait for each other on any machine
            one.end()
        for what in ([], [here.data], [one.pid]):
            said = top(here, *what).expect(0).stdout
            check(said.count("lockgraph top,") == 1 and "not running" in said, said)
            check(int(row_of(said, "counter")["waits"]) > 10, said)
            check("T4 (counter)" in said and "T5 (counter)" in said, f"no threads: {said}")


def top_wrong_use(build):
    with place(build) as here:
        for arguments, status, words in ((["--interval", "0"], USAGE, "0.1 to 3600"), (["--count", "0"], USAGE, "1 to"),
                                         (["0"], USAGE, "positive"), (["4194999"], UNREADABLE, "there is no process"),
                                         ([str(os.getpid())], UNREADABLE, "records no evidence"),
                                         ([], UNREADABLE, "run a program first"),
                                         (["no-such.data"], UNREADABLE, "No such file")):
            result = top(here, *arguments).expect(status)
            check(words in result.stderr and not result.stdout, f"no {words!r}: {result}")


# ---- report --follow ----

def follows(build):
    """A note that is hidden becomes an error, which is told as soon as it is there, and once."""
    with place(build) as here, service(here) as one:
        one.do("g")
        follower = Watcher(here, "report", "--follow")
        time.sleep(0.6)
        one.do("b")
        follower.until("ERROR order-cycle")
        follower.until(f"live_service (pid {one.pid}):\n")
        check("graded up" not in follower.said, f"it was not told before: {follower.said}")
        one.end()
        follower.end(EXIT_FINDINGS)
        check(follower.said.count("Stacks:") == 1, f"not told once: {follower.said}")
        told, end = follower.said.split("lockgraph: 1 error")
        check("  > " in told and ": told above" in end and "Coverage:" in end, follower.said)


def follows_in_json(build):
    """A line for the note, a line for the error that it becomes; all that they name is in them."""
    with place(build) as here, service(here) as one:
        follower = Watcher(here, "report", "--follow", "--format", "json")
        one.do("g")
        follower.until('"gated"')
        one.do("b")
        follower.until('"feasible"')
        follower.end(EXIT_FINDINGS, signal.SIGINT)
        lines = [json.loads(line) for line in follower.said.splitlines()]
        check([(line["event"], line["finding"]["verdict"]) for line in lines] ==
              [("new", "gated"), ("graded-up", "feasible")], f"not these two: {follower.said}")
        schema = load_schema("report.schema.json").schema
        import jsonschema
        validator = jsonschema.validators.validator_for(schema)({"$defs": schema["$defs"], "$ref": "#/$defs/follow"})
        for line in lines:
            errors = [error.message for error in validator.iter_errors(line)]
            check(not errors, f"it does not follow its schema: {errors[:3]}")
            names = {lock["id"] for lock in line["locks"]}
            held = {lock for edge in line["finding"]["edges"] for lock in edge["held"]}
            check(names >= set(line["finding"]["locks"]) | held, f"locks are missing: {line}")


def follows_new_processes(build):
    """What begins to record meanwhile is followed; what is suppressed is not told, and nobody fails."""
    with place(build) as here, service(here) as one:
        follower = Watcher(here, "report", "--follow")
        here.preload(build.subject("abba"))
        follower.until("abba (pid ")
        one.end()
        follower.end(EXIT_FINDINGS)
    with place(build) as here, service(here) as one:
        one.do("gb")
        (here.directory / "known").write_text("order-cycle lock:a # known\n", encoding="utf-8")
        follower = Watcher(here, "report", "--follow", "--suppressions", "known")
        one.end()
        follower.end(0)
        check("Stacks:" not in follower.said and "1 suppressed" in follower.said, follower.said)


def follows_into_a_file(build):
    """What has ended is told whole; -o; --fail-on; wrong use."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        here.report("--follow", "-o", "told.txt").expect(EXIT_FINDINGS)
        told = (here.directory / "told.txt").read_text(encoding="utf-8")
        check("ERROR order-cycle" in told and "Coverage:" in told, f"not all of it: {told}")
        here.report("--follow", "--fail-on", "never").expect(0)
        clean = here.directory / "clean.data"
        here.run(build.subject("status"), "true", options=["-o", clean]).expect(0)
        here.report("--follow", "--format", "json", "-o", "told.txt", clean).expect(0)
        told = (here.directory / "told.txt").read_text(encoding="utf-8")
        check(told == "", f"what was told before stays: {told}")
        here.report("--follow", "--format", "html").expect(USAGE)
        here.report("--follow", "no-such.data").expect(UNREADABLE)


# ---- stat --by thread ----

def threads_count(build):
    """As many waits by thread as by class, of threads that ended and those that live."""
    with place(build) as here:
        with service(here) as one:
            one.do("ccw")
            until(lambda: "(patient) waits for door" in top(here, "--once", one.pid).expect(0).stdout, "wait")
            one.do("o")
            one.end()

        def column(by):
            said = here.execute([build.command, "stat", "--by", by]).expect(0).stdout
            rows = [line.split() for line in said.splitlines() if line[:12].strip().isdigit()]
            return [int(row[0]) for row in rows], said
        (by_class, _), (by_thread, said) = column("class"), column("thread")
        check(sum(by_class) == sum(by_thread) and len(by_thread) == 5, f"by class {by_class}: {said}")
        check("wait mean" in said and "(patient)" in said and said.count("(counter)") == 4, f"which threads? {said}")


# ---- run: what hangs ----

def run_tells_stacks(build):
    """At a time limit, of whatever hangs: also where nothing records."""
    with place(build) as here:
        said = here.run(build.subject("status"), "sleep", "20000", options=["--timeout", "0.5"]).expect(124).stderr
        check(re.search(r"process \d+ \(.*/status\): 1 thread", said) and "main() status.c:" in said, said)
        said = here.run(build.subject("idle_pool"), "60", options=["--timeout", "0.5"]).expect(124).stderr
        check("work() idle_pool.c:" in said and re.search(r"and so do T\d \(idle_pool, \d+\), T", said), said)
        said = here.run("sleep", "60", options=["--timeout", "0.5"]).expect(124).stderr
        check(re.search(r"process \d+ \(.*/sleep\): 1 thread", said), said)
        said = here.run("sh", "-c", f"{build.subject('deadlock_abba')}; true", options=["--timeout", "2"])
        said = said.expect(EXIT_FINDINGS).stderr
        check("deadlock: 2 threads wait for each other" in said and "first() deadlock_abba.c:" in said, said)


def run_tells_stalls(build):
    """Of all threads, while the program is left as it is; and again when its time is up."""
    with place(build) as here:
        result = here.run(build.subject("stall"), "condition", options=["--timeout", "2"]).expect(EXIT_FINDINGS)
        finding, *snapshots = re.split(r"^process \d+ ", result.stderr, flags=re.M)
        check("ERROR stall" in finding and len(snapshots) == 2, f"not at once: {result}")
        check("the time limit" in snapshots[0], f"not before the end: {result}")
        for said in snapshots:
            check("waits for T2 (stall, " in said and "waits_for_signal() stall.c:" in said, f"not all: {result}")


def run_keeps_the_status(build):
    """Of a program that is killed just while it is looked at."""
    with place(build) as here:
        for _ in range(2):
            result = here.run(build.subject("killed_when_traced"), options=["--timeout", "0.3"]).expect(124)
            status = here.json()["processes"][0]["exit"]
            check(status in (128 + signal.SIGKILL, 128 + signal.SIGTERM), f"its end, {status}, is lost: {result}")
            check("no error" not in result.stderr, f"a reason that is none: {result}")


def nobody_reads_what_run_says(build):
    """Behind `| head`, say: the program is ended in time all the same."""
    with place(build) as here:
        reads, writes = os.pipe()
        os.close(reads)
        with subprocess.Popen([build.command, "run", "--timeout", "0.5", "--", "sleep", "60"], cwd=here.directory,
                              stderr=writes) as run:
            os.close(writes)
            check(run.wait(30) == 124, f"its exit status is {run.returncode}")


CASES = (nobody_reads_what_run_says,
         top_tells_waits, top_tells_what_changed, top_ends, top_finds_evidence, top_on_a_terminal, top_gives_the_terminal_back,
         top_of_what_is_over, top_wrong_use,
         follows, follows_in_json, follows_new_processes, follows_into_a_file, threads_count, run_tells_stacks,
         run_tells_stalls, run_keeps_the_status)


def cases():
    for function in CASES:
        yield f"live {function.__name__.replace('_', ' ')}", False, function
