"""The list of findings that are right: expected-findings.txt."""

import fnmatch
import re

LINE = re.compile(r"^(\S+)\s+(\S+)\s+(\S.*)$")


class Expected:
    """One line: a pattern of programs, one of kinds (or several, with commas), and the reason."""

    def __init__(self, program, kinds, reason):
        self.program, self.kinds, self.reason, self.used = program, kinds, reason, False

    def covers(self, program, kind):
        return fnmatch.fnmatchcase(program, self.program) and any(
            fnmatch.fnmatchcase(kind, pattern) for pattern in self.kinds.split(","))


def parse(text):
    """The entries of a list; ValueError names a line without a reason."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        found = LINE.match(line)
        if not found:
            raise ValueError(f"line {number}: a program, a kind and a reason are wanted: {line}")
        entries.append(Expected(*found.groups()))
    return entries


def unexpected(entries, program, findings):
    """Findings that no entry covers; entries that cover one are marked as used."""
    left = []
    for finding in findings:
        covering = [entry for entry in entries if entry.covers(program, finding["kind"])]
        for entry in covering:
            entry.used = True
        if not covering:
            left.append(finding)
    return left
