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
                    here.directory / name, "-pthread", f"-L{here.directory}", f"-Wl,-rpath,{here.directory}", "-ldl"],
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


# Two locks of an object, initialised by a function that does it for all; in both orders, by one thread after the other.
DROP_IN = """
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
struct object { pthread_mutex_t left; pthread_rwlock_t right; pthread_spinlock_t spin; sem_t slots; };
static volatile int step;
static void *forth(void *argument) {
    struct object *o = (struct object *)argument;
    pthread_mutex_lock(&o->left);
    pthread_rwlock_wrlock(&o->right);
    pthread_rwlock_unlock(&o->right);
    pthread_mutex_unlock(&o->left);
    __atomic_store_n(&step, 1, __ATOMIC_SEQ_CST);
    return 0;
}
static void *back(void *argument) {
    struct object *o = (struct object *)argument;
    while (!__atomic_load_n(&step, __ATOMIC_SEQ_CST)) continue;
    pthread_rwlock_wrlock(&o->right);
    pthread_mutex_lock(&o->left);
    pthread_mutex_unlock(&o->left);
    pthread_rwlock_unlock(&o->right);
    return 0;
}
int main(void) {
    struct object *o = (struct object *)calloc(1, sizeof *o);
    int (*by_pointer)(pthread_mutex_t *, const pthread_mutexattr_t *) = pthread_mutex_init;
    pthread_t threads[2];
    if (by_pointer(&o->left, 0) || pthread_mutex_init(&o->left, 0) || pthread_rwlock_init(&o->right, 0))
        return 1;
    if (pthread_spin_init(&o->spin, 0) || sem_init(&o->slots, 0, 1))
        return 1;
    pthread_create(&threads[0], 0, forth, o);
    pthread_create(&threads[1], 0, back, o);
    pthread_setname_np(pthread_self(), "main");
    pthread_join(threads[0], 0);
    pthread_join(threads[1], 0);
    return 0;
}
"""
DROP_IN_WAYS = {
    "directory": ("gcc", f"-isystem{ROOT / 'include/lockgraph/drop-in'}"),
    "included first": ("gcc", "-D_GNU_SOURCE=", "-include", "lockgraph/pthread.h"),
    "in C++": ("g++", "-include", "lockgraph/pthread.h", "-x", "c++"),
}


def drop_in(name):
    """Stripped, so that only what was said at run time can name a lock."""
    def run(build):
        with place(build) as here:
            text = DROP_IN.replace("#define _GNU_SOURCE", "") if "C++" in name else DROP_IN  # g++ defines it
            program = compile_(here, "program", text, *DROP_IN_WAYS[name], "-O2", "-s")
            here.execute([program]).expect(0)
            here.run(program, options=["--fail-on", "never"]).expect(0)
            found = findings(here.json(), "warning")
            check([f["kind"] for f in found] == ["order-cycle"], f"found {[f['kind'] for f in found]}")
            for words in ("o->left (", "o->right (", "program.c:"):
                check(words in found[0]["title"], f"no {words} in {found[0]['title']}")
    return run


def drop_in_leaves_alone(build):
    """A C file that has not said which functions it wants, one that says no, and assembler."""
    with place(build) as here:
        for name, options in (("late", ("-include", "lockgraph/pthread.h")),
                              ("refused", ("-D_GNU_SOURCE=", "-DLOCKGRAPH_NO_DROP_IN", "-include", "lockgraph/pthread.h")),
                              ("assembler", ("-D_GNU_SOURCE=", "-include", "lockgraph/pthread.h"))):
            text = ".globl main\nmain: ret\n" if name == "assembler" else DROP_IN
            language = ("-x", "assembler-with-cpp") if name == "assembler" else ()
            program = compile_(here, name, text, "gcc", *options, *language, "-c")
            strings = program.read_bytes()
            check(b"o->left (" not in strings, f"{name}: changed")


def cases():
    for name in WAYS:
        yield f"annotate {name}", False, in_each_way(name)
    for name in DROP_IN_WAYS:
        yield f"annotate drop-in {name}", False, drop_in(name)
    for function in (drop_in_leaves_alone, disabled, static, from_a_constructor, not_beside_tsan):
        yield f"annotate {function.__name__.replace('_', ' ')}", False, function
