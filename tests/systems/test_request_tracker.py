"""The connector to Request Tracker, through the gateway, against a real one."""

import base64
import sqlite3
import time

import pytest
from gateway import CAROL
from proxies import LossyProxy, RivalProxy


def serving(serve, system, **settings):
    given = {"base_url": system.url, "api_user": "gateway", "queue": "Support", **settings}
    return serve("request-tracker", {"token": system.token}, **given)


@pytest.fixture(scope="module")
def desk(serve, request_tracker):
    return serving(serve, request_tracker, marker_field="Marker", resolution_field="Site")


def test_a_new_ticket_has_everything_that_was_asked_for(desk):
    ticket = desk.create(
        "Keys <b>stuck</b>",
        description='Since Monday.\nIt\'s "odd" & <b>sad</b>',
        priority="high",
        assignee="bob@example.test",
        custom_data={"Site": "Berlin", "Systems": ["VPN", "Mail"]},
    )
    assert ticket["state"] == "new"
    assert ticket["internal_state_code"] == "NEW"
    assert ticket["requested_for"] == "carol@example.test"
    assert ticket["assigned_to_user"] == "bob@example.test"
    assert ticket["priority"] == "100"
    assert ticket["assignment_group"] == "Support"
    assert ticket["custom_data"]["Site"] == "Berlin"
    assert sorted(ticket["custom_data"]["Systems"]) == ["Mail", "VPN"]
    assert "resolved_at" not in ticket, "1970 means never"
    assert desk.read(ticket["id"])["description"] == 'Since Monday.\nIt\'s "odd" & <b>sad</b>'


def test_a_requester_that_nobody_knew_becomes_a_user(desk):
    address = "someone.new@example.test"
    body = {"payload": {"short_description": "First day", "requested_for": {"email": address}}}
    ticket = desk.call("POST", "/tickets", body).expect(201)["raw_ticket"]
    assert ticket["requested_for"] == address
    assert desk.of(address) == [ticket["id"]]


def test_a_ticket_is_put_together_from_its_messages_and_files(desk):
    path = f"/tickets/{desk.create('Assembled', description='The first message')['id']}"
    public = desk.call("POST", f"{path}/comments", {"comment": "Für alle"}).expect(201)["comment"]
    internal = desk.call("POST", f"{path}/internal-comments", {"comment": "For us"}).expect(201)["comment"]
    assert (public["is_public"], internal["is_public"]) == (True, False)
    assert public["author"] == "gateway@example.test"
    file = {"file_name": "a.png", "content_type": "image/png", "content": base64.b64encode(b"\x89PNG\0\xff").decode()}
    attachment = desk.call("POST", f"{path}/attachments", {**file, "comment": "As seen"}).expect(201)["attachment"]
    assert attachment["size"] == 6

    ticket = desk.call("GET", path).expect(200)["raw_ticket"]
    assert ticket["description"] == "The first message"
    said = [(comment["body"], comment["is_public"]) for comment in ticket["comments"]]
    # Mail that RT sent and changes of the state stand in the same history and are none.
    assert said == [("Für alle", True), ("For us", False), ("As seen", False)]
    assert [comment["id"] for comment in ticket["comments"]][:2] == [public["id"], internal["id"]]
    assert [file["file_name"] for file in ticket["attachments"]] == ["a.png"]


def test_html_of_another_client_is_read_as_text(desk, request_tracker):
    ticket = desk.create("With markup")
    html = {"Content": "<p>Try <b>this</b></p>", "ContentType": "text/html"}
    request_tracker.api("POST", f"/ticket/{ticket['id']}/comment", html)
    assert desk.read(ticket["id"])["comments"][0]["body"] == "Try this"


