"""What the runtime is as a file: what it needs and what it exports."""

import re
import subprocess

from harness import check


def readelf(build, *arguments):
    return subprocess.run(["readelf", "-W", *arguments, str(build.runtime)], check=True, capture_output=True,
                          text=True).stdout


def needs_libc_only(build):
    dynamic = readelf(build, "-d")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    check(needed and needed <= {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, f"needs {needed}")
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
    """A versioned pthread name would silently interpose nothing; anything else
    that is exported would get in the way of the program's own names."""
    names = dict(exports(build))
    for name in ("pthread_mutex_lock", "pthread_mutex_trylock", "pthread_mutex_timedlock", "pthread_mutex_clocklock",
                 "pthread_mutex_unlock", "pthread_mutex_init", "pthread_mutex_destroy", "pthread_cond_wait",
                 "pthread_cond_timedwait", "pthread_cond_clockwait", "pthread_cond_signal", "pthread_cond_broadcast",
                 "mtx_lock", "mtx_trylock", "mtx_timedlock", "mtx_unlock", "cnd_wait", "cnd_timedwait", "cnd_signal",
                 "cnd_broadcast", "thrd_create", "thrd_join", "pthread_create", "pthread_join", "pthread_detach"):
        check(name in names, f"{name} is not exported")
        check(names[name] == "", f"{name} has the version {names[name]}")
    own = re.compile(r"pthread_|mtx_|cnd_|thrd_|call_once|lg_|fork$|vfork$|_Fork$|exec|_exit$|_Exit$|exit$|quick_exit$"
                     r"|dlopen$|dlmopen$|dlclose$|sem_|sigaction$|signal$|sigprocmask$|prctl$|LOCKGRAPH_|__pthread_")
    for name, version in names.items():
        check(own.match(name), f"{name} is exported")
        check((version != "") == name.startswith(("lg_", "LOCKGRAPH_")) or version.startswith("LOCKGRAPH_0") and
              name == "LOCKGRAPH_0", f"{name} has the version {version!r}")


def cases():
    for function in (needs_libc_only, exports_what_it_should):
        yield f"library {function.__name__.replace('_', ' ')}", False, function
