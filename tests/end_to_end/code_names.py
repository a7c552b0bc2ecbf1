"""Where names and lines of code come from: moved sources, separate debug files, the root of a container, debuginfod."""

import contextlib
import http.server
import json
import pathlib
import shutil
import subprocess
import threading

from harness import EXIT_FINDINGS, check, frames_in, place

USAGE = 2
COMMANDS = ("run", "report", "explain", "why", "stat", "suppress", "diff", "check", "learn", "export", "inspect", "top")
OPTIONS = ("--source-dir", "--strip-prefix", "--debug-dir", "--sysroot")

BANK = """
#include <pthread.h>
#include <sched.h>
static pthread_mutex_t book = PTHREAD_MUTEX_INITIALIZER, till = PTHREAD_MUTEX_INITIALIZER;
static volatile int paid_in; /* never both at once */
static void *pay_in(void *unused) {
    pthread_mutex_lock(&book);
    pthread_mutex_lock(&till); /* under book */
    pthread_mutex_unlock(&till);
    pthread_mutex_unlock(&book);
    paid_in = 1;
    return unused;
}
static void *pay_out(void *unused) {
    while (!paid_in)
        sched_yield();
    pthread_mutex_lock(&till);
    pthread_mutex_lock(&book); /* under till */
    pthread_mutex_unlock(&book);
    pthread_mutex_unlock(&till);
    return unused;
}
int main(void) {
    pthread_t one, other;
    pthread_create(&one, 0, pay_in, 0);
    pthread_create(&other, 0, pay_out, 0);
    pthread_join(one, 0);
    pthread_join(other, 0);
}
"""


def command(here, *arguments, **how):
    return here.execute([here.build.command, *arguments], **how)


def recorded(here):
    """Evidence of ROOT/app/bin/bank, which was built from ROOT/old/bank/src/bank.c."""
    source, program = here.directory / "old/bank/src/bank.c", here.directory / "root/app/bin/bank"
    for file in (source, program):
        file.parent.mkdir(parents=True)
    source.write_text(BANK, encoding="utf-8")
    subprocess.run(["gcc", "-g", "-pthread", "-Wl,--build-id", "-o", program, source], check=True)
    here.run(program, options=["--fail-on", "never"]).expect(0)
    return program


def files(here, *options):
    """What the sources are called, in the frames of the findings."""
    frames = list(frames_in(here.json(*options)["findings"]))
    return {frame["file"] for frame in frames if frame["file"] and frame["file"].endswith("bank.c")}


def known(here, *options, **how):
    """What is told of the program: nothing, its functions, or its lines."""
    frames = [f for f in frames_in(here.json(*options, **how)["findings"]) if f["module"].endswith("/bank")]
    check(frames, "the program is in no frame")
    functions = any(frame["function"] in ("pay_in", "pay_out") for frame in frames)
    return "lines" if any(frame["line"] for frame in frames) else "functions" if functions else "nothing"


def debug_file(here, program, directory):
    """Strips `program`; what there was to know is in `directory`, by build id."""
    notes = subprocess.run(["readelf", "-n", program], check=True, capture_output=True, text=True).stdout
    build_id = notes.split("Build ID: ")[1].split()[0]
    file = directory / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug"
    file.parent.mkdir(parents=True)
    subprocess.run(["objcopy", "--only-keep-debug", program, file], check=True)
    subprocess.run(["strip", program], check=True)
    return build_id, file


def moved_sources(build):
    """Found by as much of their name as fits, and then called as they are now."""
    with place(build) as here:
        recorded(here)
        old, new = here.directory / "old/bank/src/bank.c", here.directory / "new/src/bank.c"
        check(files(here) == {str(old)}, f"{files(here)}")
        new.parent.mkdir(parents=True)
        shutil.move(old, new)
        text = here.report("--fail-on", "never").expect(0).stdout
        check("under book" not in text and "pay_in() bank.c:8" in text, f"a source that is not there: {text}")
        for directory in ("new", "new/src", "."):
            found = {str(new)} if directory != "." else {str(old)}  # ./new/src/bank.c ends in no part of the old name
            check(files(here, "--source-dir", directory) == found, f"{directory}: {files(here, '--source-dir', directory)}")
        for options in (["report", "--fail-on", "never"], ["explain", json_id(here)]):
            text = command(here, *options, "--source-dir", "/usr", "--source-dir", "new").expect(0).stdout
            check("under book" in text and "under till" in text, f"no source: {text}")
        old.write_text(BANK.replace("under", "not under"), encoding="utf-8")
        text = here.report("--fail-on", "never", "--source-dir", "new").expect(0).stdout
        check("not under" not in text, f"the old place goes first: {text}")


