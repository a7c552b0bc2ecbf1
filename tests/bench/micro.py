"""Runs the micro program natively, under the runtime and under the other tools, in turn."""

import os
import pathlib
import shutil
import subprocess

import sampling
from figures import Result
from sampling import BenchError, Worker

HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ["-std=gnu11", "-O2", "-g", "-pthread", f"-I{HERE.parent.parent}/include"]
SOURCES = ["micro.c", "micro_pairs.c", "micro_edges.c", "micro_fresh.c", "micro_threads.c", "micro_api.c"]
TSAN_OPTIONS = "detect_deadlocks=1:second_deadlock_stack=1:report_bugs=0:exitcode=0"


def compile_program(target, sources, *flags):
    sources = [HERE / source for source in sources]
    newest = max(path.stat().st_mtime for path in HERE.glob("*.[ch]"))
    if not target.exists() or target.stat().st_mtime < newest:
        subprocess.run(["gcc", *FLAGS, *flags, "-o", target, *sources], check=True)
    return str(target)


class Micro:
    """The compiled programs, and how each way of running one of them is started."""

    def __init__(self, build, library, data, comparators):
        self.library = str(library)
        self.data = data
        self.comparators = comparators
        self.plain = compile_program(build / "micro", SOURCES)
        self.frames = compile_program(build / "micro-fp", SOURCES, "-fno-omit-frame-pointer")
        self.empty = compile_program(build / "empty", ["empty.c"])
        if comparators:
            self.tsan = compile_program(build / "micro-tsan", SOURCES, "-fsanitize=thread")
        calibrated = subprocess.run([self.plain, "calibrate"], check=True, capture_output=True, text=True)
        self.work_loops = calibrated.stdout.strip()
        self.cpu = max(os.sched_getaffinity(0))

    def options(self, extra=""):
        return f"data={self.data}:launcher=1{extra}"

    def environment(self, name, way, extra):
        env = dict(os.environ)
        env.pop("LD_PRELOAD", None)
        if name == "start":
            env["BENCH_CHILD"] = self.empty
        if way == "lockgraph" and name == "start":
            env.update(BENCH_CHILD_PRELOAD=self.library, BENCH_CHILD_OPTIONS=self.options())
        elif way == "lockgraph":
            env.update(LD_PRELOAD=self.library, LOCKGRAPH_OPTIONS=self.options(extra))
        elif way == "tsan":
            env["TSAN_OPTIONS"] = TSAN_OPTIONS
        return env

    def start(self, figure, way, program=None, extra=""):
        case = figure.case or figure.name.replace("random-worst", "random")
        prefix = {"tsan": ["setarch", "-R"], "helgrind": ["valgrind", "-q", "--tool=helgrind"],
                  "drd": ["valgrind", "-q", "--tool=drd"]}.get(way, [])
        program = program or (self.tsan if way == "tsan" else self.plain)
        argv = [*prefix, program, case, str(figure.sample_us), self.work_loops]
        return Worker(argv, self.environment(case, way, figure.options + extra), self.cpu if figure.pinned else None)

    def check_active(self):
        """A runtime that was not loaded costs nothing, and must not pass for a cheap one."""
        if not any(path.stat().st_size for path in self.data.rglob("*.lgd")):
            raise BenchError(f"no evidence file was written: {self.library} is not active")

    def clear_data(self):
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def repeated_set(self, figure, ways, rounds):
        workers = {}
        try:
            for way in sampling.shuffled(ways):
                workers[way] = self.start(figure, way.split()[0])
            return sampling.take_turns(lambda way: workers[way].sample()[0], ways, rounds)
        finally:
            for worker in workers.values():
                worker.close()

    def once(self, figure, way, **how):
        worker = self.start(figure, way.split()[0], **how)
        try:
            return [worker.sample()[figure.column]]
        finally:
            worker.close()

    def one_set(self, figure, ways, rounds):
        if figure.once:
            taken = {way: self.once(figure, way) for way in sampling.shuffled(ways)}
        else:
            taken = self.repeated_set(figure, ways, rounds)
        self.check_active()
        self.clear_data()
        return taken

    def sets(self, figure, plan):
        """Sets of interleaved samples; more of them while the floor is too wide."""
        sets = []
        least = max(figure.sets, plan.sets)
        while len(sets) < least or (len(sets) < plan.most_sets and not narrow(figure, sets)):
            others = self.comparators if figure.compare and len(sets) < 2 else ()
            sets.append(self.one_set(figure, sampling.PAIR_ORDER, plan.rounds))
            for way in others:
                sets[-1][way] = self.one_set(figure, ("native", way, "lockgraph"), 2)
        return sets

    def measure(self, figure, plan):
        return summarise(figure, self.sets(figure, plan))

    def unwinder(self, figure, unwinder, plan):
        """The figure with one unwinder, in a program that keeps frame pointers; microseconds."""
        values = []
        for _ in range(max(5, plan.sets // 2)):
            native = self.once(figure, "native", program=self.frames)[0]
            ours = self.once(figure, "lockgraph", program=self.frames, extra=f":unwinder={unwinder}")[0]
            self.check_active()
            self.clear_data()
            values.append((ours - native) / figure.per)
        return sampling.median(values), sampling.interval(values)


def difference_or_ratio(figure, taken, native):
    """A ratio, or a difference in the figure's unit."""
    if figure.unit == "ratio":
        return sampling.paired_ratio(taken, native)
    return (sampling.median(taken) - sampling.median(native)) / figure.per


def ours(figure, one_set):
    return difference_or_ratio(figure, one_set["lockgraph"], one_set["native"])


def floor_of(figure, sets):
    """
    Native against native: the 95 % interval of the median ratio, as its largest distance from 1. Where the figure is a
    difference, the same of the difference between both native runs, as a share of the target (or of the figure).
    """
    if figure.unit == "ratio":
        return sampling.floor_width([sampling.paired_ratio(s["native again"], s["native"]) for s in sets])
    scale = abs(figure.target or sampling.median(ours(figure, s) for s in sets)) or 1.0
    differences = [(sampling.median(s["native again"]) - sampling.median(s["native"])) / figure.per / scale
                   for s in sets]
    return sampling.floor_width([1 + difference for difference in differences])


def narrow(figure, sets):
    return floor_of(figure, sets) <= 0.05


def others_of(figure, sets):
    """{tool: the figure for it}, of the sets in which the tool ran."""
    found = {}
    for one_set in sets:
        for way, taken in one_set.items():
            if isinstance(taken, dict):
                found.setdefault(way, []).append(difference_or_ratio(figure, taken[way], taken["native"]))
    return {way: sampling.median(values) for way, values in found.items()}


def native_text(figure, sets):
    value = sampling.median(sampling.median(s["native"]) for s in sets)
    if figure.unit == "bytes":
        return f"{value:.0f} bytes"
    return f"{value:.1f} ns" if value < 1000 else f"{value / 1000:.1f} µs"


def summarise(figure, sets):
    values = [ours(figure, s) for s in sets]
    return Result(figure.name, figure.text, figure.unit, figure.target, sampling.median(values),
                  sampling.interval(values), floor_of(figure, sets), native_text(figure, sets), len(sets),
                  others_of(figure, sets))
