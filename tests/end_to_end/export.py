"""`lockgraph export`, read back by what reads it."""

import json
import re
import sqlite3

from harness import EXIT_FINDINGS, ROOT, check, place

# What flame graphs are folded from: frames parted by ';', a space, a number.
FOLDED = re.compile(r"([^;\n]+(?:;[^;\n]+)*) (\d+)$")
TABLES = ("meta", "process", "class", "lock", "thread", "frame", "stack", "stack_frame", "edge", "finding",
          "finding_edge", "finding_held", "usage", "wait", "thread_usage")


def export(here, form, *arguments):
    return here.execute([here.build.command, "export", "--format", form, *arguments])


# ---- folded stacks ----

def folded_waits(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "waits").expect(0)
        text = export(here, "folded").expect(0).stdout
        lines = [FOLDED.match(line) for line in text.splitlines()]
        check(lines and all(lines) and len({line[1] for line in lines}) == len(lines), text)
        frames = lines[0][1].split(";")
        check(frames[0] == "profile_load" and "waiter" in frames and frames[-1] == "[queue]", frames)
        usage = next(c["usage"] for c in here.json()["classes"] if c["name"] == "queue")
        check(sum(int(line[2]) for line in lines) == usage["wait"]["total_ns"], f"{text}, not {usage}")


def nothing_to_fold(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "few").expect(0)
        result = export(here, "folded").expect(0)
        check(not result.stdout and "nobody waited" in result.stderr, result)


# ---- time line: the document "Trace Event Format", section of each kind of event ----

MEMBERS = {"M": {"args"}, "i": {"cat", "s", "ts", "args"}, "X": {"cat", "ts", "dur", "args"},
           "s": {"cat", "id", "ts"}, "f": {"cat", "id", "ts", "bp"}}


def nested(slices):
    """Slices of one thread lie within each other or apart ("Complete Events")."""
    for one in slices:
        for other in slices:
            begins, ends = one["ts"], one["ts"] + one["dur"]
            apart = other["ts"] >= ends - 1e-4 or other["ts"] + other["dur"] <= begins + 1e-4  # a nanosecond is 1e-3
            within = other["ts"] >= begins and other["ts"] + other["dur"] <= ends + 1e-3
            around = begins >= other["ts"] and ends <= other["ts"] + other["dur"] + 1e-3
            check(apart or within or around, f"{one} crosses {other}")


def check_trace(trace):
    """Each event has its members, and each arrow begins and ends in a slice ("Flow Events")."""
    events = trace["traceEvents"]
    for event in events:
        check(set(event) == {"ph", "pid", "tid", "name"} | MEMBERS[event["ph"]], f"an ill-formed event: {event}")
        check(event["ph"] != "M" or event["name"] in ("process_name", "thread_name"), f"no such metadata: {event}")
        check(event["ph"] != "i" or event["s"] in "gpt", f"no such scope: {event}")
    threads = {}
    for event in events:
        if event["ph"] == "X":
            threads.setdefault((event["pid"], event["tid"]), []).append(event)
    for slices in threads.values():
        nested(slices)
    arrows = {}
    for event in events:
        if event["ph"] in "sf":
            slices = threads.get((event["pid"], event["tid"]), [])
            check(any(s["ts"] <= event["ts"] <= s["ts"] + s["dur"] for s in slices), f"an arrow out of nowhere: {event}")
            arrows.setdefault(event["id"], {})[event["ph"]] = event
    check(all(set(ends) == {"s", "f"} for ends in arrows.values()), f"half an arrow: {arrows}")
    return {(ends["s"]["tid"], ends["f"]["tid"]) for ends in arrows.values()}


def golden_traces_are_right(build):
    files = sorted((ROOT / "tests/golden").glob("*.perfetto"))
    check(len(files) > 15, files)
    for file in files:
        check_trace(json.loads(file.read_text(encoding="utf-8")))