def json_id(here):
    return here.json()["findings"][0]["id"]


def left_out_prefixes(build):
    with place(build) as here:
        recorded(here)
        name = json_id(here)
        old = here.directory / "old"
        check(files(here, "--strip-prefix", f"{old}/") == {"bank/src/bank.c"}, f"{files(here, '--strip-prefix', old)}")
        check(files(here, "--strip-prefix", here.directory / "ol") == {str(old / "bank/src/bank.c")}, "within a word")
        both = ["--strip-prefix", old / "bank", "--source-dir", here.directory / "old/bank"]
        check(files(here, *both) == {str(old / "bank/src/bank.c")}, f"{files(here, *both)}")
        sarif = json.loads(here.report("--format", "sarif", "--strip-prefix", old).expect(EXIT_FINDINGS).stdout)
        check('"uri": "bank/src/bank.c"' in json.dumps(sarif), "not in SARIF")
        (here.directory / "known").write_text(f"order-cycle file:{old}/bank/src/bank.c # known\n", encoding="utf-8")
        here.report("--strip-prefix", old, "--suppressions", "known").expect(0)
        check(here.json("--strip-prefix", old)["findings"][0]["id"] == name, "another id")


def below_a_root(build):
    """Nowhere else, through the links of that root, and with its debug files."""
    with place(build) as here:
        program = recorded(here)
        check(known(here) == "lines", f"{known(here)}")
        root = here.directory / "container"
        inside = root / str(program.parent)[1:]
        inside.parent.mkdir(parents=True)
        (root / "image").mkdir()
        inside.symlink_to("/image")  # the container's, not ours
        shutil.move(program, root / "image/bank")
        text = here.report("--fail-on", "never").expect(0).stdout
        check(f"{program} cannot be read" in text, f"not told: {text}")
        check(known(here, "--sysroot", root) == "lines", f"below the root: {known(here, '--sysroot', root)}")
        debug_file(here, root / "image/bank", root / "usr/lib/debug")
        check(known(here, "--sysroot", root) == "lines", "without the root's debug files")
        (root / "image/bank").unlink()
        check(known(here, "--sysroot", root) == "lines", "not from the debug file alone")
        shutil.rmtree(root / "usr")
        text = here.report("--fail-on", "never", "--sysroot", root).expect(0).stdout
        check(f"{program} below {root} cannot be read" in text, f"not told: {text}")
        shutil.copy(build.subject("abba"), root / "image/bank")
        text = here.report("--fail-on", "never", "--sysroot", root).expect(0).stdout
        check("was replaced after the run" in text, f"another build: {text}")


def debug_directories(build):
    with place(build) as here:
        program = recorded(here)
        debug_file(here, program, here.directory / "debug")
        check(known(here) == "nothing", f"stripped: {known(here)}")
        with_it = ["--debug-dir", "/usr", "--debug-dir", "debug"]
        check(known(here, *with_it) == "lines", f"{known(here, *with_it)}")
        program.unlink()
        check(known(here, *with_it) == "lines", f"of a program that is gone: {known(here, *with_it)}")


