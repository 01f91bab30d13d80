"""Starts the AWS-compatible server (ministack) with the rules of AWS that it lacks and the template relies on.

`python server.py`, with ministack's own environment variables. The version is pinned in tests/tools, so that what is
replaced here is known to be there. The README beside this file lists what else the server does not do.
"""

import json
import re
from collections.abc import Iterator

from ministack import app
from ministack.core import iam_actions
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.services import apigateway_v1, lambda_svc


def leading_keys(request: object) -> Iterator[str]:
    """The partition keys that a DynamoDB request names; the partition key of both tables is `pk`."""
    if not isinstance(request, dict):
        return
    for member in ("Key", "Item"):
        if isinstance(request.get(member), dict) and "pk" in request[member]:
            yield request[member]["pk"]["S"]
    names = request.get("ExpressionAttributeNames", {})
    values = request.get("ExpressionAttributeValues", {})
    for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", request.get("KeyConditionExpression", "")):
        if names.get(name, name) == "pk":
            yield values[value]["S"]
    for item in request.get("TransactItems", []):
        for operation in item.values():
            yield from leading_keys(operation)
    for table in request.get("RequestItems", {}).values():
        # BatchGetItem has keys, BatchWriteItem a list of requests.
        operations = (
            [{"Key": key} for key in table["Keys"]]
            if "Keys" in table
            else [operation for each in table for operation in each.values()]
        )
        for operation in operations:
            yield from leading_keys(operation)


def with_leading_keys(original):
    """Adds `dynamodb:LeadingKeys` to what a policy's condition can see of a request."""

    def context(body: bytes) -> dict:
        found = original(body)
        keys = list(leading_keys(json.loads(body or b"{}")))
        if keys:
            # The server looks condition keys up in lower case.
            found["dynamodb:LeadingKeys"] = keys
        return found

    return context


# What a caller sent (x-api-key or Authorization) -> the usage-plan key that the authorizer named for it.
USAGE_KEYS: dict[str, str] = {}


def sent(headers: dict) -> str:
    lower = {name.lower(): value for name, value in headers.items()}
    return lower.get("x-api-key") or lower.get("authorization") or ""


def remembering_usage_keys(original):
    """`ApiKeySourceType: AUTHORIZER`, first half: notes the `usageIdentifierKey` of the authorizer's answer."""

    async def invoke(authorizer, event, account, region):
        result = await original(authorizer, event, account, region)
        answer = (result or {}).get("body")
        if isinstance(answer, str | bytes):
            answer = json.loads(answer)
        if isinstance(answer, dict) and answer.get("usageIdentifierKey"):
            USAGE_KEYS[sent(event["headers"])] = answer["usageIdentifierKey"]
        return result

    return invoke


def with_resource_policy(original):
    """Table A of "API Gateway authorization flow": the authorizer's or the API's own policy may allow alone."""

    def evaluate(policy: dict, arn: str) -> str:
        own, _ = apigateway_v1.rest_api_policy_for_arn(arn)
        call = EvalContext("*", "Anonymous", "", "execute-api:Invoke", arn, arn.split(":")[3])
        said = {original(policy, arn), evaluate_resource_policy(own, call).decision}
        return "Deny" if "Deny" in said else "Allow" if "Allow" in said else "NoMatch"

    return evaluate


def with_single_actions(original):
    """SQS's batch calls have no permission of their own: `sqs:SendMessage` is that of `SendMessageBatch` too."""

    def action(*request, **more) -> str | None:
        found = original(*request, **more)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    return action


def with_a_number(original):
    """A template's parameter arrives as a text, which the server compares with a count."""

    def limit(mapping: dict, *rest) -> int:
        scaling = {name: int(value) for name, value in (mapping.get("ScalingConfig") or {}).items()}
        return original({**mapping, "ScalingConfig": scaling}, *rest)

    return limit


def main() -> None:
    apigateway_v1._evaluate_policy = with_resource_policy(apigateway_v1._evaluate_policy)
    iam_actions.dynamodb_service_context = with_leading_keys(iam_actions.dynamodb_service_context)
    apigateway_v1._invoke_authorizer_lambda = remembering_usage_keys(apigateway_v1._invoke_authorizer_lambda)
    iam_actions.extract_iam_action = with_single_actions(iam_actions.extract_iam_action)
    lambda_svc._sqs_esm_concurrency = with_a_number(lambda_svc._sqs_esm_concurrency)
    # Second half: that key and not the header's text is what is looked up in the usage plans.
    apigateway_v1._api_key_from_request = lambda headers: USAGE_KEYS.get(sent(headers))
    app.main()


if __name__ == "__main__":
    main()
