"""The machine that figures were taken on; nothing that names it."""

import mmap
import os
import pathlib
import platform
import re
import subprocess
import time


def first_line(*argv):
    try:
        run = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    return (run.stdout or run.stderr).partition("\n")[0].strip()


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", text)
    virtual = ", virtual machine" if re.search(r"^flags.*\bhypervisor\b", text, re.M) else ""
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} processors{virtual}"


def kernel():
    return "Linux " + ".".join(re.findall(r"\d+", platform.release())[:3])


def debian():
    path = pathlib.Path("/etc/debian_version")
    return "Debian " + path.read_text().strip() if path.exists() else platform.system()


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def kernel_costs():
    """What new locks and new orders cost is mostly this: the interpreter's own share is some 0.1 us of each."""
    calls, pages, page = 20000, 2048, 4096
    begin = time.thread_time_ns()
    for _ in range(calls):
        os.getppid()
    between = time.thread_time_ns()
    with mmap.mmap(-1, pages * page) as memory:
        for at in range(0, pages * page, page):
            memory[at] = 1
        end = time.thread_time_ns()
    return (f"a system call about {(between - begin) / calls / 1000:.1f} µs, "
            f"the first touch of a page about {(end - between) / pages / 1000:.1f} µs")


def describe():
    return {
        "processor": processor(),
        "system": f"{debian()}, {kernel()}",
        "kernel": kernel_costs(),
        "libc": "glibc " + " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()[1:]),
        "compiler": first_line("gcc", "--version"),
        "valgrind": first_line("valgrind", "--version"),
        "load average at the end": f"{os.getloadavg()[2]:.1f} over 15 minutes (the benchmark alone makes about 1)",
        "memcached": package("memcached"),
        "pbzip2": package("pbzip2"),
    }
