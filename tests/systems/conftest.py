"""One Request Tracker and one Redmine for all tests; where one cannot be installed, its tests are left out.

TICKET_GATEWAY_SYSTEMS=required makes that a failure; TICKET_GATEWAY_SYSTEMS=off leaves them out without a try.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from debian import UnavailableError
from gateway import Gateway
from redmine import Redmine
from request_tracker import RequestTracker
from system import System

TIMES: dict[str, dict[str, float]] = {}
LEFT_OUT: dict[str, str] = {}


def started(name: str, system: Callable[[], System]) -> Iterator[System]:
    wanted = os.environ.get("TICKET_GATEWAY_SYSTEMS", "")
    try:
        if wanted == "off":
            raise UnavailableError("TICKET_GATEWAY_SYSTEMS is off")
        running = system()
    except UnavailableError as why:
        if wanted == "required":
            raise
        LEFT_OUT[name] = str(why)
        pytest.skip(f"{name}: {why}")
    TIMES[name] = running.times
    yield running
    running.stop()


@pytest.fixture(scope="session")
def redmine() -> Iterator[Redmine]:
    yield from started("Redmine", Redmine)


@pytest.fixture(scope="session")
def request_tracker() -> Iterator[RequestTracker]:
    yield from started("Request Tracker", RequestTracker)


@pytest.fixture(scope="session")
def request_tracker_in_new_york() -> Iterator[RequestTracker]:
    """One whose API user lives in another time zone than the server."""
    yield from started("Request Tracker in New York", lambda: RequestTracker("America/New_York"))


Serve = Callable[..., Gateway]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Serves a connector with settings and secrets; it ends with the module."""
    folder: Path = tmp_path_factory.mktemp("gateways")
    serving: list[Gateway] = []

    def serve(connector: str, secrets: dict[str, str], **settings: object) -> Gateway:
        serving.append(Gateway(connector, settings, secrets, folder / str(len(serving))))
        return serving[-1]

    yield serve
    for gateway in serving:
        gateway.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, why in LEFT_OUT.items():
        terminalreporter.write_line(f"LEFT OUT: the tests against {name}: {why}")
    for name, times in TIMES.items():
        terminalreporter.write_line(f"{name}: " + ", ".join(f"{what} {seconds} s" for what, seconds in times.items()))
