"""What a client may get wrong, and what it is told; tokens; the rate limiter."""

import contextlib
import socket
import time

from cases import case
from harness import ADMIN, check, token_of, until


@case()
def tokens_are_asked_for(place):
    service = place.service(log_level="debug")
    for path in ("/api/v1/sessions", "/api/v1/sessions/1", "/api/v1/tasks/1", "/api/v1/me/metrics", "/api/v1/events"):
        service.get(path, None).expect(401, "unauthorized", "Authorization")
        refused = service.ask("GET", path, ADMIN)
        refused.expect(401, "unauthorized")
        check(refused.headers["WWW-Authenticate"].startswith("Bearer"), "401 says how")
        for wrong in (token_of("anna") + "x", token_of("anna")[:-1], "x", ""):
            service.ask("GET", path, wrong).expect(401)
        service.ask("GET", path, headers={"Authorization": token_of("anna")}).expect(401)
    for what in ("dashboard", "circuit-breakers", "worker-pool", "alerts", "locks"):
        service.get(f"/api/v1/monitoring/{what}").expect(401, "unauthorized")
        service.get(f"/api/v1/monitoring/{what}", None).expect(401)
    service.post("/api/v1/monitoring/circuit-breakers/search/reset", {}).expect(401)
    service.post("/api/v1/sessions", {"name": "x"}, None).expect(401)
    for path in ("/health", "/health/tasks", "/metrics"):
        check(service.get(path, None).status == 200, path)
    service.stop()
    for token in (ADMIN, token_of("anna"), token_of("ben")):
        check(token not in service.log, "a token is in the log")


@case()
def a_mistake_is_told_without_the_token(place):
    secret, file = "the-secret-token-0123456789", place.directory / "wrong.conf"
    for number, (line, flags, told) in enumerate((
            (f"user me:{secret}", (), "wrong.conf:1: user: write key = value"),
            (f"admin_token:{secret}", (), "wrong.conf:1: admin_token: write key = value"),
            (f"user me:{secret}==", (), "wrong.conf:1: user: there is no such key"),
            (secret, (), "wrong.conf:1: this line: write key = value"),
            ("prot = 1", (), "wrong.conf:1: prot: there is no such key"),
            ("", (f"--admin-token={secret}",), "--admin-token: write the value after a space"),
            ("", ("--port", "0", secret), "argument 5: flags begin with --"),
            (f"user = me:{secret}\nuser = you:{secret}", (), "me and you have the same token"),
            (f"user = me:{secret}\nadmin_token = {secret}", (), "me has the administrator's token"))):
        file.write_text(line + "\n")
        process = place.start(place.program, "--config", file, *flags, name=f"wrong-{number}")
        check(process.wait(20) == 2, f"{line} {flags}: exit status 2 expected")
        log = place.log(f"wrong-{number}")
        check(told in log and secret not in log, f"{told!r} expected, and no token: {log}")


@case()
def a_service_without_an_administrator_shows_nothing_to_anybody(place):
    service = place.service(admin_token="")
    service.ask("GET", "/api/v1/monitoring/alerts", "").expect(401)
    service.admin("alerts").expect(401)
    service.stop()


