"""`lockgraph inspect`: what processes and core files tell that nobody prepared."""

import contextlib
import ctypes
import errno
import json
import os
import pathlib
import platform
import resource
import shutil
import signal
import struct
import subprocess
import time

from harness import EXIT_FINDINGS, SLOWNESS, Failure, check, findings, load_schema, place

RINGS = (("deadlock_abba",), ("deadlock_abba", "main-left"), ("deadlock_three",), ("deadlock_join",), ("deadlock_relock",), ("deadlock_condition",))
NO_RINGS = (("rwlock_deadlock_upgrade",), ("idle_pool", "60"))
LONGEST_STOP_US = 50000


@contextlib.contextmanager
def started(here, *program, **how):
    """A program that is ended afterwards, whatever it does."""
    process = subprocess.Popen([str(a) for a in program], cwd=here.directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def inspect(here, what, status=None):
    result = here.execute([here.build.command, "inspect", "--format", "json", str(what)])
    check(result.status in ((0, EXIT_FINDINGS) if status is None else (status,)), f"no answer: {result}")
    seen = json.loads(result.stdout)
    errors = [e.message for e in load_schema("inspect.schema.json").iter_errors(seen)]
    check(not errors, f"it does not follow its schema: {errors[:3]}")
    return seen


def until_hung(here, process):
    """The threads of the subjects meet within milliseconds, on an idle machine."""
    for _ in range(int(100 * SLOWNESS)):
        time.sleep(0.1)
        seen = inspect(here, process.pid)
        if seen["deadlocks"]:
            return seen
    raise Failure(f"no deadlock is seen: {json.dumps(seen, indent=1)}")


def site(stack):
    """The innermost frame of the program's own source."""
    own = [f for f in stack if f["file"] and "tests/subjects" in f["file"]]
    return (own[0]["function"], own[0]["line"]) if own else None


def ring_of(seen):
    """{(what is waited for, where)} of the first deadlock; a thread's end has no name of its own."""
    threads = {t["tid"]: t for t in seen["threads"]}
    members = [threads[tid] for tid in seen["deadlocks"][0]["threads"]]
    return {(t["wait"]["name"] if t["wait"]["for"] != "thread" else "end", site(t["stack"])) for t in members}


def told_by_runtime(here, subject, *arguments):
    here.run(here.build.subject(subject), *arguments, options=["--on-deadlock", "kill"], seconds=60)
    found = [f for f in findings(here.json()) if f["kind"] in ("deadlock", "self-deadlock")]
    check(len(found) == 1, f"the runtime tells {len(found)} deadlocks")
    names = {lock["id"]: lock["name"] for lock in here.json()["locks"]}
    return {(names[e["to"]] if e["to"] else "end", site(e["requested_at"])) for e in found[0]["edges"]}


def says_what_the_runtime_says(subject, *arguments):
    def case(build):
        with place(build) as here:
            expected = told_by_runtime(here, subject, *arguments)
            with started(here, build.subject(subject), *arguments) as process:
                seen = until_hung(here, process)
                again = inspect(here, process.pid)
            check(ring_of(seen) == expected, f"{ring_of(seen)} is not {expected}")
            check(again["deadlocks"] == seen["deadlocks"], f"a second look sees {again['deadlocks']}")
            check(not seen["deadlocks"][0]["limited"], "no wait of it ends by itself")
    return case


def owners_are_in_the_ring(seen):
    threads = {t["tid"]: t for t in seen["threads"]}
    ring = seen["deadlocks"][0]["threads"]
    for at, tid in enumerate(ring):
        check(threads[tid]["wait"]["owner"] == ring[(at + 1) % len(ring)], f"not a ring: {json.dumps(seen)}")


def stripped(build):
    with place(build) as here:
        program = here.directory / "stripped"
        shutil.copy(build.subject("deadlock_abba"), program)
        subprocess.run(["strip", program], check=True)
        with started(here, program) as process:
            seen = until_hung(here, process)
        owners_are_in_the_ring(seen)
        check(ring_of(seen) and all(place is None for _, place in ring_of(seen)), "it is not stripped")
        check({t["wait"]["for"] for t in seen["threads"]} == {"mutex", "thread"}, f"what for? {json.dumps(seen)}")


def names_of_all_objects(build):
    """By its variable, whatever word of it is waited at; main holds what has an owner."""
    with place(build) as here, started(here, build.subject("waits_for_all")) as process:
        expected = {("rwlock", "catalogue"), ("semaphore", "slots"), ("condition", "news"), ("mutex", "ledger"),
                    ("barrier", "start_line")}
        for _ in range(int(50 * SLOWNESS)):
            time.sleep(0.1)
            seen = inspect(here, process.pid, 0)
            waits = {(t["wait"]["for"], t["wait"]["name"]) for t in seen["threads"] if t["wait"]}
            if {kind for kind, _ in waits} == {kind for kind, _ in expected}:
                break
        check(waits == expected, f"{waits} is not {expected}")
        held = {t["wait"]["name"] for t in seen["threads"] if t["wait"] and t["wait"]["owner"] == process.pid}
        check(held == {"catalogue", "ledger"}, f"main holds {held}")


def not_to_be_looked_at(build):
    with place(build) as here, started(here, "true") as process:
        for _ in range(int(50 * SLOWNESS)):
            said = here.execute([build.command, "inspect", process.pid]).stderr
            if "has ended, and its parent does not know yet" in said:
                break
            time.sleep(0.1)
        else:
            raise Failure(f"of a zombie it says {said}")
        if pathlib.Path("/proc/2/comm").exists() and pathlib.Path("/proc/2/comm").read_text(encoding="utf-8") == "kthreadd\n":
            said = here.execute([build.command, "inspect", "2"]).expect(65).stderr
            check("a thread of the kernel" in said, f"of one it says {said}")


def under_the_runtime(build):
    """Whose waits are one for a limited time after another."""
    with place(build) as here:
        environment = {**os.environ, "LD_PRELOAD": str(build.runtime)}
        with started(here, build.subject("deadlock_abba"), env=environment) as process:
            until_hung(here, process)
            for _ in range(3):  # a wait that was stopped is taken up again by another system call
                seen = inspect(here, process.pid, EXIT_FINDINGS)
        owners_are_in_the_ring(seen)
        check(not seen["deadlocks"][0]["limited"], "the program's own waits are not limited")
        check(all(where for _, where in ring_of(seen)), f"places are missing: {ring_of(seen)}")


def no_ring(*program):
    def case(build):
        with place(build) as here, started(here, build.subject(program[0]), *program[1:]) as process:
            time.sleep(0.3)
            for _ in range(3):
                check(not inspect(here, process.pid, 0)["deadlocks"], "nobody waits for each other")
            check(process.poll() is None, "the program ended")
    return case


def healthy(snapshots=None):
    """No false word, no long stop; and the program notices nothing.  As often as --snapshots says."""
    def case(build):
        stops, count = [], snapshots or build.snapshots
        with place(build) as here:
            while len(stops) < count:
                with started(here, build.subject("busy"), "1") as process:
                    while process.poll() is None and len(stops) < count:
                        seen = here.execute([build.command, "inspect", "--format", "json", process.pid])
                        if seen.status == 65:
                            break  # it had ended
                        said = json.loads(seen.expect(0).stdout)
                        check(said["deadlocks"] == [], f"of a healthy program it says {said}")
                        stops.append(said["stopped_us"])
        stops.sort()
        if count >= 100:
            late = sum(stop > LONGEST_STOP_US for stop in stops)
            print(f"{count} snapshots, no deadlock; stopped for {stops[count // 2]} us (median), "
                  f"{stops[count * 99 // 100]} us (99 of 100), {stops[-1]} us at most; {late} longer than {LONGEST_STOP_US} us")
            check(stops[count * 99 // 100] <= LONGEST_STOP_US * SLOWNESS, f"it stood still for {stops}")
        check(stops[count // 2] <= LONGEST_STOP_US * SLOWNESS, f"it stood still for {stops} us")
    return case


def goes_on(build):
    """A program in calls that a stop would end early returns from them as without us."""
    with place(build) as here:
        program = here.directory / "waits.py"
        program.write_text("import select, time\ne = select.epoll()\nt = time.monotonic()\n"
                           "import ctypes\nlibc = ctypes.CDLL(None)\nb = ctypes.create_string_buffer(64)\n"
                           "r = libc.epoll_wait(e.fileno(), b, 1, 10000)\n"
                           "print(r, time.monotonic() - t >= 9.9)\n")
        process = subprocess.Popen(["python3", program], stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        for _ in range(3):
            inspect(here, process.pid, 0)
        said = process.communicate()[0].strip()
        check(said == "0 True", f"the call was disturbed: {said}")


# ---- core files ----

def core_of(here, process):
    """By the kernel where it writes a file, else by gdb's gcore."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()
    if pattern.startswith(("|", "/")):
        subprocess.run(["gcore", "-o", here.directory / "core", str(process.pid)], check=True, cwd=here.directory,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60 * SLOWNESS)
    else:
        process.send_signal(signal.SIGABRT)
        process.wait(60 * SLOWNESS)
    cores = list(here.directory.glob("core*"))
    check(len(cores) == 1, f"there is no core file: {cores}")
    return cores[0]


def unlimited_core():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def core(build):
    with place(build) as here:
        expected = told_by_runtime(here, "deadlock_abba")
        with started(here, build.subject("deadlock_abba"), preexec_fn=unlimited_core) as process:
            until_hung(here, process)
            file = core_of(here, process)
        seen = inspect(here, file, EXIT_FINDINGS)
        owners_are_in_the_ring(seen)
        check(ring_of(seen) == expected, f"{ring_of(seen)} is not {expected}")
        cut = here.directory / "cut"
        for size in (0, 10, 64, 1000, 5000, file.stat().st_size // 2):
            cut.write_bytes(file.read_bytes()[:size])
            status = here.execute([build.command, "inspect", cut]).status
            check(status in (0, 65, EXIT_FINDINGS), f"status {status} for a core file of {size} bytes")


def core_from_a_container(build):
    """The program is no longer where it ran, but below --sysroot, as its libraries are."""
    with place(build) as here:
        program, root = here.directory / "app/hung", here.directory / "container"
        program.parent.mkdir()
        shutil.copy(build.subject("deadlock_abba"), program)
        with started(here, program, preexec_fn=unlimited_core) as process:
            expected = ring_of(until_hung(here, process))
            libraries = {line.split()[-1] for line in pathlib.Path(f"/proc/{process.pid}/maps").read_text().splitlines()
                         if ".so" in line}
            file = core_of(here, process)
        for path in (str(program), *libraries):
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path[1:])
        program.unlink()
        result = here.execute([build.command, "inspect", "--format", "json", file])
        check(result.status != EXIT_FINDINGS or ring_of(json.loads(result.stdout)) != expected, "names out of nowhere")
        result = here.execute([build.command, "inspect", "--format", "json", "--sysroot", root, file]).expect(EXIT_FINDINGS)
        check(ring_of(json.loads(result.stdout)) == expected, f"{ring_of(json.loads(result.stdout))} is not {expected}")


# ---- wrong use ----

def wrong_use(build):
    with place(build) as here:
        for operands, status, words in (((), 2, "one process"), (("1", "2"), 2, "one process"),
                                        (("4194999",), 65, "no process"), (("-5",), 2, "unknown option"),
                                        (("no-such-file",), 65, "No such file"), (("--format", "xml", "1"), 2, "json"),
                                        ((build.source("busy"),), 65, "not a core file")):
            result = here.execute([build.command, "inspect", *operands]).expect(status)
            check(words in result.stderr, f"{words!r} is not said: {result}")


def full_disk(build):
    with place(build) as here:
        with started(here, "sleep", "60") as process, open("/dev/full", "w", encoding="utf-8") as full:
            said = subprocess.run([build.command, "inspect", str(process.pid)], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
            check(said.returncode == 70 and "No space left" in said.stderr, f"on a full disk: {said}")


def without_ptrace():
    """After fork: seccomp(2) answers ENOSYS to ptrace, whose number the machine has."""
    load, equal, answer, allow, failing = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000
    number = {"x86_64": 101, "aarch64": 117}[platform.machine()]
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in (
        (load, 0, 0, 0), (equal, 0, 1, number), (answer, 0, 0, failing | errno.ENOSYS), (answer, 0, 0, allow)))
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    set_no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(set_no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, by_filter, filter_):
        raise OSError(ctypes.get_errno(), "seccomp")


def no_ptrace(build):
    with place(build) as here, started(here, build.subject("deadlock_abba")) as process:
        result = here.execute([build.command, "inspect", process.pid], preexec=without_ptrace,
                              environment={"ASAN_OPTIONS": "detect_leaks=0"}).expect(65)  # it looks by ptrace
        check("ptrace(2) is missing" in result.stderr, f"that is not why: {result}")


def text(build):
    with place(build) as here, started(here, build.subject("deadlock_abba")) as process:
        until_hung(here, process)
        said = here.execute([build.command, "inspect", process.pid]).expect(EXIT_FINDINGS).stdout
        for words in ("deadlock: 2 threads wait for each other and will not go on", "waits for vault (mutex), held by",
                      "at first() deadlock_abba.c:", "(main, "):
            check(words in said, f"{words!r} is not said: {said}")


def cases():
    for program in RINGS:
        yield f"inspect {' '.join(program)} says what the runtime says", False, says_what_the_runtime_says(*program)
    for program in NO_RINGS:
        yield f"inspect {' '.join(program)} sees no ring", False, no_ring(*program)
    yield "inspect a stripped program", False, stripped
    yield "inspect names all that is waited for", False, names_of_all_objects
    yield "inspect what may not be looked at", False, not_to_be_looked_at
    yield "inspect under the runtime", False, under_the_runtime
    yield "inspect a core file", False, core
    yield "inspect a core file from a container", False, core_from_a_container
    yield "inspect leaves waits alone", False, goes_on
    yield "inspect a healthy program 8 times", False, healthy(8)
    yield "inspect a healthy program again and again", True, healthy()
    yield "inspect in words", False, text
    yield "inspect wrong use", False, wrong_use
    yield "inspect full disk", False, full_disk
    yield "inspect where ptrace is missing", False, no_ptrace
