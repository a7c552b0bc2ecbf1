"""lockgraph/annotate.h in programs that are not linked with the library: as position-independent executable, as one that
is not, statically linked, from C++, in a library of their own; with the runtime preloaded and without."""

import subprocess

from harness import ROOT, check, findings, place

# Holds "outer", takes "inner", which has the lower level; ends with 0 unless something of its own went wrong.
PROGRAM = """
#include <lockgraph/annotate.h>
#include <dlfcn.h>
#include <errno.h>
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
int main(void) {
    errno = 0;
    if (dlerror() != 0)
        return 2;
    LG_NAME(&outer, "the outer one");
    LG_LEVEL(&outer, 20);
    LG_LEVEL(&inner, 10);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    LG_CUSTOM_ACQUIRING(&inner);
    LG_CUSTOM_ACQUIRED(&inner);
    LG_CUSTOM_RELEASED(&inner);
    return errno;
}
"""
# Annotates before main.
EARLY = """
#include <lockgraph/annotate.h>
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
__attribute__((constructor)) static void start(void) { LG_NAME(&outer, "the outer one"); LG_LEVEL(&outer, 20); }
int main(void) {
    LG_LEVEL(&inner, 10);
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    return 0;
}
"""

WAYS = {
    "pie": ("gcc", "-fPIE", "-pie"),
    "not pie": ("gcc", "-fno-pie", "-no-pie"),
    "optimised, not pie": ("gcc", "-O2", "-flto", "-fno-pie", "-no-pie"),
    "clang, not pie": ("clang", "-fno-pie", "-no-pie"),
    "C++": ("g++", "-std=c++11", "-x", "c++"),
    "bound now": ("gcc", "-Wl,-z,now", "-Wl,--as-needed"),
}


def compile_(here, name, text, compiler, *options):
    source = here.directory / f"{name}.c"
    source.write_text(text, encoding="utf-8")
    subprocess.run([compiler, "-g", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", *options, source, "-o",
                    here.directory / name, "-pthread", f"-L{here.directory}", f"-Wl,-rpath,{here.directory}"],
                   check=True, capture_output=True, text=True)
    return here.directory / name


def tells(here, program):
    here.execute([program]).expect(0)
    here.run(program, options=["--fail-on", "never"]).expect(0)
    found = findings(here.json(), "warning")
    check([f["kind"] for f in found] == ["level-violation"], f"found {[f['kind'] for f in found]}")
    check("the outer one" in found[0]["title"], found[0]["title"])


def in_each_way(name):
    def run(build):
        with place(build) as here:
            tells(here, compile_(here, "program", PROGRAM, *WAYS[name]))
    return run


def disabled(build):
    with place(build) as here:
        program = compile_(here, "program", PROGRAM, "gcc", "-DLOCKGRAPH_DISABLE")
        here.run(program).expect(0)
        symbols = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
        check("lg_annotate" not in symbols, "something is left")


def static(build):
    """Nothing can be preloaded there; it must run, and must not have dlsym pulled in."""
    with place(build) as here:
        text = PROGRAM.replace("dlerror() != 0", "0").replace("#include <dlfcn.h>", "")
        here.execute([compile_(here, "program", text, "gcc", "-static")]).expect(0)
        unlinked = compile_(here, "object", text, "gcc", "-c")
        symbols = subprocess.run(["nm", unlinked], check=True, capture_output=True, text=True).stdout.split("\n")
        check(any(line.split() == ["w", "dlsym"] for line in symbols), f"dlsym is not wanted weakly: {symbols}")


def from_a_constructor(build):
    with place(build) as here:
        tells(here, compile_(here, "program", EARLY, "gcc"))


REAL_TSAN = """
#include <sanitizer/tsan_interface.h>
static int lock;
int main(void) {
    __tsan_mutex_create(&lock, 0);
    __tsan_mutex_pre_lock(&lock, 0);
    __tsan_mutex_post_lock(&lock, 0, 0);
    __tsan_mutex_pre_unlock(&lock, 0);
    __tsan_mutex_post_unlock(&lock, 0);
    __tsan_mutex_pre_unlock(&lock, 0);
    return 0;
}
"""


def not_beside_tsan(build):
    """A real ThreadSanitizer gets the calls, and tells of them itself; Lockgraph says nothing of that lock."""
    with place(build) as here:
        program = compile_(here, "program", REAL_TSAN, "gcc", "-fsanitize=thread")
        alone = here.execute(["setarch", "-R", program], environment={"TSAN_OPTIONS": "exitcode=7"})
        check(alone.status == 7 and "unlock of an unlocked mutex" in alone.stderr, f"not the test that it should be: {alone}")
        both = here.preload("setarch", "-R", program)
        check("unlock of an unlocked mutex" in both.stderr, f"the call did not arrive: {both}")
        check("unlock-unheld" not in both.stderr, f"told twice: {both}")


def cases():
    for name in WAYS:
        yield f"annotate {name}", False, in_each_way(name)
    for function in (disabled, static, from_a_constructor, not_beside_tsan):
        yield f"annotate {function.__name__.replace('_', ' ')}", False, function
