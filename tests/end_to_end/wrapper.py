"""The public headers as a program uses them: with and without LOCKGRAPH_DISABLE, and what the library exports for them."""

import contextlib
import pathlib
import re
import signal
import subprocess
import tempfile

import harness
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
    lg_mutex_t *const all[] = {&m}, *const twice[] = {&m, &m};
    int wrong = lg_sem_init(&s, "s", 30, 0) != 0;
    LG_OPERATION("limits") wrong += in_scope() != ETIMEDOUT;
    lg_operation_end();
    wrong += lg_rwlock_wrlock(&l) != 0;
    wrong += lg_rwlock_trywrlock(&l) != EBUSY;
    wrong += lg_sem_timedwait(&s, 50) != ETIMEDOUT;
    wrong += lg_sem_trywait(&s) != EBUSY;
    wrong += lg_lock_all(twice, 2) != EINVAL || lg_lock_all(all, 0) != 0;
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


CXX = """
#include <condition_variable>
#include <lockgraph/lockgraph.hpp>
#include <mutex>
#include <thread>
#if __cplusplus >= 201402L
#include <shared_mutex>
#endif
static lockgraph::mutex m{"m", 10};
static lockgraph::shared_mutex s{"s", 20};
static lockgraph::mutex keyed{"keyed", 30, 7};
static std::condition_variable_any changed;
static bool ready;
template <class Lock, class Try> static bool shut_out(Lock &lock, Try attempt) {
    bool got = true;
    std::thread([&] { got = attempt(lock); }).join();
    return !got;
}
int main() {
    const auto shortly = std::chrono::milliseconds(20);
    int wrong = 0;
    {
        std::unique_lock<lockgraph::mutex> guard(m);
        std::thread other([] { std::lock_guard<lockgraph::mutex> own(m); ready = true; changed.notify_all(); });
        changed.wait(guard, [] { return ready; });
        other.join();
        wrong += !shut_out(m, [](lockgraph::mutex &l) { return l.try_lock(); });
        auto before = std::chrono::steady_clock::now();
        wrong += !shut_out(m, [&](lockgraph::mutex &l) { return l.try_lock_for(shortly); });
        wrong += std::chrono::steady_clock::now() - before < shortly;
        wrong += !shut_out(m, [&](lockgraph::mutex &l) { return l.try_lock_until(std::chrono::steady_clock::now() + shortly); });
        wrong += !shut_out(m, [&](lockgraph::mutex &l) { return l.try_lock_until(std::chrono::system_clock::now() + shortly); });
        wrong += !shut_out(m, [&](lockgraph::mutex &l) { return l.try_lock_for(std::chrono::seconds(-1)); });
    }
    wrong += !keyed.try_lock_for(std::chrono::hours(1000000));
    keyed.unlock();
#if __cplusplus >= 201402L
    {
        std::shared_lock<lockgraph::shared_mutex> reading(s);
        wrong += shut_out(s, [](lockgraph::shared_mutex &l) { return l.try_lock_shared() && (l.unlock_shared(), true); });
        wrong += !shut_out(s, [&](lockgraph::shared_mutex &l) { return l.try_lock_for(shortly); });
    }
#endif
#if __cplusplus >= 201703L
    std::scoped_lock both(m, s);
    wrong += !shut_out(s, [&](lockgraph::shared_mutex &l) { return l.try_lock_shared_until(std::chrono::steady_clock::now()); });
#else
    std::lock_guard<lockgraph::shared_mutex> writing(s);
    wrong += !shut_out(s, [&](lockgraph::shared_mutex &l) { return l.try_lock_shared_for(shortly); });
#endif
    return wrong;
}
"""

CXX_STATIC = """
#include <lockgraph/lockgraph.hpp>
static lockgraph::mutex m{"m", 10};
static lockgraph::shared_mutex s{"s", 20, 5};
lockgraph::mutex *used() { return &m; }
lockgraph::shared_mutex *shared() { return &s; }
"""

NAMES = """
#include <lockgraph/lockgraph.h>
#include <sys/wait.h>
#include <unistd.h>
static lg_mutex_t table = LG_MUTEX_INITIALIZER("table", 10), row = LG_MUTEX_INITIALIZER("row", 20);
static int against(void) {
    int wrong = lg_mutex_lock(&row) != 0 || lg_mutex_lock(&table) != 0;
    return wrong || lg_mutex_unlock(&table) != 0 || lg_mutex_unlock(&row) != 0;
}
int main(int count, char **arguments) {
    static const struct lg_level_name names[] = {{10, "all tables"}, {20, "rows \\x1b[1m"}};
    int early = count > 1 && arguments[1][0] == 'e', status = 0;
    if (early && lg_levels_name(names, 2) != 0)
        return 1;
    if (count > 2 && fork() == 0)
        _exit(against());
    if (count > 2)
        return wait(&status) < 0 || status != 0;
    int wrong = against();
    return wrong || (count > 1 && !early && lg_levels_name(names, 2) != 0);
}
"""


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory() as name:
        yield pathlib.Path(name)


