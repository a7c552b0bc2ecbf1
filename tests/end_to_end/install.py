"""What is installed, as others use it: from CMake and pkg-config, in C and C++, with the library and without, through
all three doors; the Debian package; pages and completion."""

import os
import pathlib
import re
import shutil
import subprocess

from harness import ROOT, check, findings, place
from wrapper import exported

VIOLATION = """
#include <lockgraph/lockgraph.h>
static lg_mutex_t outer = LG_MUTEX_INITIALIZER("outer", 20), inner = LG_MUTEX_INITIALIZER("inner", 10);
int main(void) {
    LG_WITH(&outer) {
        lg_mutex_lock(&inner);
        lg_mutex_unlock(&inner);
    }
    return 0;
}
"""
VIOLATION_CXX = """
#include <lockgraph/lockgraph.hpp>
#include <mutex>
static lockgraph::mutex outer{"outer", 20}, inner{"inner", 10};
int main() {
    std::lock_guard<lockgraph::mutex> one(outer);
    std::lock_guard<lockgraph::mutex> other(inner);
}
"""
# Knows nothing of us; unlocks what it does not hold.
PLAIN = """
#include <pthread.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int main(void) { pthread_mutex_lock(&lock); pthread_mutex_unlock(&lock); return pthread_mutex_unlock(&lock) && 0; }
"""
HEALTHY = PLAIN.replace("return pthread_mutex_unlock(&lock) && 0;", "return 0;")

LISTS = """
cmake_minimum_required(VERSION 3.18)
project(consumer C CXX)
set(CMAKE_CXX_STANDARD 11)
find_package(lockgraph 0.1 REQUIRED)
enable_testing()
foreach(language c cpp)
    add_executable(with_${language} violation.${language})
    target_link_libraries(with_${language} PRIVATE lockgraph::lockgraph)
    add_executable(without_${language} violation.${language})
    target_link_libraries(without_${language} PRIVATE lockgraph::disabled)
endforeach()
add_executable(linked plain.c)
target_link_libraries(linked PRIVATE -Wl,--as-needed lockgraph::linked)
add_executable(plain plain.c)
add_executable(healthy healthy.c)
lockgraph_add_test(NAME healthy COMMAND healthy)
lockgraph_add_test(NAME wrong COMMAND plain DEADLOCK_TIMEOUT 60)
lockgraph_add_test(NAME forgiven COMMAND plain FAIL_ON never OPTIONS -O stack_depth=8)
"""
SOURCES = {"violation.c": VIOLATION, "violation.cpp": VIOLATION_CXX, "plain.c": PLAIN, "healthy.c": HEALTHY,
           "CMakeLists.txt": LISTS}


def quietly(*command, **how):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **how)
    check(done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def install(build, here):
    prefix = here.directory / "prefix"
    quietly("cmake", "--install", build.directory, "--prefix", prefix)
    return prefix


def sources(here):
    for name, text in SOURCES.items():
        (here.directory / name).write_text(text, encoding="utf-8")


def library(prefix):
    return next(prefix.rglob("liblockgraph.so.0"))


def tells(here, kind, program, **how):
    """Run by itself: what the linked library found is in the evidence."""
    shutil.rmtree(here.data, ignore_errors=True)
    here.execute([program], **how).expect(0)
    found = [f["kind"] for f in findings(here.json(), "warning")]
    check(found == [kind], f"{program}: {found}")


def needs_it(program):
    return "liblockgraph" in quietly("readelf", "-d", program)


def from_cmake(build):
    with place(build) as here:
        prefix, consumer = install(build, here), here.directory / "consumer"
        sources(here)
        quietly("cmake", "-S", here.directory, "-B", consumer, f"-DCMAKE_PREFIX_PATH={prefix}")
        quietly("cmake", "--build", consumer, "--parallel", "2")
        for language in ("c", "cpp"):
            tells(here, "level-violation", consumer / f"with_{language}")
            here.execute([consumer / f"without_{language}"]).expect(0)
            check(not needs_it(consumer / f"without_{language}"), "LOCKGRAPH_DISABLE needs the library")
        tells(here, "unlock-unheld", consumer / "linked")
        check(not needs_it(consumer / "plain"), "a program that did not ask was linked with it")
        tests = subprocess.run(["ctest", "--output-on-failure"], cwd=consumer, capture_output=True, text=True, check=False)
        failed = re.findall(r"^\s*\d+ - (\w+) \(", tests.stdout, re.M)
        check(failed == ["wrong"], f"failed: {failed}\n{tests.stdout}")
        check("unlock-unheld" in tests.stdout, f"no report in {tests.stdout}")


def from_pkg_config(build):
    with place(build) as here:
        prefix = install(build, here)
        sources(here)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(next(prefix.rglob("lockgraph.pc")).parent))
        flags = quietly("pkg-config", "--cflags", "lockgraph", env=environment).split()
        libraries = quietly("pkg-config", "--libs", "lockgraph", env=environment).split()
        path = {"LD_LIBRARY_PATH": str(library(prefix).parent)}
        for compiler, name in (("gcc", "violation.c"), ("g++", "violation.cpp")):
            source, program = here.directory / name, here.directory / f"program-{compiler}"
            quietly(compiler, "-Wall", "-Wextra", "-Werror", *flags, source, "-o", program, *libraries)
            tells(here, "level-violation", program, environment=path)
            quietly(compiler, *flags, "-DLOCKGRAPH_DISABLE", source, "-o", program)
            here.execute([program]).expect(0)


