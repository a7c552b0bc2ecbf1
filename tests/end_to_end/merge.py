"""`lockgraph merge`, and orders that contradict each other only across runs."""

import itertools
import random
import subprocess

from harness import EXIT_FINDINGS, check, findings, place

USAGE, UNREADABLE = 2, 65

# Takes the locks that are named, in that order; with a second thread unless told not to by ".".  "+ab": elsewhere.
TAKES = """
#include <pthread.h>
#include <string.h>
#ifdef MOVED
int padding[100000] = {1};
int unused(int i) { return padding[i] + i; }
#endif
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER, c = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t r = PTHREAD_RWLOCK_INITIALIZER, s = PTHREAD_RWLOCK_INITIALIZER;
static void lock(char name) {
    switch (name) {
    case 'a': pthread_mutex_lock(&a); break;
    case 'b': pthread_mutex_lock(&b); break;
    case 'c': pthread_mutex_lock(&c); break;
    case 'g': pthread_mutex_lock(&gate); break;
    case 'r': pthread_rwlock_rdlock(&r); break;
    case 's': pthread_rwlock_rdlock(&s); break;
    case 'R': pthread_rwlock_wrlock(&r); break;
    case 'S': pthread_rwlock_wrlock(&s); break;
    }
}
static void unlock(char name) {
    switch (name) {
    case 'a': pthread_mutex_unlock(&a); break;
    case 'b': pthread_mutex_unlock(&b); break;
    case 'c': pthread_mutex_unlock(&c); break;
    case 'g': pthread_mutex_unlock(&gate); break;
    case 'r': case 'R': pthread_rwlock_unlock(&r); break;
    case 's': case 'S': pthread_rwlock_unlock(&s); break;
    }
}
static void *take(void *names) {
    const char *all = names;
    for (const char *at = all; *at; at++)
        lock(*at);
    for (size_t i = strlen(all); i-- > 0;)
        unlock(all[i]);
    return NULL;
}
static void *take_elsewhere(void *unused) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return unused;
}
int main(int count, char **arguments) {
    pthread_t thread;
    for (int i = 1; i < count; i++) {
        if (arguments[i][0] == '.') {
            take(arguments[i] + 1);
            continue;
        }
        pthread_create(&thread, NULL, arguments[i][0] == '+' ? take_elsewhere : take, arguments[i]);
        pthread_join(thread, NULL);
    }
    return 0;
}
"""


def command(here, *arguments, **how):
    return here.execute([here.build.command, *arguments], **how)


def program(here, *flags):
    source = here.directory / "takes.c"
    source.write_text(TAKES, encoding="utf-8")
    folder = here.directory / ("takes" + "".join(flags))
    folder.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-g", "-pthread", *flags, "-o", folder / "takes", source], check=True)
    return folder / "takes"


def run(here, takes, data, *orders):
    here.run(takes, *orders, options=["--fail-on", "never", "-o", data]).expect(0)
    return data


def across(here, *data):
    return [f for f in findings(here.json(*data)) if f["verdict"] == "across-runs"]


def two_runs(build):
    """a, b in one run, b, a in another one: a warning, merged or not, whatever the layout."""
    with place(build) as here:
        takes, moved = program(here), program(here, "-DMOVED", "-no-pie")
        one, other = run(here, takes, "one", "ab"), run(here, moved, "other", "ba")
        for data in (one, other):
            check(not findings(here.json(data)), f"{data} has a finding of its own")
        alone, = across(here, one, other)
        check(alone["severity"] == "warning" and alone["kind"] == "order-cycle", f"{alone}")
        check({t["serial"] for t in alone["threads"]} == {1, 2}, f"not two threads: {alone['threads']}")
        command(here, "merge", "-o", "all.lgm", one, other).expect(0)
        merged, = across(here, "all.lgm")
        check(merged["id"] == alone["id"] and merged["severity"] == "warning", f"{alone['id']} and {merged}")
        text = here.report("all.lgm").expect(0).stdout
        for words in ("2 processes, merged", "run 1, ", "are taken in both orders (across-runs)", "Why across-runs:"):
            check(words in text, f"no \"{words}\": {text}")
        here.report("--fail-on", "warning", "all.lgm").expect(EXIT_FINDINGS)
        command(here, "explain", merged["id"][:6], "all.lgm").expect(0)
        command(here, "diff", "--fail-on", "warning", one, "all.lgm").expect(EXIT_FINDINGS)
        command(here, "check", "--baseline", "all.lgm", "--fail-on", "note", one).expect(0)
        result = command(here, "why", "a", "b", "all.lgm").expect(0)
        check("a → b" in result.stdout, f"no path: {result}")