def compile_(place, name, text, *options, compiler="gcc"):
    source = place / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}", *options,
                    "-c", source, "-o", place / f"{name}.o"], check=True, capture_output=True, text=True)
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


def levels_have_names_in_reports(build):
    """Given before or after, in the process or in a child of the one that gave them."""
    with harness.place(build) as here:
        program = here.directory / "names"
        subprocess.run(["gcc", compile_(here.directory, "names", NAMES), "-o", program, "-pthread", build.runtime,
                        f"-Wl,-rpath,{build.runtime.parent}"], check=True, capture_output=True)
        for arguments in (("early",), ("late",), ("early", "fork")):
            said = here.run(program, *arguments).expect(harness.EXIT_FINDINGS).stderr
            check("table (level 10 (all tables))" in said and "row (level 20 (rows \\x1b[1m))" in said, f"{arguments}: {said}")
            check("10 (all tables) table, 20 (rows" in said, f"{arguments}: {said}")
            report = here.json()
            for listed in (report["locks"], report["classes"]):
                names = {(entry["level"], entry.get("level_name")) for entry in listed if entry["level"]}
                check((10, "all tables") in names and len(names) == 2, f"{arguments}: {names}")
        said = here.run(program).expect(harness.EXIT_FINDINGS).stderr
        check("table (level 10)" in said and "all tables" not in said, said)
        check(not [e for e in here.json()["classes"] if "level_name" in e], "a level without a name has one")


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


def exported(build):
    listed = subprocess.run(["nm", "-D", "--defined-only", build.runtime], check=True, capture_output=True, text=True).stdout
    return {name.split("@")[0] for line in listed.splitlines() for name in line.split()[2:] if name.startswith("lg_")}


def exports_are_the_headers(build):
    functions = exported(build)
    check(len(functions) > 30, f"only {sorted(functions)}")
    check(functions == declared(), f"declared or exported only: {sorted(functions ^ declared())}")