def through_each_door(build):
    """With the command, the library and the headers of the installed tree alone."""
    with place(build) as here:
        prefix = install(build, here)
        sources(here)
        command, runtime = prefix / "bin/lockgraph", library(prefix)
        plain, wrapper, linked = (here.directory / name for name in ("plain", "wrapper", "linked"))
        link = (f"-L{runtime.parent}", f"-Wl,-rpath,{runtime.parent}", "-Wl,--no-as-needed", "-llockgraph")
        quietly("gcc", here.directory / "plain.c", "-o", plain, "-pthread")
        quietly("gcc", here.directory / "plain.c", "-o", linked, "-pthread", *link)
        quietly("gcc", f"-I{prefix / 'include'}", here.directory / "violation.c", "-o", wrapper, "-pthread", *link)
        check("unlock-unheld" in here.execute([command, "run", "--", plain]).expect(66).stderr, "preload")
        check(str(prefix) in here.execute([command, "env"]).stdout, "env names another library")
        tells(here, "unlock-unheld", linked)
        tells(here, "level-violation", wrapper)
        here.execute([command, "run", "--", wrapper]).expect(66)


def package_of(build, here):
    quietly("cpack", "--config", build.directory / "CPackConfig.cmake", "-B", here.directory / "package")
    return next((here.directory / "package").glob("lockgraph_*.deb"))


def debian_package(build):
    with place(build) as here:
        package = package_of(build, here)
        root = here.directory / "root"
        quietly("dpkg", "-x", package, root)
        fields = quietly("dpkg", "-f", package)
        for words in ("Package: lockgraph", "Depends: ", "libc6", "libdw1"):
            check(words in fields, f"no {words} in {fields}")
        sources(here)
        quietly("gcc", here.directory / "plain.c", "-o", here.directory / "plain", "-pthread")
        told = here.execute([root / "usr/bin/lockgraph", "run", "--", here.directory / "plain"]).expect(66)
        check("unlock-unheld" in told.stderr, told.stderr)


def pages(build):
    """One for each source, and a link to one for each function; where scdoc is not installed none is built, and none installed."""
    with place(build) as here:
        prefix = install(build, here)
        installed = {page.name for page in prefix.rglob("share/man/man*/*")}
        scdoc = "SCDOC-NOTFOUND" not in (build.directory / "CMakeCache.txt").read_text(encoding="utf-8")
        wanted = {page.name[:-len(".scd")] for page in (ROOT / "docs/man").glob("*.scd")} if scdoc else set()
        functions = {f"{name}.3" for name in exported(build)} if scdoc else set()
        check(installed == wanted | functions, f"installed or wanted only: {installed ^ (wanted | functions)}")
        for page in prefix.rglob("share/man/man*/*"):
            if page.name in functions:
                link = re.fullmatch(r"\.so (man3/[\w-]+\.3)\n", page.read_text(encoding="utf-8"))
                check(link and page.stem in (prefix / "share/man" / link[1]).read_text(encoding="utf-8").replace("\\", ""),
                      f"{page} leads to no page that has it")
                continue
            check(page.parent.name == f"man{page.name.rsplit('.', 1)[1]}", f"{page} is in the wrong section")
            check(page.read_text(encoding="utf-8").count("\n.SH ") > 1, f"{page} is no manual page")


COMPLETE = """
source {file}
PATH={bin}:$PATH
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_lockgraph
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completion(build):
    with place(build) as here:
        prefix = install(build, here)
        file = prefix / "share/bash-completion/completions/lockgraph"
        for words, wanted in (("lockgraph re", {"report"}), ("lockgraph run --on", {"--on-deadlock"}),
                              ("lockgraph run --on-deadlock ''", {"leave", "kill", "abort"}),
                              ("lockgraph report --format js", {"json"}), ("lockgraph help en", {"env"}),
                              ("lockgraph explain --source-d", {"--source-dir"})):
            script = COMPLETE.format(file=file, bin=prefix / "bin", words=words)
            found = set(quietly("bash", "-c", script, cwd=pathlib.Path("/")).split())
            check(found == wanted, f"{words}: {found}")


def cases():
    """Where cmake is: what was built elsewhere may be tested where it is not."""
    if shutil.which("cmake") is None:
        return
    for function in (from_cmake, from_pkg_config, through_each_door, debian_package, pages, completion):
        yield f"install {function.__name__.replace('_', ' ')}", False, function
