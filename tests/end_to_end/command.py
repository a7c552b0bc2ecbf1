"""What `lockgraph run` and `lockgraph report` do beside finding things."""

import concurrent.futures
import contextlib
import fcntl
import os
import pty
import random
import re
import shutil
import signal
import struct
import subprocess
import termios
import time

from harness import EXIT_FINDINGS, ROOT, check, findings, place, validate


def passes_status(build):
    with place(build) as here:
        program = build.subject("status")
        here.run(program, "exit", "7").expect(7)
        here.run(program, "exit", "0").expect(0)
        here.run(program, "signal", str(int(signal.SIGTERM))).expect(128 + signal.SIGTERM)
        here.run(program, "signal", str(int(signal.SIGSEGV))).expect(128 + signal.SIGSEGV)


def not_found(build):
    with place(build) as here:
        here.run("./no-such-program").expect(127)
        here.run("no-such-program-anywhere").expect(127)


def usage(build):
    with place(build) as here:
        for arguments in (["run"], ["run", "--"], ["run", "--no-such-option", "--", "true"],
                          ["run", "--fail-on", "sometimes", "--", "true"], ["run", "--timeout", "soon", "--", "true"],
                          ["report", "--format", "smoke"], ["report", "--no-such-option"], ["no-such-subcommand"]):
            result = here.execute([build.command, *arguments])
            check(result.status == 2, f"{arguments}: usage error expected: {result}")
            check(result.stderr.strip() and not result.stdout, f"{arguments}: nothing is said on stderr: {result}")
        check(not here.data.exists(), "a usage error made a data directory")


def says_what_it_is(build):
    with place(build) as here:
        for arguments in (["--help"], ["run", "--help"], ["report", "--help"], ["--version"]):
            result = here.execute([build.command, *arguments]).expect(0)
            check(result.stdout.strip(), f"{arguments} prints nothing")


