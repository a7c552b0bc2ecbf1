"""Server-sent events: who hears what, how many, and what is left of those who leave."""

import os
import socket

from cases import case
from harness import check, token_of, until


class Subscriber:
    def __init__(self, service, user="anna", receive=None, patience=30):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(patience)
        self.socket.connect(("127.0.0.1", service.port))
        self.socket.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of(user)}\r\n\r\n".encode())
        self.text = ""

    def hear(self, word):
        """Reads on until the word comes; what came before it."""
        while word not in self.text:
            more = self.socket.recv(65536)
            check(more, f"the stream ended before {word}: {self.text[-500:]}")
            self.text += more.decode()
        before, self.text = self.text.split(word, 1)
        return before

    def subscribed(self):
        self.hear(": subscribed")
        return self

    def close(self):
        self.socket.close()


def subscribers(service):
    return service.dashboard()["events"]["subscribers"]


@case()
def events_go_to_their_user_alone(place):
    service = place.service()
    session = service.open_session("anna", connected=False)
    anna, also, ben = (Subscriber(service, user).subscribed() for user in ("anna", "anna", "ben"))
    for number in range(20):
        check(service.do(session, "broadcast", "anna", text=f"hello {number}")["subscribers"] == 2, "both of anna's")
    for one in (anna, also):
        for number in range(20):
            one.hear(f"event: broadcast\ndata: ")
            one.hear(f'"text":"hello {number}"')
    theirs = service.open_session("ben", connected=False)
    check(service.do(theirs, "broadcast", "ben", text="mine")["subscribers"] == 1, "ben's")
    heard = ben.hear('"mine"')
    check(heard.count("event:") == 1 and "hello" not in heard, heard)
    for one in (anna, also, ben):
        one.close()
    until(lambda: subscribers(service) == 0, 10, "all have left")
    service.stop()


@case()
def a_hundred_subscribers_and_no_more(place):
    service = place.service()
    all_of_them = [Subscriber(service).subscribed() for _ in range(100)]
    refused = service.get("/api/v1/events")
    refused.expect(503, "too_many_subscribers")
    check(refused.headers["Retry-After"], "when to come again")
    all_of_them.pop().close()
    until(lambda: subscribers(service) == 99, 10, "one has left")
    all_of_them.append(Subscriber(service).subscribed())
    session = service.open_session(connected=False)
    check(service.do(session, "broadcast", text="all")["subscribers"] == 100, "all hear it")
    for one in all_of_them:
        one.hear('"all"')
        one.close()
    service.stop()


@case()
def an_idle_one_is_pinged(place):
    service = place.service(subscriber_ping_ms=200)
    one = Subscriber(service).subscribed()
    for _ in range(3):
        one.hear(": ping")
    one.close()
    service.stop()


@case()
def a_slow_one_is_dropped_when_its_queue_is_full(place):
    service = place.service(subscriber_queue_bytes=65536)
    session = service.open_session(connected=False)
    slow, quick = Subscriber(service, receive=2048).subscribed(), Subscriber(service).subscribed()
    sent = 0
    while service.dashboard()["events"]["dropped_slow"] == 0:
        check(sent < 5000, "it should have been dropped by now")
        for _ in range(20):
            service.operate(session, "broadcast", text="x" * 1900)
            sent += 1
            quick.hear("event:")
    until(lambda: subscribers(service) == 1, 10, "it is gone")
    check(service.dashboard()["events"]["queued_bytes"] < 65536, service.dashboard()["events"])
    service.do(session, "broadcast", text="still here")
    quick.hear("still here")
    slow.close()
    quick.close()
    service.stop()


@case(seconds=120)
def a_thousand_abandoned_ones_leave_nothing_behind(place):
    service = place.service()

    def descriptors():
        return len(os.listdir(f"/proc/{service.process.pid}/fd"))
    Subscriber(service).subscribed().close()
    until(lambda: subscribers(service) == 0, 10, "it has left")
    before = descriptors()
    for number in range(1000):
        one = Subscriber(service)
        if number % 2:
            one.subscribed()
        if number % 3 == 0:  # without a word of farewell
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.close()
    until(lambda: subscribers(service) == 0, 20, "all have left")
    until(lambda: descriptors() <= before + 2, 20, lambda: f"descriptors: {before} before, now {descriptors()}")
    check(service.dashboard()["events"]["queued_bytes"] == 0, "nothing is queued")
    service.stop()


@case()
def a_stream_has_its_connection_for_itself(place):
    service = place.service(connection_timeout_ms=1000)
    asked = f" /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token_of('anna')}\r\n\r\n".encode()
    idle = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    idle.sendall(b"HEAD" + asked)
    answer = idle.recv(65536)
    check(answer.startswith(b"HTTP/1.1 405 ") and b"Allow: GET\r\n" in answer, f"there is no stream without a body: {answer}")
    check(idle.recv(100) == b"", "its connection ends when it is idle, like all")
    idle.close()
    stream = socket.create_connection(("127.0.0.1", service.port), timeout=20)
    stream.sendall(b"GET" + asked)
    check(b"\r\nConnection: close\r\n" in stream.recv(65536), "it is not used again")
    stream.close()
    until(lambda: service.dashboard()["http"]["connections"] <= 1, 10, "none is left")
    service.stop()


@case()
def the_end_of_the_service_ends_the_streams(place):
    service = place.service()
    one = Subscriber(service).subscribed()
    service.stop()
    rest = b""
    while more := one.socket.recv(65536):
        rest += more
    check(rest.endswith(b"0\r\n\r\n") or one.text.endswith("0\r\n\r\n"), f"the end is told: {rest[-100:]}")
    one.close()
