"""Builds glibc's test support and test programs outside of glibc's build tree, once for a libc and a compiler."""

import concurrent.futures
import hashlib
import pathlib
import shutil
import subprocess

import source

HERE = pathlib.Path(__file__).resolve().parent
SHIM = HERE / "shim"

# Headers of glibc's tree that work by themselves; the rest of its internal ones must not be seen.
HEADERS = {"array_length.h": "include", "libc-diag.h": "include", "intprops.h": "include", "verify.h": "include",
           "libc-pointer-arith.h": "include", "tst-stack-align.h": "sysdeps/generic",
           "tst-skeleton-thread-affinity.c": "sysdeps/unix/sysv/linux",
           "tst-skeleton-affinity.c": "sysdeps/unix/sysv/linux", "test-skeleton.c": ""}
COMMON = ("-w", "-O2", "-g1", "-D_GNU_SOURCE", "-D_ISOMAC", "-DMODULE_NAME=testsuite", "-include", "limits.h",
           "-include", "stddef.h", "-include", "config.h")
LIBRARIES = ("-lresolv", "-ldl", "-lrt", "-lpthread")
PATHS = {"SRCDIR_PATH": "/nonexistent", "OBJDIR_PATH": "/nonexistent", "OBJDIR_ELF_LDSO_PATH": "/nonexistent",
         "INSTDIR_PATH": "/usr", "LIBDIR_PATH": "/usr/lib", "BINDIR_PATH": "/usr/bin", "SBINDIR_PATH": "/usr/sbin",
         "SLIBDIR_PATH": "/lib", "ROOTSBINDIR_PATH": "/sbin", "COMPLOCALEDIR_PATH": "/usr/lib/locale"}
# tst-stack4 loads this many copies of its module.
STACK4_COPIES = [f"tst-stack4mod-{i}-{j}.so" for i in range(20) for j in range(20)]


class Built:
    """A directory with programs; `failed` names those that could not be built, with the compiler's first error."""

    def __init__(self, directory, tree, make):
        self.directory, self.tree, self.make, self.failed = directory, tree, make, {}

    def path(self, name):
        return self.directory / name


def compiler_version(compiler):
    return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def key():
    """Changes with whatever changes the programs."""
    digest = hashlib.sha256()
    for compiler in ("gcc", "g++"):
        digest.update(compiler_version(compiler).encode())
    for file in sorted([*SHIM.iterdir(), HERE / "build.py", HERE / "makefile.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def overlay(tree, directory):
    """A directory of links to the few headers of the tree that may be included."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, place in {**HEADERS, "support": ""}.items():
        link = directory / name
        link.unlink(missing_ok=True)
        link.symlink_to(tree / place / name)
    return directory


class Compiler:
    def __init__(self, tree, directory):
        self.tree, self.directory = tree, directory
        self.includes = [f"-I{overlay(tree, directory / 'include')}", f"-I{SHIM}"]
        for place in ("nptl", "sysdeps/pthread"):
            self.includes += ["-iquote", tree / place]
        for place in ("support", "", "nptl", "sysdeps/pthread"):
            self.includes += ["-idirafter", tree / place]

    def run(self, *arguments, cxx=False):
        """The log when it failed, "" when it did not."""
        command = ["g++"] if cxx else ["gcc", "-std=gnu11", "-fgnu89-inline"]
        done = subprocess.run([*command, *COMMON, *self.includes, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              check=False)
        return (done.stdout or "no message") if done.returncode else ""


def build_support(compiler, jobs):
    """libsupport.a of what needs no internals of glibc; programs that need the rest do not link."""
    library = compiler.directory / "libsupport.a"
    objects = compiler.directory / "support"
    objects.mkdir(exist_ok=True)
    paths = [f'-D{name}="{value}"' for name, value in PATHS.items()]

    def one(path):
        target = objects / (path.stem + ".o")
        return None if compiler.run(*paths, "-c", path, "-o", target) else target

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        good = [target for target in pool.map(one, source.support_sources(compiler.tree)) if target]
    library.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", library, *good], check=True)
    return library


def flags_of(make, name):
    flags = [flag for flag in make.flags.get(name, []) if flag != "-Werror"]
    if name.startswith("tst-initializers1-"):
        flags.append(f"-std={name.rpartition('-')[2]}")
    return flags


def build_modules(compiler, built):
    """Libraries that programs link with or load.  One may need another: those are built again at the end."""
    wanted = sorted(set(built.make.lists["modules-names"]))
    for _ in range(2):
        wanted = [name for name in wanted if build_module(compiler, built, name)]
    module = built.path("tst-stack4mod.so")
    if module.exists():
        for copy in STACK4_COPIES:
            shutil.copy(module, built.path(copy))


def build_module(compiler, built, name):
    path = source.source_of(built.tree, name)
    if path is None:
        return ""
    needed = [built.path(file) for file in built.make.linked.get(name, []) if built.path(file).exists()]
    return compiler.run("-shared", "-fPIC", *flags_of(built.make, name), path, "-o", built.path(name + ".so"),
                        "-Wl,--no-as-needed", *needed, *built.make.link_flags.get(name, []), f"-L{built.directory}")


def build_program(compiler, built, library, program):
    linked = built.make.linked.get(program.name, [])
    needed = [built.path(file) for file in linked if file.endswith(".so")]
    needed += [source.source_of(built.tree, file[:-2]) for file in linked if file.endswith(".o")]
    return compiler.run(*flags_of(built.make, program.name), program.source, "-o", built.path(program.name),
                        "-Wl,--no-as-needed", *needed, "-Wl,--as-needed",
                        *built.make.link_flags.get(program.name, []), library, *LIBRARIES,
                        cxx=program.source.suffix == ".cc")


def build(directory, tree, programs, make, jobs):
    """Builds what is not built yet; what failed once is not tried again."""
    built = Built(directory / f"programs-{key()}", tree, make)
    built.directory.mkdir(parents=True, exist_ok=True)
    compiler = Compiler(tree, built.directory)
    library = built.path("libsupport.a")
    if not library.exists():
        build_modules(compiler, built)
        build_support(compiler, jobs)
    missing = [p for p in programs if not built.path(p.name).exists() and not failure(built, p.name).exists()]
    if missing:
        print(f"building {len(missing)} programs of glibc's tests", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for program, log in zip(missing, pool.map(lambda p: build_program(compiler, built, library, p), missing)):
            if log:
                failure(built, program.name).write_text(log, encoding="utf-8")
    for program in programs:
        if failure(built, program.name).exists():
            log = failure(built, program.name).read_text(encoding="utf-8")
            built.failed[program.name] = source.internal_error(log)
    return built


def failure(built, name):
    return built.path(name + ".failed")
