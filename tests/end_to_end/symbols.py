"""The table of interposed symbols against the runtime and against the C library that is installed.

docs/interposed-symbols.md has two tables: what liblockgraph.so interposes, and which of libc's functions that lock,
wait, or begin and end threads it leaves alone, with the reason.  Whatever is in neither is a gap.
"""

import fnmatch
import re
import subprocess

import library
from harness import ROOT, check

TABLE = ROOT / "docs/interposed-symbols.md"
OWN = re.compile(r"lg_|LOCKGRAPH_|__tsan_mutex_")  # the last: annotations, of no library here
FAMILIES = {"mutex", "condition", "rwlock", "spinlock", "barrier", "once", "semaphore", "C11", "thread", "signal", "process",
            "file", "memory", "loader", "blocking"}
# What a runtime that watches locks has to have an opinion about; without leading underscores.
RELEVANT = re.compile(
    r"pthread_(mutex|rwlock|spin|barrier|cond)_|pthread_once$|pthread_\w*join|call_once$|(sem|mtx|cnd|thrd|tss)_"
    r"|pthread_(create|detach|exit|cancel|testcancel|setcancel\w+|kill\w*|sigmask|sigqueue|atfork|key_\w+|[gs]etspecific)$"
    r"|pthread_(cleanup|register_cancel|unregister_cancel|unwind)"
    r"|f(un|try)?lockfile$|flock$|lockf(64)?$|fcntl(64)?$|f?close$|close(_range|from)$|dup[23]?$|v?fork$|Fork$|forkpty$|clone\d?$|posix_spawnp?$|f?exec[lv]?\w*$"
    r"|(sysv_|bsd_|s)?signal$|sig(action|vec|altstack|procmask|block|setmask|set|hold|relse|ignore|suspend|pause)$"
    r"|sig(timed)?wait(info)?$|dlm?open$|dlclose$|munmap$|_?exit$|Exit$|quick_exit$"
    r"|(u|nano|clock_nano)?sleep$|pause$|p?(read|write)v?(64)?(v2)?(_chk)?$|recv(from|m?msg)?(_chk)?$|send(to|m?msg)?$|accept4?$"
    r"|connect$|p?poll(_chk)?$|p?select$|epoll_p?wait2?$|m?sync$|fsync$|fdatasync$|wait([34]|p?id)?$")
VERSION = re.compile(r"(?:GLOBAL|WEAK)\s+DEFAULT\s+(\d+)\s+([^\s@]+)@@?((?:GLIBC|CXXABI)_[\d.]+)\s*$")


def rows(columns):
    """The rows of the table with so many columns, without the marks around names."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == columns:
            yield [cells[0].strip("`"), *cells[1:]]


def interposed():
    return {name: (version, family, tests) for name, version, family, tests in rows(4)}


def left_alone():
    return {name: (family, reason) for name, family, reason in rows(3)}


def symbols_in(path):
    """(name, version)"""
    found = subprocess.run(["readelf", "-W", "--dyn-syms", str(path)], capture_output=True, text=True)
    for line in found.stdout.splitlines():
        if symbol := VERSION.search(line):
            yield symbol[2], symbol[3]


def cxx_symbols(build):
    """The same of the C++ library that programs here run with."""
    listed = subprocess.run(["ldd", str(build.subject("local_static_silent"))], check=True, capture_output=True, text=True).stdout
    path = re.search(r"libstdc\+\+\.so\.6 => (\S+)", listed)
    check(path, f"no libstdc++ in {listed}")
    return set(symbols_in(path[1]))


def libc_symbols(build):
    """{name: {versions}} of the libc that programs here run with; before 2.34 it is in several files."""
    listed = subprocess.run(["ldd", str(build.runtime)], check=True, capture_output=True, text=True).stdout
    libc = re.search(r"libc\.so\.6 => (\S+)", listed)
    check(libc, f"no libc in {listed}")
    directory = libc[1].rsplit("/", 1)[0]
    symbols = {}
    for name in ("libc.so.6", "libpthread.so.0", "libdl.so.2"):
        for symbol, version in symbols_in(f"{directory}/{name}"):
            symbols.setdefault(symbol, set()).add(version)
    check(len(symbols) > 1000, f"only {len(symbols)} symbols in {libc[1]}")
    return symbols


def runtime_exports_the_table(build):
    """Exactly what the table says, no more and no less."""
    table, exported = interposed(), {name for name, _ in library.exports(build) if not OWN.match(name)}
    check(table, f"no symbols in {TABLE}")
    check(exported == set(table), f"not in the table: {sorted(exported - set(table))}; "
                                  f"not exported: {sorted(set(table) - exported)}")


def number(version):
    return tuple(map(int, version.removeprefix("GLIBC_").split(".")))


def table_fits_libc(build):
    """Each with a version that libc has, unless libc is older; the versions in the table are those of x86-64, whose
    first libc was older than all others'."""
    symbols, of_cxx = libc_symbols(build), cxx_symbols(build)
    versions = {number(version) for found in symbols.values() for version in found}
    oldest, newest = min(versions), max(versions)
    for name, (version, _, _) in interposed().items():
        if version.startswith("CXXABI"):
            check((name, version) in of_cxx, f"libstdc++ has no {name}@{version}")
            continue
        if name not in symbols and number(version) > newest:
            continue
        check(name in symbols, f"libc has no {name}")
        right = max(number(version), oldest) in map(number, symbols[name])
        check(right, f"{name}: the table says {version}, libc has {sorted(symbols[name])}")


def gaps(build):
    """libc's functions that are neither interposed nor left alone for a stated reason."""
    table, alone = interposed(), left_alone()
    for name in sorted(libc_symbols(build)):
        relevant = RELEVANT.match(name.lstrip("_"))
        known = name in table or any(fnmatch.fnmatchcase(name, pattern) for pattern in alone)
        if relevant and not known:
            yield name


def nothing_is_forgotten(build):
    missing = list(gaps(build))
    check(not missing, f"neither interposed nor left alone for a reason: {missing}")


def table_is_sound(_):
    """Families are spelt one way, reasons are given, and each test named calls what it is named for."""
    table, alone = interposed(), left_alone()
    both = [name for name in table if any(fnmatch.fnmatchcase(name, pattern) for pattern in alone)]
    check(not both, f"interposed and left alone: {both}")
    for name, (_, family, tests) in table.items():
        check(family in FAMILIES, f"{name}: family {family}")
        for test in tests.split(", "):
            path = ROOT / "tests" / test.strip("`")
            check(path.is_file(), f"{name}: no test {path}")
            check(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")), f"{test} does not call {name}")
    for pattern, (family, reason) in alone.items():
        check(family in FAMILIES and len(reason) > 10, f"{pattern}: {family}, {reason}")


def cases():
    for function in (runtime_exports_the_table, table_fits_libc, nothing_is_forgotten, table_is_sound):
        yield f"symbols {function.__name__.replace('_', ' ')}", False, function
