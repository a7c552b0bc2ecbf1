"""Interleaved measurement: workers that take turns, paired ratios, and how sure they are."""

import os
import random
import select
import statistics
import subprocess

ANSWER_SECONDS = 120
PAIR_ORDER = ("native", "lockgraph", "native again")


class BenchError(Exception):
    """A figure that could not be taken at all."""


class Worker:
    """A process that answers each line on its standard input with one line of numbers."""

    def __init__(self, argv, env=None, cpu=None):
        self.name = " ".join(argv[-3:])
        pin = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=env, preexec_fn=pin, text=True, bufsize=1)
        if self.answer() != ["ready"]:
            raise self.failure("is not ready")

    def failure(self, what):
        self.process.kill()
        errors = self.process.communicate()[1] or ""
        return BenchError(f"{self.name} {what}; its last words: {errors[-300:].strip() or 'none'}")

    def answer(self):
        readable, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        line = self.process.stdout.readline() if readable else ""
        if not line:
            raise self.failure("does not answer")
        return line.split()

    def sample(self):
        self.process.stdin.write("\n")
        return [float(word) for word in self.answer()]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def shuffled(names, source=random.Random(20260101)):
    """No way of running is always the first, or always the one after another one."""
    names = list(names)
    source.shuffle(names)
    return names


def take_turns(sample, names, rounds):
    """{name: [sample(name) of each round]}."""
    taken = {name: [] for name in names}
    for _ in range(rounds):
        for name in shuffled(names):
            taken[name].append(sample(name))
    return taken


def median(values):
    return statistics.median(values)


def paired_ratio(above, below):
    return median(a / b for a, b in zip(above, below))


def interval(values, share=0.95, draws=2000):
    """Bootstrap interval of the median."""
    source = random.Random(20260101)
    medians = sorted(median(source.choices(values, k=len(values))) for _ in range(draws))
    cut = int(draws * (1 - share) / 2)
    return medians[cut], medians[-1 - cut]


def floor_width(ratios):
    """How far the interval of native against native strays from 1."""
    low, high = interval(ratios)
    return max(abs(low - 1), abs(high - 1))