def pages_name_every_function(build):
    """Each function that the library exports is in a manual page, as a whole name, and in a test."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/man").glob("*.3.scd"))
    tests = "\n".join(file.read_text(encoding="utf-8") for folder in ("unit", "subjects", "end_to_end")
                      for file in (ROOT / "tests" / folder).glob("*.c*"))
    functions = exported(build)
    words, used = set(re.findall(r"\w+", pages)), set(re.findall(r"\w+", tests + LIMITS))
    check(functions <= words, f"in no page: {sorted(functions - words)}")
    check(functions <= used, f"in no test: {sorted(functions - used)}")


def headers_stand_alone(_):
    with directory() as place:
        for header in sorted(HEADERS.glob("*.h")):
            compile_(place, "alone", f"#include <lockgraph/{header.name}>\n", "-U_GNU_SOURCE", "-DLOCKGRAPH_DISABLE", "-fsyntax-only")
            for language in ("c", "c++"):
                for options in ((), ("-DLOCKGRAPH_DISABLE",)):
                    compile_(place, "alone", f"#include <lockgraph/{header.name}>\n", "-x", language, "-fsyntax-only", *options)


USES = """
%s
static lg_mutex_t m = LG_MUTEX_INITIALIZER("m", 10);
#if !defined __STRICT_ANSI__ || defined _GNU_SOURCE /* else there is no pthread_rwlock_t */
static lg_rwlock_t l = LG_RWLOCK_INITIALIZER_KEYED("l", 20, 3);
int reads(void);
int reads(void) { return lg_rwlock_timedrdlock(&l, 10) || lg_rwlock_unlock(&l); }
#endif
int main(void) {
    LG_NAME(&m.mutex, "m");
    return lg_mutex_timedlock(&m, 30) || lg_mutex_unlock(&m);
}
"""
PEDANTIC = ("-Wpedantic", "-Wshadow", "-Wconversion", "-Wundef", "-Wcast-qual", "-fsyntax-only")
ALL_HEADERS = "#include <lockgraph/lockgraph.h>\n#include <lockgraph/annotate.h>"


def newest_cxx():
    """The newest standard that this gcc has, of those that the headers are to hold for."""
    def known(standard):
        return subprocess.run(["gcc", "-x", "c++", f"-std={standard}", "-E", "/dev/null"], check=False, capture_output=True).returncode == 0
    return next(filter(known, ("c++2b", "c++2a")))


def headers_in_every_language(_):
    """ISO C alone, too, which hides what is POSIX; and whichever header comes first in a build with the drop-in directory."""
    drop_in = f"-isystem{HEADERS / 'drop-in'}"
    with directory() as place:
        for mode in ("-DENABLED", "-DLOCKGRAPH_DISABLE"):
            for standard in ("c89", "gnu89", "c99", "c11", "c2x"):
                for wanted in ("-U_GNU_SOURCE", "-D_GNU_SOURCE"):
                    compile_(place, "uses", USES % ALL_HEADERS, f"-std={standard}", wanted, mode, *PEDANTIC)
            for standard in ("c++11", newest_cxx()):
                compile_(place, "uses", USES % ALL_HEADERS, "-x", "c++", f"-std={standard}", mode, *PEDANTIC)
            for first in ("annotate.h", "lockgraph.h", "pthread.h"):
                compile_(place, "uses", USES % f"#include <lockgraph/{first}>\n{ALL_HEADERS}", drop_in, mode, *PEDANTIC)


def cxx_runs(build, compiler, standard, *options):
    with directory() as place:
        source, program = place / "guards.cpp", place / "guards"
        source.write_text(CXX, encoding="utf-8")
        library = () if options else (build.runtime, f"-Wl,-rpath,{build.runtime.parent}")
        subprocess.run([compiler, f"-std=c++{standard}", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wpedantic", "-Werror",
                        f"-I{ROOT / 'include'}", *options, source, "-o", program, "-pthread", *library],
                       check=True, capture_output=True, text=True)
        result = subprocess.run([program], timeout=60, cwd=place, capture_output=True, text=True)
        check(result.returncode == 0, f"{compiler} {standard} {options}: {result.returncode} results differ: {result.stderr}")
        check("level-violation" not in result.stderr and "order-cycle" not in result.stderr, result.stderr)


def cxx(build):
    for standard in (11, 14, 17, 20):
        cxx_runs(build, "g++", standard)
    cxx_runs(build, "clang++", 17)


def cxx_disabled(build):
    for standard in (11, 20):
        cxx_runs(build, "g++", standard, "-DLOCKGRAPH_DISABLE")


def cxx_statics_need_no_code(_):
    """Only their destruction is registered at start; what they are stands in the data."""
    with directory() as place:
        source, target = place / "statics.cpp", place / "statics.o"
        source.write_text(CXX_STATIC, encoding="utf-8")
        for options in ((), ("-DLOCKGRAPH_DISABLE",)):
            subprocess.run(["g++", "-std=c++11", "-O1", f"-I{ROOT / 'include'}", *options, "-c", source, "-o", target], check=True,
                           capture_output=True)
            symbols = subprocess.run(["nm", target], check=True, capture_output=True, text=True).stdout
            kinds = {line.split()[-1]: line.split()[-2] for line in symbols.splitlines()}
            check(options or (kinds["_ZL1m"] == "d" and kinds["_ZL1s"] == "d"), f"not in the data: {symbols}")
            check("_init" not in symbols, f"initialised by a call: {symbols}")


REVERSALS = ("11", "20", "21", "30", "40", "50", "60")


def violations(report):
    return [f["title"] for f in harness.findings(report, "error") if f["kind"] == "level-violation"]


def each_policy(build):
    """Of each reversal of the six tiers, in the program that is linked with the library and under `lockgraph run`: reported and
    taken, refused, or the end of the program."""
    outcomes = {"report": ("Success\n", 0), "refuse": ("Resource deadlock avoided\n", 0), "abort": ("", -signal.SIGABRT)}
    program = build.subject("lg_tiers")
    for policy, (said, status) in outcomes.items():
        for level in REVERSALS:
            with harness.place(build) as here:
                linked = here.execute([program, level], environment={"LOCKGRAPH_OPTIONS": f"on_violation={policy}"})
                check(linked.status == status and linked.stdout == said, f"linked, {policy} {level}: {linked}")
                check(len(violations(here.json())) == 1 and f"(level {level})" in linked.stderr, f"linked, {policy} {level}: {linked}")
            with harness.place(build) as here:
                run = here.run(program, level, options=["-O", f"on_violation={policy}"]).expect(harness.EXIT_FINDINGS)
                check(run.stdout == said and len(violations(here.json())) == 1, f"run, {policy} {level}: {run}")
        with harness.place(build) as here:
            here.run(program, "right", options=["-O", f"on_violation={policy}"]).expect(0)


def plain_locks_are_only_reported(build):
    """Whatever the policy: a lock call of libc's does what it does."""
    order = harness.SUBJECT_SOURCES / "order_tiers.order"
    for policy in ("refuse", "abort"):
        for subject, case, options in (("order_tiers", "60", ["--order", order]), ("annotate_levels", "mutex", [])):
            with harness.place(build) as here:
                here.run(build.subject(subject), case, options=["-O", f"on_violation={policy}", *options]).expect(harness.EXIT_FINDINGS)
                report = here.json()
                check(len(violations(report)) == 1 and report["processes"][0]["exit"] == 0, f"{policy} {subject}: {report['processes']}")


def cases():
    for name, function in (("disabled is pthread", disabled_is_pthread), ("disabled needs no library", disabled_needs_no_library),
                           ("enabled does the same", enabled_does_the_same), ("level names in reports", levels_have_names_in_reports),
                           ("mixing is an error", mixing_is_an_error),
                           ("exports are the headers", exports_are_the_headers),
                           ("pages name every function", pages_name_every_function), ("headers stand alone", headers_stand_alone),
                           ("headers in every language", headers_in_every_language),
                           ("each policy", each_policy), ("plain locks are only reported", plain_locks_are_only_reported),
                           ("C++", cxx), ("C++ disabled", cxx_disabled), ("C++ statics", cxx_statics_need_no_code)):
        yield f"wrapper {name}", False, function
