"""docs/guides: what stands there is done, block by block, with what is installed."""

import os
import re
import shutil
import signal
import subprocess
import time

from harness import EXIT_FINDINGS, ROOT, check, findings, place
from install import install, library, package_of, quietly

# Gives up what it does not hold; or deadlocks; or waits to be stopped.
SERVER = """
#include <lockgraph/annotate.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void stop(int number) { (void)number; _exit(7); }
static void *meet(void *argument) {
    pthread_mutex_lock(argument ? &one : &other);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(argument ? &other : &one);
    return 0;
}
int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[count - 1] : "";
    signal(SIGTERM, stop);
    LG_NAME(&one, "one");
    pthread_barrier_init(&both, 0, 2);
    pthread_mutex_lock(&one);
    printf("%d\\n", (int)getpid());
    fflush(stdout);
    if (strcmp(how, "wait") == 0)
        pause();
    pthread_mutex_unlock(&one);
    if (strcmp(how, "8080") == 0) {
        pthread_t thread;
        pthread_create(&thread, 0, meet, 0);
        meet(&one);
    }
    return strcmp(how, "wrong") == 0 && pthread_mutex_unlock(&one) < 0;
}
"""


def blocks(guide, language=""):
    """The code of that guide: of a language, or what is indented as a command."""
    text = (ROOT / f"docs/guides/{guide}.md").read_text(encoding="utf-8")
    if language:
        return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)
    return ["\n".join(line[4:] for line in block.splitlines()) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def server(here, *options):
    source = here.directory / "server.c"
    source.write_text(SERVER, encoding="utf-8")
    quietly("gcc", "-g", f"-I{ROOT / 'include'}", source, "-o", here.directory / "server", "-pthread", *options)
    return here.directory / "server"


# ---- CTest, Meson

def ctest(build):
    with place(build) as here:
        prefix, (tests, linked) = install(build, here), blocks("ctest", "cmake")
        (here.directory / "server_test.c").write_text(SERVER, encoding="utf-8")
        shutil.copy(here.directory / "server_test.c", here.directory / "server.c")
        (here.directory / "known.supp").write_text("", encoding="utf-8")
        (here.directory / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.18)\nproject(server C)\n{tests.replace('--fast', 'wrong')}\n"
            f"target_link_libraries(server_test PRIVATE lockgraph::headers Threads::Threads)\n"
            f"add_executable(server server.c)\n{linked}", encoding="utf-8")
        for kind, needs in (("Debug", True), ("Release", False)):
            made = here.directory / kind
            quietly("cmake", "-S", here.directory, "-B", made, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={kind}")
            quietly("cmake", "--build", made)
            check(("liblockgraph" in quietly("readelf", "-d", made / "server")) == needs, f"{kind}: linked otherwise")
        done = subprocess.run(["ctest", "--output-on-failure"], cwd=made, capture_output=True, text=True, check=False)
        failed = re.findall(r"^\s*\d+ - (\w+) \(", done.stdout, re.M)
        check(failed == ["server"] and "unlock-unheld" in done.stdout, f"failed: {failed}\n{done.stdout}")
        check((made / "lockgraph/server_strict").is_dir(), "no evidence where the guide says")


def meson(build):
    with place(build) as here:
        prefix, (project,) = install(build, here), blocks("meson", "meson")
        server(here)
        test = "".join(f"test('{name}', program, args: ['{name}'])\n" for name in ("right", "wrong"))
        (here.directory / "meson.build").write_text("project('server', 'c')\n" + project.replace("executable(", "program = executable(")
                                                    + test, encoding="utf-8")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(next(prefix.rglob("lockgraph.pc")).parent),
                           PATH=f"{prefix / 'bin'}:{os.environ['PATH']}")
        for kind, needs in (("debug", True), ("release", False)):
            quietly("meson", "setup", kind, f"--buildtype={kind}", cwd=here.directory, env=environment)
            quietly("meson", "compile", "-C", kind, cwd=here.directory, env=environment)
            check(("liblockgraph" in quietly("readelf", "-d", here.directory / kind / "server")) == needs, f"{kind}: linked otherwise")
        command, = (block for block in blocks("meson") if "meson test" in block)
        done = subprocess.run(command.replace("-C build", "-C release").replace("/build/", "/release/"), shell=True, cwd=here.directory,
                              env=environment, capture_output=True, text=True, check=False)
        check(re.search(r"right +OK", done.stdout) and re.search(r"wrong +FAIL .*exit status 66", done.stdout), done.stdout)
        told = here.execute([prefix / "bin/lockgraph", "report", "release/lockgraph"]).expect(EXIT_FINDINGS)
        check("unlock-unheld" in told.stdout, told.stdout)


# ---- gdb

def gdb(build):
    """It stops in the deadlock with all threads as they wait; what a thread holds can be asked for."""
    with place(build) as here:
        prefix, program = install(build, here), server(here)
        command = blocks("gdb")[0].replace("/usr/lib/liblockgraph.so.0", str(library(prefix))).replace("./server", str(program))
        command = command.replace("gdb ", "gdb -batch -nx -ex 'set debuginfod enabled off' ", 1)
        told = here.execute(["sh", "-c", command.replace("--args", "-ex 'thread apply all backtrace' -ex kill --args")])
        for words in ("deadlock", "SIGABRT", "meet (argument=0x0)", "main ("):
            check(words in told.stdout + told.stderr, f"no {words} in {told}")
        dump, = re.findall(r"^`(call .*?)`", (ROOT / "docs/guides/gdb.md").read_text(encoding="utf-8"), re.M)
        told = here.execute(["sh", "-c", command.replace("-ex run", f"-ex 'break pause' -ex run -ex '{dump}' -ex kill")
                             .replace("--port 8080", "wait")])
        check(re.search(r"one lock 0x\w+: held, taken at main program\+", told.stderr), f"no hold in {told}")


