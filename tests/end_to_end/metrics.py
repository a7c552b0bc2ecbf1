"""What locks cost: counted, timed, written down, told as OpenMetrics, and made into time limits."""

import math
import os
import re
import signal
import subprocess
import time

from harness import ROOT, SLOWNESS, check, place
from logs import lines_in

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"\d+(?:\.\d+)?$")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


# ---- OpenMetrics, read strictly: openmetrics.io, version 1.0 ----

class Family:
    def __init__(self, name):
        self.name, self.type, self.unit, self.help, self.samples = name, None, None, None, []


def family_of(families, name):
    for suffix in ("_total", "_bucket", "_sum", "_count", ""):
        base = name[:len(name) - len(suffix)] if suffix else name
        if name.endswith(suffix) and base in families and suffix in SUFFIXES[families[base].type]:
            return families[base]
    check(False, f"a sample of no family: {name}")
    return None


def metadata(families, line):
    _, what, name, *text = line.split(" ", 3)
    check(what in ("TYPE", "UNIT", "HELP") and len(text) == 1, f"an ill-formed line: {line}")
    family = families.setdefault(name, Family(name))
    check(list(families)[-1] == name and not family.samples, f"{name} is interrupted: {line}")
    check(getattr(family, what.lower()) is None, f"said twice: {line}")
    setattr(family, what.lower(), text[0])
    check(what != "TYPE" or text[0] in SUFFIXES, f"no such type: {line}")
    check(what != "UNIT" or name.endswith("_" + text[0]), f"the name does not end with its unit: {line}")


def unescaped(text):
    return re.sub(r"\\(.)", lambda c: "\n" if c[1] == "n" else c[1], text)


def parse(text):
    """{family: Family}, whose samples are (name, {label: value}, number)"""
    check(text.endswith("# EOF\n") and text.count("# EOF") == 1, f"no end: {text[-100:]}")
    families, seen = {}, set()
    for line in text.split("\n")[:-2]:
        if line.startswith("#"):
            metadata(families, line)
            continue
        found = SAMPLE.match(line)
        check(found and NUMBER.match(found[3]), f"an ill-formed sample: {line}")
        labels = {name: unescaped(value) for name, value in LABEL.findall(found[2] or "")}
        check((found[1], tuple(labels.items())) not in seen, f"twice: {line}")
        seen.add((found[1], tuple(labels.items())))
        family = family_of(families, found[1])
        check(family is list(families.values())[-1], f"not within its family: {line}")
        family.samples.append((found[1], labels, float(found[3])))
    for family in families.values():
        check(family.type and family.help, f"{family.name} has no type or no help")
        if family.type == "histogram":
            check_histogram(family)
    conventions(families)
    return families


def check_histogram(family):
    """Buckets of each set of labels rise to +Inf, which is the count; the sum lies between their bounds."""
    series = {}
    for name, labels, value in family.samples:
        key = tuple((k, v) for k, v in labels.items() if k != "le")
        series.setdefault(key, []).append((name[len(family.name):], labels.get("le"), value))
    for key, samples in series.items():
        buckets = [(float(edge), value) for suffix, edge, value in samples if suffix == "_bucket"]
        count, total = samples[-1][2], samples[-2][2]
        check([s[0] for s in samples[-2:]] == ["_sum", "_count"], f"{family.name} {key}: no sum and count behind the buckets")
        check(buckets == sorted(buckets) and buckets[-1] == (math.inf, count), f"{family.name} {key}: {buckets}, count {count}")
        check([v for _, v in buckets] == sorted(v for _, v in buckets), f"{family.name} {key}: not cumulative")
        low = high = before = edge_before = 0.0
        for edge, value in buckets:
            low += (value - before) * edge_before
            high += (value - before) * edge if value != before else 0
            before, edge_before = value, edge
        check(low <= total <= high, f"{family.name} {key}: sum {total} is not within {low} and {high}")


UNITS = {"seconds", "bytes", "ratio"}  # the base units that are of use here
NOT_BASE = {"ms", "us", "ns", "sec", "secs", "second", "milliseconds", "microseconds", "nanoseconds", "minutes", "kb", "kib", "mb", "mib"}


