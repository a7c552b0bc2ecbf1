"""glibc's source as Debian's glibc-source package has it, unpacked; and the programs in it."""

import pathlib
import re
import subprocess
import tarfile

from makefile import Makefile

PACKAGE_DIRECTORY = pathlib.Path("/usr/src/glibc")
THREADS = ("nptl", "sysdeps/pthread", "sysdeps/nptl", "rt")
OTHERS = ("malloc", "posix", "sysdeps/unix/sysv/linux")  # of these, only what makes threads or locks
MAKES_THREADS = re.compile(r"pthread_(create|mutex|rwlock|spin|barrier)|thrd_create|sem_(wait|post)")
PARTS = ("nptl", "rt", "support", "include", "sysdeps", "bits", "test-skeleton.c", "posix", "malloc", "elf",
         "locale", "argp")


class SourceError(Exception):
    """What is missing, and what to do about it."""


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package], capture_output=True,
                          text=True, check=False)
    words = done.stdout.split()
    return words[1] if len(words) == 2 and words[0] == "installed" else None


def version():
    """The version of libc that programs run with, provided that its source is here."""
    library, source = installed("libc6"), installed("glibc-source")
    if not library:
        raise SourceError("no package libc6: the conformance run needs a Debian system")
    if source != library:
        raise SourceError(f"the tests of glibc {library} are needed, glibc-source is {source or 'not installed'}: "
                          f"apt-get install glibc-source={library}")
    return library


def unpack(directory):
    """The tree in `directory`, which is complete once it exists."""
    tree = directory / "source"
    if tree.is_dir():
        return tree
    archives = sorted(PACKAGE_DIRECTORY.glob("glibc-*.tar.xz"))
    if len(archives) != 1:
        raise SourceError(f"no glibc-*.tar.xz in {PACKAGE_DIRECTORY}: reinstall glibc-source")
    half = directory / "source.unpacking"
    half.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            top, _, inside = member.name.partition("/")
            member.name = inside
            if inside.split("/")[0] in PARTS and (member.isreg() or member.isdir()):
                archive.extract(member, half)
    half.rename(tree)
    return tree


class Program:
    """One test program: its source, and why it is of no use here, if so."""

    def __init__(self, name, source, out=""):
        self.name, self.source, self.out = name, source, out


def source_of(tree, name):
    for directory in THREADS + OTHERS:
        for suffix in (".c", ".cc"):
            path = tree / directory / (name + suffix)
            if path.is_file():
                return path
    return None


def why_out(name, make):
    if name in make.lists["tests-static"] or name in make.lists["xtests-static"] or name.endswith("-static"):
        return "statically linked: nothing can be interposed"
    if name in make.lists["tests-time64"]:
        return "only for 32-bit machines: the same program as without -time64"
    return ""


def makefile(tree, directory):
    return Makefile((tree / directory / "Makefile").read_text(encoding="utf-8"))


def listed(make):
    return {name for key in make.lists if key not in ("modules-names", "libsupport-routines")
            for name in make.lists[key]}


def makes_threads(path):
    return path is not None and MAKES_THREADS.search(path.read_text(encoding="utf-8", errors="replace"))


def programs(tree):
    """All programs of the Makefiles for threads and realtime and some of others', and those Makefiles in one."""
    make = Makefile()
    for directory in THREADS:
        make.add(makefile(tree, directory))
    names, modules = listed(make), list(make.lists["modules-names"])
    for directory in OTHERS:
        other = makefile(tree, directory)
        names |= {name for name in listed(other) if makes_threads(source_of(tree, name))}
        make.add(other)
    make.lists["modules-names"] = modules
    found = [Program(name, source_of(tree, name), why_out(name, make)) for name in sorted(names)]
    return [program for program in found if program.source or program.out], make


def support_sources(tree):
    make = makefile(tree, "support")
    return [tree / "support" / f"{name}.c" for name in make.lists["libsupport-routines"]]


def internal_error(log):
    """The first error of a compiler's log, without the place."""
    found = re.search(r"(?:error|undefined reference)\b:? ?(.*)", log)
    return found[0] if found else "no message"
