"""Reads what is needed from glibc's Makefiles: which programs there are and how they are built and called.

Conditions are not looked at: all branches count.
"""

import re

LISTS = ("tests", "tests-internal", "tests-static", "tests-time64", "tests-container", "xtests", "xtests-static",
         "modules-names", "libsupport-routines")
ASSIGNMENT = re.compile(r"^([\w.<-]+)\s*[:+]?=\s*(.*)$")
LINKED = re.compile(r"^\$\(objpfx\)([\w-]+)(?:\.so)?:\s*(.*)$")
PREREQUISITE = re.compile(r"\$\(objpfx\)([\w-]+\.(?:so|o))(?=\s|$)")
SETTING = re.compile(r"^(CFLAGS-|CPPFLAGS-|LDFLAGS-|LDLIBS-)?([\w-]+?)(?:\.c|\.o|\.so)?(-ARGS|-ENV)?$")


def joined_lines(text):
    """Lines of the Makefile with continued ones in one piece, without comments and conditions."""
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split("#", 1)[0].rstrip()
        if line and not line.startswith("\t"):
            yield line


def words(value):
    """The literal words of a value; `$(addprefix A,B C)` is expanded, other references are dropped."""
    value = re.sub(r"\$\(addprefix ([^,]*),([^()]*)\)",
                   lambda m: " ".join(m[1] + word for word in m[2].split()), value)
    return [word for word in value.split() if "$" not in word and "(" not in word and ")" not in word]


class Makefile:
    """lists: name to words.  flags, arguments, environment: program to text.  linked: program to objects."""

    def __init__(self, text=""):
        self.lists = {name: [] for name in LISTS}
        self.flags, self.link_flags, self.arguments, self.environment, self.linked = {}, {}, {}, {}, {}
        for line in joined_lines(text):
            self._line(line)

    def _line(self, line):
        rule = LINKED.match(line)
        if rule:
            objects = PREREQUISITE.findall(rule[2])
            self.linked.setdefault(rule[1], []).extend(objects)
            return
        assignment = ASSIGNMENT.match(line)
        if not assignment:
            return
        name, value = assignment[1], assignment[2].strip()
        if name in self.lists:
            self.lists[name] += words(value)
            return
        setting = SETTING.match(name)
        if setting and setting[2].startswith("tst-"):
            self._setting(*setting.groups(), value)

    def _setting(self, prefix, program, suffix, value):
        if suffix == "-ARGS":
            self.arguments[program] = value
        elif suffix == "-ENV":
            self.environment[program] = value
        elif prefix in ("CFLAGS-", "CPPFLAGS-"):
            self.flags.setdefault(program, []).extend(words(value))
        elif prefix in ("LDFLAGS-", "LDLIBS-"):
            self.link_flags.setdefault(program, []).extend(words(value))

    def add(self, other):
        for name, listed in other.lists.items():
            self.lists[name] += listed
        for mine, theirs in ((self.flags, other.flags), (self.link_flags, other.link_flags),
                             (self.linked, other.linked)):
            for program, values in theirs.items():
                mine.setdefault(program, []).extend(values)
        self.arguments.update(other.arguments)
        self.environment.update(other.environment)
