"""`Idempotency-Key` through API Gateway, where twins run in different processes."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from stack import REQUESTOR, Installation


@pytest.fixture(scope="module")
def desk(install) -> Installation:
    return install("careful")


def create(desk: Installation, title: str, key: str):
    body = {"payload": {"short_description": title}, "requestor_info": REQUESTOR}
    return desk.call("POST", "/tickets", body, headers={"Idempotency-Key": key})


def test_fifty_concurrent_creates_with_one_key_make_one_ticket(desk):
    key = str(uuid.uuid4())
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: create(desk, "Made once", key), range(50)))
    tickets = [answer.expect(201)["raw_ticket"] for answer in answers]
    assert all(ticket == tickets[0] for ticket in tickets)
    assert len(desk.tickets("Made once")) == 1


def test_the_same_key_later_gives_the_first_answer(desk):
    key = str(uuid.uuid4())
    first = create(desk, "Asked twice", key).expect(201)
    again = create(desk, "Asked twice", key).expect(201)
    assert again["raw_ticket"] == first["raw_ticket"]
    assert len(desk.tickets("Asked twice")) == 1


def test_the_same_key_with_another_body_is_a_conflict(desk):
    key = str(uuid.uuid4())
    create(desk, "One thing", key).expect(201)
    code, _ = create(desk, "Another thing", key).error(409)
    assert code == "CONFLICT"
    assert desk.tickets("Another thing") == []
