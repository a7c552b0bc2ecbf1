"""`lockgraph diff`, `lockgraph check --baseline`, and the script of docs/ci.md."""

import json
import subprocess

from harness import EXIT_FINDINGS, ROOT, check, findings, place

USAGE, UNREADABLE = 2, 65

# Built without changes, with everything moved, and with one new inversion.
BANK = """
#include <pthread.h>
#include <sched.h>
#ifdef MOVED
int padding[100000] = {1};
int unused(int i) { return padding[i] + i; }
#endif
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static void both(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
/* One after the other, so that it never hangs; Lockgraph does not see why. */
static _Atomic int turn;
static int *await(int *mine) {
    while (turn != *mine)
        sched_yield();
    return mine;
}
static void *done(void *arg) { turn++; return arg; }
static void *old(void *arg) { await(arg); both(&first, &second); return done(arg); }
static void *known(void *arg) { await(arg); both(&second, &first); return done(arg); }
static void *good(void *arg) { await(arg); both(&second, &third); return done(arg); }
static void *added(void *arg) {
    await(arg);
#ifdef INVERTED
    both(&third, &second);
#endif
    return done(arg);
}
int main(void) {
    void *(*const work[])(void *) = {old, known, good, added};
    pthread_t threads[4];
    int number[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, work[i], &number[i]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""


def command(here, *arguments, **how):
    return here.execute([here.build.command, *arguments], **how)


def bank(here, name, *flags):
    source = here.directory / "bank.c"
    source.write_text(BANK, encoding="utf-8")
    folder = here.directory / name
    folder.mkdir()
    subprocess.run(["gcc", "-g", "-pthread", *flags, "-o", folder / "bank", source], check=True)
    return folder / "bank"


def run_bank(here, name, *flags):
    """Its evidence, in a directory of that name."""
    program = bank(here, name, *flags)
    here.run(program, options=["--fail-on", "never", "-o", f"{name}.data"]).expect(0)
    return f"{name}.data"


def script(build):
    """It passes on what is unchanged, though every address moved, and fails on one new inversion."""
    with place(build) as here:
        old, moved = bank(here, "old"), bank(here, "moved", "-DMOVED", "-O1", "-fno-inline", "-no-pie")
        new = bank(here, "new", "-DMOVED", "-DINVERTED")

        def ci(*arguments):
            path = f"{here.build.command.parent}:/usr/bin:/bin"
            return here.execute([ROOT / "docs/ci/check.sh", *arguments], environment={"PATH": path})

        ci("main.json", old).expect(UNREADABLE)
        ci("--update", "main.json", old).expect(0)
        ci("main.json", old).expect(0)
        ci("main.json", moved).expect(0)
        result = ci("main.json", new).expect(EXIT_FINDINGS)
        check("New findings" in result.stdout and "third" in result.stdout, f"not told: {result}")
        check(result.stdout.count("ERROR") == 2 and "Stacks:" in result.stdout, f"not once in full: {result}")
        ci("main.json").expect(USAGE)


def baselines(build):
    """A baseline is a file or directory of evidence, or a JSON report; only what is new fails."""
    with place(build) as here:
        old, new = run_bank(here, "old"), run_bank(here, "new", "-DMOVED", "-DINVERTED")
        report = here.report("--fail-on", "never", "--format", "json", "-o", "old.json", old).expect(0)
        file, = (here.directory / old).glob("*.lgd")
        for baseline in (old, file, "old.json"):
            command(here, "check", "--baseline", baseline, old).expect(0)
            result = command(here, "check", "--baseline", baseline, new).expect(EXIT_FINDINGS)
            check("findings: 1 new, 0 gone, 1 as before; pairs of classes: 1 new, 0 gone, 3 as before"
                  in result.stdout, f"not one: {result}, {report}")
            command(here, "check", "--baseline", baseline, "--fail-on", "never", new).expect(0)
        command(here, "check", "--baseline", new, old).expect(0)


def releases(build):
    """A library is the same one whatever the version behind its name."""
    with place(build) as here:
        source = here.directory / "bank.c"
        source.write_text(BANK.replace("int main(void)", "int bank(void)"), encoding="utf-8")
        program = here.directory / "shop"
        program.with_suffix(".c").write_text("int bank(void);\nint main(void) { return bank(); }\n", encoding="utf-8")
        for version in ("1.4.0", "1.5"):
            library = here.directory / f"libbank.so.{version}"
            subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-pthread", "-o", library, source], check=True)
            subprocess.run(["gcc", "-g", "-o", program, program.with_suffix(".c"), library], check=True)
            here.run(program, options=["--fail-on", "never", "-o", "data"]).expect(0)
            here.report("--fail-on", "never", "--format", "json", "-o", f"{version}.json", "data").expect(0)
        result = command(here, "diff", "--fail-on", "note", "1.4.0.json", "1.5.json").expect(0)
        check("findings: 0 new, 0 gone, 1 as before" in result.stdout, f"another library: {result}")


def names_that_are_gone(build):
    """Why all is new against evidence whose program was rebuilt since, is said; a report keeps the names."""
    with place(build) as here:
        old = run_bank(here, "old")
        here.report("--fail-on", "never", "--format", "json", "-o", "old.json", old).expect(0)
        said = command(here, "diff", old, old).expect(0).stdout
        check("Symbols" not in said, f"nothing is missing: {said}")
        program = here.directory / "old/bank"
        program.unlink()
        subprocess.run(["gcc", "-g", "-pthread", "-DMOVED", "-o", program, here.directory / "bank.c"], check=True)
        here.run(program, options=["--fail-on", "never", "-o", "new.data"]).expect(0)
        for arguments in (("diff", old, "new.data"), ("check", "--baseline", old, "new.data")):
            said = command(here, *arguments).expect(EXIT_FINDINGS).stdout
            check(f"Symbols of {old}: " in said and "was replaced after the run" in said, f"it is not said: {said}")
        said = command(here, "check", "--baseline", "new.data", old).expect(EXIT_FINDINGS).stdout
        check("Symbols: " in said and "was replaced after the run" in said, f"it is not said: {said}")
        said = command(here, "check", "--baseline", "old.json", "--fail-on", "note", "new.data").expect(0).stdout
        check("Symbols" not in said, f"nothing is missing: {said}")


def differences(build):
    """What is new, gone and as before; pairs alone are notes; a suppressed finding is not new."""
    with place(build) as here:
        old, new = run_bank(here, "old"), run_bank(here, "new", "-DINVERTED")
        result = command(here, "diff", new, old).expect(0)
        check("findings: 0 new, 1 gone, 1 as before" in result.stdout and "Gone pairs" in result.stdout, f"{result}")
        result = command(here, "diff", old, new).expect(EXIT_FINDINGS)
        check("  second is taken under third" in result.stdout, f"no pair: {result}")
        command(here, "diff", "--fail-on", "never", old, new).expect(0)
        command(here, "diff", "--fail-on", "note", old, old).expect(0)
        added, = {f["id"] for f in findings(here.json(new))} - {f["id"] for f in findings(here.json(old))}
        command(here, "suppress", added, "--reason", "r", new).expect(0)
        command(here, "diff", old, new).expect(0)
        command(here, "diff", "--fail-on", "note", old, new).expect(EXIT_FINDINGS)


def levels(build):
    """A level that changed is told, and is a note; a finding that became graver is new."""
    with place(build) as here:
        data = run_bank(here, "old")
        here.report("--fail-on", "never", "--format", "json", "-o", "now.json", data).expect(0)
        report = json.loads((here.directory / "now.json").read_text(encoding="utf-8"))
        by_name = {c["name"]: c for c in report["classes"]}
        by_name["first"]["level"], by_name["second"]["level"] = 10, 20
        write(here, "levels.json", report)
        result = command(here, "diff", "--fail-on", "note", "now.json", "levels.json").expect(EXIT_FINDINGS)
        check("first has level 10, and had none" in result.stdout, f"{result}")
        by_name["first"]["level"], by_name["second"]["level"] = 11, None
        write(here, "other.json", report)
        result = command(here, "diff", "levels.json", "other.json").expect(0)
        check("first has level 11; it was 10" in result.stdout and "second has no level any more; it was 20"
              in result.stdout and "levels: 1 new, 2 gone, 0 as before" in result.stdout, f"{result}")
        report["findings"][0]["severity"] = "note"
        write(here, "note.json", report)
        result = command(here, "diff", "note.json", "now.json").expect(EXIT_FINDINGS)
        check("was a note" in result.stdout, f"{result}")
        command(here, "diff", "now.json", "note.json").expect(0)


def write(here, name, report):
    (here.directory / name).write_text(json.dumps(report), encoding="utf-8")


def unreadable(build):
    """Wrong files are refused, with what would be right."""
    with place(build) as here:
        data = run_bank(here, "old")
        wrong = {"broken.json": "{\"schema\": ", "other.json": "{\"schema\": \"x/1\"}", "empty": "", "text": "hello",
                 "list.json": "{\"schema\": \"lockgraph-report/1\", \"findings\": {}, \"classes\": [], \"edges\": []}",
                 "deep.json": "{\"a\":" + "[" * 100000}
        for name, text in wrong.items():
            (here.directory / name).write_text(text, encoding="utf-8")
            for arguments in (("diff", name, data), ("diff", data, name), ("check", "--baseline", name, data)):
                result = command(here, *arguments).expect(UNREADABLE)
                check(name in result.stderr and result.stderr.count("\n") == 1, f"not one sentence: {result}")
        command(here, "diff", data).expect(USAGE)
        command(here, "diff", "--fail-on", "x", data, data).expect(USAGE)
        command(here, "check", data).expect(USAGE)


CASES = [script, baselines, releases, names_that_are_gone, differences, levels, unreadable]


def cases():
    for function in CASES:
        yield f"ci {function.__name__.replace('_', ' ')}", False, function
