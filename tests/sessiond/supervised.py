"""--supervise: a parent that asks, waits for the second failure in a row, looks who waits for whom, and begins anew."""

import contextlib
import os
import re
import signal
import time

from cases import case
from harness import SLOWNESS, check, until

QUICK = {"supervise_every_ms": 300, "supervise_limit_ms": 250, "supervise_grace_ms": 5000, "shutdown_ms": 200}


def supervised(place, **settings):
    return place.service(arguments=("--supervise",), inspect_command=place.build.lockgraph, **{**QUICK, **settings})


def child(service):
    """The service's process, which its parent told."""
    started = re.findall(r"service started, process (\d+)", service.log)
    check(started, service.log)
    return int(started[-1])


def failures(service):
    return service.log.count("supervisor: failure")


def restarted(service, before):
    return until(lambda: child(service) != before and service.read_port() and service.is_well(), 20,
                 lambda: f"it is there again: {service.log[-2000:]}")


@case()
def two_failures_in_a_row_and_not_one(place):
    service = supervised(place)
    first = child(service)
    time.sleep(1)  # it is asked some times, and is well
    check(failures(service) == 0, service.log)
    # One failure, then it goes on: nothing happens.
    os.kill(first, signal.SIGSTOP)
    until(lambda: failures(service) == 1, 10, "the first failure is told", every=0.005)
    os.kill(first, signal.SIGCONT)
    time.sleep(1)
    check(child(service) == first and "restart" not in service.log, service.log)
    # Two: it is looked at, ended and started again.
    os.kill(first, signal.SIGSTOP)
    restarted(service, first)
    check(re.search(r"failure 1 of 2: .*\n(.*\n)*?.*failure 2 of 2: /health did not answer in time", service.log), service.log)
    check("supervisor: restart 1: /health did not answer in time" in service.log, service.log)
    if not place.bare:
        looked = re.findall(r"inspect: (.*)", service.log)
        check(looked and any("thread" in line for line in looked), f"who waits for whom is in the log: {service.log}")
    service.stop()


@case()
def one_that_died_is_started_again(place):
    service = supervised(place)
    first = child(service)
    os.kill(first, signal.SIGKILL)
    restarted(service, first)
    check(service.log.count("supervisor: failure") == 2, service.log)
    check("supervisor: restart 1: it has ended, status 137" in service.log, service.log)
    service.stop()
    check(service.log.count("service started") == 2, service.log)


def without_forks(place, failures):
    """fork fails so often in the supervisor, as where there are too many processes."""
    return {"LD_PRELOAD": place.build.directory / "tests/libfork_fails.so", "FORK_FAILURES": str(failures)}


@case()
def a_fork_that_fails_is_tried_again(place):
    service = supervised(place, environment=without_forks(place, 2))  # it serves, or this would not return
    check(service.log.count("supervisor: fork: Resource temporarily unavailable") == 2, service.log)
    check(service.log.count("service started") == 1 and "restart" not in service.log, service.log)
    service.stop()


@case()
def a_supervisor_that_cannot_fork_can_be_ended(place):
    service = supervised(place, environment=without_forks(place, 1000000), wait=False)
    until(lambda: "supervisor: fork:" in service.log, 10, "it is told")
    started = time.monotonic()
    check(service.terminate(10) == 0 and time.monotonic() - started < 3 * SLOWNESS, service.log)
    check("service started" not in service.log, service.log)


@case()
def a_slow_start_is_forgiven(place):
    # It is stopped before it can listen, for longer than two failures would take.
    service = place.service(arguments=("--supervise",), wait=False, **{**QUICK, "supervise_grace_ms": 20000})
    until(lambda: "service started" in service.log, 10, "started")
    first = child(service)
    os.kill(first, signal.SIGSTOP)
    time.sleep(2)
    os.kill(first, signal.SIGCONT)
    service.wait_until_well()
    check(failures(service) == 0 and child(service) == first, service.log)
    service.stop()


@case()
def a_service_that_has_not_told_its_port_is_not_mistaken_for_another(place):
    other = place.service(name="other")
    service = place.service(arguments=("--supervise",), wait=False, port=other.port, **{**QUICK, "supervise_grace_ms": 500})
    until(lambda: "service started" in service.log, 10, "started")
    with contextlib.suppress(ProcessLookupError):  # ended by the port that is taken
        os.kill(child(service), signal.SIGSTOP)  # before it can listen
    until(lambda: failures(service) > 0, 10, lambda: f"the other's health is not this one's: {service.log}", every=0.005)
    check(re.search("failure 1 of 2: it has (not told its port|ended)", service.log), service.log)  # ended: it was not stopped in time
    service.process.terminate()
    other.stop()


@case()
def an_orderly_end_has_the_time_it_may_take(place):
    service = supervised(place, shutdown_ms=1000)
    process = child(service)
    os.kill(process, signal.SIGSTOP)
    service.process.terminate()
    time.sleep(5)  # tasks, workers and threads may take this long together
    os.kill(process, signal.SIGCONT)
    check(service.process.wait(20) == 0 and "killed" not in service.log, service.log)


@case()
def its_end_is_the_services_end(place):
    service = supervised(place)
    process = child(service)
    service.stop()
    check(not os.path.exists(f"/proc/{process}"), "the service has ended, too")


@case()
def a_configuration_that_is_wrong_is_not_tried_again(place):
    process = place.start(place.program, "--supervise", "--port", "x", name="wrong")
    check(process.wait(20) == 2, place.log("wrong"))
    log = place.log("wrong")
    check("--port" in log and "give a whole number" in log, log)
