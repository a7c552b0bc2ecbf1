"""What the runtime is as a file: what it needs and what it exports."""

import os
import re
import subprocess

from harness import check


def readelf(build, *arguments):
    return subprocess.run(["readelf", "-W", *arguments, str(build.runtime)], check=True, capture_output=True,
                          text=True).stdout


def libc_version():
    return tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")[:2]))


def needs_libc_only(build):
    dynamic = readelf(build, "-d")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    libc = {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    if libc_version() < (2, 34):  # until then in several files
        libc |= {"libpthread.so.0", "libdl.so.2"}
    check(needed and needed <= libc, f"needs {needed}")
    check("[liblockgraph.so.0]" in dynamic, "the SONAME is not liblockgraph.so.0")
    check("BIND_NOW" in dynamic, "symbols are bound late")
    check("TEXTREL" not in dynamic, "text relocations")


def exports(build):
    """(name, version or "") of every defined dynamic symbol"""
    for line in readelf(build, "--dyn-syms").splitlines():
        found = re.search(r"(?:GLOBAL|WEAK)\s+DEFAULT\s+(\d+)\s+([^\s@]+)(@@?\S+)?", line)
        if found:
            yield found[2], (found[3] or "").lstrip("@")


def exports_what_it_should(build):
    """A versioned pthread name would silently interpose nothing.  Which names: symbols.py."""
    names = dict(exports(build))
    for name, version in names.items():
        check((version != "") == name.startswith(("lg_", "LOCKGRAPH_")) or version.startswith("LOCKGRAPH_0") and
              name == "LOCKGRAPH_0", f"{name} has the version {version!r}")


def cases():
    for function in (needs_libc_only, exports_what_it_should):
        yield f"library {function.__name__.replace('_', ' ')}", False, function