def every_command_tells_itself(build):
    """A help with examples, a page with what the examples print; unknown options and a full disk are told."""
    with place(build) as here:
        overview = here.execute([build.command, "--help"]).expect(0).stdout.split("Commands:")[1].split("\n\n")[0]
        names = [line.split()[0] for line in overview.strip().splitlines() if line.split()[0] != "help"]
        check(len(names) == 14, f"the commands are {names}")
        for name in names:
            text = here.execute([build.command, name, "--help"]).expect(0).stdout
            check("Examples:" in text and "--help" in text, f"the help of {name} has no example: {text}")
            page = (ROOT / f"docs/man/lockgraph-{name}.1.scd").read_text(encoding="utf-8")
            check("# EXAMPLES" in page and "```" in page, f"the page of {name} shows no output")
            result = here.execute([build.command, name, "--no-such"]).expect(2)
            check(f"{name}: unknown option --no-such" in result.stderr and not result.stdout, f"{result}")
            with open("/dev/full", "w", encoding="utf-8") as full:
                said = subprocess.run([build.command, name, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            check(said.returncode == 70 and "No space left" in said.stderr, f"{name} --help on a full disk: {said}")


def helps_fit_a_terminal(build):
    """80 columns, no word broken or at the end of nothing."""
    with place(build) as here:
        overview = here.execute([build.command, "help"]).expect(0).stdout
        names = re.findall(r"^  ([a-z]+)  ", overview, re.M)
        check(len(names) == 15, names)
        for text in (overview, *(here.execute([build.command, "help", name]).expect(0).stdout for name in names)):
            wide = [line for line in text.splitlines() if len(line) > 80 or line != line.rstrip()]
            check(text and not wide, f"too wide: {wide}")
        check(here.execute([build.command, "run", "--help"]).stdout == here.execute([build.command, "help", "run"]).stdout, "two helps")


def on_a_terminal(here, columns, *arguments, **environment):
    """What it prints there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([here.build.command, *arguments], cwd=here.directory, stdin=theirs, stdout=theirs, stderr=theirs,
                          env={**os.environ, "TERM": "xterm", **environment}) as process:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # EIO at its end
            while piece := os.read(ours, 65536):
                said += piece
        process.wait()
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


def fits_the_terminal(build):
    """Paragraphs are as wide as it is, in colour; elsewhere all is as always."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        plain = here.report().stdout
        for columns in (60, 80):
            said = on_a_terminal(here, columns, "report")
            bare = re.sub(r"\033\[[0-9;]*m", "", said)
            check(said != bare and bare.split() == plain.split(), f"other words, or no colour, on a terminal: {said}")
            prose = bare[bare.index("How it hangs"):bare.index("  Stacks:")].splitlines()
            check(max(map(len, prose)) <= columns, f"wider than {columns}: {prose}")
        wide = on_a_terminal(here, 200, "report", NO_COLOR="1")
        check(wide == plain, f"not as in a file: {wide}")
        locks = on_a_terminal(here, 80, "top", "--count", "1")
        check(all(len(line) <= 80 for line in re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", locks).splitlines()), f"top is too wide: {locks}")


def time_limit(build):
    with place(build) as here:
        result = here.run(build.subject("status"), "sleep", "20000", options=["--timeout", "1"]).expect(124)
        check(1 <= result.seconds < 5, f"ended after {result.seconds:.1f} s")


def waits_for_files(build):
    """The kernel holds them up, and they are seen all the same; who holds it, where that is known."""
    with place(build) as here:
        result = here.run(build.subject("file_waits"), options=["--timeout", "2"]).expect(124)
        text = result.stderr
        for words in (r"waits for flock /memfd:ours at wait_for_thread\(\) file_waits.c:\d+, held by T1",
                      r"waits for fcntl /memfd:childs at wait_for_process\(\) file_waits.c:\d+\n"):
            check(re.search(words, text), f"no {words} in {text}")
        check("nothing was seen" not in result.stderr, f"a false word about coverage: {result}")


def static_program(build):
    with place(build) as here:
        result = here.run(build.subject("static_locks")).expect(0)
        check("static" in result.stderr, f"the cause of blindness is not named: {result}")
        result = here.run(build.subject("static_locks"), options=["--require-coverage"]).expect(69)
        check("static" in result.stderr, f"the cause of blindness is not named: {result}")
        here.run(build.subject("status"), options=["--require-coverage"]).expect(0)


def no_threads_no_warning(build):
    """A dynamic program is seen even where it takes one lock only."""
    with place(build) as here:
        result = here.run(build.subject("status"))
        check("static" not in result.stderr, f"a false word about coverage: {result}")


def failing_on(build):
    with place(build) as here:
        abba, one_thread = build.subject("abba"), build.subject("one_thread")
        here.run(abba, options=["--fail-on", "never"]).expect(0)
        here.run(abba, options=["--exitcode", "9"]).expect(9)
        here.run(one_thread).expect(0)
        here.report().expect(0)
        here.run(one_thread, options=["--fail-on", "note"]).expect(EXIT_FINDINGS)
        here.report("--fail-on", "note").expect(EXIT_FINDINGS)
        here.run(one_thread, options=["--strict"]).expect(EXIT_FINDINGS)
        here.report("--strict").expect(EXIT_FINDINGS)
        here.run(abba).expect(EXIT_FINDINGS)
        here.report("--fail-on", "never").expect(0)


def own_status_beside_finding(build):
    """66 wins; the program's own status is in the report."""
    with place(build) as here:
        script = here.directory / "both.sh"
        script.write_text(f"#!/bin/sh\n{build.subject('abba')}\nexit 3\n")
        script.chmod(0o755)
        result = here.run(script).expect(EXIT_FINDINGS)
        check("3" in result.stderr, f"the program's own status is not told: {result}")
        exits = [process["exit"] for process in here.json()["processes"]]
        check(3 in exits or "3" in map(str, exits), f"no exit status 3 in {exits}")


def data_directory(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        first = {file.name for file in here.data.iterdir()}
        here.run(build.subject("status")).expect(0)
        old = here.directory / "lockgraph.data.old"
        check(old.is_dir() and {file.name for file in old.iterdir()} == first, "the data was not moved to .old")
        check(len(here.json()["processes"]) == 1, "old data is mixed with new")
        here.run(build.subject("status"), options=["--append"]).expect(0)
        check(len(here.json()["processes"]) == 2, "--append did not keep the data")
        here.run(build.subject("abba"), options=["-o", "elsewhere"]).expect(EXIT_FINDINGS)
        check(len(here.json()["processes"]) == 2, "-o wrote into the default directory")
        here.report("elsewhere").expect(EXIT_FINDINGS)
        for file in (here.directory / "elsewhere").iterdir():
            check(file.stat().st_mode & 0o777 == 0o600, f"{file.name} can be read by others")
            here.report(file).expect(EXIT_FINDINGS)


def data_directory_shared(build):
    """Each of two runs beside each other in one directory tells of its own program, and ends no other."""
    with place(build) as here, concurrent.futures.ThreadPoolExecutor() as beside:
        long = beside.submit(here.run, build.subject("status"), "sleep", "1500", "exit", "3", options=["--append", "--on-deadlock", "kill"])
        while not list(here.data.glob("status.*.lgd")):
            check(not long.done(), f"it ended first: {long}")
            time.sleep(0.01)
        for subject in ("abba", "deadlock_abba"):
            here.run(build.subject(subject), options=["--append", "--on-deadlock", "kill"]).expect(EXIT_FINDINGS)
        check(not long.done(), "the machine is too slow to see anything")
        told = long.result().expect(3)
        check("order-cycle" not in told.stderr and "deadlock" not in told.stderr, f"tells of another's: {told}")
        check(len(here.json()["processes"]) == 3, "not all in one directory")


def unreadable_data(build):
    with place(build) as here:
        here.report().expect(65)
        here.data.mkdir()
        (here.data / "nonsense.1.0.lgd").write_bytes(random.Random(1).randbytes(5000))
        here.report().expect(65)
        (here.data / "nonsense.1.0.lgd").write_bytes(b"")
        here.report().expect(65)
        result = here.report("no-such-directory").expect(65)
        check("no-such-directory" in result.stderr, f"the file is not named: {result}")


def damaged_data(build):
    """Cut short or with flipped bytes: read as far as it goes, never a crash."""
    generator = random.Random(2)
    with place(build) as here:
        here.run(build.subject("hundred_held")).expect(EXIT_FINDINGS)
        original = next(here.data.iterdir()).read_bytes()
        file = here.directory / "damaged.lgd"
        for number in range(40):
            damaged = bytearray(original[:generator.randrange(len(original))] if number % 2 else original)
            for _ in range(20 if damaged else 0):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            file.write_bytes(damaged)
            for form in ("text", ("json", "html")[number // 2 % 2]):
                result = here.report("--format", form, file, seconds=20)
                check(result.status in (0, 65, EXIT_FINDINGS), f"damaged file {number}: {result}")


def streams_pass_through(build):
    with place(build) as here:
        result = here.run("cat", stdin=b"one\ntwo\n").expect(0)
        check(result.stdout == "one\ntwo\n", f"the output is not the program's own: {result}")
        text = here.directory / "report.txt"
        here.run(build.subject("abba"))
        result = here.report("-o", text).expect(EXIT_FINDINGS)
        check(not result.stdout and "abba.c" in text.read_text(), "-o did not take the report")


def text_report(build):
    """One screen: both locks by name, both files and lines, what to do."""
    with place(build) as here:
        result = here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        report = here.report().expect(EXIT_FINDINGS).stdout
        for text in (result.stderr, report):
            for word in ("account_a", "account_b", "abba.c:"):
                check(word in text, f"{word} is not in\n{text}")
        check(len(report.splitlines()) <= 100, "the report on one finding is longer than two screens")


def demangled_names(build):
    with place(build) as here:
        here.run(build.subject("heap_mutex")).expect(EXIT_FINDINGS)
        report = here.report().stdout
        check("transfer(" in report, f"no demangled function in\n{report}")
        check("_Z" not in report, f"a mangled name in\n{report}")


def with_default_signals():
    """A shell lets what it starts in the background ignore SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def forwards_signals(build):
    with place(build) as here:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = subprocess.Popen([build.command, "run", "--", build.subject("status"), "sleep", "20000"],
                                       cwd=here.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       stdin=subprocess.DEVNULL, preexec_fn=with_default_signals)
            deadline = time.monotonic() + 10
            while not list(here.data.glob("*.lgd")) and time.monotonic() < deadline:
                time.sleep(0.02)
            time.sleep(0.2)
            process.send_signal(number)
            check(process.wait(10) == 128 + number, f"status {process.returncode} after signal {number}")
            shutil.rmtree(here.data)


def bare_preload(build):
    """Without the command: evidence in ./lockgraph.data, a verdict, and the
    program's own exit status unless asked otherwise."""
    with place(build) as here:
        result = here.preload(build.subject("abba")).expect(0)
        check("lockgraph" in result.stderr, f"no verdict on stderr: {result}")
        check(len(findings(here.json(), "error")) == 1, "the finding is not in the evidence")
        check(here.data.stat().st_mode & 0o777 == 0o700, "the data directory is open to others")
        here.preload(build.subject("abba"), options="exitcode=5").expect(5)
        here.preload(build.subject("status"), "exit", "4", options="exitcode=5").expect(4)
        result = here.preload(build.subject("status"), options="help=1")
        check("max_data" in result.stderr + result.stdout, f"help=1 lists no options: {result}")
        result = here.preload(build.subject("status"), "exit", "4", options="no_such_option=1").expect(4)
        check("no_such_option" in result.stderr, f"an unknown option is not named: {result}")


def environment_verb(build):
    with place(build) as here:
        result = here.execute([build.command, "env"]).expect(0)
        check("LD_PRELOAD" in result.stdout and "liblockgraph.so" in result.stdout, f"nothing to set: {result}")


def stable_ids(build):
    """The same problem has the same id in the next run, at other addresses."""
    seen = set()
    with place(build) as here:
        for _ in range(3):
            here.run(build.subject("abba")).expect(EXIT_FINDINGS)
            seen.add(findings(here.json(), "error")[0]["id"])
        check(len(seen) == 1, f"one problem, several ids: {seen}")
        here.run(build.subject("trylock_outer")).expect(EXIT_FINDINGS)
        check(findings(here.json(), "error")[0]["id"] not in seen, "two problems, one id")


def merged_report(build):
    """One directory, several processes: every finding keeps its process."""
    with place(build) as here:
        here.run(build.subject("abba"), options=["--append"])
        here.run(build.subject("trylock_outer"), options=["--append"])
        report = here.json()
        check(len(report["processes"]) == 2, f"{len(report['processes'])} processes")
        pids = {finding["pid"] for finding in findings(report, "error")}
        check(pids == {process["pid"] for process in report["processes"]}, f"findings of {pids}")


def schema_refuses(build):
    """The schema itself can say no."""
    with place(build) as here:
        here.run(build.subject("abba"))
        report = here.json()
        del report["findings"][0]["verdict"]
        try:
            validate(report)
        except AssertionError:
            return
        check(False, "a finding without verdict passes the schema")


def small_file_limit(build):
    """RLIMIT_FSIZE: recording stops with a warning, the program goes on."""
    import resource
    for limit in (0, 4096, 65536, 1 << 20):
        with place(build) as here:
            result = here.preload(build.subject("hand_over_hand"), preexec=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit))).expect(0)
            check(limit > 4096 or result.stderr, f"no word of a limit of {limit} bytes: {result}")


def no_place_to_write(build):
    with place(build) as here:
        result = here.preload(build.subject("status"), "exit", "4", options="data=/proc/nowhere/data").expect(4)
        check("lockgraph" in result.stderr, f"no warning: {result}")


def small_data_limit(build):
    """Past max_data only findings are added, but those are."""
    with place(build) as here:
        result = here.run(build.subject("closes_descriptors"), options=["-O", "max_data=64k"])
        check(result.status in (0, EXIT_FINDINGS), f"{result}")
        for file in here.data.iterdir():
            check(file.stat().st_size <= 1 << 20, f"{file.stat().st_size} bytes with max_data=64k")


def identity_by_table(build):
    """The side table finds what the tags find."""
    with place(build) as here:
        here.run(build.subject("abba"), options=["-O", "identity=table"]).expect(EXIT_FINDINGS)
        here.run(build.subject("ordered_by_join"), options=["-O", "identity=table"]).expect(0)
        here.run(build.subject("threads300"), options=["-O", "identity=table"]).expect(EXIT_FINDINGS)


def every_unwinder(build):
    with place(build) as here:
        for unwinder in ("gcc", "fp", "libunwind", "none"):
            here.run(build.subject("abba"), options=["-O", f"unwinder={unwinder}"]).expect(EXIT_FINDINGS)
            here.json()


def switched_off(build):
    with place(build) as here:
        here.run(build.subject("abba"), options=["-O", "check.order-cycle=off"]).expect(0)
        here.run(build.subject("abba"), options=["-O", "check.order-cycle=warning"]).expect(0)
        check(findings(here.json(), "warning"), "the finding is gone")
        here.run(build.subject("abba"), options=["-O", "check.order-cycle=note"]).expect(0)
        check(findings(here.json()) and not findings(here.json(), "warning"), "the finding is not a note")
        here.run(build.subject("file_abba"), "flock-mutex", options=["-O", "file_locks=0"]).expect(0)
        misuse = [build.subject("misuse_unlock"), "twice"]
        here.run(*misuse, options=["-O", "check.unlock-unheld=off"]).expect(0)
        check(not findings(here.json()), "the misuse is told although it is switched off")
        here.run(*misuse, options=["-O", "check.unlock-unheld=warning"]).expect(0)
        check([f["severity"] for f in findings(here.json())] == ["warning"], "the misuse is not a warning")
        robust = [build.subject("misuse_exit"), "robust"]
        here.run(*robust, options=["-O", "check.thread-exit-held=error"]).expect(0)
        check([f["severity"] for f in findings(here.json())] == ["note"], "the lesser case did not stay so")


def repeatedly(build):
    """Found every time, silent every time."""
    with place(build) as here:
        for _ in range(15):
            here.run(build.subject("abba")).expect(EXIT_FINDINGS)
            here.run(build.subject("scoped_lock")).expect(0)
            here.run(build.subject("philosophers")).expect(0)


def debian_programs(build):
    """Ordinary commands with threads behave as without."""
    with place(build) as here:
        big = here.directory / "big"
        big.write_bytes(random.Random(3).randbytes(1 << 20) * 4)
        for command in (["xz", "-T2", "-0", "-k", "-f", big], ["sort", "--parallel=2", "-S", "1M", big],
                        ["python3", "-c", "import threading as t; x = [t.Thread(target=print, args=(i,)) for i in "
                                          "range(9)]; [(y.start(), y.join()) for y in x]"]):
            if not shutil.which(command[0]):
                continue
            bare = here.execute(command).expect(0)
            under = here.run(*command, seconds=120).expect(0)
            check(bare.stdout == under.stdout, f"{command[0]} prints something else")


CASES = [passes_status, not_found, usage, says_what_it_is, every_command_tells_itself, helps_fit_a_terminal, fits_the_terminal, time_limit, waits_for_files, static_program, no_threads_no_warning, failing_on,
         own_status_beside_finding, data_directory, data_directory_shared, unreadable_data, damaged_data, streams_pass_through, text_report,
         demangled_names, forwards_signals, bare_preload, environment_verb, stable_ids, merged_report, schema_refuses,
         small_file_limit, no_place_to_write, small_data_limit, identity_by_table, every_unwinder, switched_off,
         debian_programs]
LONG_CASES = [repeatedly]


def cases():
    for function in CASES + LONG_CASES:
        yield f"command {function.__name__.replace('_', ' ')}", function in LONG_CASES, function
