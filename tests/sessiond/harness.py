"""A sessiond of one's own: started on a free port in a scratch directory, asked by real HTTP, ended."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Limits in seconds are for an idle machine; a slow one gets a multiple.
SLOWNESS = float(os.environ.get("LOCKGRAPH_TEST_SLOWNESS", "1"))

ADMIN = "the-administrators-own-token"
EXIT_FINDINGS = 66


class Failure(AssertionError):
    """What is wrong, in one sentence."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def token_of(user):
    return f"token-of-{user}-0123456789"


def until(condition, seconds, message, every=0.02):
    """Waits for what is to become true; gives what the condition gave."""
    deadline = time.monotonic() + seconds * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"not within {seconds * SLOWNESS:.0f} s: {message() if callable(message) else message}")
        time.sleep(every)


class Build:
    """The programs under test."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.lockgraph = self.directory / "bin/lockgraph"
        self.load = self.directory / "bin/sessiond-load"

    def program(self, bare):
        return self.directory / "bin" / ("sessiond-bare" if bare else "sessiond")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failure(f"not JSON: {self}") from None

    def __str__(self):
        return f"status {self.status}: {self.body[:500].decode(errors='replace')}"

    def expect(self, status, code=None, field=None):
        """The answer's JSON; of an error that code and field."""
        check(self.status == status, f"status {status} expected: {self}")
        value = self.json if self.body else None
        if status >= 400:
            error = value["error"]
            check(code is None or error["code"] == code, f"error {code} expected: {self}")
            check(field is None or error.get("field") == field, f"the field {field} should be named: {self}")
        return value


