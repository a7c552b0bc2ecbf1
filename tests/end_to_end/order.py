"""Order files: `lockgraph run --order`, `report --order`, `learn` and `check`."""

import json
import re
import stat
import subprocess

from harness import EXIT_FINDINGS, SUBJECT_SOURCES, check, findings, load_schema, place

NAME = "lockgraph.order"
TIERS = SUBJECT_SOURCES / "order_tiers.order"


def write(here, text, name=NAME):
    file = here.directory / name
    file.write_text(text, encoding="utf-8")
    return file


def command(here, *arguments):
    return here.execute([here.build.command, *arguments])


def violations(report):
    return [f for f in findings(report, "error") if f["kind"] == "level-violation"]


def picked_up(build):
    """./lockgraph.order counts and is named; without one nothing is said of it."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        result = here.run(tiers, "60").expect(0)
        check("Order:" not in result.stderr, f"an order without a file: {result}")
        write(here, TIERS.read_text(encoding="utf-8"))
        result = here.run(tiers, "60").expect(EXIT_FINDINGS)
        check("8 classes declared" in result.stderr and NAME in result.stderr, f"the file is not named: {result}")
        check("session.task (level 50)" in result.stderr, f"the level is not told: {result}")


LOADED = """
level 10 rows "rows of the table"
level 20 columns
level 30 journal
level 40 plugin
lock rows variable store::Table::rows
lock columns variable store::table.columns[*]
lock journal variable journal()::lock
lock plugin {plugin}
"""


def loaded(build):
    """C++ statics, and a library that the program loads: by variable, by call, by module alone."""
    library = "liborder_plugin_library.so"
    path = build.subject(library)
    rules = ["variable storage module " + library, "module " + path, "variable storage module *plugin_library.so",
             f"variable storage module {path}"]
    with place(build) as here:
        program = build.subject("order_loaded")
        for number, rule in enumerate(rules):
            write(here, LOADED.format(plugin=rule))
            result = here.run(program, "right", path).expect(0)
            unnamed = rule.endswith("*plugin_library.so")
            check("warning" not in result.stderr, f"a line declares nothing, it says: {result}")
            here.run(program, "plugin", path).expect(EXIT_FINDINGS)
            found, = violations(here.json())
            names = {lock["name"] for lock in here.json()["locks"]}
            check({"rows", "plugin"} <= names, f"{names}, unnamed {unnamed}, of {found['title']}")
            if number == 0:
                for what in ("statics", "local"):
                    here.run(program, what, path).expect(EXIT_FINDINGS)
                    check(len(violations(here.json())) == 1, f"not just one for {what}")


def not_found(build):
    """A line that declares nothing is told before the program runs; the run goes on."""
    with place(build) as here:
        write(here, "level 10 a\nlevel 20 b\nlock a variable global_task\nlock b variable global_tusk\n")
        result = here.run(build.subject("order_tiers"), "right").expect(0)
        check(f"{NAME}:4: the line declares nothing here: no variable is called global_tusk" in result.stderr,
              f"not told: {result}")
        check(f"{NAME}:3" not in result.stderr, f"the right line is told: {result}")


PAIRS = """
class task
class metrics
class operation
lock task variable global_task
lock metrics variable metrics.lock
lock operation init new_operation
"""


def pairs(build):
    """`before` orders just what it says and what follows from that; all else stays free."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        write(here, PAIRS + "before task metrics\n")
        here.run(tiers, "right").expect(0)
        here.run(tiers, "40").expect(0)
        here.run(tiers, "11").expect(EXIT_FINDINGS)
        finding, = violations(here.json())
        check("against the declared order" in finding["title"] and "task" in finding["title"], f"{finding}")
        write(here, PAIRS + "before operation task\nbefore metrics operation\n")
        here.run(tiers, "11").expect(EXIT_FINDINGS)
        titles = {f["title"].split(", against")[0] for f in violations(here.json())}
        check(any("takes metrics while it holds task" in t for t in titles), f"not what follows: {titles}")
        write(here, PAIRS)
        here.run(tiers, "11").expect(0)