def conventions(families):
    """What `promtool check metrics` looks for as well, and the specification (OpenMetrics 1.0) says.  That itself is no
    test of this text: it reads Prometheus' older format, in which counters are declared with their _total; see
    prometheus_reads_it."""
    for name, family in families.items():
        words = name.split("_")
        check(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name), f"{name} is not in snake_case (MetricFamily, Name)")
        check(family.help.strip() and not re.search(r'[\\"]', family.help), f"{name}: no help, or one to escape (MetricFamily, Help)")
        check(len(family.help) <= 120 and family.help.endswith("."), f"{name}: no tooltip (MetricFamily, Help): {family.help}")
        check(not set(words) & {"counter", "gauge", "histogram", "metric"}, f"{name} names its type (Metric Naming and Namespaces)")
        check(not set(words) & NOT_BASE, f"{name} is not in base units (Units and Base Units)")
        named = [word for word in words if word in UNITS]
        check(named == ([family.unit] if family.unit else []), f"{name}: unit {family.unit} (MetricFamily, Unit)")
        for suffix in ("_total", "_created", "_count", "_sum", "_bucket", "_info"):
            check(not name.endswith(suffix), f"{name} may be taken for a sample of another family (Suffixes)")
        for sample, labels, number in family.samples:
            check(all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in labels), f"{sample} {labels} (Label)")
            check("le" not in labels or family.type == "histogram", f"{sample}: le of no histogram (Histogram)")
            check(number >= 0 or family.type == "gauge", f"{sample} is negative (Counter; Histogram)")


def value(families, family, class_name, suffix=""):
    found = [v for name, labels, v in families[family].samples
             if name == family + suffix and labels.get("class") == class_name and "le" not in labels]
    check(len(found) == 1, f"{family}{suffix} of {class_name}: {found}")
    return found[0]


# ---- known workloads ----

def usage_of(report, name):
    found = [c.get("usage") for c in report["classes"] if c["name"] == name]
    check(len(found) == 1 and found[0], f"{name}: {found}")
    return found[0]


def near(left, right):
    return abs(left - right) <= min(0.02 * SLOWNESS, 0.2) * right


def best_of_three(attempt):
    """Where a machine does other things as well, a measurement may be disturbed: what is wrong each time fails."""
    for _ in range(3):
        wrong = attempt()
        if not wrong:
            return
    check(False, wrong)


def told(output):
    """{lock: (count, total, most)} in the subject's own words."""
    return {name: tuple(map(int, numbers)) for name, *numbers in (line.split() for line in output.splitlines())}


def holds_agree(build):
    def attempt():
        with place(build) as here:
            known = told(here.preload(build.subject("profile_load"), "holds", options="profile=1").expect(0).stdout)
            report = here.json()
            check(set(known) == {"work", "inner", "table", "spin"}, known)
            for lock, (count, total, most) in known.items():
                name = lock if lock != "spin" else next(c["name"] for c in report["classes"] if "spin" in c["name"])
                hold = usage_of(report, name)["hold"]
                check(hold["count"] == count == sum(b["count"] for b in hold["buckets"]), f"{lock}: {hold}, not {count}")
                if not (near(hold["total_ns"], total) and near(hold["max_ns"], most)):
                    return f"{lock}: {hold}, not {total} and at most {most}"
        return ""
    best_of_three(attempt)


def hold_of(here, name="work"):
    usage = usage_of(here.json(), name)
    return usage["hold"], usage.get("hold_untimed", 0)


def many_holds_agree(build):
    """One in sixteen is timed then. Where the processor was taken away for less than a tick of the clock, in holds that
    are few, a sample of them is all that is known."""
    def attempt():
        with place(build) as here:
            known = told(here.run(build.subject("profile_load"), "often", options=["-O", "profile=1"]).expect(0).stdout)
            (count, total, most), (_, disturbed, _) = known["work"], known["disturbed"]
            hold, untimed = hold_of(here)
            check(hold["count"] == count == sum(b["count"] for b in hold["buckets"]), f"{hold}, not {count}")
            check(untimed > count / 3, f"{untimed} of {count} not timed: no sample was taken")
            if abs(hold["total_ns"] - total) > 0.02 * total + 0.25 * disturbed or not near(hold["max_ns"], most):
                return f"{hold}, not {total} ({disturbed} disturbed) and at most {most}"
        return ""
    best_of_three(attempt)


def the_long_one_of_very_many_is_told(build):
    def attempt():
        with place(build) as here:
            count, total, most = told(here.preload(build.subject("profile_load"), "very-often", options="profile=1")
                                      .expect(0).stdout)["work"]
            hold, untimed = hold_of(here)
            check(hold["count"] == count == 2000000, f"{hold}, not {count}")
            check(untimed > count / 2, f"{untimed} of {count} not timed: no sample was taken")
            check(hold["buckets"][-1]["count"] >= 1 and hold["buckets"][-1]["le_ns"] >= total, f"{hold}: where is {total}?")
            check(hold["total_ns"] >= most, f"{hold}, at least {most}")
            if not near(hold["max_ns"], most):
                return f"{hold}, not at most {most}"
        return ""
    best_of_three(attempt)


