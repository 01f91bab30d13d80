"""Who may call what. The authorizer decides; API Gateway carries it out."""

import json
import time

import pytest
from stack import Installation


@pytest.fixture(scope="module")
def desk(install) -> Installation:
    return install("front-desk")


@pytest.fixture(scope="module")
def other(install) -> Installation:
    return install("back-office")


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "letmein",
        "tgk_front-desk_00000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
    ids=["none", "empty", "malformed", "unknown"],
)
def test_without_a_valid_key_a_call_is_401(desk, key):
    assert desk.call("GET", desk.ticket, key=key).status == 401


def test_a_key_with_another_secret_part_is_401(desk):
    forged = desk.key[:-4] + ("AAAA" if not desk.key.endswith("AAAA") else "BBBB")
    assert desk.call("GET", desk.ticket, key=forged).status == 401


def test_a_key_opens_its_own_integration_only(desk, other):
    for answer in (desk.call("GET", desk.ticket, key=other.key), other.call("GET", desk.ticket, key=desk.key)):
        assert answer.status == 403
        assert "error" not in answer.body, "API Gateway itself refuses; the functions would too"
    other.call("GET", other.ticket).expect(200)


def test_a_function_refuses_what_api_gateway_should_not_have_let_through(desk):
    def invoke(authorizer: dict) -> dict:
        event = {
            "resource": "/{integration}/tickets/{ticket_id}",
            "path": f"/{desk.name}{desk.ticket}",
            "httpMethod": "GET",
            "pathParameters": {"integration": desk.name, "ticket_id": desk.ticket.rsplit("/", 1)[1]},
            "headers": {},
            "multiValueHeaders": {},
            "requestContext": {
                "httpMethod": "GET",
                "resourcePath": "/{integration}/tickets/{ticket_id}",
                "authorizer": authorizer,
            },
        }
        called = desk.stack.client("lambda").invoke(
            FunctionName="ticket-gateway-test-query-ticket-by-id", Payload=json.dumps(event)
        )
        return json.loads(called["Payload"].read())

    assert invoke({"integration": desk.name, "access": "read-only"})["statusCode"] == 200
    assert invoke({"integration": "back-office", "access": "read-write"})["statusCode"] == 403
    assert invoke({})["statusCode"] == 500
    desk.stack.await_log("query-ticket-by-id", '"level":"ERROR".*the API has no authorizer')


def test_a_read_only_key_reads_and_writes_nothing(desk):
    key = desk.new_key("reports", "--read-only")
    desk.call("GET", desk.ticket, key=key).expect(200)
    body = {"payload": {"short_description": "Never made"}}
    assert desk.call("POST", "/tickets", body, key=key).status == 403
    assert desk.call("POST", f"{desk.ticket}/resolve", {}, key=key).status == 403
    assert desk.tickets("Never made") == []


def test_a_key_is_replaced_without_a_gap(desk):
    first = desk.new_key("portal")
    second = desk.stack.command("keys", "rotate", desk.name, "portal").strip()
    for key in (first, second):
        desk.call("GET", desk.ticket, key=key).expect(200)
    desk.stack.command("keys", "revoke", desk.name, first.split("_")[2])
    time.sleep(1.1)  # API Gateway keeps a decision for AuthorizerCacheSeconds=1
    # 403 while the authorizer remembers it: it is in no usage plan any more.
    assert desk.call("GET", desk.ticket, key=first).status in (401, 403)
    desk.call("GET", desk.ticket, key=second).expect(200)


def test_a_key_of_no_usage_plan_is_refused(desk):
    key = desk.new_key("unplanned")
    api = desk.stack.client("apigateway")
    plan = desk.stack.outputs["UsagePlanId"]
    [entry] = [each for each in usage_plan_keys(api, plan) if key.split("_")[2] in each["value"]]
    assert key not in str(entry), "API Gateway must not hold the key itself"
    api.delete_usage_plan_key(usagePlanId=plan, keyId=entry["id"])
    assert desk.call("GET", desk.ticket, key=key).status == 403


def test_a_caller_is_limited_by_the_usage_plan_and_the_others_are_not(desk):
    busy = desk.new_key("busy")
    api = desk.stack.client("apigateway")
    plan = desk.stack.outputs["UsagePlanId"]
    before = api.get_usage_plan(usagePlanId=plan)["throttle"]
    limit(api, plan, rate=0.01, burst=2)
    try:
        statuses = [desk.call("GET", desk.ticket, key=busy).status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        desk.call("GET", desk.ticket, key=desk.new_key("idle")).expect(200)
    finally:
        limit(api, plan, rate=before["rateLimit"], burst=before["burstLimit"])


def limit(api, plan: str, rate: float, burst: int) -> None:
    values = {"/throttle/rateLimit": str(rate), "/throttle/burstLimit": str(burst)}
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    api.update_usage_plan(usagePlanId=plan, patchOperations=operations)


def usage_plan_keys(api, plan: str) -> list[dict]:
    return [
        key for page in api.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan) for key in page["items"]
    ]


def test_a_path_that_the_api_does_not_have_is_no_function(desk):
    # API Gateway's own answer; the template makes a 404 of it, which the emulator does not do.
    assert desk.call("DELETE", desk.ticket).status in (403, 404)
