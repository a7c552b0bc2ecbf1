"""What large evidence costs in memory: a share of the evidence, whatever is made of it."""

import os
import subprocess

from harness import EXIT_FINDINGS, ROOT, check, place

FINDINGS, DEPTH = 1000, 8


def evidence(here, megabytes):
    """With frames in the command itself, which has debug information."""
    path = here.directory / f"{megabytes}.lgd"
    sections = subprocess.run(["readelf", "-SW", here.build.command], stdout=subprocess.PIPE, text=True, check=True).stdout
    fields = next(line for line in sections.splitlines() if " .text " in line).split(" .text ")[1].split()
    start, size = int(fields[1], 16), int(fields[3], 16)
    subprocess.run([here.build.directory / "tests/big_evidence", path, str(megabytes), "1", str(FINDINGS), str(DEPTH),
                    here.build.command, f"{start:x}", f"{start + min(size, 65536):x}"], check=True)
    return path


def peak(here, *arguments):
    """Megabytes; a sanitizer keeps nothing that was freed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKGRAPH_", "LD_"))}
    environment["ASAN_OPTIONS"] = "quarantine_size_mb=1"
    arguments = [str(a) for a in (here.build.command, *arguments)]
    child = os.posix_spawn(arguments[0], arguments, environment)
    _, status, usage = os.wait4(child, 0)
    check(os.waitstatus_to_exitcode(status) in (0, EXIT_FINDINGS), f"{arguments}: status {status}")
    return usage.ru_maxrss / 1024


def json_costs_what_text_does(build):
    """What it tells, as text that grows, and not a tree of it besides."""
    with place(build) as here:
        file = evidence(here, 32)
        text, json = (peak(here, "report", "--format", form, "-o", here.directory / form, file) for form in ("text", "json"))
        told = (here.directory / "json").stat().st_size / 1e6
        check(json < text + 2 * told + 16, f"{json:.0f} MB as JSON, {text:.0f} MB as text")


def a_database_keeps_no_rows(build):
    """Four times the evidence is not four times the memory."""
    with place(build) as here:
        small, large = (peak(here, "export", "--format", "sqlite", "-o", here.directory / "locks.db", evidence(here, size))
                        for size in (16, 64))
        check(large < small + 48, f"{large:.0f} MB for 64 MB, {small:.0f} MB for 16 MB")


# Forty locks on each of two levels, and one step against them.
LEVELS = """
#include <pthread.h>
#include <stdio.h>
#include <lockgraph/annotate.h>
static pthread_mutex_t locks[80];
int main(void) {
    char name[16];
    for (int i = 0; i < 80; i++) {
        pthread_mutex_init(&locks[i], NULL);
        snprintf(name, sizeof name, "lock %d", i);
        LG_NAME(&locks[i], name);
        LG_LEVEL(&locks[i], i < 40 ? 10 : 20);
    }
    pthread_mutex_lock(&locks[70]);
    pthread_mutex_lock(&locks[30]);
    return 0;
}
"""


def a_level_of_many_locks_is_told_in_few_words(build):
    """Not all of them, but the two that it is about."""
    with place(build) as here:
        (here.directory / "levels.c").write_text(LEVELS, encoding="utf-8")
        here.execute(["gcc", "-g", "-pthread", f"-I{ROOT / 'include'}", "-o", "levels", "levels.c"]).expect(0)
        here.run(here.directory / "levels").expect(EXIT_FINDINGS)
        finding = next(f for f in here.json()["findings"] if f["kind"] == "level-violation")
        order = finding["explanation"].split("the declared order is ")[1].split(".")[0]
        check(len(order) < 200 and order.count(" and 35 more") == 2, order)
        check("10 lock 0, " in order and "10 lock 30" in order and "20 lock 40, " in order and "20 lock 70" in order, order)


def cases():
    for function in (json_costs_what_text_does, a_database_keeps_no_rows, a_level_of_many_locks_is_told_in_few_words):
        yield f"large {function.__name__.replace('_', ' ')}", True, function
