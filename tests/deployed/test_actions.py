"""The twelve ticket actions through API Gateway, each by its own function with its own role."""

import base64

import pytest
from stack import REQUESTOR, Installation


@pytest.fixture(scope="module")
def desk(install) -> Installation:
    return install("teamswork")


def test_all_twelve_actions(desk):
    ticket = desk.create("Keyboard types by itself")
    assert ticket["internal_state_code"] == "NEW"
    assert ticket["requested_for"] == "molly.agent@example.com"
    path = f"/tickets/{ticket['id']}"

    read = desk.call("GET", path).expect(200)["raw_ticket"]
    assert read["id"] == ticket["id"]

    mine = desk.call("GET", "/requestors/Molly.Agent@example.com/tickets").expect(200)["raw_tickets"]
    assert [ticket["id"] for ticket in mine] == [ticket["id"]]

    start = f"{read['updated_at'][:19]}Z"
    changed = f"/tickets?updated_start_ts={start}&updated_end_ts=2999-01-01T00:00:00Z"
    assert [ticket["id"] for ticket in desk.call("GET", changed).expect(200)["raw_tickets"]] == [ticket["id"]]

    body = {"payload": {"short_description": "Keyboard is quiet"}, "requestor_info": REQUESTOR}
    updated = desk.call("PATCH", path, body).expect(200)["raw_ticket"]
    assert updated["short_description"] == "Keyboard is quiet"

    started = desk.call("PUT", f"{path}/state", {"state": "WIP"}).expect(200)["raw_ticket"]
    assert started["internal_state_code"] == "WIP"

    assignee = desk.assignee()
    assigned = desk.call("PUT", f"{path}/assignment", {"assignee": assignee}).expect(200)["raw_ticket"]
    assert assigned["assigned_to_user"] == assignee

    public = desk.call("POST", f"{path}/comments", {"comment": "It was the cat"}).expect(201)["comment"]
    assert public["is_public"] is True

    internal = desk.call("POST", f"{path}/internal-comments", {"comment": "No, it was not"}).expect(201)["comment"]
    assert internal["is_public"] is False

    content = base64.b64encode(b"paw prints").decode()
    body = {"file_name": "evidence.txt", "content_type": "text/plain", "content": content}
    attachment = desk.call("POST", f"{path}/attachments", body).expect(201)["attachment"]
    assert attachment["file_name"] == "evidence.txt"

    resolved = desk.call("POST", f"{path}/resolve", {"comment": "Closed the lid"}).expect(200)["raw_ticket"]
    assert resolved["internal_state_code"] == "RESOLVED"

    reopened = desk.call("POST", f"{path}/reopen", {"comment": "It is back"}).expect(200)["raw_ticket"]
    assert reopened["internal_state_code"] == "NEW"

    bodies = [comment["body"] for comment in desk.call("GET", path).expect(200)["raw_ticket"]["comments"]]
    assert {"It was the cat", "No, it was not"} <= set(bodies)


def test_errors_have_the_same_form_as_on_a_laptop(desk):
    code, message = desk.call("POST", "/tickets", {"payload": {}}).error(400)
    assert code == "INPUT_VALIDATION_FAILED"
    assert "short_description" in message

    code, _ = desk.call("GET", "/tickets/00000000-0000-0000-0000-000000000000").error(404)
    assert code == "NOT_FOUND"


def test_every_call_is_counted_in_the_metrics(desk):
    desk.call("GET", desk.ticket).expect(200)
    line = desk.stack.await_log("query-ticket-by-id", '"ActionLatency"')
    assert '"Namespace":"TicketGateway/ticket-gateway-test"' in line
    assert '"UpstreamLatency"' in line


def test_the_api_describes_itself_to_everybody(stack):
    document = stack.call("GET", "/v1/openapi.json").expect(200)
    assert document["openapi"].startswith("3.1")
    stack.call("GET", "/v1/healthz").expect(200)
