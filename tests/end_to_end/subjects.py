"""The cases that the subjects state themselves, in the first comment of each source.

    expect: KIND VERDICT SEVERITY   this finding and no other one above a note; exit status 66 if it is an error;
                                    verdict none for a misuse, which has none
    also: KIND VERDICT SEVERITY     ... but this one, which comes with it
    silent                          nothing above a note, exit status 0
    near: KIND, KIND                a silent case that differs little from those that report these (catalogue.py)
    shows: WORDS | WORDS            what of every family of locks must be shown (catalogue.py)
    note: KIND VERDICT [WORD ...]   a note of this kind is there, explained with these words
    edge: HELD MARK -> WANTED MARK  an edge of the finding with these two source lines
    line: MARK                      the line is somewhere in the finding
    call: MARK                      the wrong call of a misuse has this line in its stack
    earlier: MARK                   ... and where its lock was taken, created or destroyed before has that one
    earlier thread: NAME            ... which another thread did that has this name
    lock: WORD                      ... and its lock's name contains this
    edges: N, threads: N            how many the finding has
    thread: MARK, MARK              a thread of the finding that holds and requests at these lines
    says: WORD, WORD                the text report contains these
    processes: N                    how many process images left evidence
    may be unseen                   watching may end before the figures are written
    in child                        the finding belongs to a process whose parent is also there
    deadlock                        it hangs: run with --on-deadlock kill, and with --timeout; the kind must be named
    transcript                      prints the same with and without the runtime
    arguments: A | B                one case for each; $1 in the other words is its first word
    case: A                         the words from here to the next case belong to a run with this argument
    options: OPTION ...             for `lockgraph run`
    order: FILE                     ... and the order file beside the subjects
    seconds: N                      must be over by then
    long                            left out of quick runs
    helper                          no case of its own

A mark is a comment at the end of a source line that begins with a word in capitals.
"""

import copy
import os
import re
import signal
import subprocess
import time

from harness import EXIT_FINDINGS, SLOWNESS, SUBJECT_SOURCES, check, describe, findings, frames_in, place

HEADER = re.compile(r"\A/\*(.*?)\*/", re.S)
MARK = re.compile(r"/\* ([A-Z]{4,}[^*]*?) \*/\s*$")
DEADLOCK_NAMED_WITHIN = 1.0  # seconds
WORDS = {"near", "shows", "call", "earlier", "earlier thread", "lock", "expect", "also", "silent", "note", "edge", "line", "edges",
         "threads", "thread", "says", "processes", "in child", "deadlock", "transcript", "arguments", "options", "order",
         "seconds", "long", "helper", "may be unseen"}


class Subject:
    def __init__(self, source):
        self.name, self.file = source.stem, source.name
        text = source.read_text(encoding="utf-8")
        shared, *self.parts = re.split(r"^[ *]*case: *", HEADER.search(text)[1], flags=re.M)
        self.words = self._words(shared)
        self.marks = {}
        for number, line in enumerate(text.splitlines(), 1):
            if found := MARK.search(line):
                self.marks.setdefault(found[1], set()).add(number)

    def variants(self):
        """(arguments, subject with the words of that case)"""
        for part in self.parts:
            argument, _, words = part.partition("\n")
            variant = copy.copy(self)
            variant.words = {**self.words, **self._words(words)}
            yield [argument.strip()], variant
        if not self.parts:
            for words in self.one("arguments").split("|") if self.has("arguments") else [""]:
                yield words.split(), self

    @staticmethod
    def _words(comment):
        words = {}
        for line in comment.splitlines():
            key, _, value = line.strip(" *").partition(":")
            if key in WORDS:
                words.setdefault(key, []).append(value.strip())
        return words

    def has(self, word):
        return word in self.words

    def one(self, word, arguments=()):
        value = self.words[word][0]
        return value.replace("$1", arguments[0]) if arguments else value

    def lines(self, mark):
        check(mark in self.marks, f"{self.file} has no line marked {mark}")
        return {(self.file, number) for number in self.marks[mark]}


def places_of(part):
    return {(os.path.basename(frame["file"] or ""), frame["line"]) for frame in frames_in(part)}


def check_edge(subject, finding, words):
    held, wanted = (subject.lines(mark.strip()) for mark in words.split("->"))
    seen = [(sorted(places_of(e["held_at"])), sorted(places_of(e["requested_at"]))) for e in finding["edges"]]
    check(any(held & set(h) and wanted & set(w) for h, w in seen), f"no edge {words}, only {seen}")


def check_thread(subject, finding, words):
    wanted = [subject.lines(mark.strip()) for mark in words.split(",")]
    seen = [places_of([e for e in finding["edges"] if e["thread"] == t["serial"]]) for t in finding["threads"]]
    check(any(all(lines & places for lines in wanted) for places in seen), f"no thread with {words}, only {seen}")


