"""Runs one program to its end in a place of its own, natively or under the runtime."""

import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import threading
import time

SLOWNESS = float(os.environ.get("LOCKGRAPH_TEST_SLOWNESS", "1"))
UNSUPPORTED = 77  # a test of glibc's says so when the system lacks what it needs
STOPPED = "stopped"
EXIT_FINDINGS = 66
REPORT_SECONDS = 300  # of the 30,000 processes of tst-robust-fork, beside other work


class Outcome:
    """status: exit status, 128 and more for a signal as a shell has it, or STOPPED."""

    def __init__(self, status, seconds, output, findings=()):
        self.status, self.seconds, self.output, self.findings = status, seconds, output, findings


def session_members(session):
    """Processes of a session; glibc's test driver makes process groups of its own."""
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[3]) == session:
                yield int(entry.name)


def end_session(session):
    for _ in range(3):  # a process may fork while we look
        for pid in list(session_members(session)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


starting = threading.Lock()
running = set()  # sessions; grows under the lock


def end_everything(number, _frame):
    """A signal handler: whoever ends the run ends what it started, and nothing more starts."""
    starting.acquire()
    for session in list(running):
        end_session(session)
    os._exit(128 + number)


def environment_for(built, program):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKGRAPH_", "LD_", "LC_"))}
    kept |= {"LD_LIBRARY_PATH": str(built.directory), "TIMEOUTFACTOR": "5", "LC_ALL": "C"}
    for setting in expand(built, program, built.make.environment.get(program, "")):
        name, _, value = setting.partition("=")
        if name and name != "LD_PRELOAD" and "$" not in value:
            kept[name] = value
    return kept


def expand(built, program, text):
    """The words of an -ARGS or -ENV line with the references that are used there."""
    text = re.sub(r"\$\(([\w-]+)-ARGS\)", lambda found: built.make.arguments[found[1]], text)
    text = text.replace("$(host-test-program-cmd)", str(built.path(program)))
    return shlex.split(text.replace("$(objpfx)", f"{built.directory}/"))


def execute(command, directory, environment, seconds):
    """The status and the output, which also goes on where a descendant keeps it open."""
    output = directory / "output"
    (directory / "Makefile").touch()  # tests that need any file expect glibc's
    started = time.monotonic()
    with open(output, "wb") as file:
        with starting:
            process = subprocess.Popen(command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            running.add(process.pid)
        try:
            code = process.wait(seconds * SLOWNESS)
            status = code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            status = STOPPED
        end_session(process.pid)
        running.discard(process.pid)
        process.wait()
    return Outcome(status, time.monotonic() - started, output.read_text(errors="replace")[-20000:])


def run_native(built, program, seconds):
    with tempfile.TemporaryDirectory(prefix="lockgraph-conformance-") as place:
        environment = environment_for(built, program) | {"TMPDIR": place}
        arguments = expand(built, program, built.make.arguments.get(program, ""))
        return execute([built.path(program), *arguments], pathlib.Path(place), environment, seconds)


def run_under(built, program, command, seconds):
    """Under `lockgraph run`, whose exit status is the program's own; with the findings that were made."""
    with tempfile.TemporaryDirectory(prefix="lockgraph-conformance-") as place:
        data = pathlib.Path(place) / "evidence"
        environment = environment_for(built, program) | {"TMPDIR": place}
        arguments = expand(built, program, built.make.arguments.get(program, ""))
        ours = [command, "run", "-o", data, "--fail-on", "never", "--", built.path(program), *arguments]
        outcome = execute(ours, pathlib.Path(place), environment, seconds)
        outcome.findings = findings(command, data, environment)
        return outcome


def unreadable(title):
    return {"kind": "unreadable", "verdict": None, "severity": "error", "title": title}


def findings(command, data, environment):
    """[{kind, verdict, severity, title}] of severity error; evidence that cannot be read is one, too."""
    try:
        done = subprocess.run([command, "report", "--format", "json", data], capture_output=True, env=environment,
                              timeout=REPORT_SECONDS * SLOWNESS, check=False)
    except subprocess.TimeoutExpired:
        return [unreadable(f"no report after {REPORT_SECONDS * SLOWNESS:.0f} s")]
    if done.returncode not in (0, EXIT_FINDINGS):
        return [unreadable(done.stderr.decode(errors="replace").strip()[-300:])]
    return [finding for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"]
