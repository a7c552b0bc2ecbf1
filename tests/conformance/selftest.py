"""The parsing of this run, on made-up text; what is wrong ends the run."""

import expected
from makefile import Makefile, words

MAKEFILE = """
# a comment with tests = nothing
tests = tst-a tst-b \\
\ttst-c $(other) $(addprefix tst-d-,c89 gnu11)
ifeq ($(build-shared),yes)
tests += \\
  tst-e \\
# tests
endif
tests-internal := tst-f
modules-names = tst-mod1 \\
  tst-mod2
CFLAGS-tst-a.c += -fexceptions $(unknown)
CFLAGS-tst-g.o = -std=gnu++11
LDLIBS-tst-a = -lstdc++
LDFLAGS-tst-mod1.so = -Wl,-soname,tst-mod1.so
tst-b-ARGS = -- $(host-test-program-cmd)
tst-c-ENV = A=1
$(objpfx)tst-c: $(objpfx)tst-mod1.so $(shared-thread-library) $(objpfx)tst-mod2.so
$(objpfx)tst-c.out: $(objpfx)tst-notlinked.so
$(objpfx)tst-mod2.so: $(objpfx)tst-mod1.so
\t$(objpfx)a recipe: tst-x
"""


def check_makefile():
    make = Makefile(MAKEFILE)
    assert make.lists["tests"] == ["tst-a", "tst-b", "tst-c", "tst-d-c89", "tst-d-gnu11", "tst-e"], make.lists
    assert make.lists["tests-internal"] == ["tst-f"]
    assert make.lists["modules-names"] == ["tst-mod1", "tst-mod2"]
    assert make.flags == {"tst-a": ["-fexceptions"], "tst-g": ["-std=gnu++11"]}, make.flags
    assert make.link_flags == {"tst-a": ["-lstdc++"], "tst-mod1": ["-Wl,-soname,tst-mod1.so"]}, make.link_flags
    assert make.arguments == {"tst-b": "-- $(host-test-program-cmd)"}
    assert make.environment == {"tst-c": "A=1"}
    assert make.linked == {"tst-c": ["tst-mod1.so", "tst-mod2.so"], "tst-mod2": ["tst-mod1.so"]}, make.linked
    assert words("a $(b) $(addprefix x/,y z)") == ["a", "x/y", "x/z"]


def check_expected():
    entries = expected.parse("# nothing\n\ntst-x*  stall,dead*  it relocks on purpose # really\n")
    assert len(entries) == 1 and entries[0].reason == "it relocks on purpose"
    deadlock, cycle = {"kind": "deadlock"}, {"kind": "order-cycle"}
    assert expected.unexpected(entries, "tst-x1", [deadlock, cycle]) == [cycle]
    assert expected.unexpected(entries, "tst-y1", [deadlock]) == [deadlock]
    assert entries[0].used
    try:
        expected.parse("tst-x deadlock\n")
    except ValueError:
        return
    raise AssertionError("a line without a reason was taken")


def check():
    check_makefile()
    check_expected()
