"""The connector to Redmine, through the gateway, against a real one."""

import base64
import time

import pytest
from gateway import CAROL
from proxies import LossyProxy


def serving(serve, system, person="gateway", **settings):
    fields = system.seeded["fields"]
    given = {"base_url": system.url, "project": "helpdesk", "requester_field": fields["Requester email"], **settings}
    return serve("redmine", {"api_key": system.key(person)}, **given)


@pytest.fixture(scope="module")
def desk(serve, redmine):
    """With an administrator's key."""
    fields = redmine.seeded["fields"]
    return serving(
        serve, redmine, tracker="Support", marker_field=fields["Marker"], resolution_field=fields["Resolution"]
    )


@pytest.fixture(scope="module")
def alices(serve, redmine):
    """With the key of a manager who is no administrator."""
    return serving(serve, redmine, "alice")


@pytest.fixture(scope="module")
def bobs(serve, redmine):
    """With the key of a developer, who may not reopen a closed ticket."""
    return serving(serve, redmine, "bob")


@pytest.fixture(scope="module")
def by_author(serve, redmine):
    return serving(serve, redmine, requester="author")


def test_a_new_ticket_has_everything_that_was_asked_for(desk):
    ticket = desk.create(
        "Keys <b>stuck</b>",
        description='Since Monday.\nIt\'s "odd" & <b>sad</b>',
        priority="critical",
        assignee="bob@example.test",
        custom_data={"Site": "Berlin"},
    )
    assert ticket["state"] == "New"
    assert ticket["internal_state_code"] == "NEW"
    assert ticket["type"] == "Support"
    assert ticket["description"] == 'Since Monday.\nIt\'s "odd" & <b>sad</b>'
    assert ticket["requested_for"] == "carol@example.test"
    assert ticket["assigned_to_user"] == "Bob Agent"
    assert ticket["priority"] == "Immediate"
    assert ticket["custom_data"]["Site"] == "Berlin"


def test_comments_and_files(desk):
    path = f"/tickets/{desk.create('Assembled')['id']}"
    public = desk.call("POST", f"{path}/comments", {"comment": "Für alle\nzwei Zeilen"}).expect(201)["comment"]
    internal = desk.call("POST", f"{path}/internal-comments", {"comment": "For us"}).expect(201)["comment"]
    assert (public["is_public"], internal["is_public"]) == (True, False)
    file = {"file_name": "übersicht €.png", "content_type": "image/png", "comment": "As seen"}
    file["content"] = base64.b64encode(b"\x89PNG\0\xff").decode()
    attachment = desk.call("POST", f"{path}/attachments", file).expect(201)["attachment"]
    assert (attachment["file_name"], attachment["size"]) == ("übersicht €.png", 6)

    ticket = desk.call("GET", path).expect(200)["raw_ticket"]
    said = [(comment["id"], comment["body"], comment["is_public"]) for comment in ticket["comments"]]
    assert said[:2] == [(public["id"], "Für alle\nzwei Zeilen", True), (internal["id"], "For us", False)]
    assert said[2][1:] == ("As seen", True)
    assert [file["id"] for file in ticket["attachments"]] == [attachment["id"]]


def test_the_same_comment_twice_is_two_comments(desk):
    path = f"/tickets/{desk.create('Twice')['id']}/comments"
    ids = {desk.call("POST", path, {"comment": "Any news?"}).expect(201)["comment"]["id"] for _ in range(2)}
    assert len(ids) == 2


def test_a_file_over_the_limit_is_refused_in_redmines_words(desk):
    path = f"/tickets/{desk.create('Too large')['id']}/attachments"
    file = {"file_name": "core", "content": base64.b64encode(bytes(2_200_000)).decode()}
    assert "maximum allowed file size" in desk.call("POST", path, file).error(400, "INPUT_VALIDATION_FAILED")


def test_an_internal_comment_never_becomes_a_public_one(serve, redmine, desk):
    ticket = desk.create("Hush")
    # A reporter may write notes but not private ones; Redmine would take it and show it to everybody.
    carols = serving(serve, redmine, "carol")
    path = f"/tickets/{ticket['id']}"
    message = carols.call("POST", f"{path}/internal-comments", {"comment": "Secret"}).error(403, "PERMISSION_DENIED")
    assert "Nothing was changed" in message
    assert desk.read(ticket["id"])["comments"] == []
    carols.call("POST", f"{path}/comments", {"comment": "Not secret"}).expect(201)


def test_who_is_no_administrator_may_add_an_internal_comment_if_the_role_does(bobs, desk):
    ticket = desk.create("Hush, too")
    body = {"comment": "Between us"}
    comment = bobs.call("POST", f"/tickets/{ticket['id']}/internal-comments", body).expect(201)["comment"]
    assert comment["is_public"] is False


def test_closed_tickets_are_found_as_well(desk):
    ticket = desk.create("Soon closed")
    desk.call("PUT", f"/tickets/{ticket['id']}/state", {"state": "CLOSED"}).expect(200)
    assert ticket["id"] in desk.of("carol@example.test")
    assert ticket["id"] in desk.changed(ticket["updated_at"])


