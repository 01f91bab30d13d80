"""One AWS-compatible server and one deployed stack for all tests; each test has integrations of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import ROOT, Server
from stack import Installation, Stack


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stack(server: Server) -> Stack:
    # Not in a folder of the run: `sam build` is quick where its last result is still there.
    return Stack(server, ROOT / "target" / "deployed")


Install = Callable[[str], Installation]


@pytest.fixture(scope="module")
def install(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Install]:
    """Installs TeamsWork under a name; its sandbox ends with the module."""
    folder: Path = tmp_path_factory.mktemp("sandboxes")
    installed: list[Installation] = []

    def install(name: str) -> Installation:
        installed.append(Installation(stack, name, folder))
        return installed[-1]

    yield install
    for installation in installed:
        installation.sandbox.stop()