def each_of_many_is_timed_if_asked(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "very-often", options="profile=1:profile_exact=1").expect(0)
        hold, untimed = hold_of(here)
        check(hold["count"] == 2000000 and untimed == 0, f"{hold}, {untimed} not timed")
        check("not timed" not in here.execute([build.command, "stat"]).expect(0).stdout, "stat tells of an estimate")


def an_estimate_says_so(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "very-often", options="profile=1").expect(0)
        hold, untimed = hold_of(here)
        text = here.execute([build.command, "stat"]).expect(0).stdout
        check(f"Of these {hold['count']} holds {untimed} were counted and not timed" in text, text)
        families = parse(here.report("--format", "openmetrics").expect(0).stdout)
        check(value(families, "lockgraph_lock_untimed", "work", "_total") == untimed, "the metrics say something else")


def many_are_counted_to_the_last(build):
    """Of threads that end, and that do not; of a child that is forked with one of them held, and up to exec."""
    for case, count in (("threads-often", 1200000), ("stay-often", 40000), ("forks-often", 700002), ("execs-often", 300050)):
        with place(build) as here:
            here.run(build.subject("profile_load"), case, options=["-O", "profile=1"]).expect(0)
            hold, untimed = hold_of(here)
            check(hold["count"] == count and untimed > 0, f"{case}: {hold}, {untimed} not timed, not {count}")


def waits_agree(build):
    """Without any option."""
    def attempt():
        with place(build) as here:
            count, total, most = told(here.preload(build.subject("profile_load"), "waits").expect(0).stdout)["queue"]
            usage = usage_of(here.json(), "queue")
            wait = usage["wait"]
            check(usage["contended"] == wait["count"] == count == 20, f"{usage}, not {count}")
            check(usage["waiters_max"] == 1 and usage["owner_changes"] == 1 and usage["hold"] is None, usage)
            check(len(usage["sites"]) == 1 and usage["sites"][0]["at"]["function"] == "waiter", usage["sites"])
            check(usage["sites"][0]["contended"] == count and usage["sites"][0]["wait"] == wait, usage["sites"])
            if not (near(wait["total_ns"], total) and near(wait["max_ns"], most)):
                return f"{wait}, not {total} and at most {most}"
        return ""
    best_of_three(attempt)


def children_count_for_themselves(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "forks", options="profile=1").expect(0)
        hold = usage_of(here.json(), "work")["hold"]
        check(hold["count"] == 510, f"300 and 10 by the parent, 200 by the child: {hold}")


def exec_keeps_what_was(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "execs", options="profile=1").expect(0)
        hold = usage_of(here.json(), "work")["hold"]
        check(hold["count"] == 150, f"100 before, 50 after: {hold}")


