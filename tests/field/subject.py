"""What the field programs share: a run of one program, natively or under `lockgraph run`, in a directory of its own."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time


class FieldError(Exception):
    """The program did not do its work."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def checked(argv, **how):
    """Output of a helper command, which always runs natively."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, **how)
    if done.returncode != 0:
        raise FieldError(f"{argv[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-400:]}")
    return done.stdout


class Run:
    """One run: `prefix` is empty or `lockgraph run … --`; `place` is a fresh directory."""

    def __init__(self, prefix, place, seconds):
        self.prefix = prefix
        self.place = pathlib.Path(place)
        self.seconds = seconds
        self.behaviour = {}   # what has to be equal in both runs
        self.work = {}        # what was done, for the notes
        self.threads = 0
        self.processes = []

    def start(self, *argv, ready):
        """Starts the program and waits until `ready()` holds."""
        with open(self.place / "output", "ab") as output:
            process = subprocess.Popen([*self.prefix, *argv], stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=output, cwd=self.place)
        self.processes.append(process)
        for _ in range(600):
            if process.poll() is not None:
                raise FieldError(f"{argv[0]} ended with {process.returncode} at start: {self.output()[-600:]}")
            if ready():
                return process
            time.sleep(0.1)
        raise FieldError(f"{argv[0]} does not become ready")

    def output(self):
        return (self.place / "output").read_text(errors="replace")

    def repeat(self, step):
        """Calls step(number) until the time is over; counts the calls."""
        end = time.monotonic() + self.seconds
        number = 0
        while time.monotonic() < end:
            step(number)
            number += 1
        return number

    def stop(self, process, with_signal=signal.SIGTERM):
        """Ends the program by its pid; `lockgraph run` hands the signal on."""
        self.threads = max(self.threads, count_threads(process.pid))
        process.send_signal(with_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(60)
        raise FieldError("does not end after the signal")

    def clean_up(self):
        for process in self.processes:
            if process.poll() is None:
                for pid in [*descendants(process.pid), process.pid]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                process.wait()


def descendants(pid):
    found = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def count_threads(pid):
    """The most threads that any one process of the tree has."""
    counts = [0]
    for member in [pid, *descendants(pid)]:
        with contextlib.suppress(OSError):
            counts.append(len(os.listdir(f"/proc/{member}/task")))
    return max(counts)


def listening(port):
    def probe():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False
    return probe


def run_once(program, prefix, seconds, place):
    place.mkdir(parents=True)
    run = Run(prefix, place, seconds)
    try:
        program(run)
    finally:
        run.clean_up()
    return run
