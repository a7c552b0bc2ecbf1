"""The public headers as a program uses them: with and without LOCKGRAPH_DISABLE, and what the library exports for them."""

import contextlib
import pathlib
import re
import subprocess
import tempfile

from harness import ROOT, check

HEADERS = ROOT / "include/lockgraph"
DECLARED = re.compile(r"^(?:int|void) (lg_\w+)\(", re.M)

# Each lg_ function beside the pthread call that it has to be.
PAIRS = {
    "mutex": ("lg_mutex_t", "pthread_mutex_t", "lg_mutex_lock", "pthread_mutex_lock"),
    "mutex_unlock": ("lg_mutex_t", "pthread_mutex_t", "lg_mutex_unlock", "pthread_mutex_unlock"),
    "mutex_trylock": ("lg_mutex_t", "pthread_mutex_t", "lg_mutex_trylock", "pthread_mutex_trylock"),
    "rdlock": ("lg_rwlock_t", "pthread_rwlock_t", "lg_rwlock_rdlock", "pthread_rwlock_rdlock"),
    "wrlock": ("lg_rwlock_t", "pthread_rwlock_t", "lg_rwlock_wrlock", "pthread_rwlock_wrlock"),
    "rw_unlock": ("lg_rwlock_t", "pthread_rwlock_t", "lg_rwlock_unlock", "pthread_rwlock_unlock"),
    "spin": ("lg_spin_t", "pthread_spinlock_t", "lg_spin_lock", "pthread_spin_lock"),
    "spin_unlock": ("lg_spin_t", "pthread_spinlock_t", "lg_spin_unlock", "pthread_spin_unlock"),
}

LIMITS = """
#include <lockgraph/lockgraph.h>
static lg_mutex_t m = LG_MUTEX_INITIALIZER("m", 10);
static lg_rwlock_t l = LG_RWLOCK_INITIALIZER("l", 20);
static int in_scope(void) { LG_WITH(&m) { return lg_mutex_timedlock(&m, 50); } return 0; }
int main(void) {
    lg_sem_t s;
    lg_cond_t c = LG_COND_INITIALIZER;
    lg_mutex_t *const all[] = {&m};
    int wrong = lg_sem_init(&s, "s", 30, 0) != 0;
    LG_OPERATION("limits") wrong += in_scope() != ETIMEDOUT;
    lg_operation_end();
    wrong += lg_rwlock_wrlock(&l) != 0;
    wrong += lg_rwlock_trywrlock(&l) != EBUSY;
    wrong += lg_sem_timedwait(&s, 50) != ETIMEDOUT;
    wrong += lg_sem_trywait(&s) != EBUSY;
    wrong += lg_lock_all(all, 1) != 0;
    wrong += lg_cond_timedwait(&c, &m, 50) != ETIMEDOUT;
    wrong += lg_mutex_trylock(&m) != EBUSY;
    wrong += lg_mutex_pin(&m) != 0 || lg_mutex_unpin(&m) != 0;
    wrong += lg_watchdog_add("loop", 60000) != 0;
    lg_heartbeat();
    wrong += lg_watchdog_thread() != 0 || lg_watchdog_remove() != 0;
    lg_on_finding((lg_finding_callback *)0, (void *)0);
    lg_report(LG_NOTE, "number %d", wrong);
    lg_assert_held(&m);
    lg_held_dump();
    lg_unlock_all(all, 1);
    return wrong;
}
"""


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)


def compile_(place, name, text, *options, compiler="gcc"):
    source = place / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}", "-c", source,
                    "-o", place / f"{name}.o", *options], check=True, capture_output=True, text=True)
    return place / f"{name}.o"


def code_of(target, symbol):
    """The instructions of one function with their relocations, without what differs by place."""
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", f"--disassemble={symbol}", target], check=True,
                          capture_output=True, text=True).stdout
    body = text.split(f"<{symbol}>:\n", 1)[1]
    return [re.sub(r"<.*>", "", line.split(":", 1)[1]).strip() for line in body.splitlines() if ":" in line]


