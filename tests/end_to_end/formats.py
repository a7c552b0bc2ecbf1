"""Reports for other programs, read back by what reads them."""

import importlib
import json
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import sarif
from harness import EXIT_FINDINGS, ROOT, check, place

GOLDEN = ROOT / "tests/golden"
SVG = "{http://www.w3.org/2000/svg}"


def golden(ending):
    files = sorted(GOLDEN.glob(f"*.{ending}"))
    check(len(files) > 15, f"golden files *.{ending}: {files}")
    return [(file.name, file.read_text(encoding="utf-8")) for file in files]


# ---- pictures ----

def drawn(dot):
    """An SVG as Graphviz makes it: {id: texts} of the nodes, [class] of the edges."""
    done = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 0 and not done.stderr, f"dot: {done.stderr} of {dot}")
    return looked_at(done.stdout)


def looked_at(svg):
    nodes, edges = {}, []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        classes = group.get("class", "").split()
        texts = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
        if "node" in classes:
            nodes[group.get("id")] = texts
        elif "edge" in classes:
            edges.append((classes[1:], texts))
    return nodes, edges


def golden_graphs_can_be_drawn(build):
    for name, text in golden("dot"):
        nodes, edges = drawn(text)
        listed = {e["id"] for e in json.loads((GOLDEN / name.replace(".dot", ".json")).read_text())["classes"]}
        check({n.removeprefix("lock-") for n in nodes if n.startswith("lock-")} <= listed, f"{name}: {nodes}, {listed}")
        check(all(texts for classes, texts in edges if classes), f"{name}: a red edge without its finding")


def names_stay_what_they_are(build):
    nodes, _ = drawn((GOLDEN / "hostile.dot").read_text(encoding="utf-8"))
    report = json.loads((GOLDEN / "hostile.json").read_text(encoding="utf-8"))
    names = {entry["name"] for entry in report["classes"] if "lock" in entry["name"] or "script" in entry["name"]}
    texts = {text.replace("\u00a0", " ") for lines in nodes.values() for text in lines}
    told = {name for name in names if name in texts}
    check(any("<script>" in name for name in told) and any("\\x1b" in name for name in told), f"{names}, {texts}")


