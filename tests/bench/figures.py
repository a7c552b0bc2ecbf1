"""What is measured: one entry a figure, with the target that issue and design give it."""

from dataclasses import dataclass, field


@dataclass
class Figure:
    """A case of the micro program. `unit` is ratio, or what the difference to a native run is stated in."""
    name: str
    text: str
    unit: str = "ratio"
    target: float = None
    once: bool = False       # one sample a process
    pinned: bool = True      # on one processor
    sample_us: int = 4000
    compare: bool = False    # beside the other tools
    quick: bool = False
    column: int = 0          # of the numbers a `once` case prints
    sets: int = 0            # at least that many, where not the default
    per: float = 1.0         # nanoseconds, or bytes, in one unit
    case: str = None         # of the micro program, where it is not the name
    options: str = ""        # of the runtime


MICRO = (
    Figure("pair", "one lock, lock + unlock", target=1.4, compare=True, quick=True),
    Figure("nested2", "2 nested", target=1.4, compare=True, quick=True),
    Figure("nested8", "8 nested, 8 call sites", target=1.4, compare=True, quick=True),
    Figure("nested8-loop", "8 nested, taken in a loop", target=1.4, quick=True),
    Figure("turn1024", "1,024 locks in turn", target=1.5, compare=True, quick=True),
    Figure("turn1024-root", "1,024 locks in turn below one root", target=1.5, compare=True, quick=True),
    Figure("wrapper", "pair through a lock wrapper, one caller", target=1.7, compare=True, quick=True),
    Figure("wrapper4", "pair through a lock wrapper, four callers", target=1.7, quick=True),
    Figure("wrapper-nested", "2 nested through a lock wrapper, one caller", target=1.7, compare=True, quick=True),
    Figure("wrapper4-nested", "2 nested through a lock wrapper, four callers", target=1.7, quick=True),
    Figure("profile-pair", "one lock, lock + unlock, holds timed (profile=1)", target=2.2, quick=True, case="pair",
           options=":profile=1"),
    Figure("profile-exact-pair", "the same, every one of them (profile_exact=1)", case="pair",
           options=":profile=1:profile_exact=1"),
    Figure("profile-nested2", "2 nested of different classes, holds timed (profile=1)", case="nested2", options=":profile=1"),
    Figure("lg-pair", "lg_mutex_lock + unlock of one mutex with a level", quick=True),
    Figure("lg-nested2", "2 of them nested", quick=True),
    Figure("spin", "one spinlock, lock + unlock", target=2.2, compare=True, quick=True),
    Figure("rwlock-read", "one rwlock, read lock + unlock", target=1.4, compare=True, quick=True),
    Figure("rwlock-write", "one rwlock, write lock + unlock", compare=True),
    Figure("rwlock-nested", "a rwlock read below a mutex", target=1.4),
    Figure("sem", "one binary semaphore, wait + post", target=1.5, compare=True, quick=True),
    Figure("sem-handover", "2 nested, then a semaphore posted and waited for, which orders"),
    Figure("contended", "contended, two pinned threads, 200 ns of work inside and outside; wall time", target=1.3,
           pinned=False, sample_us=30000, compare=True, sets=15),
    Figure("edges-1k", "new edge with its stack, 1,000 edges known; mean", unit="µs", target=5, once=True,
           compare=True, per=1000),
    Figure("edges-100k", "new edge with its stack, 100,000 edges known; mean", unit="µs", target=5, once=True, per=1000),
    Figure("edges-100k-wide", "the same among 4,096 locks instead of 460", unit="µs", target=5, once=True, per=1000),
    Figure("edges-reorder", "new edge that contradicts the order so far, 16 locks affected; median", unit="µs",
           once=True, column=1, per=1000),
    Figure("edges-random", "10,000 edges of 1,000 locks in random order; mean", unit="µs", once=True, per=1000),
    Figure("edges-random-worst", "the slowest of these; wall time", unit="µs", once=True, column=3, per=1000),
    Figure("edges-reorder-worst", "an edge that makes 2,000 locks move; wall time", unit="µs", once=True, column=3,
           per=1000),
    Figure("fresh-init", "fresh lock below a known root: init, lock, unlock, destroy", unit="µs", target=1, per=1000),
    Figure("fresh-static", "fresh lock below a known root: static initialiser, never destroyed", unit="µs", target=1,
           per=1000),
    Figure("create", "thread creation and join; CPU time", pinned=True, sample_us=20000, compare=True),
    Figure("condition", "condition wait and signal, there and back, one processor; wall time", sample_us=20000),
    Figure("start", "start of a process (fork, exec, one thread, exit); wall time", unit="ms", target=2,
           sample_us=20000, per=1e6),
    Figure("memory", "resident memory of a nested lock", unit="bytes", once=True),
)


@dataclass
class Result:
    name: str
    text: str
    unit: str
    target: float
    value: float
    interval: tuple
    floor: float
    native: str
    samples: int
    others: dict = field(default_factory=dict)

    def measurable(self):
        return self.floor <= 0.05

    def verdict(self):
        if not self.measurable():
            return "not measurable"
        if self.target is None:
            return "–"
        return "met" if self.value <= self.target else "missed"
