"""The service's parts that HTTP cannot see exactly: sessiond-parts, a program of its own."""

import subprocess

from cases import case
from harness import SLOWNESS, check


@case(seconds=120)
def parts(place):
    program = place.build.directory / "bin" / ("sessiond-parts-bare" if place.bare else "sessiond-parts")
    done = subprocess.run([program], cwd=place.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=110 * SLOWNESS)
    check(done.returncode == 0, done.stdout[-3000:])
