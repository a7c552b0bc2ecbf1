#!/usr/bin/env python3
"""End-to-end tests: programs under `lockgraph run`, and what is said about them.

usage: tests/end_to_end/run.py [--quick] [--once] [--runtime DIR] [--only WORDS] [--leave-out FILE] [--list] [-v] BUILD

Every case runs in its own processes and its own directory, one more at a time than there are
processors: most of the time they wait.  The long ones begin first.
The last line is "N passed, N failed".  What the words in the first comment of a
subject mean is in subjects.py.  LOCKGRAPH_TEST_SLOWNESS=3 multiplies all limits.  A line of FILE is
"CASE: REASON", where a * at the end of CASE is for all that begin so; what is left out is printed with its reason, and a
line for no case is a failure.
"""

import argparse
import concurrent.futures
import os
import pathlib
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import annotate  # noqa: E402
import catalogue  # noqa: E402
import ci  # noqa: E402
import code_names  # noqa: E402
import command  # noqa: E402
import export  # noqa: E402
import faults  # noqa: E402
import formats  # noqa: E402
import gallery  # noqa: E402
import guides  # noqa: E402
import html_page  # noqa: E402
import kills  # noqa: E402
import large  # noqa: E402
import install  # noqa: E402
import library  # noqa: E402
import live  # noqa: E402
import look  # noqa: E402
import logs  # noqa: E402
import merge  # noqa: E402
import metrics  # noqa: E402
import order  # noqa: E402
import snapshots  # noqa: E402
import subjects  # noqa: E402
import suppressions  # noqa: E402
import symbols  # noqa: E402
import wrapper  # noqa: E402
from harness import Build, Failure  # noqa: E402


ABOUT_THE_RUNTIME = ("annotate ", "fault ", "guides ", "install ", "library ", "log ", "metrics ")
NOT_WITH_GCOV = ("library exports what it should", "symbols runtime exports the table", "command small file limit")


def reasons(file):
    """{case, or the beginning of several and *: why it cannot run here}"""
    if not file:
        return {}
    lines = pathlib.Path(file).read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def each_subject_once(names):
    subjects_seen = set()
    for name in names:
        subject = " ".join(name.split()[:2])
        again = name.startswith("subject ") and subject in subjects_seen
        subjects_seen.add(subject)
        if not again:
            yield name


def leave_out(names, file):
    """{case: why it cannot run here}, and the lines of the file that are for no case"""
    left_out, idle = {}, []
    for words, why in reasons(file).items():
        found = [name for name in names if name == words or (words.endswith("*") and name.startswith(words[:-1]))]
        left_out.update(dict.fromkeys(found, why))
        idle += [] if found else [words]
    return left_out, idle


def about_the_command(names):
    """With a runtime from elsewhere it is the command that is tested, sanitized: what tells only of the
    runtime stays away, and of all that one subject can do the first is enough."""
    return (name for name in each_subject_once(names) if not name.startswith(ABOUT_THE_RUNTIME))


def selected(options, build):
    modules = (catalogue, subjects, ci, code_names, command, html_page, kills, large, snapshots, library, live, logs, look, merge,
               metrics, order, suppressions, symbols, faults, export, formats, gallery, wrapper, annotate, install, guides)
    cases = [case for module in modules for case in module.cases()]
    wanted = {name for name, slow, _ in cases if not (options.quick and slow)}
    in_order = [name for name, _, _ in cases if name in wanted]
    if options.runtime:
        wanted = set(about_the_command(in_order))
    elif options.once:
        wanted = set(each_subject_once(in_order))
    if build.counts_lines:
        wanted.difference_update(NOT_WITH_GCOV)
    for name, _, function in sorted(cases, key=lambda case: not case[1]):
        if (options.only or "") in name and name in wanted:
            yield name, function


def outcome(build, function):
    """What went wrong, "" when nothing did; and how long it took."""
    started = time.monotonic()
    try:
        function(build)
        wrong = ""
    except Failure as failure:
        wrong = str(failure)
    except Exception:  # a broken test is a failed one
        wrong = traceback.format_exc()
    return wrong, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the long cases")
    parser.add_argument("--once", action="store_true", help="each program in one way only")
    parser.add_argument("--runtime", help="directory of liblockgraph.so where BUILD has none")
    parser.add_argument("--only", help="cases with these words in their name")
    parser.add_argument("--leave-out", metavar="FILE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=(os.cpu_count() or 1) + 1)
    parser.add_argument("--snapshots", type=int, default=60, help="of a healthy program by `lockgraph inspect` (default 60)")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("build")
    options = parser.parse_args()
    # A shell starts what it puts into the background with these ignored, and programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    build = Build(options.build, options.runtime)
    build.snapshots = options.snapshots
    cases = list(selected(options, build))
    left_out, unknown = leave_out([name for name, _ in cases], options.leave_out)
    if options.only:
        unknown = []  # it may be for one that was not asked for
    cases = [(name, function) for name, function in cases if name not in left_out]
    for name, why in left_out.items():
        print(f"left out {name}: {why}")
    for name in unknown:
        print(f"there is no case {name} to leave out")
    if options.list:
        print("\n".join(name for name, _ in cases))
        return 0
    failed = len(unknown)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [(name, pool.submit(outcome, build, function)) for name, function in cases]
        for name, future in running:
            wrong, seconds = future.result()
            failed += bool(wrong)
            if wrong or options.verbose:
                print(f"{'FAILED' if wrong else 'passed'} {name} ({seconds:.1f} s)", flush=True)
            if wrong:
                print("    " + wrong.strip().replace("\n", "\n    "), flush=True)
    print(f"{len(cases) + len(unknown) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