def a_picture_of_a_run(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        here.report("--format", "svg", "-o", "order.svg").expect(EXIT_FINDINGS)
        nodes, edges = looked_at((here.directory / "order.svg").read_text(encoding="utf-8"))
        finding = here.json()["findings"][0]
        check(sorted(texts[0] for texts in nodes.values()) == sorted(
            l["name"] for l in here.json()["locks"] if l["id"] in finding["locks"]), nodes)
        check([e for e in edges if e[0]] == 2 * [(["finding", "error"], [finding["id"]])], edges)
        locks, _ = looked_at(here.report("--format", "svg", "--view", "instance").stdout)
        check(set(locks) == {f"lock-{name}" for name in finding["locks"]}, locks)


def levels_are_ranks(build):
    """What is of one level has one height, and lower levels stand higher."""
    with place(build) as here:
        here.run(build.subject("lg_tiers"), "right").expect(0)
        svg = ElementTree.fromstring(here.report("--format", "svg").expect(0).stdout)
        heights = {}
        for group in svg.iter(f"{SVG}g"):
            if group.get("class") == "node":
                text = group.find(f".//{SVG}text")
                heights[text.text] = float(text.get("y"))
        levels = {entry["name"]: entry["level"] for entry in here.json()["classes"]}
        scale = sorted((int(name.split()[1]), height) for name, height in heights.items() if name.startswith("level "))
        check(len(scale) >= 6 and [h for _, h in scale] == sorted(h for _, h in scale), scale)
        for name, height in heights.items():
            check(name.startswith("level ") or height == dict(scale)[levels[name]], f"{name}: {height}, {scale}")


def without_graphviz(build):
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        result = here.report("--format", "svg", "-o", "order.svg", environment={"PATH": str(here.directory)}).expect(2)
        check("install the package graphviz" in result.stderr and result.stderr.count("\n") == 1, result)
        check(not (here.directory / "order.svg").exists(), "something was written all the same")
        here.report("--format", "dot", environment={"PATH": str(here.directory)}).expect(EXIT_FINDINGS)


def too_large_for_graphviz(build):
    """It is given up after a while (here by a Graphviz that is at once), and what else can be done is told."""
    with place(build) as here:
        here.run(build.subject("abba")).expect(EXIT_FINDINGS)
        (here.directory / "dot").write_text("#!/bin/sh\nkill -ALRM $$\n", encoding="utf-8")
        (here.directory / "dot").chmod(0o755)
        result = here.report("--format", "svg", environment={"PATH": str(here.directory)}).expect(2)
        check("too large for Graphviz" in result.stderr and "--focus" in result.stderr and not result.stdout, result)


def only_near_a_lock(build):
    with place(build) as here:
        here.run(build.subject("lg_tiers"), "right").expect(0)
        all_nodes, _ = looked_at(here.report("--format", "svg").expect(0).stdout)
        near, _ = looked_at(here.report("--format", "svg", "--focus", "session.task", "--depth", "0").expect(0).stdout)
        check(sum(n.startswith("lock-") for n in near) == 1 < sum(n.startswith("lock-") for n in all_nodes), near)
        result = here.report("--format", "dot", "--focus", "nobody").expect(2)
        check("nobody" in result.stderr and not result.stdout, result)


def options_have_an_effect_or_are_refused(build):
    with place(build) as here:
        here.run(build.subject("status")).expect(0)
        for wrong in (["--focus", "x"], ["--format", "json", "--view", "instance"], ["--format", "dot", "--depth", "2"],
                      ["--format", "dot", "--view", "both"], ["--format", "dot", "--focus", "x", "--depth", "-1"],
                      ["--source-root", "."]):
            result = here.report(*wrong).expect(2)
            check(result.stderr and not result.stdout, f"{wrong}: {result}")


# ---- SARIF ----

def golden_sarif_is_right(build):
    for name, text in golden("sarif"):
        log = json.loads(text)
        sarif.check_log(log)
        report = json.loads((GOLDEN / name.replace(".sarif", ".json")).read_text(encoding="utf-8"))
        told = {r["partialFingerprints"]["lockgraphFindingId/v1"]: r for r in log["runs"][0]["results"]}
        for finding in report["findings"]:
            result = told.pop(finding["id"], None)
            check(result or finding["severity"] == "note", f"{name}: {finding['id']} is not told")
            if result:
                check((result["level"], result["ruleId"]) == (finding["severity"], finding["kind"]), f"{name}: {result}")
                check(bool(result["suppressions"]) == finding["suppressed"], f"{name}: {result}")
        check(not told, f"{name} tells more: {told}")


def sarif_names_both_stacks(build):
    """With their lines, and names from the top of the source; the same in the next run."""
    with place(build) as here:
        logs = []
        for _ in range(2):
            here.run(build.subject("abba")).expect(EXIT_FINDINGS)
            result = here.report("--format", "sarif", "--source-root", ROOT).expect(EXIT_FINDINGS)
            logs.append(json.loads(result.stdout))
            sarif.check_log(logs[-1])
        results = [log["runs"][0]["results"] for log in logs]
        check(len(results[0]) == 1 and [r[0]["partialFingerprints"] for r in results] == 2 *
              [{"lockgraphFindingId/v1": here.json()["findings"][0]["id"]}], results)
        edges = here.json()["findings"][0]["edges"]
        flows = results[1][0]["codeFlows"][0]["threadFlows"]
        check(len(flows) == len(edges) == 2, flows)
        for flow, edge in zip(flows, edges):
            steps = list(sarif.texts_of(flow))
            lines = [stack[0]["line"] for stack in (edge["held_at"], edge["requested_at"])]
            check([s[2] for s in steps] == lines, f"{steps}, not {lines}")
            check({s[1] for s in steps} == {"tests/subjects/abba.c"}, steps)
        elsewhere = json.loads(here.report("--format", "sarif").expect(EXIT_FINDINGS).stdout)
        sarif.check_log(elsewhere)
        uri = elsewhere["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        check(uri == {"uri": pathlib.Path(build.source("abba")).as_uri()}, f"outside of the root: {uri}")


# ---- JUnit ----

def from_debian(module):
    """A module of Debian's, also where python3 is another one than Debian's."""
    try:
        return importlib.import_module(module)
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        return importlib.import_module(module)


def junit_of(text):
    junitparser = from_debian("junitparser")
    suites = junitparser.JUnitXml.fromstring(text.encode())
    cases = [case for suite in suites for case in suite]
    failed = [c for c in cases if any(isinstance(r, junitparser.Failure) for r in c.result)]
    skipped = [c for c in cases if any(isinstance(r, junitparser.Skipped) for r in c.result)]
    for counted in [suites, *suites]:
        check((counted.tests, counted.failures, counted.skipped, counted.errors) ==
              (len(cases), len(failed), len(skipped), 0), f"miscounted: {text}")
    return cases, failed, skipped


def golden_junit_is_right(build):
    for name, text in golden("junit.xml"):
        cases, failed, skipped = junit_of(text)
        report = json.loads((GOLDEN / name.replace(".junit.xml", ".json")).read_text(encoding="utf-8"))
        errors = {f["id"] for f in report["findings"] if f["severity"] == "error" and not f["suppressed"]}
        check({c.name.split()[0] for c in failed} == errors, f"{name}: {failed}, {errors}")
        check(len(skipped) == sum(f["suppressed"] for f in report["findings"]), f"{name}: {skipped}")
        check(cases, f"{name}: no test at all looks like a run that did not happen")


def junit_fails_from_fail_on(build):
    with place(build) as here:
        here.run(build.subject("common_gate")).expect(0)
        cases, failed, _ = junit_of(here.report("--format", "junit").expect(0).stdout)
        check([c.name for c in cases] == ["neither errors nor warnings were found"] and not failed, cases)
        _, failed, _ = junit_of(here.report("--format", "junit", "--fail-on", "note").expect(EXIT_FINDINGS).stdout)
        note = here.json()["findings"][0]
        check([c.name for c in failed] == [f"{note['id']} {note['title']}"], failed)
        check(failed[0].classname == "lockgraph.order-cycle" and "Why only a note" in failed[0].result[0].text, failed)


def cases():
    for function in (golden_graphs_can_be_drawn, names_stay_what_they_are, a_picture_of_a_run, levels_are_ranks,
                     without_graphviz, too_large_for_graphviz, only_near_a_lock, options_have_an_effect_or_are_refused, golden_sarif_is_right,
                     sarif_names_both_stacks, golden_junit_is_right, junit_fails_from_fail_on):
        yield f"format {function.__name__.replace('_', ' ')}", False, function
