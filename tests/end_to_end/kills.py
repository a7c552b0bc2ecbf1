"""A busy program is killed at random moments: nothing that it said is lost."""

import os
import random
import re
import signal
import subprocess
import time

from harness import SLOWNESS, check, findings, place

# The runtime's own line on a new problem; it numbers them.
SAID = re.compile(r"lockgraph\[\d+\]: ([a-z-]+): .*\(problem (\d+)\)")


def start(build, here, seed, errors):
    environment = {"LD_PRELOAD": str(build.runtime), "LOCKGRAPH_OPTIONS": f"data={here.directory}/data.{seed}"}
    return subprocess.Popen([build.subject("busy"), str(seed)], cwd=here.directory, env=environment, stderr=errors,
                            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def one_kill(build, here, seed, delay):
    """The text printed before the end, and the evidence afterwards."""
    said = here.directory / f"said.{seed}"
    with open(said, "wb") as errors:
        process = start(build, here, seed, errors)
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    data = here.directory / f"data.{seed}"
    files = list(data.glob("*.lgd")) if data.is_dir() else []
    text = said.read_text(errors="replace")
    printed = set(SAID.findall(text))
    check(bool(printed) == ("order-cycle" in text), f"the runtime's words are not understood: {text}")
    if not files:
        check(not printed, f"a finding was printed, and there is no evidence: {text}")
        return 0
    found = findings(here.json(data))
    check(len(found) >= len(printed), f"killed after {delay * 1000:.0f} ms: {text} but only {len(found)} in evidence")
    return len(printed)


def time_to_speak(build, here):
    """Seconds until it says anything: long where it is emulated."""
    said, started = here.directory / "said.first", time.monotonic()
    with open(said, "wb") as errors:
        process = start(build, here, "first", errors)
        while said.stat().st_size == 0 and time.monotonic() < started + 20 * SLOWNESS:
            time.sleep(0.001)
        took = time.monotonic() - started
        process.kill()
        process.wait()
    check(said.stat().st_size > 0, f"it said nothing in {took:.0f} s")
    return took


def kill_at_random(count):
    """Before it says anything, about then, and later."""
    def case(build):
        generator = random.Random(count)
        total = 0
        with place(build) as here:
            first = time_to_speak(build, here)
            for seed in range(count):
                total += one_kill(build, here, seed, generator.choice((0.2, 1, 5)) * generator.random() * 2 * first)
        check(total >= count // 4, f"{total} findings printed in {count} kills: the test sees next to nothing")
    return case


def cases():
    yield "kill -9 at 20 moments", False, kill_at_random(20)
    yield "kill -9 at 200 moments", True, kill_at_random(200)
