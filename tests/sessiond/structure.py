"""What holds of the source: where threads begin, which way includes run, and that nobody sleeps to look busy."""

import re

from cases import case
from harness import ROOT, check

SOURCE = ROOT / "tools/sessiond"

def sources(pattern="*.[ch]"):
    """Of the service."""
    return sorted(SOURCE.glob(pattern))


def all_sources():
    """And of the load client."""
    return sorted(SOURCE.rglob("*.[ch]"))


@case(bare=False)
def threads_are_created_in_one_file(place):
    found = [file.name for file in all_sources() if re.search(r"\bpthread_create\s*\(", file.read_text())]
    check(found == ["threads.c"], f"{found}")
    found = [file.name for file in all_sources() if re.search(r"\bpthread_cancel\s*\(", file.read_text())]
    check(not found, f"nobody is cancelled by force: {found}")


@case(bare=False)
def nobody_sleeps(place):
    found = [file.name for file in all_sources() if re.search(r"\b(u|nano|clock_nano)?sleep\s*\(", file.read_text())
             and not file.name.startswith("inject")]
    check(not found, f"{found}")


def layers():
    """The table of docs/sessiond.md: a component's number; a file that is not in it belongs to the one whose name it begins with."""
    text = (ROOT / "docs/sessiond.md").read_text().split("| layer | files |")[1]
    return {name: int(number) for number, names in re.findall(r"^\| (\d+) \| (.*) \|$", text, re.M) for name in re.findall(r"`(\w+)`", names)}


def layer_of(name, known):
    owners = [one for one in known if name == one or name.startswith(one + "_")]
    check(owners, f"{name} is in no layer of docs/sessiond.md")
    return known[max(owners, key=len)]


@case(bare=False)
def includes_run_downward(place):
    known, wrong = layers(), []
    for file in sources():
        for included in re.findall(r'^#include "(\w+)\.h"', file.read_text(), re.M):
            if layer_of(included, known) > layer_of(file.stem, known):
                wrong.append(f"{file.name} includes {included}.h")
    check(not wrong, "; ".join(wrong))


@case(bare=False)
def every_file_says_which_locks_it_takes(place):
    silent = [file.name for file in sources("*.h")
              if not file.stem.endswith("_private") and not re.search(r"\b[Ll]ock(s|ed)?\b|\b[Tt]akes\b|\bread-only\b", file.read_text().split("*/")[0])]
    check(not silent, f"{silent}")