@case()
def bad_input_is_told_by_field(place):
    service = place.service()
    session = service.open_session(connected=False)
    operations = f"/api/v1/sessions/{session}/operations"
    for path, body, code, field in (
            ("/api/v1/sessions", b"{", "bad_json", None), ("/api/v1/sessions", b"[]", "bad_json", None),
            ("/api/v1/sessions", b"", "bad_json", None), ("/api/v1/sessions", b'{"name":"a","name":"b"}', "bad_json", None),
            ("/api/v1/sessions", b'{"name":"\xff"}', "bad_json", None),
            ("/api/v1/sessions", {}, "bad_field", "name"), ("/api/v1/sessions", {"name": 5}, "bad_field", "name"),
            ("/api/v1/sessions", {"name": "a", "port": "x"}, "bad_field", "port"),
            ("/api/v1/sessions", {"name": "a", "port": 70000}, "bad_field", "port"),
            ("/api/v1/sessions", {"name": "a b"}, "bad_field", "name"), ("/api/v1/sessions", {"name": "a" * 200}, "bad_field", "name"),
            ("/api/v1/sessions", {"name": "a", "colour": 1}, "bad_field", "colour"),
            (operations, {}, "bad_field", "operation"), (operations, {"operation": "dance"}, "bad_field", "operation"),
            (operations, {"operation": "send"}, "bad_field", "text"), (operations, {"operation": "send", "text": ""}, "bad_field", "text"),
            (operations, {"operation": "send", "text": "two\nlines"}, "bad_field", "text"),
            (operations, {"operation": "send", "text": "a", "pages": 1}, "bad_field", "pages"),
            (operations, {"operation": "scrape", "pages": -1}, "bad_field", "pages"),
            (operations, {"operation": "scrape", "pages": 1.5}, "bad_field", "pages"),
            (operations, {"operation": "digest", "limit_ms": 0}, "bad_field", "limit_ms")):
        service.post(path, body).expect(400, code, field)
    for path in ("/api/v1/sessions/abc", "/api/v1/sessions/0", "/api/v1/tasks/-1", "/api/v1/tasks/99999999999999999999"):
        service.get(path).expect(400, "bad_field", "id")
    service.stop()


@case()
def what_is_not_there_and_what_cannot_be_done_with_it(place):
    service = place.service()
    session = service.open_session("anna", connected=False)
    for path in ("/", "/api", "/api/v1/sessions/", "/api/v1/sessions/1/2", "/health/", "/api/v1/monitoring/nothing", "/%2e%2e/etc/passwd"):
        service.get(path).expect(404, "not_found")
    for path in ("/api/v1/sessions/987654321", f"/api/v1/sessions/{session + 1}", "/api/v1/tasks/987654321"):
        service.get(path).expect(404)
    refused = service.ask("PUT", "/api/v1/sessions", token_of("anna"))
    refused.expect(405, "bad_method")
    check(set(refused.headers["Allow"].split(", ")) == {"GET", "POST"}, refused.headers["Allow"])
    service.admin("circuit-breakers/nothing/reset", "POST").expect(404)
    head = service.ask("HEAD", "/health")
    check(head.status == 200 and head.body == b"", "HEAD is GET without a body")
    service.stop()


@case()
def others_objects_are_not_there(place):
    service = place.service(peer=place.peer())
    session = service.open_session("anna")
    task = service.operate(session, "send", "anna", text="private")
    service.result(task, "anna")
    for method, path, body in (("GET", f"/api/v1/sessions/{session}", None), ("DELETE", f"/api/v1/sessions/{session}", None),
                               ("POST", f"/api/v1/sessions/{session}/operations", {"operation": "send", "text": "x"}),
                               ("GET", f"/api/v1/tasks/{task}", None), ("DELETE", f"/api/v1/tasks/{task}", None)):
        service.ask(method, path, token_of("ben"), body).expect(404)
    check(service.get("/api/v1/sessions", "ben").json == {"sessions": []}, "ben has none")
    check(len(service.get("/api/v1/sessions", "anna").json["sessions"]) == 1, "anna has hers")
    service.stop()


@case()
def clients_are_not_told_where_files_are(place):
    service = place.service()
    session = service.open_session(connected=False)
    (service.data / "blobs").rmdir()
    task = service.ended(service.operate(session, "archive", name="notes"))
    check(task["error"]["code"] == "store" and str(service.data) not in str(task), task)
    check(f"{service.data}/blobs" in service.log, "it is in the log")
    service.stop()


@case()
def two_services_on_one_database_keep_users_apart(place):
    peer, shared = place.peer(peer_history=300), place.directory / "shared.data"
    hers, his = (place.service(peer=peer, name=name, data_dir=shared) for name in ("hers", "his"))
    mine, other = hers.open_session("anna"), his.open_session("ben")
    check(mine != other, f"both sessions have the id {mine}")
    check(hers.do(mine, "scrape", "anna", pages=2)["stored"] == 200, "anna's are stored")
    check(his.do(other, "scrape", "ben", pages=1)["stored"] == 100, "and so are ben's, whatever their numbers")
    check(his.do(other, "archive", "ben", name="all")["messages"] == 100, "ben's archive has his alone")
    hers.stop()
    hers.launch()
    later = hers.open_session("anna")
    check(later not in (mine, other), "an id is never given again")
    check(hers.do(later, "archive", "anna", name="all")["messages"] == 0, "a new session has no messages")
    hers.stop()
    his.stop()