def test_more_messages_than_one_page_has(desk, request_tracker):
    ticket = desk.create("Long talk")
    with sqlite3.connect(request_tracker.folder / request_tracker.database, timeout=20) as database:
        # As RT keeps them, only quicker: 120 comments of a message each.
        for number in range(120):
            row = database.execute(
                "INSERT INTO Transactions (ObjectType, ObjectId, Type, Creator, Created) VALUES "
                "('RT::Ticket', ?, 'Comment', 1, '2026-01-01 00:00:00')",
                (ticket["id"],),
            )
            database.execute(
                "INSERT INTO Attachments (TransactionId, Parent, ContentType, Content, Headers, Creator, Created) "
                "VALUES (?, 0, 'text/plain', ?, 'Content-Type: text/plain; charset=utf-8', 1, '2026-01-01 00:00:00')",
                (row.lastrowid, f"number {number}"),
            )
    comments = desk.read(ticket["id"])["comments"]
    assert {comment["body"] for comment in comments} == {f"number {number}" for number in range(120)}


@pytest.mark.parametrize("name", ["übersicht ß.pdf", "costs €.pdf", "100%_done.pdf", 'a "b"; c.pdf'])
def test_a_file_keeps_its_name(desk, name):
    ticket = desk.create("Files")
    file = {"file_name": name, "content_type": "application/pdf", "content": base64.b64encode(b"x").decode()}
    attachment = desk.call("POST", f"/tickets/{ticket['id']}/attachments", file).expect(201)["attachment"]
    assert attachment["file_name"] == name


def test_a_file_that_request_tracker_cuts_is_an_error(desk):
    ticket = desk.create("Too large")
    file = {"file_name": "core", "content": base64.b64encode(bytes(2_500_000)).decode()}
    message = desk.call("POST", f"/tickets/{ticket['id']}/attachments", file).error(502, "EXTERNAL_REST_ERROR")
    assert "only a part of the file" in message


@pytest.mark.parametrize(
    "address",
    ["o'hara@example.test", "back\\slash@example.test", "back\\'both@example.test"],
)
def test_a_requester_is_found_whatever_their_address_holds(desk, request_tracker, address):
    request_tracker.api("POST", "/ticket", {"Queue": "Support", "Subject": "Quotes", "Requestor": [address]})
    found = desk.of(address)
    if "\\" not in address:
        # RT itself refuses the others as addresses.
        assert len(found) == 1


@pytest.mark.parametrize(
    "value", ["x' OR id > 0 OR Subject = '", "x\\' OR id > 0 OR Subject = \\'", "'", "\\", "%", "*"]
)
def test_nobody_gets_out_of_a_query(desk, value):
    desk.create("Not to be seen")
    assert desk.of(value) == []


def test_a_requester_is_found_by_login_and_in_any_case(desk):
    ticket = desk.create("By login")
    assert ticket["id"] in desk.of("carol")
    assert ticket["id"] in desk.of("CAROL@example.test")


def test_closed_tickets_are_found_as_well(desk):
    ticket = desk.create("Soon done")
    desk.call("POST", f"/tickets/{ticket['id']}/resolve", {}).expect(200)
    assert ticket["id"] in desk.of("carol@example.test")


def test_a_window_has_what_changed_in_it_and_nothing_else(desk):
    time.sleep(1.1)
    first = desk.create("In the window")
    time.sleep(1.1)
    second = desk.create("After the window")
    assert desk.changed(first["updated_at"], first["updated_at"]) == [first["id"]]
    assert second["id"] in desk.changed(first["updated_at"])


def test_all_pages_of_a_window(serve, request_tracker):
    desk = serving(serve, request_tracker, page_size=2)
    made = [desk.create(f"Page {number}") for number in range(5)]
    found = desk.changed(made[0]["updated_at"])
    assert set(found) >= {ticket["id"] for ticket in made}
    assert len(found) == len(set(found))


@pytest.fixture(scope="module")
def desk_in_new_york(serve, request_tracker_in_new_york):
    """RT reads a query's times in the zone of the API's user."""
    return serving(serve, request_tracker_in_new_york)


def test_a_window_is_where_it_was_asked_for_in_any_zone(desk_in_new_york):
    ticket = desk_in_new_york.create("Five hours apart")
    assert desk_in_new_york.changed(ticket["updated_at"], ticket["updated_at"]) == [ticket["id"]]
    assert desk_in_new_york.changed("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z") == []