def none(build):
    """Not where the orders agree, where readers share, where one process saw both, or with its own verdict."""
    with place(build) as here:
        takes = program(here)
        for number, orders in enumerate([("ab", "ab"), ("rs", "sr"), ("Rs", "sR"), ("rS", "Sr"), ("ac", "bc")]):
            data = [run(here, takes, f"{number}.{i}", order) for i, order in enumerate(orders)]
            check(not across(here, *data), f"across runs: {orders}")
        data = [run(here, takes, "both", "ab", "ba"), run(here, takes, "again", "ab")]
        check(not across(here, *data), "one process saw both")
        command(here, "merge", "-o", "all.lgm", *data).expect(0)
        check(not across(here, "all.lgm"), "merged, one process saw both")
        verdicts = {f["verdict"] for f in findings(here.json("all.lgm"))}
        check(verdicts == {"ordered"}, f"the verdict of that process: {verdicts}")


def rings(build):
    """Longer ones, and readers among writers."""
    with place(build) as here:
        takes = program(here)
        for number, orders in enumerate([("ab", "bc", "ca"), ("rS", "sR"), ("rs", "SR"), ("Rs", "SR")]):
            data = [run(here, takes, f"{number}.{i}", order) for i, order in enumerate(orders)]
            found, = across(here, *data)
            check(len(found["edges"]) == len(orders), f"{orders}: {found['title']}")
            command(here, "merge", "-o", "all.lgm", *data).expect(0)
            merged, = across(here, "all.lgm")
            check(merged["id"] == found["id"] and merged["severity"] == "warning", f"{orders}: {merged}")


def notes(build):
    """Under one gate, or where no process had a second thread: only a note; not when one side has no gate."""
    with place(build) as here:
        takes = program(here)
        cases = {("gab", "gba"): "note", (".ab", ".ba"): "note", ("gab", "ba"): "warning", (".ab", "ba"): "warning"}
        for number, (orders, severity) in enumerate(cases.items()):
            data = [run(here, takes, f"{number}.{i}", order) for i, order in enumerate(orders)]
            command(here, "merge", "-o", "all.lgm", *data).expect(0)
            for inputs in (data, ["all.lgm"]):
                found, = across(here, *inputs)
                check(found["severity"] == severity, f"{orders} in {inputs}: {found['severity']}")


def any_order(build):
    """The same bytes, however the files were united; and the same findings as without merging."""
    with place(build) as here:
        takes = program(here)
        data = [run(here, takes, f"run{i}", *orders) for i, orders in enumerate([("ab", "ba"), ("bc",), ("ca", "gab")])]
        contents = set()
        for number, order in enumerate(itertools.permutations(data)):
            command(here, "merge", "-o", "pair.lgm", *order[:2]).expect(0)
            command(here, "merge", "-o", f"{number}.lgm", "pair.lgm", order[2], order[0]).expect(0)
            contents.add((here.directory / f"{number}.lgm").read_bytes())
        command(here, "merge", "-o", "0.lgm", "0.lgm", "1.lgm").expect(0)
        contents.add((here.directory / "0.lgm").read_bytes())
        check(len(contents) == 1, f"{len(contents)} different files")
        command(here, "diff", "--fail-on", "note", "0.lgm", "1.lgm").expect(0)
        apart, merged = ({f["id"]: f["verdict"] for f in findings(here.json(*inputs))} for inputs in (data, ["0.lgm"]))
        check(apart == merged and len(merged) >= 2, f"{apart} and {merged}")


def whichever_ran_first(build):
    """Many rings, at two places each: the same findings whichever run was the first, merged or not, so that a
    baseline stays one."""
    with place(build) as here:
        takes = program(here)
        draw = random.Random(2)
        runs = ["".join(draw.sample(pair, 2)) for pair in itertools.combinations("abcgRS", 2)]
        runs += ["." + order for order in runs]
        first, second = ([run(here, takes, f"{name}{i}", runs[i]) for i in order]
                         for name, order in (("forward", range(len(runs))), ("backward", reversed(range(len(runs))))))
        command(here, "merge", "-o", "all.lgm", *first).expect(0)
        expected, *others = ({f["id"] for f in across(here, *inputs)}
                             for inputs in (first, second, ["all.lgm"]))
        check(len(expected) > 3, f"too few to tell: {expected}")
        for other in others:
            check(other == expected, f"{other} and {expected}")
        command(here, "merge", "-o", "again.lgm", *second).expect(0)
        command(here, "check", "--baseline", "all.lgm", "--fail-on", "note", "again.lgm").expect(0)


