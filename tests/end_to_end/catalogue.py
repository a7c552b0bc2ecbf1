#!/usr/bin/env python3
"""That the subjects cover the catalogue: for every kind three cases or more that
report it with the stacks that matter, and two or more near-identical ones that stay
silent; and what must be shown of every family of locks.

All of it is read from the subjects' own words, so a case that goes takes its kind
below the limit.  Run by itself this prints the table.
"""

import collections
import re
import sys

from harness import ROOT, SUBJECT_SOURCES, check
from subjects import Subject

REPORTING, SILENT = 3, 2

# Kinds that nothing reports so far, or that are nobody's mistake but the program's own word.
NOT_YET = {"assert-failed", "user", "stall", "wait-timeout"}
# Told by the edges of a ring.
RINGS = {"order-cycle", "deadlock", "self-deadlock"}
# Nothing came before the wrong call that could be shown.
ONE_STACK = {"heartbeat-missed", "unlock-unheld", "wrong-type", "api-error", "cond-wait-unheld", "join-self"}

# What some case must show, and what such a case expects.
FEASIBLE, DEADLOCK = "order-cycle feasible error", "deadlock actual error"
FAMILIES = {
    "abba of mutexes": FEASIBLE,
    "abba of rwlocks": FEASIBLE,
    "abba of spinlocks": FEASIBLE,
    "abba of semaphores": FEASIBLE,
    "abba of C11 mutexes": FEASIBLE,
    "mutex, rwlock, spinlock, mutex": FEASIBLE,
    "readers, readers preferred": None,
    "readers, writers preferred": FEASIBLE,
    "a forked child's inversion": FEASIBLE,
    "phases apart by a barrier": None,
    "two readers that upgrade": DEADLOCK,
}


def kinds():
    table = (ROOT / "tools/lockgraph/kinds.c").read_text(encoding="utf-8")
    return [kind for kind in re.findall(r'\[LGR_KIND_\w+\] =\s*\{"([\w-]+)"', table) if kind not in NOT_YET]


def subject_cases():
    """(name, subject with the words of that case)"""
    for source in sorted([*SUBJECT_SOURCES.glob("*.c"), *SUBJECT_SOURCES.glob("*.cpp")]):
        subject = Subject(source)
        if not subject.has("helper"):
            for arguments, variant in subject.variants():
                yield " ".join([subject.name, *arguments]), variant


def expected(case):
    return case.one("expect") if case.has("expect") else None


def names_its_stacks(case, kind):
    """Lines of the subject, for each stack that matters."""
    if kind in RINGS:
        return case.has("edge") or case.has("thread")
    return case.has("call") and (case.has("earlier") or kind in ONE_STACK)


def near(case):
    return ", ".join(case.words.get("near", [])).replace(",", " ").split()


def shown(case):
    return [word.strip() for words in case.words.get("shows", []) for word in words.split("|")]


def table():
    """kind: (reporting cases, silent cases)"""
    rows = collections.defaultdict(lambda: ([], []))
    for name, case in subject_cases():
        kind = expected(case).split()[0] if expected(case) else None
        if kind and names_its_stacks(case, kind):
            rows[kind][0].append(name)
        for twin in near(case):
            rows[twin][1].append(name)
    return rows


def covers(kind):
    reporting, silent = table()[kind]
    check(len(reporting) >= REPORTING, f"{kind} is reported with its stacks by {reporting or 'nobody'} only")
    check(len(silent) >= SILENT, f"only {silent or 'nobody'} nearly does {kind} and must stay silent")


def declares_well(_build):
    check(len(kinds()) > 20, f"the table of kinds is not understood: {kinds()}")
    for name, case in subject_cases():
        unknown = set(near(case)) - set(kinds())
        check(not unknown, f"{name} is near to no kind that there is: {unknown}")
        check(not near(case) or case.has("silent"), f"{name} is near to {near(case)}, but not silent")
        unknown = set(shown(case)) - set(FAMILIES)
        check(not unknown, f"{name} shows what nobody asked for: {unknown}")


def is_shown(what):
    showing = [(name, case) for name, case in subject_cases() if what in shown(case)]
    check(showing, f"no case shows {what}")
    for name, case in showing:
        check(expected(case) == FAMILIES[what], f"{name} shows {what}, but expects {expected(case) or 'silence'}")


def cases():
    yield "catalogue words", False, declares_well
    for kind in kinds():
        yield f"catalogue {kind}", False, lambda build, k=kind: covers(k)
    for what in FAMILIES:
        yield f"catalogue shows {what}", False, lambda build, w=what: is_shown(w)


def main():
    rows = table()
    for kind in kinds():
        reporting, silent = rows[kind]
        print(f"{kind}\n    reported by: {', '.join(reporting)}\n    silent: {', '.join(silent)}")
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
