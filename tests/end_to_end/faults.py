"""Whatever is taken away from the runtime, the program goes on; recording degrades with one warning."""

import ctypes.util
import glob
import os
import pathlib
import re
import resource
import shutil
import subprocess

from harness import EXIT_FINDINGS, Failure, check, findings, place

WELL = "well, child 0\n"
WARNING = re.compile(r"^lockgraph\[(\d+)\]: (?!order-cycle)(.*)$", re.M)


def warnings(result):
    """What the runtime said of itself, by process."""
    said = {}
    for pid, text in WARNING.findall(result.stderr):
        said.setdefault(pid, []).append(text)
    return said


def went_on(result, at_most=1):
    """The program's own status and output, and at most one warning a process."""
    result.expect(0)
    check(result.stdout == WELL, f"the program's output differs: {result}")
    for pid, texts in warnings(result).items():
        texts = [text for text in texts if "problem" not in text]
        check(len(texts) <= at_most, f"{len(texts)} warnings of process {pid}: {texts}")
    return result


def readable(here, directory=None):
    """Everything that was written can be read."""
    return here.json(*([directory] if directory else []))


def work(build, here, what="nothing", options="", pairs=None, **how):
    how.setdefault("seconds", 30)
    arguments = [what] + ([str(pairs)] if pairs else [])
    return here.preload(build.subject("degraded"), *arguments, options="verdict=0" + options, **how)


def degradations(report):
    return {name for process in report["processes"] for name in process["degraded"]}


# --- threads

def churn_of_threads(build):
    """A hundred thousand threads, one after the other."""
    with place(build) as here:
        result = here.run(build.subject("many_threads"), "churn", "100000", seconds=30).expect(0)
        check(result.stdout == "100000 lives\n", f"{result}")
        report = readable(here)
        check(report["coverage"]["threads"] == 100001, f"{report['coverage']}")
        check(not findings(report, "warning"), "something is found")
        check(not degradations(report), f"degraded: {degradations(report)}")
        size = sum(file.stat().st_size for file in here.data.iterdir())
        check(size < 32 << 20, f"{size} bytes of evidence for threads that all do the same")


def crowd_of_threads(build):
    with place(build) as here:
        result = here.run(build.subject("many_threads"), "crowd", "1000", seconds=30).expect(0)
        check(result.stdout == "1000 lives\n", f"{result}")
        report = readable(here)
        check(report["coverage"]["threads"] == 1001 and not findings(report, "warning"), f"{report['coverage']}")


# --- places to write

def out_of_descriptors(build):
    """Before the program starts, and while it runs."""
    with place(build) as here:
        went_on(work(build, here, "descriptors"))
        check(findings(readable(here), "error"), "the finding is lost")
    for most in (4, 5, 8):
        with place(build) as here:
            went_on(work(build, here, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))))


def unwritable_directory(build):
    """In the way: a file, a dangling link, a directory without rights, /proc, nothing at all."""
    with place(build) as here:
        here.data.write_text("in the way")
        went_on(work(build, here))
        check(here.data.read_text() == "in the way", "a file of the user was written")
        here.data.unlink()
        here.data.symlink_to("nowhere/at/all")
        went_on(work(build, here))
        for data in ("/proc", "/dev/null", "/nowhere/at/all", "x" * 300):
            went_on(work(build, here, options=f":data={data}"))
        os.mkdir(here.directory / "closed", 0o500)
        went_on(work(build, here, options=":data=closed"))


def directory_taken_away(build):
    """Removed while the program runs: what is open is written on, a child makes its own again or goes without."""
    with place(build) as here:
        program = build.subject("degraded")
        script = f"{program} nothing 100000 & sleep 0.02; rm -rf lockgraph.data; wait $!"
        result = here.preload("sh", "-c", script, options="verdict=0")
        check(result.status == 0 and result.stdout == WELL, f"{result}")


def on_small_disk(here, size, command):
    """In a mount namespace of its own, or None where that is not permitted."""
    (here.directory / "small").mkdir(exist_ok=True)
    mount = f"mount -t tmpfs -o size={size} none small 2>/dev/null || exit 99; "
    result = here.execute(["unshare", "-m", "sh", "-c", mount + command], seconds=30)
    return None if result.status == 99 or "unshare" in result.stderr else result


def disk_full(build):
    """From the first byte on, or later; never SIGBUS."""
    with place(build) as here:
        for size in ("4k", "64k", "256k", "1m"):
            command = (f"LD_PRELOAD={build.runtime} LOCKGRAPH_OPTIONS=verdict=0:data=small/data "
                       f"{build.subject('degraded')} nothing 60000; status=$?; cp -r small/data {size} 2>/dev/null; "
                       "exit $status")
            result = on_small_disk(here, size, command)
            if result is None:
                return  # RLIMIT_FSIZE stands in: command.py
            went_on(result)
            kept = here.directory / size
            if kept.is_dir() and any(kept.iterdir()):
                check(findings(readable(here, kept), "error"), f"a disk of {size}: the finding is lost")


def limits_of_size(build):
    for limit in (0, 8192, 300000):
        with place(build) as here:
            went_on(work(build, here, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))


