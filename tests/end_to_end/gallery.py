"""docs/gallery.md: the reports that it shows are those that its command lines give today.

A block begins with the command line: "$ lockgraph run OPTIONS -- ./SUBJECT ARGUMENTS; lockgraph report OPTIONS".  What differs
from run to run has a fixed value there.  LOCKGRAPH_GALLERY_UPDATE=1 writes the reports into the page, one case at a time
(--jobs 1): read the difference before you commit it.
"""

import difflib
import os
import re
import shlex

from harness import EXIT_FINDINGS, ROOT, SUBJECT_SOURCES, check, place

PAGE = ROOT / "docs/gallery.md"
BLOCK = re.compile(r"^## (.*?)$.*?^```console\n\$ lockgraph (run(?: [^\n]+?)?) -- \./([^\n]*?); lockgraph (report[^\n]*)\n(.*?)^```$", re.M | re.S)
FIRST_SCREEN = 40  # lines
FRAME = re.compile(r" {8}\S.*\.c:\d+(  \(inlined\))?$|      both called from$")
FIXED = ((re.compile(r"\(pid \d+\)"), "(pid 4711)"), (re.compile(r"started [\d-]+ [\d:]+"), "started 2026-11-29 10:00:00"),
         (re.compile(r"ran [\d.]+ s"), "ran 1.0 s"))


def blocks():
    return list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))


def first_screen(text):
    for pattern, fixed in FIXED:
        text = pattern.sub(fixed, text)
    lines = text.rstrip("\n").split("\n")
    return "\n".join(lines[:FIRST_SCREEN] + ["…"] * (len(lines) > FIRST_SCREEN)) + "\n"


def comparable(text):
    """Without what depends on the compiler: which frames there are, and the ids made of them."""
    lines = [line for line in text.splitlines() if not FRAME.match(line)]
    return [re.sub(r"\b[0-9a-f]{12}\b", "ID", line) for line in lines]


def same(shown, now):
    """Of one that was cut, as far as it goes."""
    shown, now = comparable(shown), comparable(now)
    if shown[-1:] == ["…"] or now[-1:] == ["…"]:
        length = min(len(shown), len(now)) - 1
        shown, now = shown[:length], now[:length]
    return shown == now


def report_of(build, block):
    _, run, program, report, _ = block.groups()
    options = [str(SUBJECT_SOURCES / word) if word.endswith(".order") else word for word in shlex.split(run)[1:]]
    subject, *arguments = shlex.split(program)
    with place(build) as here:
        here.run(build.subject(subject), *arguments, options=options, seconds=30)
        result = here.execute([build.command, *shlex.split(report)])
        check(result.status in (0, EXIT_FINDINGS), f"no report: {result}")
        return first_screen(result.stdout)


def update(block, text):
    page = PAGE.read_text(encoding="utf-8")
    block = next(b for b in blocks() if b[1] == block[1])
    PAGE.write_text(page[:block.start(5)] + text + page[block.end(5):], encoding="utf-8")


def is_true(block):
    def run(build):
        text = report_of(build, block)
        if os.environ.get("LOCKGRAPH_GALLERY_UPDATE"):
            update(block, text)
            return
        difference = "\n".join(difflib.unified_diff(block[5].splitlines(), text.splitlines(), "docs/gallery.md", "now", n=1))
        check(same(block[5], text), f"LOCKGRAPH_GALLERY_UPDATE=1 rewrites the page:\n{difference}")
    return run


def is_complete(_):
    check(len(blocks()) == 10, f"{len(blocks())} reports")
    kinds = re.findall(r"^(?:ERROR|WARNING|NOTE) ([a-z-]+) [0-9a-f]{12}:", PAGE.read_text(encoding="utf-8"), re.M)
    check(len(set(kinds)) >= 7, f"only {sorted(set(kinds))}")


def cases():
    yield "gallery is complete", False, is_complete
    for block in blocks():
        yield f"gallery {block[1]}", True, is_true(block)
