"""Real programs from Debian: CPU time for a unit of their work, with and without the runtime, in turn."""

import contextlib
import hashlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import time

import sampling
from figures import Result
from micro import compile_program
from sampling import BenchError, PAIR_ORDER, Worker

REQUESTS = 16_000  # of one burst; memload rounds up to a multiple of 128
BURSTS = 16
START = 40     # bursts that are told of by themselves: most orders of its 4,394 locks are new to its threads
WARM_UP = 120  # bursts until nearly every order was seen by each of its threads: ten seconds of a busy server
MEMCACHED_SETS = 6
MEGABYTES = 10
PBZIP2_SETS = 2  # times as many as of others: short runs, many of them, for a difference this small


def environment(micro, way):
    env = dict(os.environ)
    env.pop("LD_PRELOAD", None)
    if way == "lockgraph":
        env.update(LD_PRELOAD=micro.library, LOCKGRAPH_OPTIONS=micro.options())
    return env


def cpu_nanoseconds(pid):
    """CPU time of the threads that live, to the nanosecond; memcached's live as long as it does."""
    total = 0
    for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(stat.read_text().split()[0])
    return total


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process):
    for _ in range(200):
        if process.poll() is not None:
            raise BenchError(f"{process.args[0]} ended at start: {process.stderr.read().decode()[-300:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise BenchError(f"{process.args[0]} does not listen")


class Memcached:
    """One server with its load generator."""

    def __init__(self, micro, way, generator):
        port = free_port()
        argv = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-t", "4", "-m", "256", "-c", "256"]
        if os.geteuid() == 0:
            argv += ["-u", "root"]
        self.process = subprocess.Popen(argv, env=environment(micro, way), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for_port(port, self.process)
        self.load = Worker([generator, str(port), str(REQUESTS)])

    def burst(self):
        """(CPU nanoseconds a request, hits)."""
        before = cpu_nanoseconds(self.process.pid)
        _, hits = self.load.sample()
        return (cpu_nanoseconds(self.process.pid) - before) / REQUESTS, hits

    def close(self):
        self.load.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


def memcached_set(micro, generator):
    """Three servers at once, their bursts in turn: {way: [CPU nanoseconds a request]}."""
    servers = {}
    try:
        for way in sampling.shuffled(PAIR_ORDER):
            servers[way] = Memcached(micro, way, generator)
        warm = sampling.take_turns(lambda way: servers[way].burst(), PAIR_ORDER, WARM_UP)
        taken = sampling.take_turns(lambda way: servers[way].burst(), PAIR_ORDER, BURSTS)
    finally:
        for server in servers.values():
            server.close()
    micro.check_active()
    micro.clear_data()
    hits = {way: [hits for _, hits in bursts] for way, bursts in taken.items()}
    if hits["lockgraph"] != hits["native"]:
        raise BenchError("memcached answers differently under the runtime")
    return ({way: [sum(cost for cost, _ in bursts[:START]) / START] for way, bursts in warm.items()},
            {way: [cost for cost, _ in bursts] for way, bursts in taken.items()})


def memcached(micro, build, plan):
    generator = compile_program(build / "memload", ["memload.c"])
    sets = [memcached_set(micro, generator) for _ in range(min(MEMCACHED_SETS, plan.program_sets))]
    text = "memcached, 4 threads, 90 % gets over 16 connections: CPU time a request"
    start = summarise("memcached-start", f"the same over its first {START * REQUESTS:,} requests",
                      [warm for warm, _ in sets])
    start.target = None
    return [summarise("memcached", f"{text}, after {WARM_UP * REQUESTS:,} requests", [taken for _, taken in sets]),
            start]


def write_text(path):
    """Words drawn with a fixed seed: compresses like prose does, the same file each time."""
    source = random.Random(7)
    words = ["".join(source.choices("etaoinshrdlucmfwyp", k=source.randint(2, 9))) for _ in range(4000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    with open(path, "w") as out:
        while out.tell() < MEGABYTES << 20:
            out.write(" ".join(source.choices(words, weights, k=20000)) + "\n")


def compress(micro, way, text, compressed):
    """(CPU nanoseconds a byte, digest of the output)."""
    with open(compressed, "wb") as out:
        process = subprocess.Popen(["pbzip2", "-p2", "-k", "-c", text], env=environment(micro, way), stdout=out,
                                   stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"pbzip2 ended with {process.returncode}")
    digest = hashlib.sha256(pathlib.Path(compressed).read_bytes()).hexdigest()
    return (usage.ru_utime + usage.ru_stime) * 1e9 / os.path.getsize(text), digest


def pbzip2_set(micro, text, compressed):
    taken = {}
    digests = set()
    for way in sampling.shuffled(PAIR_ORDER):
        cost, digest = compress(micro, way, text, compressed)
        taken[way] = [cost]
        digests.add(digest)
    if len(digests) != 1:
        raise BenchError("pbzip2 writes something else under the runtime")
    micro.check_active()
    micro.clear_data()
    return taken


def pbzip2(micro, build, plan):
    text = str(build / "text")
    compressed = str(build / "text.bz2")
    write_text(text)
    sets = [pbzip2_set(micro, text, compressed) for _ in range(PBZIP2_SETS * plan.program_sets)]
    return [summarise("pbzip2", f"pbzip2 -p2 over {MEGABYTES} MB of text: CPU time a byte", sets)]


PROGRAMS = {"memcached": memcached, "pbzip2": pbzip2}


def floor_of(sets):
    return sampling.floor_width([sampling.paired_ratio(s["native again"], s["native"]) for s in sets])


def summarise(name, text, sets):
    """The runtime is compared with the mean of the native runs before and after it."""
    ratios = []
    for one_set in sets:
        around = [(a + b) / 2 for a, b in zip(one_set["native"], one_set["native again"])]
        ratios.append(sampling.paired_ratio(one_set["lockgraph"], around))
    native = sampling.median(sampling.median(s["native"]) for s in sets)
    return Result(name, text, "ratio", 1.02, sampling.median(ratios), sampling.interval(ratios), floor_of(sets),
                  f"{native:.1f} ns" if native < 1000 else f"{native / 1000:.2f} µs", len(sets))


def missing():
    return [name for name in PROGRAMS if shutil.which(name) is None]
