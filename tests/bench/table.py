"""The figures as text: a table for people, the same in Markdown for docs/benchmarks.md."""

import datetime

import machine

HEAD = ("figure", "native", "with Lockgraph", "95 % interval", "floor", "target", "verdict")
TOOLS = ("tsan", "helgrind", "drd")
TOOL_NAMES = {"tsan": "ThreadSanitizer", "helgrind": "Helgrind", "drd": "DRD"}
METHOD = """
A *ratio* is the time with the runtime over the time without it. Each set of samples starts fresh processes, native,
under Lockgraph and native again, which then take turns in shuffled order, a few milliseconds each; the set's figure is
the median of the ratios of neighbouring samples, the figure in the table is the median over the sets, and the interval is the bootstrap
interval of that median. *Floor* is the same computation for the second native run against the first (its 95 % interval's
largest distance from 1; where a figure is a difference, the difference of the native runs as a share of the target): what
the machine alone makes of two equal programs. A figure whose floor is above ±5 % is *not measurable*. Single-threaded
figures are CPU time of the thread, a created one in a process with a second thread alive (glibc uses no atomic
instructions without one). Everything that is on by default is on. Figures in µs, ms and bytes are differences to the native run.
"""


def number(value):
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_unit(value, unit):
    return f"×{value:.3f}" if unit == "ratio" else f"+{number(value)} {unit}"


def short(value, unit):
    if value is None:
        return "–"
    return f"×{number(value)}" if unit == "ratio" else f"+{number(value)} {unit}"


def bound(result):
    if result.target is None:
        return "–"
    return f"≤ {result.target:g}" + ("" if result.unit == "ratio" else f" {result.unit}")


def row(result):
    value = with_unit(result.value, result.unit) if result.measurable() else "not measurable"
    decimals = (lambda v: f"{v:.3f}") if result.unit == "ratio" else number
    low, high = (decimals(v) for v in result.interval)
    return (result.text, result.native, value, f"{low} … {high}", f"±{100 * result.floor:.1f} %", bound(result),
            result.verdict())


def other_rows(results):
    for result in results:
        if result.others:
            yield (result.text, row(result)[2], *(short(result.others.get(tool), result.unit) for tool in TOOLS))


def other_head():
    return ("to native, same run", "Lockgraph", *(TOOL_NAMES[tool] for tool in TOOLS))


def unwinder_rows(unwinders):
    return [(f"`{name}`", f"{number(value)} µs", f"{number(low)} … {number(high)}")
            for name, (value, (low, high)) in unwinders.items()]


def plain(rows):
    widths = [max(len(line[i]) for line in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in rows)


def markdown(rows):
    lines = ["| " + " | ".join(line) + " |" for line in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def document(results, unwinders, notes):
    parts = ["# Benchmarks", "", "Written by `./dev bench`; do not edit.", METHOD]
    parts += ["## Machine", ""] + [f"- {key}: {value}" for key, value in machine.describe().items()]
    parts += [f"- date: {datetime.date.today().isoformat()}", "", "## Figures", "",
              markdown([HEAD, *map(row, results)])]
    others = list(other_rows(results))
    if others:
        parts += ["", "## Beside other tools", "",
                  "ThreadSanitizer with `detect_deadlocks=1:second_deadlock_stack=1` (it also looks for data races), "
                  "Helgrind and DRD with their defaults.", "", markdown([other_head(), *others])]
    if unwinders:
        parts += ["", "## Unwinders", "",
                  "A new edge with its stack at 1,000 edges, in a program compiled with frame pointers; `unwinder=`.", "",
                  markdown([("unwinder", "new edge", "95 % interval"), *unwinder_rows(unwinders)])]
    if notes:
        parts += ["", "## Not taken", "", *(f"- {note}" for note in notes)]
    return "\n".join(parts) + "\n"


def text(results, unwinders, notes):
    parts = [plain([HEAD, *map(row, results)])] if results else []
    others = list(other_rows(results))
    if others:
        parts.append(plain([other_head(), *others]))
    if unwinders:
        parts.append(plain([("unwinder", "new edge", "95 % interval"), *unwinder_rows(unwinders)]))
    parts += [f"not taken: {note}" for note in notes]
    return "\n\n".join(parts)
