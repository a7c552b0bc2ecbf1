"""What holds of the source: where threads begin, which way includes run, and that nobody sleeps to look busy."""

import re

from cases import case
from harness import ROOT, check

SOURCE = ROOT / "tools/sessiond"

# From the bottom up; a file may include headers of its own layer and of those before it.
LAYERS = [
    "error clock text log config config_keys", "lock_order timed", "threads trace cancel", "sql pool schema",
    "histogram openmetrics metrics",
]


def sources(pattern="*.[ch]"):
    return sorted(SOURCE.glob(pattern))


@case(bare=False)
def threads_are_created_in_one_file(place):
    found = [file.name for file in sources() if re.search(r"\bpthread_create\s*\(", file.read_text())]
    check(found == ["threads.c"], f"{found}")
    found = [file.name for file in sources() if re.search(r"\bpthread_cancel\s*\(", file.read_text())]
    check(not found, f"nobody is cancelled by force: {found}")


@case(bare=False)
def nobody_sleeps(place):
    found = [file.name for file in sources() if re.search(r"\b(u|nano|clock_nano)?sleep\s*\(", file.read_text())
             and not file.name.startswith("inject")]
    check(not found, f"{found}")
