"""The rate budget that all functions share, with the permissions that their roles really have."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from programs import ROOT
from stack import Installation

LIMIT = "  rate_limit: {requests: 100, per_seconds: 60}\n"


def with_limit(desk: Installation, folder: Path, limit: str) -> None:
    """Pushes the connector with another limit and waits until every function goes by it (RefreshSeconds=1)."""
    text = (ROOT / "connectors" / "teamswork" / "integration.yaml").read_text()
    assert text.count(LIMIT) == 1
    (folder / "integration.yaml").write_text(text.replace(LIMIT, limit))
    desk.push(folder=folder)
    time.sleep(1.2)


def warnings(desk: Installation, function: str) -> list[str]:
    return [
        line
        for line in desk.stack.log(function).splitlines()
        if f'"integration":"{desk.name}"' in line and '"level":"INFO"' not in line and '"_aws"' not in line
    ]


@pytest.fixture(scope="module")
def desk(install) -> Installation:
    return install("busy")


def test_many_different_creates_at_once_all_get_their_turn(desk, tmp_path):
    with_limit(desk, tmp_path, LIMIT.replace("100", "1000"))
    with ThreadPoolExecutor(40) as pool:
        made = list(pool.map(lambda number: desk.create(f"Number {number}"), range(40)))
    assert len({ticket["id"] for ticket in made}) == 40
    assert warnings(desk, "create-ticket") == []


def test_without_a_limit_a_function_still_asks_what_others_were_told(desk, tmp_path):
    with_limit(desk, tmp_path, "")
    desk.call("GET", desk.ticket).expect(200)
    desk.stack.await_log("query-ticket-by-id", f'"integration":"{desk.name}"')
    # It answers when that is not permitted, and warns.
    assert warnings(desk, "query-ticket-by-id") == []