@pytest.mark.parametrize("night", ["2025-11-02", "2025-03-09"], ids=["an hour twice", "an hour left out"])
def test_nothing_is_lost_in_the_night_when_the_clock_changes(desk_in_new_york, request_tracker_in_new_york, night):
    ticket = desk_in_new_york.create("Night shift")
    for hour in range(3, 14):
        with sqlite3.connect(request_tracker_in_new_york.folder / "database.sqlite3", timeout=20) as database:
            moment = f"{night} {hour:02}:30:00"
            database.execute("UPDATE Tickets SET LastUpdated = ? WHERE id = ?", (moment, ticket["id"]))
        instant = f"{night}T{hour:02}:30:00Z"
        assert desk_in_new_york.changed(instant, instant) == [ticket["id"]], instant


def test_a_wrong_api_user_is_told_and_no_window_is_read_in_the_wrong_zone(serve, request_tracker):
    desk = serving(serve, request_tracker, api_user="nobody-of-this-name")
    window = {"updated_start_ts": "2026-01-01T00:00:00Z", "updated_end_ts": "2026-01-02T00:00:00Z"}
    message = desk.call("GET", "/tickets", **window).error(502, "EXTERNAL_REST_ERROR")
    assert "api_user" in message


def test_fields_are_changed(desk):
    ticket = desk.create("Before", custom_data={"Site": "Berlin", "Systems": ["VPN", "Mail"]})
    payload = {
        "short_description": "After",
        "priority": 12,
        "requested_for": "dave@example.test",
        "custom_data": {"Site": None, "Systems": ["Mail", "Disk"]},
    }
    changed = desk.call("PATCH", f"/tickets/{ticket['id']}", {"payload": payload}).expect(200)["raw_ticket"]
    assert changed["short_description"] == "After"
    assert changed["priority"] == "12"
    assert changed["requested_for"] == "dave@example.test"
    assert not changed["custom_data"]["Site"]
    assert sorted(changed["custom_data"]["Systems"]) == ["Disk", "Mail"]


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"custom_data": {"Nope": "x"}}, "custom fields of this ticket"),
        ({"colour": "red"}, "can change"),
        ({"priority": "rather"}, "priority"),
        ({"requested_for": "not an address"}, "e-mail address"),
    ],
)
def test_what_request_tracker_would_pass_over_is_refused(desk, payload, said):
    ticket = desk.create("Unchanged")
    message = desk.call("PATCH", f"/tickets/{ticket['id']}", {"payload": payload}).error(400, "INPUT_VALIDATION_FAILED")
    assert said in message
    assert "Nothing was changed" in message


def test_a_description_cannot_be_changed(desk):
    ticket = desk.create("As it was said")
    body = {"payload": {"description": "Otherwise"}}
    desk.call("PATCH", f"/tickets/{ticket['id']}", body).error(422, "ACTION_NOT_SUPPORTED")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"assignee": "who@example.test"}, "nobody of that e-mail address"),
        ({"assignee": "whoever"}, "nobody of that e-mail address"),
        ({"custom_data": {"Nope": "x"}}, "custom fields of this queue"),
        ({"requested_for": "not an address"}, "e-mail address"),
        ({"colour": "red"}, "payload.colour"),
    ],
)
def test_a_ticket_that_request_tracker_would_make_without_it_is_not_made(desk, payload, said):
    before = desk.of("carol@example.test")
    body = {"payload": {"short_description": "Never made", **payload}, "requestor_info": CAROL}
    message = desk.call("POST", "/tickets", body).error(400, "INPUT_VALIDATION_FAILED")
    assert said in message
    assert desk.of("carol@example.test") == before


def test_states_change_there_and_back(desk):
    path = f"/tickets/{desk.create('States')['id']}"
    for code, state in [("WAITING_FOR_USER", "stalled"), ("WIP", "open"), ("RESOLVED", "resolved"), ("NEW", "new")]:
        ticket = desk.call("PUT", f"{path}/state", {"state": code}).expect(200)["raw_ticket"]
        assert (ticket["state"], ticket["internal_state_code"]) == (state, code)
    # A state that it has already: RT answers [] and nothing is sent.
    desk.call("PUT", f"{path}/state", {"state": "NEW"}).expect(200)