class Place:
    """A scratch directory, and what is started in it."""

    def __init__(self, build, directory, bare=False):
        self.build, self.directory, self.bare = build, pathlib.Path(directory), bare
        self.processes = []

    @property
    def program(self):
        return self.build.program(self.bare)

    def start(self, *arguments, name, environment=None, under=()):
        """In a process group of its own; what it writes goes to NAME.log."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKGRAPH_", "LD_"))}
        with open(self.directory / f"{name}.log", "ab") as log:
            process = subprocess.Popen([*map(str, under), *map(str, arguments)], cwd=self.directory,
                                       env={**clean, **(environment or {})}, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def log(self, name="sessiond"):
        file = self.directory / f"{name}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def end_all(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)

    def peer(self, name="peer", **settings):
        """The other side of the line protocol; its port."""
        file = self.directory / f"{name}.port"
        file.unlink(missing_ok=True)
        flags = [word for key, value in settings.items() for word in (f"--{key.replace('_', '-')}", value)]
        # Without Lockgraph, whatever is tested: it is not what is.
        self.start(self.build.program(True), "--peer", "--peer-port", "0", "--port-file", file, *flags, name=name)
        until(file.exists, 10, lambda: f"the peer tells its port: {self.log(name)}")
        return int(file.read_text())

    def service(self, users=("anna", "ben"), name="sessiond", peer=None, arguments=(), environment=None, under=(),
                wait=True, **settings):
        """A running service; its settings are those of --help."""
        return Service(self, users, name, peer, arguments, environment, under, wait, settings)


class Service:
    def __init__(self, place, users, name, peer, arguments, environment, under, wait, settings):
        self.place, self.name, self.users = place, name, users
        self.config = place.directory / f"{name}.conf"
        self.port_file = place.directory / f"{name}.port"
        self.data = pathlib.Path(settings.get("data_dir", place.directory / f"{name}.data"))
        everything = {"port": 0, "port_file": self.port_file, "data_dir": self.data, "admin_token": ADMIN,
                      "peer_port": peer or 1, "rate_per_s": 100000, "burst": 100000, **settings}
        lines = [f"{key} = {value}" for key, value in everything.items()]
        lines += [f"user = {user}:{token_of(user)}" for user in users]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.arguments, self.environment, self.under = arguments, environment, under
        self.process, self.port = None, 0
        self.launch(wait)

    def launch(self, wait=True):
        """Once more, on the same data."""
        self.port_file.unlink(missing_ok=True)
        self.process = self.place.start(self.place.program, "--config", self.config, *self.arguments, name=self.name,
                                        environment=self.environment, under=self.under)
        if wait:
            self.wait_until_well()

    def read_port(self):
        check(self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {self.log[-3000:]}")
        with contextlib.suppress(OSError, ValueError):
            self.port = int(self.port_file.read_text())
            return True
        return False

    def wait_until_well(self, seconds=20):
        until(self.read_port, seconds, lambda: f"{self.name} listens: {self.log[-2000:]}")
        until(self.is_well, seconds, lambda: f"{self.name} is well: {self.log[-2000:]}")

    def is_well(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/health", None).status == 200
        return False

    @property
    def log(self):
        return self.place.log(self.name)

    # --- asking

    def connect(self, seconds=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds * SLOWNESS)

    def ask(self, method, path, token=None, body=None, headers=None, connection=None, seconds=60):
        """`body`: bytes as they are, anything else as JSON."""
        all_headers = dict(headers or {})
        if token is not None:
            all_headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        used = connection or self.connect(seconds)
        try:
            used.request(method, path, body, all_headers)
            answer = used.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            if connection is None:
                used.close()

    def get(self, path, user="anna", **how):
        return self.ask("GET", path, None if user is None else token_of(user), **how)

    def post(self, path, body, user="anna", **how):
        return self.ask("POST", path, None if user is None else token_of(user), body, **how)

    def delete(self, path, user="anna", **how):
        return self.ask("DELETE", path, None if user is None else token_of(user), **how)

    def admin(self, what, method="GET", **how):
        return self.ask(method, f"/api/v1/monitoring/{what}", ADMIN, **how)

    # --- doing

    def open_session(self, user="anna", connected=True, **fields):
        """Its id, when its connection is there."""
        opened = self.post("/api/v1/sessions", fields or {"name": "test"}, user).expect(201)
        if connected:
            self.result(opened["task"], user)
        return opened["id"]

    def operate(self, session, operation, user="anna", **fields):
        """The task's id."""
        return self.post(f"/api/v1/sessions/{session}/operations", {"operation": operation, **fields}, user).expect(202)["task"]

    def task(self, task, user="anna"):
        return self.get(f"/api/v1/tasks/{task}", user).expect(200)

    def ended(self, task, user="anna", seconds=30):
        """The task when it is over, however."""
        def over():
            view = self.task(task, user)
            return view if view["state"] not in ("queued", "running") else None
        return until(over, seconds, lambda: f"task {task} ends: {self.task(task, user)}")

    def result(self, task, user="anna", seconds=30):
        view = self.ended(task, user, seconds)
        check(view["state"] == "completed", f"the task should have completed: {view}")
        return view.get("result")

    def do(self, session, operation, user="anna", **fields):
        return self.result(self.operate(session, operation, user, **fields), user)

    def figures(self):
        return self.get("/health/tasks", None).expect(200)

    def dashboard(self):
        return self.admin("dashboard").expect(200)

    # --- ending

    def terminate(self, seconds=30):
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds * SLOWNESS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end: {self.log[-3000:]}") from None

    def kill(self):
        """SIGKILL for it and all it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10 * SLOWNESS)

    def stop(self):
        status = self.terminate()
        check(status == 0, f"{self.name} ended with {status}: {self.log[-3000:]}")
        found = [line for line in self.log.splitlines() if ": lockgraph: " in line and (" ERROR " in line or " WARNING " in line)]
        check(not found, f"Lockgraph found something: {found}")


@contextlib.contextmanager
def place(build, bare=False):
    """Whatever was started in it is ended afterwards; kept for a look with LOCKGRAPH_TEST_KEEP=1."""
    directory = tempfile.mkdtemp(prefix="sessiond-test-")
    made = Place(build, directory, bare)
    try:
        yield made
    finally:
        made.end_all()
        if not os.environ.get("LOCKGRAPH_TEST_KEEP"):
            shutil.rmtree(directory, ignore_errors=True)