def a_kill_keeps_most(build):
    with place(build) as here:
        environment = {"LD_PRELOAD": str(build.runtime), "LOCKGRAPH_OPTIONS": "profile=1"}
        process = subprocess.Popen([build.subject("profile_load"), "for-ever"], cwd=here.directory, env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        early = os.read(process.stdout.fileno(), 1)
        time.sleep(0.6 * SLOWNESS)
        os.kill(process.pid, signal.SIGKILL)
        dots = early + process.stdout.read()
        process.wait()
        count = usage_of(here.json(), "work")["hold"]["count"]
        check(0 < len(dots) and 100000 < count < (len(dots) + 1) * 100000, f"{count} left of {len(dots)} times 100000")


def debug_log_counts_as_well(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "few", options="profile=1:log=debug:log_to=./told.log").expect(0)
        check(usage_of(here.json(), "work")["hold"]["count"] == 100, here.json()["classes"])


def knows_since_when(build):
    with place(build) as here:
        text = here.preload(build.subject("wait_timeout"), "mutex", seconds=30,
                            options="verdict=0:profile=1:lock_timeout=200ms").expect(0).stderr
        timeouts = [line.event for line in lines_in(text) if line.event.startswith("timeout")]
        check(timeouts and "at least" not in timeouts[0], text)
        waited, held = (int(re.search(form, timeouts[0])[1]) for form in (r"after (\d+) ms", r", for (\d+) ms"))
        check(waited <= held, timeouts[0])


def what_is_not_timed_is_held_at_least_so_long(build):
    with place(build) as here:
        text = here.preload(build.subject("profile_load"), "waited-for", seconds=30,
                            options="verdict=0:profile=1:lock_timeout=100ms").expect(0).stderr
        timeouts = [line.event for line in lines_in(text) if line.event.startswith("timeout")]
        check(len(timeouts) >= 5 and any("for at least" in timeout for timeout in timeouts), text)
        for timeout in timeouts:
            waited, held = (int(re.search(form, timeout)[1]) for form in (r"after (\d+) ms", r", for (?:at least )?(\d+) ms"))
            check(waited - 12 <= held <= waited + 100 * SLOWNESS, timeout)


def nothing_is_timed_unasked(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "few").expect(0)
        check(not any("usage" in c for c in here.json()["classes"]), here.json()["classes"])
        families = parse(here.report("--format", "openmetrics").stdout)
        check("lockgraph_lock_hold_seconds" not in families and "lockgraph_locks" in families, list(families))


def profile_changes_no_finding(build):
    """All goes another way then, and nothing gets lost on it."""
    for subject, arguments in (("abba", ()), ("rwlock_abba", ()), ("sem_abba", ("wait",)), ("wrapper_callers", ()),
                               ("misuse_unlock", ("foreign",)), ("misuse_exit", ("pthread-exit",))):
        with place(build) as here:
            found = []
            for options in ("profile=0", "profile=1"):
                here.run(build.subject(subject), *arguments, options=["--fail-on", "never", "-O", options], seconds=30)
                found.append(sorted((f["kind"], f["verdict"], f["severity"], f["id"]) for f in here.json()["findings"]))
            check(found[0] == found[1] and found[0], f"{subject}: {found}")


def profile_changes_no_result(build):
    with place(build) as here:
        for subject in ("semantics", "signal_semantics"):
            bare = here.execute([build.subject(subject)])
            under = here.preload(build.subject(subject), options="verdict=0:profile=1:check.signal-unsafe=off")
            check((bare.status, bare.stdout) == (under.status, under.stdout), f"{bare}, {under}")


# ---- OpenMetrics ----

STORE = "store \"a\\b\"\nü"


def promtool(build):
    """Debian's, out of its package: installed, that would start a server."""
    kept = build.directory / "promtool"
    if not (kept / "usr/bin/promtool").exists():
        kept.mkdir(exist_ok=True)
        subprocess.run("apt-get -qq download prometheus && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb usr/bin/prometheus", shell=True,
                       cwd=kept, check=True, timeout=300)
    return kept / "usr/bin/promtool"


def prometheus_reads_it(build):
    """Prometheus' own reader of OpenMetrics, for which each sample needs a time: into its database, and out again the same."""
    with place(build) as here:
        here.preload(build.subject("lg_metrics"), options="verdict=0:profile=1").expect(0)
        text = here.report("--format", "openmetrics").stdout
        (here.directory / "text").write_text(re.sub("^([^#].*)$", rf"\1 {int(time.time()) - 3600}", text, flags=re.M), encoding="utf-8")
        told = here.execute([promtool(build), "tsdb", "create-blocks-from", "openmetrics", "text", "blocks"])
        check(told.status == 0, f"{told}\n{text}")
        (here.directory / "blocks/wal").mkdir()  # of a database that is complete
        samples = re.findall(r"^\{(.*)\} (\S+) \d+$", here.execute([promtool(build), "tsdb", "dump", "blocks"]).expect(0).stdout, re.M)
        found = sorted((sorted((name, unescaped(text)) for name, text in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)),
                        float(number)) for labels, number in samples)
        expected = sorted((sorted([*labels.items(), ("__name__", name)]), number)
                          for family in parse(text).values() for name, labels, number in family.samples)
        check(found == expected and len(found) > 50, f"{found}\nis not {expected}")


def the_process_tells_itself(build):
    with place(build) as here:
        result = here.preload(build.subject("lg_metrics"), options="verdict=0:profile=1").expect(0)
        families = parse(result.stdout)
        check(value(families, "lockgraph_lock_acquisitions", STORE, "_total") == 7, result.stdout)
        check(value(families, "lockgraph_lock_hold_seconds", "plain", "_count") == 7, result.stdout)
        unnamed = [l["class"] for _, l, _ in families["lockgraph_lock_contended"].samples if "lg_metrics" in l["class"] or
                   "main program" in l["class"]]
        check(len(unnamed) == 1, f"a static lock is named by its place: {result.stdout[:3000]}")
        check(families["lockgraph_nested_acquisitions"].samples[0][2] == 7, result.stdout)