def findings_without_a_file(build):
    """What no file has still decides the exit status, and nobody says that the runtime was not loaded."""
    for limit in (0, 8192):
        with place(build) as here:
            result = here.run(build.subject("degraded"), "nothing", "1000",
                              preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)))
            result.expect(EXIT_FINDINGS)
            check("the file size limit (ulimit -f) forbids it" in result.stderr, f"{result}")
            check("could not be recorded: errors among them are told above" in result.stderr, f"{result}")
            check("not loaded" not in result.stderr, f"{result}")
        with place(build) as here:
            here.run(build.subject("degraded"), "nothing", "1000", options=("--fail-on", "never"),
                     preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))).expect(0)


# --- memory

def budget_spent(build):
    for budget in ("64k", "1m", "4m"):
        with place(build) as here:
            went_on(work(build, here, options=f":max_memory={budget}", pairs=60000))
            report = readable(here)
            check("memory" in degradations(report), f"{budget} are enough: {report['coverage']}")


def no_memory_at_all(build):
    """The kernel gives the program little: the runtime takes nothing it cannot have."""
    with place(build) as here:
        for megabytes in (24, 48, 96):
            limit = megabytes << 20
            bare = here.execute([build.subject("degraded"), "nothing", "1000"],
                                preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
            if bare.status == 0:
                went_on(work(build, here, pairs=1000,
                             preexec=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))))


# --- company

def allocator(name):
    found = sorted(glob.glob(f"/usr/lib/*/{name}"))
    return found[0] if found else None


def with_allocator(build, library, subject):
    """(program, environment) for `lockgraph run`; AddressSanitizer lets no command start beside an allocator."""
    if b"__asan_init" in pathlib.Path(build.command).read_bytes():
        return ["sh", "-c", f'LD_PRELOAD="$LD_PRELOAD {library}" exec "$0"', subject], {}
    return [subject], {"LD_PRELOAD": library}


def other_allocators(build):
    """jemalloc locks before any constructor, tcmalloc has locks of its own."""
    names = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4"]
    for library in filter(None, map(allocator, names)):
        with place(build) as here:
            program, environment = with_allocator(build, library, build.subject("degraded"))
            program = [build.command, "run", "--fail-on", "never", "--append", "--", *program]
            runs = [(program, environment)]
            runs += [([build.subject("degraded")], {"LD_PRELOAD": order})
                     for order in (f"{library}:{build.runtime}", f"{build.runtime} {library}")]
            for program, environment in runs:
                result = here.execute(program, environment=environment, seconds=30).expect(0)
                check(result.stdout == WELL, f"with {library}: {result}")
            found = findings(here.json(), "error")
            check(len(found) == 1 and found[0]["count"] >= 3, f"with {library} found {found}")
            for subject, status in (("threads300", EXIT_FINDINGS), ("philosophers", 0)):
                program, environment = with_allocator(build, library, build.subject(subject))
                here.run(*program, environment=environment, seconds=30).expect(status)


def thread_sanitizer(build):
    """A program that gcc instruments: both tools see its locks, and it ends as it would."""
    if not shutil.which("gcc") or not (ctypes.util.find_library("tsan") or glob.glob("/usr/lib/gcc/*/*/libtsan.so")):
        return
    with place(build) as here:
        for name, expected in (("abba", EXIT_FINDINGS), ("ordered_by_join", 0), ("condition_relock", None)):
            source = build.source(name)
            built = subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-fsanitize=thread", source, "-o",
                                    here.directory / name, "-pthread"], capture_output=True, text=True, check=False)
            if built.returncode != 0:
                raise Failure(f"gcc: {built.stderr}")
            quiet = {"TSAN_OPTIONS": "exitcode=0:detect_deadlocks=0"}
            bare = here.execute([f"./{name}"], environment=quiet)
            if "unexpected memory mapping" in bare.stderr:
                return  # this kernel's address layout is not for this libtsan
            bare.expect(0)
            result = here.run(f"./{name}", environment=quiet, options=["--fail-on", "error"], seconds=30)
            check(result.stdout == bare.stdout, f"{name} prints something else: {result}")
            if expected is not None:
                result.expect(expected)


# --- sandboxes

def sandboxed_child(build):
    """Its system calls fail, or end it, but for those that its own work needs."""
    with place(build) as here:
        for what in ("errno", "kill"):
            # Past 65,536 locks, and at contention, memory of the program is read by a call that no sandbox
            # of this kind would allow.
            went_on(work(build, here, what, pairs=5000 if what == "kill" else None))
            report = readable(here)
            check(findings(report, "error"), f"{what}: the finding is lost")


CASES = [crowd_of_threads, out_of_descriptors, unwritable_directory, directory_taken_away, disk_full, limits_of_size,
         findings_without_a_file, budget_spent, no_memory_at_all, other_allocators, thread_sanitizer, sandboxed_child]
LONG_CASES = [churn_of_threads]


def cases():
    for function in CASES + LONG_CASES:
        yield f"fault {function.__name__.replace('_', ' ')}", function in LONG_CASES, function