def deadlock_on_the_time_line(build):
    """Each points at the other one, from then to the end."""
    with place(build) as here:
        here.run(build.subject("deadlock_abba"), options=["--on-deadlock", "kill"]).expect(EXIT_FINDINGS)
        trace = json.loads(export(here, "perfetto").expect(0).stdout)
        arrows = check_trace(trace)
        finding = here.json()["findings"][0]
        one, other = (t["tid"] for t in finding["threads"])
        check(arrows == {(one, other), (other, one)}, f"{arrows} of {finding['threads']}")
        names = {e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
        check({"T2 (teller)", "T3 (auditor)"} <= names, names)


def single_waits_on_the_time_line(build):
    """A hold and the wait for it, with an arrow; nested where locks are given up crosswise."""
    with place(build) as here:
        here.run(build.subject("lg_page"), options=["-O", "timeline=10ms"])
        trace = json.loads(export(here, "perfetto").expect(0).stdout)
        arrows = check_trace(trace)
        threads = {e["args"]["name"].split("(")[1][:-1]: e["tid"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
        check((threads["wait_for_busy"], threads["hold"]) in arrows, f"{arrows} of {threads}")
        held, = [e for e in trace["traceEvents"] if e["ph"] == "X" and e["name"] == "holds busy"]
        check(held["tid"] == threads["hold"] and held["dur"] >= 300000 and "hold() lg_page.c:" in held["args"]["taken at"], held)
        check("shorter than 10000000 ns" in trace["otherData"]["not recorded"], trace["otherData"])


# One writer waits for readers, of whom the first holds longest, the last came just before it, and one has gone.
READERS = """
#include <pthread.h>
#include <unistd.h>
static pthread_rwlock_t gate = PTHREAD_RWLOCK_INITIALIZER;
static void reads(unsigned after, unsigned length) {
    usleep(after * 1000);
    pthread_rwlock_rdlock(&gate);
    usleep(length * 1000);
    pthread_rwlock_unlock(&gate);
}
static void *longest(void *unused) { reads(0, 700); return unused; }
static void *latest(void *unused) { reads(100, 400); return unused; }
static void *gone(void *unused) { reads(150, 30); return unused; }
static void *writer(void *unused) {
    usleep(300000);
    pthread_rwlock_wrlock(&gate);
    pthread_rwlock_unlock(&gate);
    return unused;
}
int main(void) {
    void *(*routines[])(void *) = {longest, latest, gone, writer};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
"""


def a_writer_waits_for_the_last_reader(build):
    """Of several readers the arrow, and the words of the page, name the one that the wait lasted for."""
    with place(build) as here:
        source = here.directory / "readers.c"
        source.write_text(READERS, encoding="utf-8")
        here.execute(["gcc", "-g", "-pthread", "-o", "readers", source]).expect(0)
        here.run(here.directory / "readers", options=["-O", "timeline=10ms"]).expect(0)
        trace = json.loads(export(here, "perfetto").expect(0).stdout)
        threads = {e["args"]["name"].split("(")[1][:-1]: e["tid"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
        arrows = check_trace(trace)
        check(arrows == {(threads["writer"], threads["longest"])}, f"{arrows} of {threads}")
        page = here.report("--format", "html").expect(0).stdout
        data = json.loads(re.search(r'id="data">\n(.*)\n</script>', page)[1])
        spans = [span for lane in data["timeline"]["lanes"] for span in lane["spans"]]
        waits = [span for span in spans if span["text"] == "waits for gate"]
        check([wait["holder"].split("(")[1] for wait in waits] == ["longest)"], f"{waits}")
        check(not [span for span in spans if "holder" in span and span["state"] != "blocked"], f"{spans}")


def nothing_waits_nothing_points(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        trace = json.loads(export(here, "perfetto").expect(0).stdout)
        check(not check_trace(trace), trace)
        check({e["name"] for e in trace["traceEvents"] if e["ph"] == "i"} == {
            f"order-cycle {here.json()['findings'][0]['id']}"}, trace)


# ---- the database ----

def database(here):
    export(here, "sqlite", "-o", "locks.db").expect(0)
    connection = sqlite3.connect(here.directory / "locks.db")
    check(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the database is broken")
    check(connection.execute("PRAGMA foreign_key_check").fetchall() == [], "references lead nowhere")
    return connection


def manual():
    return (ROOT / "docs/sqlite.md").read_text(encoding="utf-8")


def questions():
    found = re.findall(r"```sql\n(.*?)```", manual(), re.S)
    check(len(found) == 5, f"questions in the manual: {len(found)}")
    return found


def tables_are_as_described(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        with database(here) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            check({name for name, in rows} == set(TABLES), rows)
            for table in TABLES:
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info ({table})")]
                line = next(line for line in manual().splitlines() if line.startswith(f"| `{table}` |"))
                described = re.sub(r"\([^)]*\)", "", line.split("|")[3])
                check(re.findall(r"`(\w+)`", described) == columns, f"{table}: {columns}, not {described}")
        connection.close()


def the_manuals_questions_are_answered(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        here.preload(build.subject("profile_load"), "waits").expect(0)
        connection = database(here)
        longest, who, both, below, stacks = (
            connection.execute(question.replace("ledger_lock", "account_a")).fetchall() for question in questions())
        connection.close()
        report = here.json()
        check(longest[0][0] == "queue" and longest[0][1] == "waiter" and longest[0][3] == 20, longest)
        check(who[0][1] == 20 and who[0][2] == longest[0][4], f"{who}, not {longest}")
        check({(held, wanted) for held, wanted, *_ in both} == {("account_a", "account_b"), ("account_b", "account_a")}, both)
        finding = next(f for f in report["findings"] if f["kind"] == "order-cycle")
        lines = {edge["requested_at"][0]["line"] for edge in finding["edges"]}
        check({row[4] for row in both} == lines, f"{both}, not {lines}")
        check(below == [("account_a",), ("account_b",)], below)
        frames = [frame["line"] for edge in finding["edges"] for frame in edge["requested_at"]]
        check([row[5] for row in stacks] == frames, f"{stacks}, not {frames}")


def the_database_is_replaced_or_left(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        database(here).close()
        database(here).close()
        before = (here.directory / "locks.db").read_bytes()
        (here.directory / "broken.lgd").write_bytes(b"LOCKGRPH")
        export(here, "sqlite", "-o", "locks.db", "broken.lgd").expect(65)
        check((here.directory / "locks.db").read_bytes() == before, "it was replaced by nothing")
        result = export(here, "sqlite", "-o", "nowhere/locks.db").expect(70)
        check("nowhere/locks.db" in result.stderr, result)
        check(not list(here.directory.glob("*.new")), "something unfinished was left")


def files_cut_short(build):
    """Whatever is left of it: told, or refused, in each form."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        whole = next(here.data.glob("*.lgd")).read_bytes().rstrip(b"\0")
        for length in range(8, len(whole), len(whole) // 8):
            (here.directory / "cut.lgd").write_bytes(whole[:length])
            for form in ("dot", "sarif", "junit"):
                result = here.report("--format", form, "cut.lgd")
                check(result.status in (0, 65, EXIT_FINDINGS), f"{form} of {length} bytes: {result}")
            for arguments in (("folded",), ("perfetto",), ("sqlite", "-o", "cut.db")):
                result = export(here, *arguments, "cut.lgd")
                check(result.status in (0, 65), f"{arguments} of {length} bytes: {result}")


def export_usage(build):
    with place(build) as here:
        for wrong in ([], ["--format", "smoke"], ["--format", "sqlite"], ["--no-such-option"]):
            result = here.execute([build.command, "export", *wrong]).expect(2)
            check(result.stderr and not result.stdout, f"{wrong}: {result}")
        export(here, "folded").expect(65)


def cases():
    for function in (folded_waits, nothing_to_fold, golden_traces_are_right, deadlock_on_the_time_line,
                     single_waits_on_the_time_line, a_writer_waits_for_the_last_reader, nothing_waits_nothing_points, tables_are_as_described, the_manuals_questions_are_answered,
                     the_database_is_replaced_or_left, files_cut_short, export_usage):
        yield f"export {function.__name__.replace('_', ' ')}", False, function