def the_manual_names_them(build):
    """All of them, and no others."""
    page = (ROOT / "docs/man/lockgraph-metrics.3.scd").read_text(encoding="utf-8")
    named = {name.removesuffix("_total") for name in re.findall(r"\*(lockgraph_\w+)\*", page)}
    with place(build) as here:
        families = parse(here.preload(build.subject("lg_metrics"), options="verdict=0:profile=1").expect(0).stdout)
        check(named == set(families), named ^ set(families))


def the_report_tells_the_same(build):
    with place(build) as here:
        families = parse(here.preload(build.subject("lg_metrics"), options="verdict=0:profile=1").expect(0).stdout)
        later = parse(here.report("--format", "openmetrics").expect(0).stdout)
        check(set(families) == set(later), set(families) ^ set(later))
        check(value(later, "lockgraph_lock_acquisitions", "plain", "_total") == 7, "not what the process said")


def waits_are_told(build):
    with place(build) as here:
        here.preload(build.subject("profile_load"), "waits").expect(0)
        families = parse(here.report("--format", "openmetrics").expect(0).stdout)
        check(value(families, "lockgraph_lock_contended", "queue", "_total") == 20, "not counted")
        check(value(families, "lockgraph_lock_wait_seconds", "queue", "_sum") >= 0.2, "not timed")
        check(value(families, "lockgraph_lock_wait_max_seconds", "queue") >= 0.01, "no longest")
        check("lockgraph_lock_acquisitions" not in families, "holds were not measured")


# ---- operations and adaptive limits ----

ADAPTIVE = "verdict=0:adaptive=1:adaptive_factor=2:adaptive_min=100ms:adaptive_max=300ms:log=info"


def limits(build, case, options):
    with place(build) as here:
        result = here.preload(build.subject("lg_metrics"), case, options=options, seconds=30).expect(0)
        check("result" not in result.stdout, result.stdout)
        changes = [line for line in lines_in(result.stderr) if line.event.startswith("limit ")]
        return {name: int(ms) for name, ms in (line.split() for line in result.stdout.splitlines())}, changes


def a_limit_follows_the_holds(build):
    waited, changes = limits(build, "adaptive", ADAPTIVE)
    check(100 <= waited["scrape"] < 1000, f"not the adaptive limit: {waited}")
    check(waited["other"] >= 1000 and waited["none"] >= 1000 and waited["own"] >= 1200, f"not their own limits: {waited}")
    check(len(changes) == 1 and changes[0].level == "INFO" and changes[0].lock == "scrape: plain (level 20)",
          [(line.lock, line.event) for line in changes])
    check(re.match(r"limit [123]\d\d ms; of 100 holds 99 in 100 lasted at most \d+ us$", changes[0].event), changes[0].event)


def not_before_a_hundred_holds(build):
    waited, changes = limits(build, "too-few", ADAPTIVE)
    check(waited["scrape"] >= 1000 and not changes, f"{waited}, {[line.event for line in changes]}")


def not_unless_asked(build):
    waited, changes = limits(build, "adaptive", "verdict=0:log=info")
    check(waited["scrape"] >= 1000 and not changes, f"{waited}, {[line.event for line in changes]}")


def lines_name_the_operation(build):
    with place(build) as here:
        result = here.preload(build.subject("lg_metrics"), "operations", options="verdict=0:lock_timeout=50ms",
                              seconds=30).expect(0)
        locks = [line.lock for line in lines_in(result.stderr.replace("\nü", " u")) if line.event.startswith("timeout")]
        order = list(dict.fromkeys(lock.split(":")[0].split(" ")[0] for lock in locks))
        check(order == ["inner", "outer", "store"], f"{order} in {result.stderr}")
        check(result.stdout == "empty 22, null 22\n", result.stdout)


def cases():
    for function in (holds_agree, many_holds_agree, the_long_one_of_very_many_is_told, each_of_many_is_timed_if_asked,
                     an_estimate_says_so, many_are_counted_to_the_last, waits_agree, children_count_for_themselves, exec_keeps_what_was, a_kill_keeps_most,
                     debug_log_counts_as_well, knows_since_when, what_is_not_timed_is_held_at_least_so_long, profile_changes_no_finding, profile_changes_no_result,
                     nothing_is_timed_unasked, the_process_tells_itself, the_manual_names_them,
                     the_report_tells_the_same, waits_are_told, a_limit_follows_the_holds, not_before_a_hundred_holds,
                     not_unless_asked, lines_name_the_operation):
        yield f"metrics {function.__name__.replace('_', ' ')}", False, function
    yield "metrics prometheus reads it", True, prometheus_reads_it