def test_a_state_that_request_tracker_has_not_is_refused(desk):
    path = f"/tickets/{desk.create('Never closed')['id']}"
    desk.call("PUT", f"{path}/state", {"state": "CLOSED"}).error(422, "ACTION_NOT_SUPPORTED")
    desk.call("PUT", f"{path}/state", {"state": "bogus"}).error(400, "INPUT_VALIDATION_FAILED")


def test_a_refused_change_of_the_state_that_answers_200_is_an_error(desk, request_tracker):
    # The queue has a lifecycle of its own, without "stalled".
    made = request_tracker.api("POST", "/ticket", {"Queue": "Deliveries", "Subject": "Stays"})
    message = desk.call("PUT", f"/tickets/{made['id']}/state", {"state": "stalled"}).error(409, "CONFLICT")
    assert "isn't a valid status" in message
    assert desk.read(made["id"])["state"] == "new"


def test_resolve_and_reopen_with_a_comment(desk):
    path = f"/tickets/{desk.create('To and fro')['id']}"
    body = {"comment": "Plugged in", "resolution": "Lisbon"}
    resolved = desk.call("POST", f"{path}/resolve", body).expect(200)["raw_ticket"]
    assert resolved["internal_state_code"] == "RESOLVED"
    assert resolved["resolved_at"]
    assert resolved["custom_data"]["Site"] == "Lisbon"
    # The reply itself would have opened it again.
    reopened = desk.call("POST", f"{path}/reopen", {"comment": "Out again"}).expect(200)["raw_ticket"]
    assert reopened["internal_state_code"] == "NEW"
    assert "resolved_at" not in reopened
    said = [
        (comment["body"], comment["is_public"]) for comment in desk.call("GET", path).body["raw_ticket"]["comments"]
    ]
    assert said == [("Plugged in", True), ("Out again", True)]


def test_without_a_field_for_it_a_resolution_is_refused(serve, request_tracker):
    desk = serving(serve, request_tracker)
    path = f"/tickets/{desk.create('No field')['id']}"
    desk.call("POST", f"{path}/resolve", {"resolution": "fixed"}).error(400, "INPUT_VALIDATION_FAILED")
    assert desk.call("GET", path).body["raw_ticket"]["state"] == "new"


@pytest.mark.parametrize(
    "assignee", ["alice@example.test", "alice", "Alice Agent", {"email": "alice@example.test"}, {"name": "Alice Agent"}]
)
def test_a_person_is_assigned_by_address_login_or_name(desk, assignee):
    path = f"/tickets/{desk.create('Whose')['id']}/assignment"
    assert desk.call("PUT", path, {"assignee": assignee}).expect(200)["raw_ticket"]["assigned_to_user"] == (
        "alice@example.test"
    )


def test_a_queue_is_the_group(desk):
    path = f"/tickets/{desk.create('Elsewhere')['id']}/assignment"
    moved = desk.call("PUT", path, {"assignment_group": "Carol's Desk", "assignee": "alice"}).expect(200)["raw_ticket"]
    assert (moved["assignment_group"], moved["assigned_to_user"]) == ("Carol's Desk", "alice@example.test")
    message = desk.call("PUT", path, {"assignment_group": "Nowhere"}).error(400, "INPUT_VALIDATION_FAILED")
    assert "no queue" in message


@pytest.mark.parametrize("assignee", ["who@example.test", "whoever"])
def test_an_assignee_that_nobody_knows_is_refused_and_the_owner_stays(desk, assignee):
    ticket = desk.create("Bob's", assignee="bob")
    path = f"/tickets/{ticket['id']}"
    desk.call("PUT", f"{path}/assignment", {"assignee": assignee}).error(400, "INPUT_VALIDATION_FAILED")
    assert desk.read(ticket["id"])["assigned_to_user"] == "bob@example.test"