def disabled_is_pthread(_):
    with directory() as place:
        for name, (lock, plain_lock, call, plain_call) in PAIRS.items():
            ours = f"#include <lockgraph/lockgraph.h>\nint same({lock} *l);\nint same({lock} *l) {{ return {call}(l); }}\n"
            plain = f"#include <pthread.h>\nint same({plain_lock} *l);\nint same({plain_lock} *l) {{ return {plain_call}(l); }}\n"
            left = code_of(compile_(place, "ours", ours, "-DLOCKGRAPH_DISABLE"), "same")
            right = code_of(compile_(place, "plain", plain), "same")
            check(left == right and any(plain_call in line for line in left), f"{name}: {left} is not {right}")


def disabled_needs_no_library(_):
    with directory() as place:
        target = compile_(place, "limits", LIMITS, "-DLOCKGRAPH_DISABLE")
        subprocess.run(["gcc", target, "-o", place / "limits", "-pthread"], check=True, capture_output=True)
        check(subprocess.run([place / "limits"], timeout=60).returncode == 0, "a limit is not kept, or a result differs")


def enabled_does_the_same(build):
    with directory() as place:
        target = compile_(place, "limits", LIMITS)
        subprocess.run(["gcc", target, "-o", place / "limits", "-pthread", build.runtime, f"-Wl,-rpath,{build.runtime.parent}"],
                       check=True, capture_output=True)
        result = subprocess.run([place / "limits"], timeout=60, cwd=place, capture_output=True, text=True)
        check(result.returncode == 0, f"{result.returncode} results differ: {result.stderr}")
        check("lock_all" not in result.stderr and "(level 10)" in result.stderr, f"no dump in {result.stderr}")


def mixing_is_an_error(build):
    one = "#include <lockgraph/mutex.h>\nint main(void) { return 0; }\n"
    other = "#include <lockgraph/mutex.h>\nint other(void);\nint other(void) { return 0; }\n"
    with directory() as place:
        first = compile_(place, "one", one)
        for options, status in ((("-DLOCKGRAPH_DISABLE",), 1), ((), 0)):
            second = compile_(place, "other", other, *options)
            linked = subprocess.run(["gcc", first, second, "-o", place / "mixed", build.runtime], capture_output=True, text=True)
            check((linked.returncode != 0) == bool(status), f"linked with {options}: {linked.returncode} {linked.stderr}")
            check(not status or "LOCKGRAPH_DISABLE" in linked.stderr, linked.stderr)


def declared():
    found = set()
    for header in HEADERS.glob("*.h"):
        found |= set(DECLARED.findall(header.read_text(encoding="utf-8")))
    return found


def exports_are_the_headers(build):
    listed = subprocess.run(["nm", "-D", "--defined-only", build.runtime], check=True, capture_output=True, text=True).stdout
    exported = {name.split("@")[0] for line in listed.splitlines() for name in line.split()[2:] if name.startswith("lg_")}
    check(len(exported) > 30, f"only {sorted(exported)}")
    check(exported == declared(), f"declared or exported only: {sorted(exported ^ declared())}")


def headers_stand_alone(_):
    with directory() as place:
        for header in sorted(HEADERS.glob("*.h")):
            for language in ("c", "c++"):
                for options in ((), ("-DLOCKGRAPH_DISABLE",)):
                    compile_(place, "alone", f"#include <lockgraph/{header.name}>\n", "-x", language, "-fsyntax-only", *options)


def cases():
    for name, function in (("disabled is pthread", disabled_is_pthread), ("disabled needs no library", disabled_needs_no_library),
                           ("enabled does the same", enabled_does_the_same), ("mixing is an error", mixing_is_an_error),
                           ("exports are the headers", exports_are_the_headers), ("headers stand alone", headers_stand_alone)):
        yield f"wrapper {name}", False, function
