"""What each function fails without, and what it cannot do at all.

The server checks every request of a function against its role. That all twelve actions work is in test_actions.py; here
each statement of the roles is taken away in turn.
"""

import json
import time

import pytest
from stack import REQUESTOR, Installation

CREATE = {"payload": {"short_description": "A"}, "requestor_info": REQUESTOR}


def query(desk: Installation):
    return desk.call("GET", desk.ticket)


def create(desk: Installation):
    return desk.call("POST", "/tickets", CREATE, headers={"Idempotency-Key": "once"})


def assert_safe(answer, status: tuple[int, ...] = (500, 503)) -> None:
    """The caller learns that it failed, and nothing of how the gateway is built."""
    assert answer.status in status, answer
    told = json.dumps(answer.body)
    for word in ("arn:", "dynamodb", "DynamoDB", "AccessDenied", "Table", "secretsmanager", "role"):
        assert word not in told, told


def request_id(answer) -> str:
    """The id that the caller was told: the operator finds the reason by it."""
    return answer.body["error"]["request_id"]


@pytest.mark.parametrize(
    ("statement", "function", "call"),
    [
        ("ReadIntegrations", "query-ticket-by-id", query),
        ("SpendRateBudget", "query-ticket-by-id", query),
        ("ReadSecrets", "query-ticket-by-id", query),
        ("RecordIdempotentWrites", "create-ticket", create),
    ],
)
def test_without_a_statement_an_action_fails_and_the_log_says_why(stack, install, statement, function, call):
    # A name of its own: nothing of it can be known to a function yet.
    desk = install(f"without-{statement.lower()}")
    with stack.without_statement(statement):
        answer = call(desk)
    assert_safe(answer)
    line = stack.await_log(function, rf'"level":"ERROR".*{request_id(answer)}.*not authorized to perform')
    assert desk.key not in line


def test_without_its_statement_the_authorizer_lets_nobody_in(stack, install):
    desk = install("without-keys")
    with stack.without_statement("ReadCallerKeys"):
        answer = query(desk)
    assert answer.status == 500
    stack.await_log("authorize-caller", "(?i)dynamodb:|permission|denied")


def test_what_was_loaded_is_served_on_while_the_table_does_not_answer(stack, install):
    desk = install("well-known")
    query(desk).expect(200)
    with stack.without_statement("ReadIntegrations"):
        time.sleep(1.2)
        query(desk).expect(200)