@pytest.mark.parametrize("value", ["!x", "*", "!*", "~carol", "carol@example.test|x", "=carol@example.test", "><1|2"])
def test_nobody_gets_another_operator_into_a_filter(desk, value):
    desk.create("Not to be seen")
    assert desk.of(value) == []


def test_a_requester_with_odd_letters_is_found(desk):
    address = "o'hara+x&y=z%41@example.test"
    body = {"payload": {"short_description": "Odd", "requested_for": address}}
    ticket = desk.call("POST", "/tickets", body).expect(201)["raw_ticket"]
    assert desk.of(address) == [ticket["id"]]


def test_a_filter_that_redmine_ignores_is_an_error_and_not_every_ticket(serve, redmine, desk):
    desk.create("Somebody's")
    wrong = serving(serve, redmine, requester_field=99)
    path = "/requestors/carol@example.test/tickets"
    assert "used as a filter" in wrong.call("GET", path).error(502, "EXTERNAL_REST_ERROR")


def test_the_requester_as_the_author(by_author):
    ticket = by_author.create("By herself")
    assert ticket["created_by"] == "Carol Customer"
    assert ticket["id"] in by_author.of("carol@example.test")
    assert by_author.of("who@example.test") == []
    body = {"payload": {"short_description": "Whose?", "requested_for": "who@example.test"}}
    by_author.call("POST", "/tickets", body).error(400, "INPUT_VALIDATION_FAILED")


def test_a_window_has_what_changed_in_it_and_nothing_else(desk):
    time.sleep(1.1)
    first = desk.create("In the window")
    time.sleep(1.1)
    second = desk.create("After the window")
    assert desk.changed(first["updated_at"], first["updated_at"]) == [first["id"]]
    assert second["id"] in desk.changed(first["updated_at"])
    # A fraction of a second, which Redmine itself answers 422.
    assert first["id"] in desk.changed(first["updated_at"], f"{first['updated_at'][:19]}.900000Z")


def test_all_pages_of_a_window(serve, redmine):
    desk = serving(serve, redmine, page_size=2)
    made = [desk.create(f"Page {number}") for number in range(5)]
    found = desk.changed(made[0]["updated_at"])
    assert set(found) >= {ticket["id"] for ticket in made}
    assert len(found) == len(set(found))


def test_fields_are_changed(desk):
    ticket = desk.create("Before", description="Old", custom_data={"Site": "Berlin"})
    payload = {
        "short_description": "After",
        "description": "New\nin two lines",
        "priority": "low",
        "requested_for": {"email": "dave@example.test"},
        "custom_data": {"Site": "Lisbon"},
    }
    changed = desk.call("PATCH", f"/tickets/{ticket['id']}", {"payload": payload}).expect(200)["raw_ticket"]
    assert (changed["short_description"], changed["description"]) == ("After", "New\nin two lines")
    assert (changed["priority"], changed["requested_for"]) == ("Low", "dave@example.test")
    assert changed["custom_data"]["Site"] == "Lisbon"
    emptied = desk.call("PATCH", f"/tickets/{ticket['id']}", {"payload": {"custom_data": {"Site": None}}})
    assert not emptied.expect(200)["raw_ticket"]["custom_data"]["Site"]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"custom_data": {"Nope": "x"}}, "custom fields of this ticket"),
        ({"custom_data": {"99": "x"}}, "custom fields of this ticket"),
        ({"custom_data": {"Site": "Paris"}}, "Site is not included in the list"),
        ({"priority": "rather"}, "expected one of Low"),
        ({"colour": "red"}, "payload.colour"),
    ],
)
def test_what_redmine_would_pass_over_is_refused(desk, payload, said):
    ticket = desk.create("Unchanged")
    message = desk.call("PATCH", f"/tickets/{ticket['id']}", {"payload": payload}).error(400, "INPUT_VALIDATION_FAILED")
    assert said in message


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"assignee": "who@example.test"}, "knows nobody"),
        ({"custom_data": {"Nope": "x"}}, "custom fields of tickets"),
        ({"priority": "rather"}, "expected one of Low"),
        ({"colour": "red"}, "payload.colour"),
    ],
)
def test_a_ticket_that_redmine_would_make_without_it_is_not_made(desk, payload, said):
    before = desk.of("carol@example.test")
    body = {"payload": {"short_description": "Never made", **payload}, "requestor_info": CAROL}
    assert said in desk.call("POST", "/tickets", body).error(400, "INPUT_VALIDATION_FAILED")
    assert desk.of("carol@example.test") == before


def test_a_project_that_is_not_there(serve, redmine):
    desk = serving(serve, redmine, project="nowhere")
    body = {"payload": {"short_description": "Where?"}, "requestor_info": CAROL}
    assert "no project" in desk.call("POST", "/tickets", body).error(400, "INPUT_VALIDATION_FAILED")


