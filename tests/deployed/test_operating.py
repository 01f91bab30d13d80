"""What an operator does while callers go on calling: secrets, versions, rollbacks."""

import json
import time

import pytest
from programs import ROOT, FailedError
from stack import Installation


@pytest.fixture(scope="module")
def desk(install) -> Installation:
    return install("operated")


def refreshed() -> None:
    """Waits until no function goes by an older version (RefreshSeconds=1)."""
    time.sleep(1.2)


def test_a_secret_is_rotated_without_a_failed_call(desk):
    desk.call("GET", desk.ticket).expect(200)

    # The new secret is set before the ticketing system knows it: the previous one is still tried.
    desk.set_secret("second-key")
    desk.call("GET", desk.ticket).expect(200)
    desk.call("GET", "/tickets?updated_start_ts=2999-01-01T00:00:00Z&updated_end_ts=2999-01-02T00:00:00Z").expect(200)

    # Now it does, and the old one is refused there: functions that hold the old one read again.
    desk.sandbox.change_key("second-key")
    desk.call("GET", desk.ticket).expect(200)
    desk.create("After the rotation")


def test_a_wrong_secret_is_the_operators_business_and_not_the_callers(desk):
    desk.set_secret("mistyped")
    desk.set_secret("mistyped-again")  # so that the previous one does not help
    answer = desk.call("POST", f"{desk.ticket}/resolve", {})
    code, _ = answer.error(502)
    assert code == "EXTERNAL_REST_ERROR"
    assert "mistyped" not in json.dumps(answer.body)
    desk.set_secret("second-key")
    time.sleep(5.5)  # a function reads no secret anew more often than every 5 seconds
    desk.call("POST", f"{desk.ticket}/resolve", {}).expect(200)


def test_a_new_version_is_picked_up_and_a_rollback_undoes_it(desk):
    def page() -> int:
        range_ = "updated_start_ts=2000-01-01T00:00:00Z&updated_end_ts=2999-01-01T00:00:00Z"
        body = desk.call("GET", f"/tickets?{range_}").expect(200)
        return len(body["raw_tickets"])

    everything = page()
    desk.push("--set", "page_size=1", "--note", "smaller pages")
    refreshed()
    assert page() < everything, "twenty pages of one ticket make a call"

    desk.stack.command("rollback", desk.name, "--note", "too small")
    refreshed()
    assert page() == everything

    versions = json.loads(desk.stack.command("versions", desk.name, "--json"))
    assert len(versions) == 3
    assert "too small" in json.dumps(versions)


def test_the_difference_between_two_versions_is_shown(desk):
    assert "page_size" in desk.stack.command("diff", desk.name, "1", "2")


def test_a_push_that_lost_the_race_changes_nothing(desk):
    before = desk.stack.command("versions", desk.name, "--json")
    with pytest.raises(FailedError, match="active"):
        desk.push("--set", "page_size=500", "--expect", "1")
    assert desk.stack.command("versions", desk.name, "--json") == before


def test_the_same_content_twice_is_one_version(desk):
    before = desk.stack.command("versions", desk.name, "--json")
    desk.push()
    assert desk.stack.command("versions", desk.name, "--json") == before


def test_an_integration_with_a_mistake_is_not_stored(desk, tmp_path):
    folder = tmp_path / "mistaken"
    folder.mkdir()
    text = (ROOT / "connectors" / "teamswork" / "integration.yaml").read_text()
    (folder / "integration.yaml").write_text(text.replace("http_actions:", "http_action:", 1))
    before = desk.stack.command("versions", desk.name, "--json")
    with pytest.raises(FailedError, match="http_action"):
        desk.push(folder=folder)
    assert desk.stack.command("versions", desk.name, "--json") == before


def test_an_integration_that_is_too_large_is_refused_as_a_whole(desk, tmp_path):
    text = (ROOT / "connectors" / "teamswork" / "integration.yaml").read_text()
    (tmp_path / "integration.yaml").write_text(text + "# one more line\n" * 100_000)
    before = desk.stack.command("versions", desk.name, "--json")
    with pytest.raises(FailedError, match=r"at most \d+"):
        desk.push(folder=tmp_path)
    assert desk.stack.command("versions", desk.name, "--json") == before