def check_stack(subject, mark, edge, part):
    check(subject.lines(mark) & places_of(edge[part]), f"{mark} is not in {part}, but {places_of(edge[part])}")


def check_misuse(subject, report, finding, arguments):
    """The first edge is the wrong call; the second, where there is one, the other thread."""
    call = finding["edges"][0]
    for word, part in (("call", "requested_at"), ("earlier", "held_at")):
        for mark in subject.words.get(word, []):
            check_stack(subject, mark.replace("$1", *arguments[:1] or [""]), call, part)
    if subject.has("earlier thread"):
        names = {t["serial"]: t["name"] for t in finding["threads"]}
        others = [names[edge["thread"]] for edge in finding["edges"][1:]]
        check(others == [subject.one("earlier thread")], f"the other thread is {others}")
    if subject.has("lock"):
        names = [lock["name"] for lock in report["locks"] if lock["id"] == call["from"]]
        check(names and subject.one("lock") in names[0], f"the lock is {names}")


def check_finding(subject, report, finding, arguments):
    if finding["edges"]:
        check_misuse(subject, report, finding, arguments)
    for words in subject.words.get("edge", []):
        check_edge(subject, finding, words)
    for words in subject.words.get("thread", []):
        check_thread(subject, finding, words)
    for mark in subject.words.get("line", []):
        check(subject.lines(mark) & places_of(finding), f"the line {mark} is not in {places_of(finding)}")
    for word in ("edges", "threads"):
        if subject.has(word):
            count = len(finding[word])
            check(count == int(subject.one(word, arguments)), f"{count} {word} in the finding")


def graded(finding):
    return finding["kind"], finding["verdict"] or "none", finding["severity"]


def check_report(subject, report, arguments):
    """All that the subject's words say about the report itself."""
    above = findings(report, "warning")
    for words in subject.words.get("also", []):
        found = [f for f in above if graded(f) == tuple(words.split())]
        check(len(found) == 1, f"expected also {words}, found {describe(above)}")
        above.remove(found[0])
    coverage = report["coverage"]
    seen = coverage["locks"] > 0 and coverage["threads"] > 0
    check(seen or subject.has("may be unseen"), f"the coverage says that nothing was seen: {coverage}")
    if subject.has("expect"):
        kind, verdict, severity = subject.one("expect").split()
        wanted = [f for f in above if graded(f) == (kind, verdict, severity)]
        check(len(wanted) == 1 and len(above) == 1, f"expected {kind} {verdict} {severity}, found {describe(above)}")
        check_finding(subject, report, wanted[0], arguments)
        if subject.has("in child"):
            pids = {p["pid"]: p["ppid"] for p in report["processes"]}
            check(pids.get(wanted[0]["pid"]) in pids, f"the finding is not of a child: {wanted[0]['pid']} of {pids}")
    else:
        check(not above, f"expected silence, found {describe(above)}")
    for words in subject.words.get("note", []):
        kind, verdict, *said = words.split()
        notes = findings(report)
        wanted = [f for f in notes if graded(f) == (kind, verdict, "note")]
        check(wanted, f"expected a note {kind} {verdict}, found {describe(notes)}")
        check(all(word in wanted[0]["explanation"] for word in said), f"no {said} in {wanted[0]['explanation']}")
        if verdict == "none":
            check_misuse(subject, report, wanted[0], arguments)
    if subject.has("processes"):
        count = len(report["processes"])
        check(count == int(subject.one("processes")), f"{count} process images")


def check_text(subject, here):
    text = " ".join(here.report().stdout.split())  # wherever its lines end
    for word in ", ".join(subject.words.get("says", [])).split(", "):
        check(word in text, f"{word} is not in the report\n{text}")


def check_run(build, subject, arguments):
    with place(build) as here:
        limit = float(subject.one("seconds")) if subject.has("seconds") else 30
        options = subject.one("options").split() if subject.has("options") else ()
        if subject.has("order"):
            options = [*options, "--order", SUBJECT_SOURCES / subject.one("order")]
        result = here.run(build.subject(subject.name), *arguments, options=options, seconds=limit + 30)
        error = subject.has("expect") and subject.one("expect").endswith("error")
        result.expect(EXIT_FINDINGS if error else 0)
        check(result.seconds < limit * SLOWNESS, f"took {result.seconds:.1f} s, {limit} s allowed")
        report = here.json(seconds=60)
        check_report(subject, report, arguments)
        exits = [process["exit"] for process in report["processes"]]
        check(0 in exits, f"the program itself ended with {exits}")
        check_text(subject, here)