# ---- systemd

def systemd(build):
    """The drop-in is one that systemd takes, and its environment does what the guide says."""
    with place(build) as here:
        prefix, program = install(build, here), server(here)
        addition, = blocks("systemd", "ini")
        units = here.directory / "units"
        (units / "server.service.d").mkdir(parents=True)
        (units / "server.service").write_text(f"[Unit]\nDescription=A server\n[Service]\nExecStart={program} wrong\n", encoding="utf-8")
        (units / "server.service.d/lockgraph.conf").write_text(addition, encoding="utf-8")
        done = here.execute(["systemd-analyze", "verify", "--man=no", units / "server.service"],
                            environment={"SYSTEMD_UNIT_PATH": f"{units}:"}).expect(0)
        check(not [line for line in done.stderr.splitlines() if "server" in line], f"complained of: {done}")
        variables = dict(re.findall(r"^Environment=(\w+)=(.*)$", addition, re.M))
        variables["LD_PRELOAD"] = variables["LD_PRELOAD"].replace("/usr/lib/liblockgraph.so.0", str(library(prefix)))
        variables["LOCKGRAPH_OPTIONS"] = variables["LOCKGRAPH_OPTIONS"].replace("/var/lib/server", str(here.directory))
        told = here.execute([program, "wrong"], environment=variables).expect(0)
        check("unlock-unheld" in told.stderr, told.stderr)
        check([f["kind"] for f in findings(here.json(here.directory / "lockgraph.data"), "error")] == ["unlock-unheld"], "not in the evidence")


# ---- a container

# Its own files over those of this machine, its own processes and no network; the rest of the line is its process 1.
CONTAINER = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mkdir -p "$1/root/evidence"
mount --bind "$2" "$1/root/evidence"
root=$1/root
shift 2
exec chroot "$root" "$@"
"""


def contained(here, script):
    for name in ("layer", "evidence"):
        (here.directory / name).mkdir(exist_ok=True)
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts", "sh", "-c", CONTAINER, "sh",
            here.directory / "layer", here.directory / "evidence", "sh", "-c", script]


def can_contain():
    """Whoever runs this may, and the kernel has what it takes."""
    tried = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--net", "sh", "-c",
                            "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/r &&"
                            "mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"], capture_output=True, check=False)
    return tried.returncode == 0


def container(build):
    """The package is installed and taken away again; `lockgraph run` is process 1, without any capability, passes on what stops
    it and has its evidence in the volume; outside, names come from a copy of the files."""
    with place(build) as here:
        package, program = package_of(build, here), server(here)
        evidence, image = here.directory / "evidence", here.directory / "image"
        evidence.mkdir()
        shutil.copy(package, evidence)
        shutil.copy(program, evidence)
        (image / "usr/bin").mkdir(parents=True)
        shutil.move(program, image / "usr/bin/server")
        (here.directory / "server.c").rename(image / "server.c")
        entry, = re.findall(r"^ENTRYPOINT \[(.*)\]$", blocks("container", "dockerfile")[0], re.M)
        entry = entry.replace('"', "'").replace(",", "")
        setup = f"dpkg -i /evidence/{package.name} >/dev/null && cp /evidence/server /usr/bin/server && "
        alone = "exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "
        here.execute(contained(here, f"{setup} lockgraph --version && dpkg --verify lockgraph && dpkg -r lockgraph "
                                     ">/dev/null && test ! -e /usr/bin/lockgraph && ! ls /usr/lib/liblockgraph* 2>/dev/null")).expect(0)
        told = here.execute(contained(here, f"{setup} {alone} {entry} server wrong")).expect(EXIT_FINDINGS)
        check("unlock-unheld" in told.stderr and told.stdout != "1\n", f"{told}")
        stopped(here, f"{setup} {alone} {entry} server wait")
        for name in (evidence / "server", evidence / package.name):
            name.unlink()
        told = here.report("--sysroot", image, "--source-dir", image, evidence / "run").expect(EXIT_FINDINGS)
        check("main() server.c:" in told.stdout, f"no names: {told}")


def stopped(here, script):
    process = subprocess.Popen([str(word) for word in contained(here, script)], cwd=here.directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        process.stdout.readline()
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        with open(children, encoding="ascii") as file:
            first = int(file.read().split()[0])
        time.sleep(0.2)
        os.kill(first, signal.SIGTERM)
        check(process.wait(20) == 7, f"ended with {process.returncode}: the signal did not arrive")
    finally:
        process.kill()
        process.wait()


def cases():
    """Each where this machine has what it is about."""
    for function, needed in ((ctest, "ctest"), (meson, "meson"), (gdb, "gdb"), (systemd, "systemd-analyze")):
        if shutil.which("cmake") and shutil.which(needed):
            yield f"guides {function.__name__}", False, function
    if shutil.which("cpack") and shutil.which("unshare") and can_contain():
        yield "guides container", True, container
