"""Suppression files under `lockgraph run` and `lockgraph report`."""

from harness import EXIT_FINDINGS, check, findings, place

NAME = "lockgraph.supp"
KNOWN = "order-cycle lock:account_a lock:account_b  # on purpose\n"


def write(here, text, name=NAME):
    file = here.directory / name
    file.write_text(text)
    return file


def picked_up(build):
    """./lockgraph.supp counts for the exit status of both commands and is named."""
    with place(build) as here:
        abba = build.subject("abba")
        here.run(abba).expect(EXIT_FINDINGS)
        file = write(here, KNOWN + "deadlock:no_such_function\n")
        result = here.run(abba).expect(0)
        check("1 suppressed" in result.stderr and NAME in result.stderr, f"nothing is said of it: {result}")
        check("unused" not in result.stderr, f"one run tells what is unused: {result}")
        result = here.report().expect(0)
        check("account_a and" not in result.stdout, f"the finding is told: {result}")
        for words in ("1 suppressed", f"{NAME}:1: 1 finding: order-cycle", "# on purpose", f"{NAME}:2: unused"):
            check(words in result.stdout, f"\"{words}\" is not in the report: {result}")
        file.unlink()
        here.report().expect(EXIT_FINDINGS)


def given(build):
    """--suppressions instead of the file that lies about, several times over."""
    with place(build) as here:
        abba = build.subject("abba")
        other, known = write(here, "order-cycle lock:other # r\n", "other"), write(here, KNOWN, "known")
        write(here, KNOWN)
        here.run(abba, options=["--suppressions", other]).expect(EXIT_FINDINGS)
        here.report("--suppressions", other).expect(EXIT_FINDINGS)
        here.report("--suppressions", "/dev/null").expect(EXIT_FINDINGS)
        here.run(abba, options=["--suppressions", other, "--suppressions", known]).expect(0)
        here.report(f"--suppressions={other}", f"--suppressions={known}").expect(0)


def in_json(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        check("suppressions" not in here.json(), "suppressions without a file")
        write(here, KNOWN + "\nself-deadlock file:x.c # r\n")
        report = here.json()
        finding, = findings(report, "error")
        check(finding["suppressed"] and finding["suppressed_by"]["line"] == 1, f"not suppressed: {finding}")
        check(finding["suppressed_by"]["reason"] == "on purpose", f"the reason is lost: {finding}")
        check([s["findings"] for s in report["suppressions"]] == [1, 0], f"{report['suppressions']}")


def every_part(build):
    """What a report prints of a finding is what suppresses it."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        finding, = findings(here.json(), "error")
        frame = finding["edges"][0]["requested_at"][0]
        for part in (f"id:{finding['id']}", f"function:{frame['function']}", "file:abba.c", f"file:{frame['file']}",
                     "module:abba", f"module:{frame['module']}", "lock:account_?", "lock:account_*", "class:account_b"):
            write(here, f"order-cycle {part} # r\n")
            here.report().expect(EXIT_FINDINGS if "?" in part else 0)
            write(here, f"self-deadlock {part} # r\n")
            here.report().expect(EXIT_FINDINGS)
        for line in (f"deadlock:{frame['function']}", "deadlock:^main$", "deadlock:ab*.c$"):
            write(here, line + "\n")
            expected = EXIT_FINDINGS if "main" in line else 0
            here.report().expect(expected)


def counts_beside_others(build):
    """What is not suppressed still fails, notes and --strict included."""
    with place(build) as here:
        here.run(build.subject("abba"), options=["--append"])
        here.run(build.subject("trylock_outer"), options=["--append"]).expect(EXIT_FINDINGS)
        write(here, KNOWN)
        result = here.report().expect(EXIT_FINDINGS)
        check("1 error, 1 suppressed" in result.stdout, f"not counted apart: {result}")
        write(here, "* file:* # everything with a file\n")
        here.report("--strict", "--fail-on", "note").expect(0)


def mistakes(build):
    """Told with file, line and column before anything is run; nothing is lost."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        before = sorted(here.data.iterdir())
        write(here, KNOWN + "order-cycle lok:a # r\norder-cycle lock:a\n")
        marker = here.directory / "was-run"
        result = here.run("touch", marker).expect(2)
        check(f"{NAME}:2:13:" in result.stderr and f"{NAME}:3:19:" in result.stderr, f"not located: {result}")
        check(not marker.exists(), "the program was run")
        check(sorted(here.data.iterdir()) == before, "the evidence was touched")
        result = here.report().expect(2)
        check(not result.stdout and f"{NAME}:2:13:" in result.stderr, f"{result}")
        result = here.report("--suppressions", "no-such-file").expect(2)
        check("no-such-file" in result.stderr, f"the file is not named: {result}")
        here.run("touch", marker, options=["--suppressions", here.directory]).expect(2)
        here.run("touch", marker, options=["--suppressions"]).expect(2)
        here.report("--suppressions", "/dev/null").expect(EXIT_FINDINGS)


def real_deadlock(build):
    """Not told and not counted, yet --on-deadlock ends it."""
    with place(build) as here:
        write(here, "* function:* # all that has a name\n")
        result = here.run(build.subject("deadlock_abba"), options=["--on-deadlock", "kill"], seconds=20).expect(137)
        check("How it hangs" not in result.stderr, f"it is told: {result}")


CASES = [picked_up, given, in_json, every_part, counts_beside_others, mistakes, real_deadlock]


def cases():
    for function in CASES:
        yield f"suppressions {function.__name__.replace('_', ' ')}", False, function