def check_killed(build, subject, arguments):
    """The command ends a hanging program as soon as it hangs."""
    with place(build) as here:
        result = here.run(build.subject(subject.name), *arguments, options=["--on-deadlock", "kill"], seconds=20)
        result.expect(EXIT_FINDINGS)
        check(result.seconds < 5 * SLOWNESS, f"ended only after {result.seconds:.1f} s")
        check_report(subject, here.json(), arguments)
        check_text(subject, here)


def named(subject):
    """What the runtime must say: a self-deadlock is a deadlock, too."""
    return "stall" if subject.one("expect").startswith("stall") else "deadlock"


def check_left_alone(build, subject, arguments):
    """By default it goes on hanging, with the deadlock named at once; the time
    limit then ends it by SIGKILL, and the evidence is there."""
    with place(build) as here:
        result = here.run(build.subject(subject.name), *arguments, options=["--timeout", "2"], seconds=20)
        result.expect(EXIT_FINDINGS)
        check(result.seconds >= 2, f"did not hang, ended after {result.seconds:.1f} s")
        check(named(subject) in result.stderr, f"no word of a {named(subject)}: {result}")
        check_report(subject, here.json(), arguments)


def check_named_at_once(build, subject, arguments):
    """What the runtime itself prints, without the command, and when: the best of
    three, since this machine may have other things to do."""
    seconds = []
    for _ in range(3):
        with place(build) as here:
            seconds.append(time_until_named(build, subject, arguments, here))
            check_report(subject, here.json(), arguments)
        if seconds[-1] < DEADLOCK_NAMED_WITHIN:
            return
    check(False, f"named only after {seconds} s")


def time_until_named(build, subject, arguments, here):
    process = subprocess.Popen([build.subject(subject.name), *arguments], cwd=here.directory, stderr=subprocess.PIPE,
                               env={"LD_PRELOAD": str(build.runtime)}, start_new_session=True)
    os.set_blocking(process.stderr.fileno(), False)
    text, started, word = b"", time.monotonic(), named(subject).encode()
    while word not in text and time.monotonic() - started < 10:
        text += process.stderr.read() or b""
        time.sleep(0.01)
    seconds = time.monotonic() - started
    time.sleep(0.1)
    hanging = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    check(word in text, f"not named: {text!r}")
    check(hanging, "the runtime ended the program")
    return seconds


def transcripts(here, program, options):
    """Natively, under the runtime, natively again: on a busy machine a time limit of the subject may
    strike in one of the native runs alone, which says nothing of the runtime; then once more."""
    for _ in range(3):
        bare = here.execute([program], seconds=60).expect(0)
        under = here.run(program, options=["--fail-on", "never", "--append", *options], seconds=60).expect(0)
        again = here.execute([program], seconds=60).expect(0)
        if bare.stdout == again.stdout:
            return bare, under, again
    return bare, under, again


def check_transcript(build, subject):
    """Byte for byte the same with and without the runtime."""
    with place(build) as here:
        program = build.subject(subject.name)
        options = subject.one("options").split() if subject.has("options") else ()
        bare, under, again = transcripts(here, program, options)
        check(bare.stdout == again.stdout, f"{subject.name} does not print the same twice by itself")
        different = [f"alone   {one}\nunder   {two}" for one, two in
                     zip(bare.stdout.splitlines(), under.stdout.splitlines()) if one != two]
        check(bare.stdout == under.stdout, "the runtime changes results:\n" + "\n".join(different[:20]))


# What happens, whether it takes long, the check: the two seconds of one that is left alone add up.
HANGING = [("kill", False, check_killed), ("left alone", True, check_left_alone),
           ("named at once", False, check_named_at_once)]


def cases():
    """(name, long, function of a build)"""
    sources = sorted([*SUBJECT_SOURCES.glob("*.c"), *SUBJECT_SOURCES.glob("*.cpp")])
    for subject in map(Subject, sources):
        name, slow = f"subject {subject.name}", subject.has("long")
        if subject.has("helper"):
            continue
        if subject.has("deadlock"):
            for arguments, variant in subject.variants():
                full_name = " ".join([name, *arguments])
                for how, waits, function in HANGING:
                    yield (f"{full_name} ({how})", slow or waits,
                           lambda build, f=function, s=variant, a=arguments: f(build, s, a))
        elif subject.has("transcript"):
            yield name, slow, lambda build, s=subject: check_transcript(build, s)
        else:
            for arguments, variant in subject.variants():
                full_name = " ".join([name, *arguments])
                check(variant.has("expect") != variant.has("silent"), f"{full_name} does not say what to expect")
                yield full_name, slow, lambda build, s=variant, a=arguments: check_run(build, s, a)
