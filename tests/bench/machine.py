"""The machine that figures were taken on; nothing that names it."""

import os
import pathlib
import platform
import re
import subprocess


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


def describe():
    return {
        "processor": processor(),
        "system": f"{debian()}, {kernel()}",
        "libc": "glibc " + " ".join(os.confstr("CS_GNU_LIBC_VERSION").split()[1:]),
        "compiler": first_line("gcc", "--version"),
        "valgrind": first_line("valgrind", "--version"),
        "load average at the end": f"{os.getloadavg()[2]:.1f} over 15 minutes (the benchmark alone makes about 1)",
        "memcached": package("memcached"),
        "pbzip2": package("pbzip2"),
    }
