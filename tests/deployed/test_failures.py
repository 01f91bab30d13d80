"""What is missing in the account: a clear word for the operator, a safe one for the caller."""

import json

import pytest
from test_permissions import assert_safe, create, query, request_id


@pytest.mark.parametrize(
    ("table", "function", "call"),
    [("IntegrationsTable", "query-ticket-by-id", query), ("StateTable", "create-ticket", create)],
)
def test_a_table_that_does_not_exist(stack, install, table, function, call):
    desk = install(f"without-{table.lower()}")
    # So that the authorizer knows the key; keys are in one of the tables.
    desk.call("POST", f"{desk.ticket}/comments", {"comment": "Still here"}).expect(201)
    with stack.without_table(table):
        answer = call(desk)
    assert_safe(answer)
    # The line names the table.
    stack.await_log(function, rf'"level":"ERROR".*{request_id(answer)}.*`{stack.outputs[table]}`')


def test_a_secret_that_does_not_exist(stack, install):
    desk = install("no-secret")
    secret = f"{stack.outputs['SecretPrefix']}{desk.name}"
    stack.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    assert_safe(query(desk), (500, 502, 503))
    # The line says which secret, and how to set it.
    assert "ticket-gateway secret set" in stack.await_log("query-ticket-by-id", f'"level":"ERROR".*{secret}')


@pytest.mark.parametrize("text", ["plain-text-key", '["a list"]', '{"api_key": 7}'], ids=["text", "list", "number"])
def test_a_secret_that_is_not_a_json_object_of_texts(stack, install, request, text):
    desk = install(f"bad-secret-{request.node.callspec.id}")
    secret = f"{stack.outputs['SecretPrefix']}{desk.name}"
    stack.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=text)
    answer = query(desk)
    assert_safe(answer, (500, 502, 503))
    line = stack.await_log("query-ticket-by-id", f'"level":"ERROR".*{secret}')
    assert "plain-text-key" not in line + json.dumps(answer.body), "the secret's text is not repeated"


def test_an_integration_that_was_never_pushed(stack, install):
    desk = install("known")
    answer = stack.call("GET", "/v1/unknown/tickets/1", key=desk.key)
    assert answer.status == 403, "its callers cannot tell it from one that is not theirs"
