"""Looking into evidence: `lockgraph explain`, `suppress`, `why` and `stat`."""

import re

from harness import EXIT_FINDINGS, check, findings, place

USAGE, UNREADABLE = 2, 65


def command(here, *arguments):
    return here.execute([here.build.command, *arguments])


def found(here):
    return {f["kind"]: f["id"] for f in findings(here.json("--suppressions", "/dev/null"))}


def explains(build):
    """By the whole id, by its beginning, suppressed or not; not by what fits none or several."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        name, = found(here).values()
        for prefix in (name, name[:3]):
            result = command(here, "explain", prefix).expect(0)
            check(name in result.stdout and "second() abba.c:" in result.stdout, f"not told: {result}")
            check(re.search(r"> +\d+ \|.*HELD b", result.stdout), f"without source: {result}")
        other = "0" if name[0] != "0" else "1"
        for prefix, words in ((other * 12, "none of the 1 findings"), ("xyz", "is no id"), (name + "0", "is no id")):
            result = command(here, "explain", prefix).expect(USAGE)
            check(words in result.stderr and not result.stdout, f"no \"{words}\": {result}")
        command(here, "explain").expect(USAGE)
        command(here, "explain", name, "no-such.data").expect(UNREADABLE)


def explains_one_of_several(build):
    """A beginning that several ids have in common lists them."""
    with place(build) as here:
        for options in (["--fail-on", "never"], ["--fail-on", "never", "--append"]):
            here.run(build.subject("abba" if len(options) == 2 else "cycle"), options=options)
        ids = [f["id"] for f in findings(here.json())]
        check(len(ids) > 1, f"only {ids}")
        result = command(here, "explain", "").expect(USAGE)
        shared = [a[0] for a in ids if sum(b[0] == a[0] for b in ids) > 1]
        for first in shared[:1]:
            result = command(here, "explain", first).expect(USAGE)
            check("give more digits" in result.stderr, f"not listed: {result}")


def suppresses(build):
    """One line, once, with its reason; then the run passes."""
    with place(build) as here:
        abba, file = build.subject("abba"), here.directory / "lockgraph.supp"
        here.run(abba).expect(EXIT_FINDINGS)
        name, = found(here).values()
        command(here, "suppress", name).expect(USAGE)
        command(here, "suppress", name, "--reason", "two\nlines").expect(USAGE)
        check(not file.exists(), "written without a reason")
        file.write_text("# kept\norder-cycle lock:other # r", encoding="utf-8")  # no newline at its end
        command(here, "suppress", name[:4], "--reason", "on # purpose").expect(0)
        lines = file.read_text(encoding="utf-8").splitlines()
        check(lines == ["# kept", "order-cycle lock:other # r", f"order-cycle id:{name} # on # purpose"], f"{lines}")
        here.run(abba).expect(0)
        check("already" in command(here, "suppress", name, "--reason", "again").expect(0).stdout, "not told")
        check(len(file.read_text(encoding="utf-8").splitlines()) == 3, "added again")
        check("Suppressed by lockgraph.supp:3" in command(here, "explain", name).expect(0).stdout, "not told by what")
        here.run(build.subject("cycle")).expect(EXIT_FINDINGS)


def suppresses_elsewhere(build):
    """-o FILE; a mistake in the file is told, and nothing is added."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        name, = found(here).values()
        command(here, "suppress", name, "--reason", "r", "-o", "known").expect(0)
        here.report("--suppressions", "known").expect(0)
        here.report().expect(EXIT_FINDINGS)
        broken = here.directory / "broken"
        broken.write_text("order-cycle lok:a # r\n", encoding="utf-8")
        result = command(here, "suppress", name, "--reason", "r", "-o", "broken").expect(USAGE)
        check("broken:1:13" in result.stderr, f"the mistake is not told: {result}")
        check(broken.read_text(encoding="utf-8") == "order-cycle lok:a # r\n", "added to a broken file")


def tells_why(build):
    """A path with both stacks, a cycle, and that there is none."""
    with place(build) as here:
        here.run(build.subject("order_tiers"), "right").expect(0)
        pairs = {(e["from"], e["to"]) for e in here.json()["edges"]}
        names = {c["id"]: c["name"] for c in here.json()["classes"]}
        outer, inner = next((a, b) for a, b in sorted(pairs) if a != b and (b, a) not in pairs)
        for one, other in ((outer, inner), (names[outer], names[inner])):
            result = command(here, "why", one, other).expect(0)
            check("is taken under" in result.stdout and "was requested at" in result.stdout, f"not told: {result}")
        check("No path leads from" in command(here, "why", inner, outer).expect(0).stdout, "a path that is none")
        result = command(here, "why", "no_such_lock", inner).expect(USAGE)
        check("known are:" in result.stderr and not result.stdout, f"no names: {result}")
        command(here, "why", outer).expect(USAGE)
        here.run(build.subject("cycle")).expect(EXIT_FINDINGS)
        result = command(here, "why", "*", "*").expect(0)
        check(result.stdout.count("→") >= 3, f"no path: {result}")


def counts(build):
    """The locks that cost most first; by place; how long they were held where that was measured."""
    with place(build) as here:
        here.run(build.subject("contended_in_order"), options=["-O", "profile=1"]).expect(0)
        result = command(here, "stat").expect(0)
        rows = [line.split() for line in result.stdout.splitlines() if line.strip().endswith("]")]
        check(len(rows) == 4 and "hold max" in result.stdout, f"not four classes with holds: {result}")
        result = command(here, "stat", "--by", "site", "--top", "1").expect(0)
        check(re.search(r"\w+\(\) contended_in_order.c:\d+, locks", result.stdout), f"no place: {result}")
        check("more; --top" in result.stdout, f"what is left out is not told: {result}")
        for wrong in (["--by", "line"], ["--top", "0"], ["--top", "-1"], ["--top", "3x"]):
            command(here, "stat", *wrong).expect(USAGE)
        here.run(build.subject("abba"), options=["--fail-on", "never"]).expect(0)
        check("No lock was waited for" in command(here, "stat").expect(0).stdout, "waits where there were none")


CASES = [explains, explains_one_of_several, suppresses, suppresses_elsewhere, tells_why, counts]


def cases():
    for function in CASES:
        yield f"look {function.__name__.replace('_', ' ')}", False, function