def test_an_owner_without_the_right_is_an_error_although_it_answers_200(desk):
    path = f"/tickets/{desk.create('Not for customers')['id']}/assignment"
    message = desk.call("PUT", path, {"assignee": "carol"}).error(409, "CONFLICT")
    assert "may not own tickets" in message


def test_a_merged_ticket_leads_to_the_one_it_became(desk, request_tracker):
    kept, merged = desk.create("Kept"), desk.create("Merged", description="From the other one")
    desk.call("POST", f"/tickets/{merged['id']}/comments", {"comment": "Said there"}).expect(201)
    request_tracker.api("PUT", f"/ticket/{merged['id']}", {"MergeInto": int(kept["id"])})
    ticket = desk.read(merged["id"])
    assert ticket["id"] == kept["id"]
    assert "Said there" in [comment["body"] for comment in ticket["comments"]]


def test_a_ticket_that_is_not_there(desk):
    for ticket_id in ("999999", "abc", "1%20OR%20id%20%3E%200"):
        desk.call("GET", f"/tickets/{ticket_id}").error(404, "NOT_FOUND")
    for path, body in [("comments", {"comment": "x"}), ("internal-comments", {"comment": "x"}), ("resolve", {})]:
        desk.call("POST", f"/tickets/999999/{path}", body).error(404, "NOT_FOUND")
    desk.call("PUT", "/tickets/999999/state", {"state": "WIP"}).error(404, "NOT_FOUND")


def test_a_wrong_token_is_the_operators_error(serve, request_tracker):
    settings = {"base_url": request_tracker.url, "api_user": "gateway", "queue": "Support"}
    desk = serve("request-tracker", {"token": "1-1-0123456789abcdef0123456789abcdef"}, **settings)
    desk.call("GET", "/tickets/1").error(502, "EXTERNAL_REST_ERROR")


def test_a_lost_answer_does_not_make_a_second_ticket(serve, request_tracker):
    proxy = LossyProxy(request_tracker.url, "/REST/2.0/ticket")
    try:
        desk = serving(serve, request_tracker, base_url=proxy.url, marker_field="Marker")
        ticket = desk.create("Made once")
        assert proxy.lost == 1
        assert (
            len([id for id in desk.of("carol@example.test") if desk.read(id)["short_description"] == "Made once"]) == 1
        )
        assert ticket["short_description"] == "Made once"
    finally:
        proxy.stop()


@pytest.fixture
def contested(serve, request_tracker):
    """Sets the state of a new ticket to open while somebody else changes it `times` times, right before the gateway."""
    proxies = []

    def contested(change, times):
        desk = serving(serve, request_tracker)
        ticket_id = desk.create("Two at once")["id"]

        def rival(turn):
            request_tracker.api("PUT", f"/ticket/{ticket_id}", change(turn))

        proxies.append(RivalProxy(request_tracker.url, rival, times))
        rivalled = serving(serve, request_tracker, base_url=proxies[-1].url)
        answer = rivalled.call("PUT", f"/tickets/{ticket_id}/state", {"state": "open"})
        return answer, desk.read(ticket_id), proxies[-1]

    yield contested
    for proxy in proxies:
        proxy.stop()


def test_a_ticket_that_somebody_else_changed_meanwhile_is_read_again(contested):
    answer, ticket, proxy = contested(lambda turn: {"Priority": turn}, times=1)
    answer.expect(200)
    assert proxy.changes == [412, 200]
    assert (ticket["state"], ticket["priority"]) == ("open", "1")


def test_what_somebody_else_did_meanwhile_is_not_done_twice(contested):
    answer, ticket, proxy = contested(lambda _: {"Status": "open"}, times=1)
    answer.expect(200)
    assert proxy.changes == [412]
    assert ticket["state"] == "open"


def test_a_ticket_that_never_holds_still_is_a_conflict(contested):
    answer, ticket, proxy = contested(lambda turn: {"Priority": turn}, times=10)
    message = answer.error(409, "CONFLICT")
    assert "Nothing was changed" in message
    assert proxy.changes == [412, 412, 412]
    assert ticket["state"] == "new"