def many_rings(build):
    """Of rings that share orders the same ones are told, in whichever order the locks were met."""
    with place(build) as here:
        takes, generator = program(here), random.Random(4)
        pairs = ["".join(pair) for pair in itertools.permutations("abcgRS", 2)]
        data = [run(here, takes, f"run{i}", *generator.sample(pairs, 6)) for i in range(3)]
        command(here, "merge", "-o", "all.lgm", *data).expect(0)
        command(here, "merge", "-o", "last.lgm", data[2]).expect(0)
        apart, merged, partly = ({f["id"]: (f["verdict"], f["severity"]) for f in findings(here.json(*inputs))}
                                 for inputs in (data, ["all.lgm"], ["last.lgm", *data[:2]]))
        check(sum(verdict == "across-runs" for verdict, _ in apart.values()) >= 3, f"too few rings: {apart}")
        check(apart == merged == partly, f"{apart}, merged {merged}, partly {partly}")
        command(here, "check", "--baseline", "all.lgm", "--fail-on", "note", *data).expect(0)


def many_places(build):
    """A ring has one id, whichever of the places of an order was seen first."""
    with place(build) as here:
        takes = program(here)
        ids = set()
        for number, orders in enumerate(itertools.permutations((("ab",), ("+ab",), ("ba",)))):
            data = [run(here, takes, f"{number}.{i}", *order) for i, order in enumerate(orders)]
            command(here, "merge", "-o", "all.lgm", *data).expect(0)
            for inputs in (data, ["all.lgm"]):
                found, = across(here, *inputs)
                ids.add(found["id"])
        check(len(ids) == 1, f"one ring, several ids: {ids}")


def hostile(build):
    """Truncated, or with a byte changed, at some places (the unit suite takes all): 65, or a report."""
    with place(build) as here:
        data = run(here, program(here), "data", "ab", "ba")
        command(here, "merge", "-o", "all.lgm", data).expect(0)
        whole = (here.directory / "all.lgm").read_bytes()
        damaged = here.directory / "damaged.lgm"
        for size in range(0, len(whole), max(1, len(whole) // 8)):
            damaged.write_bytes(whole[:size])
            for arguments in (("report", damaged), ("merge", "-o", "out.lgm", damaged)):
                result = command(here, *arguments).expect(UNREADABLE)
                check(result.stderr.count("\n") == 1 and "damaged.lgm" in result.stderr, f"at {size}: {result}")
        for at in range(0, len(whole), max(1, len(whole) // 8)):
            damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5a]) + whole[at + 1:])
            for arguments in (("report", "--fail-on", "never", damaged), ("merge", "-o", "out.lgm", damaged)):
                status = command(here, *arguments).status
                check(status in (0, UNREADABLE), f"byte {at}: status {status}")
        check(not list(here.directory.glob("*.tmp")), "temporary files are left")
        command(here, "merge", data).expect(USAGE)
        command(here, "merge", "-o", "no-such-directory/all.lgm", data).expect(70)
        command(here, "merge", "-o", "never.lgm", data, "no-such.data").expect(UNREADABLE)
        check(not (here.directory / "never.lgm").exists(), "written without some input")


def no_figures(build):
    """A merged file has none, which is not the same as that nobody waited."""
    with place(build) as here:
        here.preload(build.subject("profile_load"), "waits").expect(0)
        command(here, "merge", "-o", "all.lgm", here.data).expect(0)
        for by in ("class", "site", "thread"):
            alone, both = (command(here, "stat", "--by", by, *inputs).expect(0).stdout
                           for inputs in (["all.lgm"], ["all.lgm", here.data]))
            check("A merged file keeps no figures" in alone and "waited for" not in alone and "contended" not in alone, alone)
            check("A merged file keeps no figures" in both and ("queue" in both or "waiter" in both), both)
            evidence = command(here, "stat", "--by", by, here.data).expect(0).stdout
            check("merged" not in evidence, evidence)
        folded = command(here, "export", "--format", "folded", "all.lgm").expect(0)
        check("keep no figures" in folded.stderr and "nobody waited" not in folded.stderr, folded)


def keeps_what_is_no_file(build):
    with place(build) as here:
        here.run(build.subject("abba"), options=["--fail-on", "never"]).expect(0)
        target = here.directory / "directory"
        target.mkdir()
        (here.directory / "link").symlink_to("somewhere")
        for path in (target, here.directory / "link"):
            for arguments in (("merge", "-o"), ("export", "--format", "sqlite", "-o")):
                result = command(here, *arguments, path).expect(70)
                check("no regular file" in result.stderr, f"why is not said: {result}")
        check(target.is_dir() and (here.directory / "link").is_symlink(), "it was replaced")


CASES = [two_runs, none, rings, notes, any_order, whichever_ran_first, many_rings, many_places, hostile, no_figures,
         keeps_what_is_no_file]


def cases():
    for function in CASES:
        yield f"merge {function.__name__.replace('_', ' ')}", False, function