def test_states_change_there_and_back(desk):
    path = f"/tickets/{desk.create('States')['id']}/state"
    steps = [("WIP", "In Progress"), ("WAITING_FOR_USER", "Feedback"), ("RESOLVED", "Resolved"), ("CLOSED", "Closed")]
    for code, state in [*steps, ("NEW", "New")]:
        ticket = desk.call("PUT", path, {"state": code}).expect(200)["raw_ticket"]
        assert (ticket["state"], ticket["internal_state_code"]) == (state, code)
        assert ("closed_at" in ticket) == (code == "CLOSED")


def test_resolve_and_reopen_with_a_comment(desk):
    path = f"/tickets/{desk.create('To and fro')['id']}"
    body = {"comment": "Plugged in", "resolution": "Fixed"}
    resolved = desk.call("POST", f"{path}/resolve", body).expect(200)["raw_ticket"]
    assert resolved["internal_state_code"] == "RESOLVED"
    assert resolved["custom_data"]["Resolution"] == "Fixed"
    reopened = desk.call("POST", f"{path}/reopen", {"comment": "Out again"}).expect(200)["raw_ticket"]
    assert reopened["internal_state_code"] == "NEW"
    assert [comment["body"] for comment in reopened["comments"]] == ["Plugged in", "Out again"]


def test_without_a_field_for_it_a_resolution_is_refused(bobs, desk):
    path = f"/tickets/{desk.create('No field')['id']}"
    bobs.call("POST", f"{path}/resolve", {"resolution": "Fixed"}).error(400, "INPUT_VALIDATION_FAILED")
    assert desk.call("GET", path).body["raw_ticket"]["state"] == "New"


def test_a_transition_that_answers_204_and_does_nothing_is_an_error(bobs, desk, redmine):
    ticket = desk.create("Closed for good")
    path = f"/tickets/{ticket['id']}"
    desk.call("PUT", f"{path}/state", {"state": "CLOSED"}).expect(200)
    # What Redmine itself says to it.
    issue = {"issue": {"status_id": redmine.seeded["statuses"]["New"]}}
    assert redmine.api("PUT", f"/issues/{ticket['id']}.json", issue, person="bob") == 204
    message = bobs.call("POST", f"{path}/reopen", {"comment": "Please"}).error(409, "CONFLICT")
    assert "from Closed to New" in message
    assert "Nothing was changed" in message
    read = desk.read(ticket["id"])
    assert read["state"] == "Closed"
    assert read["comments"] == []


@pytest.mark.parametrize(
    "assignee", ["alice@example.test", "alice", "Alice Agent", {"email": "alice@example.test"}, {"name": "Alice Agent"}]
)
def test_a_person_is_assigned_by_address_login_or_name(desk, assignee):
    path = f"/tickets/{desk.create('Whose')['id']}/assignment"
    assert desk.call("PUT", path, {"assignee": assignee}).expect(200)["raw_ticket"]["assigned_to_user"] == "Alice Agent"


def test_a_group_is_assigned(desk):
    path = f"/tickets/{desk.create('The teams')['id']}/assignment"
    assigned = desk.call("PUT", path, {"assignment_group": "Network Team"}).expect(200)["raw_ticket"]
    assert assigned["assigned_to_user"] == "Network Team"
    desk.call("PUT", path, {"assignment_group": "Nobody's"}).error(400, "INPUT_VALIDATION_FAILED")


def test_without_an_administrators_key_people_are_found_by_name(alices):
    path = f"/tickets/{alices.create('By a manager')['id']}/assignment"
    assert (
        alices.call("PUT", path, {"assignee": "Bob Agent"}).expect(200)["raw_ticket"]["assigned_to_user"] == "Bob Agent"
    )
    message = alices.call("PUT", path, {"assignee": "bob@example.test"}).error(400, "INPUT_VALIDATION_FAILED")
    assert "administrators only" in message


def test_a_ticket_that_is_not_there(desk):
    for ticket_id in ("999999", "abc"):
        desk.call("GET", f"/tickets/{ticket_id}").error(404, "NOT_FOUND")
    for path, body in [("comments", {"comment": "x"}), ("internal-comments", {"comment": "x"}), ("resolve", {})]:
        desk.call("POST", f"/tickets/999999/{path}", body).error(404, "NOT_FOUND")
    desk.call("PUT", "/tickets/999999/state", {"state": "WIP"}).error(404, "NOT_FOUND")


def test_a_wrong_key_is_the_operators_error(serve, redmine):
    desk = serving(serve, redmine, "nobody")
    desk.call("GET", "/tickets/1").error(502, "EXTERNAL_REST_ERROR")


def test_a_lost_answer_does_not_make_a_second_ticket(serve, redmine):
    proxy = LossyProxy(redmine.url, "/issues.json")
    try:
        desk = serving(serve, redmine, base_url=proxy.url, marker_field=redmine.seeded["fields"]["Marker"])
        ticket = desk.create("Made once")
        assert proxy.lost == 1
        tickets = [desk.read(ticket_id) for ticket_id in desk.of("carol@example.test")]
        assert [each["id"] for each in tickets if each["short_description"] == "Made once"] == [ticket["id"]]
    finally:
        proxy.stop()