@case()
def figures_of_a_user_are_theirs_alone(place):
    service = place.service(peer=place.peer(), users=("anna", "ben", "carl-the-secret-one"))
    session = service.open_session("anna")
    for _ in range(3):
        service.do(session, "send", "anna", text="x")
    service.get("/api/v1/sessions/99", "anna").expect(404)
    before = service.get("/api/v1/me/metrics", "ben").expect(200)
    check(before["requests"] == 0 and before["tasks"] == 0, f"ben did nothing: {before}")
    after = service.get("/api/v1/me/metrics", "ben").expect(200)
    check(after["requests"] == 1 and after["tasks"] == 0 and after["request_time"]["count"] == 1, f"one question of ben's: {after}")
    hers = service.get("/api/v1/me/metrics", "anna").expect(200)
    check(hers["tasks"] == 4 and hers["client_errors"] == 1 and hers["requests"] >= 8, f"{hers}")
    for text in (service.get("/metrics", None).body.decode(), service.get("/health/tasks", None).body.decode(),
                 service.get("/health", None).body.decode()):
        for word in ("anna", "ben", "secret", token_of("anna"), ADMIN, '"user', "user="):
            check(word not in text, f"{word} is open to all: {text}")
    service.stop()


@case()
def metrics_follow_their_format(place):
    service = place.service(peer=place.peer())
    session = service.open_session()
    service.do(session, "send", text="x")
    answer = service.get("/metrics", None)
    check(answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"), answer.headers["Content-Type"])
    lines = answer.body.decode().split("\n")
    check(lines[-2:] == ["# EOF", ""], f"it ends with # EOF: {lines[-3:]}")
    families, current = [], None
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            current = line.split()[2]
            families.append(current)
        elif not line.startswith("#"):
            name, value = line.split("{")[0].split(" ")[0], line.rsplit(" ", 1)[1]
            check(current and name.startswith(current), f"{line} is not of the family {current}")
            float(value)
    check(len(families) == len(set(families)), f"each family once: {sorted(families)}")
    for wanted in ("tasks_active", "pool_checked_out", "breaker_state", "workers_alive", "sessions", "http_requests", "resident_memory_bytes"):
        check(f"sessiond_{wanted}" in families, f"{wanted} is missing: {families}")
    service.stop()


@case()
def bodies_and_headers_have_limits(place):
    service = place.service(body_limit=1000, header_limit=4096)
    service.post("/api/v1/sessions", b'{"name":"' + b"a" * 2000 + b'"}').expect(413, "body_too_large", "body")
    service.post("/api/v1/sessions", b" " * 100000).expect(413, "body_too_large")
    chunks = (b" " * 500 for _ in range(10))
    connection = service.connect()
    connection.request("POST", "/api/v1/sessions", chunks, {"Authorization": f"Bearer {token_of('anna')}"}, encode_chunked=True)
    check(connection.getresponse().status == 413, "a body in chunks is measured, too")
    connection.close()
    service.get("/health", None, headers={"X-Long": "a" * 5000}).expect(431, "headers_too_large", "headers")
    check(service.get("/health", None, headers={"X-Short": "a" * 2000}).status == 200, "what is in the limit is well")
    with socket.create_connection(("127.0.0.1", service.port)) as raw:  # beyond what is ever read
        raw.sendall(b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
                    + f"Authorization: Bearer {token_of('anna')}\r\n\r\n".encode())
        check(b" 413 " in raw.recv(1000), "told at once")
    check(service.dashboard()["http"]["too_large"] == 4, service.dashboard()["http"])
    service.stop()


@case()
def what_is_no_query_is_told_at_once(place):
    service = place.service()
    session = service.open_session(connected=False)
    path = f"/api/v1/sessions/{session}/operations"
    for query in ('"not closed', "AND", "(", "nobody: x", "a AND", "*"):
        service.post(path, {"operation": "search", "query": query}).expect(400, "bad_field", "query")
    for query in ("fox", '"quick fox"', "fo*", "text: fox OR dog", "NEAR(quick fox, 3)", "not"):
        check(service.do(session, "search", query=query)["hits"] == [], query)
    elsewhere = place.service(name="elsewhere", search_url="http://127.0.0.1:1/")  # with a language of its own
    session = elsewhere.open_session(connected=False)
    elsewhere.operate(session, "search", query='"not closed')
    elsewhere.stop()
    service.stop()


@case()
def heads_beyond_all_limits_are_refused(place):
    """By libmicrohttpd itself, whose page is not ours; the service goes on."""
    service = place.service()
    for length in (17000, 30000, 200000):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            answer = b""
            with contextlib.suppress(OSError):
                raw.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * length + b"\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                answer = raw.recv(4096)
            check(not answer or b" 431 " in answer.split(b"\r\n")[0], f"{length}: {answer[:60]}")
            check(length > 20000 or b'"field":"headers"' in answer, f"{length}: {answer[-100:]}")
    service.stop()


@case()
def nonsense_is_answered_and_forgotten(place):
    service = place.service(connection_timeout_ms=1000)
    for garbage in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 50, b"GET " + b"a" * 60000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            answer = b""
            with contextlib.suppress(OSError):  # it may hang up before all was sent
                raw.sendall(garbage)
                raw.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                answer = raw.recv(4096)
            check(not answer or answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 5"), f"{garbage[:40]}: {answer[:60]}")
    idle = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    idle.sendall(b"GET /health HTT")
    check(idle.recv(100) == b"", "a client that does not go on is hung up on")
    idle.close()
    until(lambda: service.dashboard()["http"]["connections"] <= 1, 10, "no connection is left")
    service.stop()


@case()
def more_clients_than_descriptors_take_none_from_the_service(place):
    service = place.service(under=("prlimit", "--nofile=200:200"), peer=place.peer(), connection_timeout_ms=5000)
    check("raise the limit of open files" in service.log, "it is told")
    connection = service.connect()
    service.ask("GET", "/health", connection=connection)
    crowd = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(250)]
    opened = service.ask("POST", "/api/v1/sessions", token_of("anna"), {"name": "x"}, connection=connection).expect(201)

    def connected():
        return service.ask("GET", f"/api/v1/tasks/{opened['task']}", token_of("anna"), connection=connection).json["state"] == "completed"
    until(connected, 10, "its session is connected")
    for client in crowd:
        client.close()
    connection.close()
    until(service.is_well, 20, "others are served again")
    service.stop()


@case()
def one_connection_serves_many_requests(place):
    service = place.service()
    connection = service.connect()
    for _ in range(50):
        check(service.ask("GET", "/health", connection=connection).status == 200, "healthy")
        service.ask("POST", "/api/v1/sessions", token_of("anna"), {"no": 1}, connection=connection).expect(400)
        service.ask("GET", "/nowhere", connection=connection).expect(404)
    check(service.dashboard()["http"]["accepted"] < 10, service.dashboard()["http"])
    connection.close()
    service.stop()


@case()
def a_user_has_a_rate_and_a_burst(place):
    service = place.service(rate_per_s=20, burst=10, limiter_cleanup_ms=100)
    started = time.monotonic()
    statuses = [service.get("/api/v1/sessions") for _ in range(60)]
    seconds = time.monotonic() - started
    good, refused = [a for a in statuses if a.status == 200], [a for a in statuses if a.status == 429]
    check(len(good) + len(refused) == 60, "200 or 429")
    check(10 <= len(good) <= 10 + 20 * seconds + 2, f"{len(good)} in {seconds:.2f} s")
    check(refused, "some are refused")
    refused[0].expect(429, "rate_limited")
    check(int(refused[0].headers["Retry-After"]) >= 1, "429 says when to come again")
    check(service.get("/api/v1/sessions", "ben").status == 200, "another user is not concerned")
    check(service.get("/health", None).status == 200, "nor is who has no token")
    # Once they are full again the buckets are dropped.
    until(lambda: service.dashboard()["service"]["rate_buckets"] == 0, 20, "the clean-up drops what is full")
    service.stop()