@contextlib.contextmanager
def debuginfod(file, build_id):
    """A server that has one debug file; (its address, what it was asked for)."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            asked.append(self.path)
            found = self.path == f"/buildid/{build_id}/debuginfo"
            content = file.read_bytes() if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def asks_a_server_that_is_configured(build):
    """And no other one, for programs that are stripped or gone."""
    with place(build) as here:
        program = recorded(here)
        build_id, file = debug_file(here, program, here.directory / "debug")
        with debuginfod(file, build_id) as (address, asked):
            silent = {"DEBUGINFOD_URLS": "", "DEBUGINFOD_CACHE_PATH": str(here.directory / "none")}
            check(known(here, environment=silent) == "nothing" and not asked, f"asked unasked: {asked}")
            for number, change in enumerate((lambda: None, program.unlink)):
                change()
                how = {"DEBUGINFOD_URLS": address, "DEBUGINFOD_CACHE_PATH": str(here.directory / f"cache{number}")}
                check(known(here, environment=how) == "lines", f"{number}: {known(here, environment=how)}; asked {asked}")


def asks_no_server_while_a_program_hangs(build):
    """Signals wait while that is told, of what the evidence does not name: no thread waits for a lock."""
    with place(build) as here, debuginfod(pathlib.Path("/dev/null"), "none") as (address, asked):
        how = {"DEBUGINFOD_URLS": address, "DEBUGINFOD_CACHE_PATH": str(here.directory / "cache")}
        for program in ([build.subject("idle_pool"), "60"], ["sleep", "60"]):
            said = here.run(*program, options=["--timeout", "0.5"], environment=how).expect(124).stderr
            check(" thread" in said and not asked, f"asked {asked}: {said}")
        said = here.run("sh", "-c", "echo $DEBUGINFOD_URLS", environment=how).expect(0).stdout
        check(said == f"{address}\n", f"the program does not know the server: {said}")


def hostile_paths(build):
    """A module that is a pipe by now holds nothing up."""
    with place(build) as here:
        program = recorded(here)
        program.unlink()
        subprocess.run(["mkfifo", program], check=True)
        text = here.report("--fail-on", "never", seconds=10).expect(0).stdout
        check("cannot be read" in text, f"not told: {text}")


def wrong_usage(build):
    with place(build) as here:
        recorded(here)
        (here.directory / "a:b").mkdir()
        for options, words in ((["--source-dir", "none"], "none: No such file"), (["--sysroot", "none"], "none: No such file"),
                               (["--sysroot", "/etc/passwd"], "it is none"), (["--strip-prefix", ""], "name the directory"),
                               (["--strip-prefix", "/"], "name the directory"), (["--debug-dir", "a:b"], "':' in its name")):
            result = here.report(*options).expect(USAGE)
            check(words in result.stderr and result.stderr.count("\n") == 1, f"{options}: {result}")
        for name in COMMANDS:
            text = command(here, name, "--help").expect(0).stdout
            check(all(option in text for option in OPTIONS), f"{name} has not all of {OPTIONS}: {text}")
        for name in ("merge", "env"):
            check(OPTIONS[0] not in command(here, name, "--help").expect(0).stdout, f"{name} names nothing")


def loaded_by_a_relative_path(build):
    """dlopen("./plugin.so"): names are there where the command finds that build, too, also once it is unloaded."""
    with place(build) as here:
        (here.directory / "plugin.c").write_text(
            "#include <pthread.h>\nstatic pthread_mutex_t pa = PTHREAD_MUTEX_INITIALIZER, pb = PTHREAD_MUTEX_INITIALIZER;\n"
            "static void both(pthread_mutex_t *a, pthread_mutex_t *b) { pthread_mutex_lock(a); pthread_mutex_lock(b);\n"
            "pthread_mutex_unlock(b); pthread_mutex_unlock(a); }\n"
            "void *forth(void *x) { both(&pa, &pb); return x; }\nvoid *back(void *x) { both(&pb, &pa); return x; }\n")
        (here.directory / "host.c").write_text(
            "#include <dlfcn.h>\n#include <pthread.h>\ntypedef void *(*start)(void *);\n"
            "int main(void) { pthread_t t; void *h = dlopen(\"./plugin.so\", RTLD_NOW);\n"
            "pthread_create(&t, 0, (start)dlsym(h, \"forth\"), 0); pthread_join(t, 0);\n"
            "pthread_create(&t, 0, (start)dlsym(h, \"back\"), 0); pthread_join(t, 0); return dlclose(h); }\n")
        for arguments in (("-shared", "-fPIC", "-Wl,--build-id", "-o", "plugin.so", "plugin.c"), ("-o", "host", "host.c", "-ldl")):
            subprocess.run(["gcc", "-g", "-pthread", *arguments], cwd=here.directory, check=True)
        here.run(here.directory / "host", options=["--fail-on", "never"]).expect(0)
        text = here.execute([build.command, "report", "--show", "notes", "--fail-on", "never"]).expect(0).stdout
        check("pa and pb" in text and "plugin.c:" in text, f"no names: {text}")


CASES = [moved_sources, left_out_prefixes, below_a_root, loaded_by_a_relative_path, debug_directories,
         asks_a_server_that_is_configured,
         asks_no_server_while_a_program_hangs, hostile_paths,
         wrong_usage]


def cases():
    for function in CASES:
        yield f"code names {function.__name__.replace('_', ' ')}", False, function