def blessed(build):
    """What is blessed is suppressed with the reason, by `run` and by `report`; nothing else is."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        text = TIERS.read_text(encoding="utf-8")
        write(here, text + 'bless session.task session.handler "both are one"\n')
        result = here.run(tiers, "60").expect(0)
        check("1 suppressed" in result.stderr, f"not suppressed: {result}")
        result = here.report().expect(0)
        check("bless session.task session.handler # both are one" in result.stdout, f"no reason: {result}")
        here.report("--order", TIERS).expect(EXIT_FINDINGS)
        check(here.json()["findings"][0]["suppressed_by"]["reason"] == "both are one", "no reason in JSON")
        here.run(tiers, "50").expect(EXIT_FINDINGS)
        write(here, text + 'bless session.operation session.operation "parent and child"\n')
        here.run(tiers, "unkeyed").expect(0)
        here.run(tiers, "50").expect(EXIT_FINDINGS)


def included(build):
    with place(build) as here:
        (here.directory / "parts").mkdir()
        write(here, TIERS.read_text(encoding="utf-8"), "parts/tiers.order")
        write(here, "include tiers.order\n", "parts/all.order")
        write(here, "include parts/all.order\ninclude parts/tiers.order # once is enough\n")
        here.run(build.subject("order_tiers"), "60").expect(EXIT_FINDINGS)
        write(here, "include ../lockgraph.order\n", "parts/all.order")
        result = here.run(build.subject("order_tiers"), "60").expect(2)
        check("all.order:1:9:" in result.stderr and "includes itself" in result.stderr, f"no ring: {result}")
        write(here, "\ninclude missing.order\n")
        result = here.run(build.subject("order_tiers"), "60").expect(2)
        check(f"{NAME}:2:9: missing.order: No such file" in result.stderr, f"not located: {result}")


def mistakes(build):
    """Told with file, line and column before anything is run."""
    with place(build) as here:
        write(here, "level 10 a\nlevel x b\nlock c variable v\n")
        marker = here.directory / "was-run"
        result = here.run("touch", marker).expect(2)
        check(f"{NAME}:2:7:" in result.stderr and f"{NAME}:3" not in result.stderr, f"not located: {result}")
        check(not marker.exists(), "the program was run")
        write(here, "class a\nclass b\nclass c\nbefore a b\nbefore b c\nbefore c a\n")
        result = here.run("touch", marker).expect(2)
        check(f"{NAME}:6:8: c cannot come before a: line 4 puts a before b, line 5 puts b before c" in result.stderr,
              f"the ring is not named: {result}")
        for arguments in (["report"], ["check"]):
            check(NAME in command(here, *arguments).expect(2).stderr, f"{arguments} does not name the file")
        here.run("touch", marker, options=["--order", "no-such-file"]).expect(2)
        (here.directory / NAME).unlink()
        result = command(here, "check").expect(2)
        check("lockgraph learn" in result.stderr, f"no cure: {result}")


def learnt(build):
    """What is learned from one run is kept by the next; one inversion more is told, by both doors."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        here.run(tiers, "right").expect(0)
        text = command(here, "learn").expect(0).stdout
        command(here, "learn", "-o", NAME).expect(0)
        check((here.directory / NAME).read_text(encoding="utf-8") == text, "-o writes something else")
        check("exists" in command(here, "learn", "-o", NAME).expect(2).stderr, "it was written over")
        with open("/dev/full", "w", encoding="utf-8") as full:
            said = subprocess.run([build.command, "learn"], cwd=here.directory, stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        check(said.returncode == 70 and "No space left" in said.stderr, f"on a full disk: {said}")
        levels = re.findall(r"^level (\d+) (\S+)", text, re.M)
        check(levels == [("10", "global_task"), ("20", "metrics.lock"), ("30", "scrape_slots"),
                         ("40", "operation_slots"), ("50", "new_session"), ("60", "new_operation"),
                         ("70", "new_task"), ("80", "new_handler")], f"learned {levels}")
        here.run(tiers, "right").expect(0)
        result = command(here, "check").expect(0)
        check("nothing breaks" in result.stdout and "new: 0 classes, 0 pairs" in result.stdout, f"{result}")
        here.run(tiers, "60", options=["--fail-on", "never"])
        result = command(here, "check").expect(EXIT_FINDINGS)
        check("new_task (level 70) is taken under new_handler (level 80)" in result.stdout, f"{result}")
        check("order_tiers.c:" in result.stdout and f"{NAME}:" in result.stdout, f"no places: {result}")
        (here.directory / NAME).rename(here.directory / "aside")
        here.run(tiers, "60").expect(0)
        result = command(here, "check", "--order", "aside").expect(EXIT_FINDINGS)
        check("new_task (level 70) is taken under new_handler (level 80)" in result.stdout, f"{result}")


def learnt_says_who_takes_it(build):
    """By which threads, the numbered ones together, and on which ways: all that tells locks of a stripped program apart."""
    with place(build) as here:
        here.run(build.subject("order_threads")).expect(0)
        text = command(here, "learn").expect(0).stdout
        used = dict(re.findall(r"^# (outer|inner) in order_threads; .*\n# Taken by (.*)$", text, re.M))
        check(used == {"outer": "main, order_worker-*, as in take_outer() < in_order() < work()",
                       "inner": "main, order_worker-*, as in in_order() < work()"}, f"{used} in {text}")


def learnt_of_makers(build):
    """The file is kept by the very run that it was learned from, where callers tell only some locks apart."""
    with place(build) as here:
        here.run(build.subject("order_makers")).expect(0)
        command(here, "learn", "-o", NAME).expect(0)
        text = (here.directory / NAME).read_text(encoding="utf-8")
        result = command(here, "check").expect(0)
        check("nothing breaks" in result.stdout and "lock" in text, f"{result}\n{text}")


def first_uses(build):
    """Also in evidence of a run that knew no order; learn says which line would declare them."""
    with place(build) as here:
        here.run(build.subject("order_first_use"), "known", options=["--fail-on", "never"]).expect(0)
        text = command(here, "learn").expect(0).stdout
        check(re.search(r"^#     lock NAME use .*Table::add", text, re.M), f"no line for Table::add in {text}")
        result = command(here, "check", "--order", SUBJECT_SOURCES / "order_first_use.order").expect(EXIT_FINDINGS)
        check("table (level 10) is taken under row (level 20)" in result.stdout, f"{result}")


def rings(build):
    """Both directions are shown, to be settled by hand; the file is accepted as it is."""
    with place(build) as here:
        here.run(build.subject("abba"), options=["--fail-on", "never"])
        command(here, "learn", "-o", NAME).expect(0)
        text = (here.directory / NAME).read_text(encoding="utf-8")
        for words in ("before account_a account_b", "before account_b account_a", "class account_a", "abba.c:"):
            check(words in text, f"\"{words}\" is not in {text}")
        check("level " not in re.sub("#.*", "", text), f"a level in a ring: {text}")
        command(here, "check").expect(0)
        write(here, text + "before account_a account_b\n")
        result = command(here, "check").expect(EXIT_FINDINGS)
        check("account_a is taken under account_b" in result.stdout, f"{result}")


def compared(build):
    """What is new, what was never seen, what is blessed, what goes down by address."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        here.run(tiers, "descending").expect(0)
        text = TIERS.read_text(encoding="utf-8")
        order = write(here, text.replace("lock manager.metrics ", "lock spare "), "tiers")
        order.write_text(order.read_text() + "class spare\nlevel 70 unused\n", encoding="utf-8")
        result = command(here, "check", "--order", "tiers").expect(EXIT_FINDINGS)
        for words in ("they go up by address", "Never exercised", "  unused, tiers:", "about which the order says nothing",
                      "manager.session_locks (level 30) is taken under manager.session_locks (level 30)"):
            check(words in result.stdout, f"\"{words}\" is not said: {result}")
        write(here, text.replace("lock manager.metrics ", "#"), "tiers")
        result = command(here, "check", "--order", "tiers").expect(EXIT_FINDINGS)
        check("  metrics.lock\n      lock NAME variable metrics.lock" in result.stdout, f"not new: {result}")
        write(here, text + 'bless manager.session_locks manager.session_locks "start-up"\n', "tiers")
        result = command(here, "check", "--order", "tiers").expect(0)
        check("blessed: start-up" in result.stdout, f"not blessed: {result}")


def compared_json(here, *arguments, status):
    result = command(here, "check", "--format", "json", *arguments).expect(status)
    found = json.loads(result.stdout)
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
              for e in load_schema("check.schema.json").iter_errors(found)]
    check(not errors, f"not as its schema says: {errors[:5]}")
    return found


def ends(pairs):
    return [(pair["held"]["class"], pair["requested"]["class"]) for pair in pairs]


def as_json(build):
    """The same for machines, and nothing in a list that should be empty."""
    with place(build) as here:
        tiers = build.subject("order_tiers")
        here.run(tiers, "right").expect(0)
        text = TIERS.read_text(encoding="utf-8")
        write(here, text)
        found = compared_json(here, status=0)
        check(found["kept"] > 0 and not found["breaks"] and not found["blessed"] and not found["new_pairs"] and
              not found["new_classes"] and found["order"][0].endswith("/" + NAME), f"{found}")
        write(here, text + "class spare\nlevel 70 unused\n")
        unused = [(c["class"], c["level"], c["declared_at"]["file"].rsplit("/", 1)[-1]) for c in compared_json(here, status=0)["never_exercised"]]
        check(("unused", 70, NAME) in unused and ("spare", None, NAME) in unused, f"{unused}")
        write(here, text.replace("lock manager.metrics ", "#"))
        found = compared_json(here, status=0)
        rules = {c["class"]: c["rule"] for c in found["new_classes"]}
        check("variable metrics.lock" in rules.values(), f"{rules}")
        check(found["new_pairs"] and all(not p["held"]["declared"] or not p["requested"]["declared"]
                                         for p in found["new_pairs"]), f"{found['new_pairs']}")
        write(here, text)
        here.run(tiers, "descending").expect(EXIT_FINDINGS)
        found = compared_json(here, status=EXIT_FINDINGS)
        broken = found["breaks"]
        check(ends(broken) == [("manager.session_locks", "manager.session_locks")] and
              broken[0]["against"].endswith("they go up by address") and broken[0]["requested_at"], f"{broken}")
        check(broken[0]["requested_at"][0]["file"].endswith("order_tiers.c"), f"{broken}")
        write(here, text + 'bless manager.session_locks manager.session_locks "start-up"\n')
        found = compared_json(here, status=0)
        check(not found["breaks"] and [p["reason"] for p in found["blessed"]] == ["start-up"], f"{found}")


def json_wants_evidence(build):
    """An error is no empty comparison."""
    with place(build) as here:
        write(here, TIERS.read_text(encoding="utf-8"))
        result = command(here, "check", "--format", "json").expect(65)
        check(result.stdout == "", f"{result}")
        result = command(here, "check", "--format", "yaml").expect(2)
        check("use text or json" in result.stderr, f"{result}")


def environment(here, *arguments):
    """What `lockgraph env` prints, as a shell has it."""
    script = f'eval "$({here.build.command} env "$@")" && env -0'
    result = here.execute(["sh", "-c", script, "sh", *arguments]).expect(0)
    variables = dict(entry.split("=", 1) for entry in result.stdout.split("\0") if "=" in entry)
    return {name: variables[name] for name in ("LD_PRELOAD", "LOCKGRAPH_OPTIONS")}, result.stderr


def by_environment(build):
    """A program that `lockgraph run` does not start is checked as well, and long after."""
    with place(build) as here:
        write(here, TIERS.read_text(encoding="utf-8"), "tiers")
        tiers = build.subject("order_tiers")
        variables, said = environment(here, "--order", "tiers", tiers)
        check(said == "", said)
        table = here.directory / "lockgraph.data.order"
        check(stat.S_IMODE(table.stat().st_mode) & 0o133 == 0, oct(table.stat().st_mode))
        left = {p.name for p in here.directory.iterdir()} - {"lockgraph.data"}  # of the shell's own commands
        check(left == {"lockgraph.data.order", "tiers"}, f"left: {left}")
        (here.directory / "tiers").unlink()
        result = here.execute([tiers, "right"], environment=variables).expect(0)
        check("level-violation" not in result.stderr, f"{result}")
        here.execute([tiers, "11"], environment=variables).expect(0)
        check(len(violations(here.json())) == 1, f"not checked: {here.json()['findings']}")
        result = here.execute(["sh", "-c", f"cd / && exec {tiers} 11"], environment=variables).expect(0)
        check("level-violation" in result.stderr, f"another directory: {result}")


def environment_of_another_build(build):
    """A table that is not about this program must not pass for one that it keeps."""
    with place(build) as here:
        write(here, TIERS.read_text(encoding="utf-8"), "tiers")
        program = here.directory / "server"
        here.execute(["cp", build.subject("order_tiers"), program]).expect(0)
        variables, _ = environment(here, "--order", "tiers", "./server")
        for other in ("abba", "fork_child"):  # of a forked child that is not said again
            here.execute(["cp", build.subject(other), program]).expect(0)
            result = here.execute([program], environment=variables)
            check(result.stderr.count("is not the build that the declared order was made for") == 1, f"{result}")


def environment_without_table(build):
    with place(build) as here:
        write(here, TIERS.read_text(encoding="utf-8"), "tiers")
        tiers = build.subject("order_tiers")
        variables, _ = environment(here, "--order", "tiers", tiers)
        table = here.directory / "lockgraph.data.order"
        for damage in (lambda: table.write_bytes(table.read_bytes()[:-1]), lambda: table.write_bytes(b""), table.unlink):
            damage()
            result = here.execute([tiers, "11"], environment=variables).expect(0)
            check(result.stderr.count("lockgraph.data.order cannot be read, and is not checked in this process") == 1,
                  f"{result}")
            check("level-violation" not in result.stderr, f"{result}")


def environment_mistakes(build):
    with place(build) as here:
        write(here, "level ten a\n", "wrong")
        write(here, "level 10 a\nlock a variable b\n", "right")
        tiers = build.subject("order_tiers")
        for arguments, status, words in (
                (("--order", "right"), 2, "--order needs the program"), ((tiers,), 2, "takes no program without --order"),
                (("--order", "right", tiers, tiers), 2, "--order needs the program"),
                (("--order", "wrong", tiers), 2, "wrong:1:7: "), (("--order", "none", tiers), 2, "none"),
                (("--order", "right", "./no-such"), 127, "there is no program ./no-such"),
                (("--order", "right", "-o", "no/such", tiers), 70, "no/such.order: No such file"),
                (("--order", "right", tiers), 0, "right:2: the line declares nothing here")):
            result = command(here, "env", *arguments).expect(status)
            check(words in result.stderr, f"\"{words}\" is not said: {result}")
            check((result.stdout == "") == (status != 0), f"{result}")


def offsets(build):
    """A stripped program has no names: offsets tell its locks, and are learned."""
    with place(build) as here:
        program = here.directory / "bare"
        here.execute(["strip", "-o", program, build.subject("order_tiers")]).expect(0)
        here.run(program, "right").expect(0)
        command(here, "learn", "-o", NAME).expect(0)
        text = (here.directory / NAME).read_text(encoding="utf-8")
        check(re.search(r"^lock \S+ variable \+0x[0-9a-f]+ module bare$", text, re.M), f"no variable: {text}")
        check(re.search(r"^lock \S+ init \+0x[0-9a-f]+ module bare$", text, re.M), f"no call: {text}")
        here.run(program, "right").expect(0)
        command(here, "check").expect(0)
        here.run(program, "11").expect(EXIT_FINDINGS)
        command(here, "check").expect(EXIT_FINDINGS)


def gone(build):
    """A process that outlives `lockgraph run` and starts another program says that it has no order."""
    with place(build) as here:
        write(here, TIERS.read_text(encoding="utf-8"))
        tiers, out = build.subject("order_tiers"), here.directory / "late"
        here.run("sh", "-c", f"(sleep 1; {tiers} 60) >/dev/null 2>{out} &").expect(0)
        for _ in range(100):
            here.execute(["sleep", "0.1"])
            if out.exists() and "is not checked in this process" in out.read_text():
                return
        check(False, f"not said: {out.read_text() if out.exists() else 'nothing'}")


CASES = [picked_up, loaded, not_found, pairs, blessed, included, mistakes, learnt, learnt_says_who_takes_it, learnt_of_makers, first_uses, rings,
         compared, as_json, json_wants_evidence, by_environment, environment_of_another_build, environment_without_table,
         environment_mistakes, offsets, gone]


def cases():
    for function in CASES:
        yield f"order {function.__name__.replace('_', ' ')}", False, function
