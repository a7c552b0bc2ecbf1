"""Running `lockgraph` on a program in a place of its own, and reading what it says."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUBJECT_SOURCES = ROOT / "tests/subjects"

# Limits in seconds are for an idle machine; a slow one gets a multiple.
SLOWNESS = float(os.environ.get("LOCKGRAPH_TEST_SLOWNESS", "1"))

SEVERITIES = ("note", "warning", "error")
EXIT_FINDINGS = 66


class Failure(AssertionError):
    """What is wrong, in one sentence; the runner prints it with the output."""


def check(condition, message):
    if not condition:
        raise Failure(message)


class Result:
    def __init__(self, status, stdout, stderr, seconds):
        self.status, self.stdout, self.stderr, self.seconds = status, stdout, stderr, seconds

    def __str__(self):
        return f"status {self.status} after {self.seconds:.2f} s\nstdout: {self.stdout}\nstderr: {self.stderr}"

    def expect(self, status):
        check(self.status == status, f"exit status {status} expected: {self}")
        return self


class Build:
    """The programs under test."""

    def __init__(self, directory, runtime_directory=None):
        self.directory = pathlib.Path(directory).resolve()
        self.command = self.directory / "bin/lockgraph"
        self.runtime = self.directory / "lib/liblockgraph.so"
        self.subjects = self.directory / "tests/subjects"
        cache = (self.directory / "CMakeCache.txt").read_text(encoding="utf-8")
        self.counts_lines = "LOCKGRAPH_COVERAGE:BOOL=ON" in cache  # gcov exports names and writes files
        if runtime_directory:
            self._borrow(pathlib.Path(runtime_directory).resolve())

    def _borrow(self, library_directory):
        """A sanitized build has a command but no runtime: it gets another build's."""
        for file in library_directory.glob("liblockgraph.so*"):
            target = self.directory / "lib" / file.name
            target.unlink(missing_ok=True)
            shutil.copy(file, target, follow_symlinks=False)
        self.subjects = library_directory.parent / "tests/subjects"

    def subject(self, name):
        return str(self.subjects / name)

    @staticmethod
    def source(name):
        return str(SUBJECT_SOURCES / f"{name}.c")


def session_members(session):
    """Processes of a session, orphans included: proc(5), the sixth field of stat."""
    members = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[3]) == session:
                members.append(int(stat.parent.name))
    return members


class Place:
    """A scratch directory in which programs are run; gone afterwards."""

    def __init__(self, build, directory):
        self.build, self.directory = build, pathlib.Path(directory)
        self.data = self.directory / "lockgraph.data"

    def execute(self, arguments, seconds=60, environment=None, stdin=None, preexec=None):
        """Runs to its end; everything it started is ended after `seconds`."""
        started = time.monotonic()
        process = subprocess.Popen([str(a) for a in arguments], cwd=self.directory, env=self._environment(environment),
                                   stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                   preexec_fn=preexec)
        try:
            stdout, stderr = process.communicate(stdin, timeout=seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            self._end(process)
            stdout, stderr = process.communicate()
            text = Result("none", stdout.decode(errors="replace"), stderr.decode(errors="replace"),
                          time.monotonic() - started)
            raise Failure(f"still running after {seconds * SLOWNESS:.0f} s: {arguments}: {text}") from None
        return Result(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"),
                      time.monotonic() - started)

    @staticmethod
    def _end(process):
        """First politely, so that the command can end the group it made; then all that is left of the session."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(2)
        for left in session_members(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)

    @staticmethod
    def _environment(extra):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKGRAPH_", "LD_"))}
        environment.update(extra or {})
        return environment

    def run(self, *program, options=(), **how):
        """lockgraph run [options] -- program"""
        return self.execute([self.build.command, "run", *options, "--", *program], **how)

    def preload(self, *program, options="", **how):
        """The bare runtime, without `lockgraph run`."""
        environment = {"LD_PRELOAD": str(self.build.runtime)}
        if options:
            environment["LOCKGRAPH_OPTIONS"] = options
        return self.execute(program, environment=environment, **how)

    def report(self, *arguments, **how):
        return self.execute([self.build.command, "report", *arguments], **how)

    def json(self, *arguments, **how):
        """The JSON report, checked against its schema."""
        result = self.report("--format", "json", *arguments, **how)
        check(result.status in (0, EXIT_FINDINGS), f"the report is unreadable: {result}")
        try:
            report = json.loads(result.stdout)
        except ValueError as error:
            raise Failure(f"not JSON ({error}): {result}") from None
        validate(report)
        return report


@contextlib.contextmanager
def place(build):
    with tempfile.TemporaryDirectory(prefix="lockgraph-test-") as directory:
        yield Place(build, directory)


def load_schema(name):
    import jsonschema
    with open(ROOT / "docs" / name, encoding="utf-8") as file:
        schema = json.load(file)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


_validator = None


def validate(report):
    global _validator
    _validator = _validator or load_schema("report.schema.json")
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in _validator.iter_errors(report)]
    check(not errors, "the report does not follow its schema: " + "; ".join(errors[:5]))


# --- looking into a report

def findings(report, at_least="note"):
    lowest = SEVERITIES.index(at_least)
    return [f for f in report["findings"] if SEVERITIES.index(f["severity"]) >= lowest]


def describe(found):
    return ", ".join(f"{f['kind']} {f['verdict']} {f['severity']}" for f in found) or "nothing"


def frames_in(value):
    """Every frame (an object with file and line) anywhere in a part of a report."""
    if isinstance(value, dict):
        if "line" in value and "file" in value:
            yield value
        for part in value.values():
            yield from frames_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from frames_in(part)
