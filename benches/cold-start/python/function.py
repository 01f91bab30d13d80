"""The start-up of an action's function in Python: the active integrations and their secrets, then ready."""

import gzip
import http.client
import json
import os

import boto3

TABLE = os.environ["TICKET_GATEWAY_INTEGRATIONS_TABLE"]
PREFIX = os.environ["TICKET_GATEWAY_SECRET_PREFIX"]

dynamodb = boto3.client("dynamodb")
secrets = boto3.client("secretsmanager")


def items(pk):
    answer = dynamodb.query(
        TableName=TABLE,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
    )
    return answer["Items"]


def load():
    integrations = {}
    for pointer in items("ACTIVE"):
        name, version = pointer["sk"]["S"], int(pointer["version"]["N"])
        chunks = items(f"INTEGRATION#{name}#{version:012}")
        content = json.loads(gzip.decompress(b"".join(chunk["data"]["B"] for chunk in chunks)))
        secret = json.loads(secrets.get_secret_value(SecretId=PREFIX + name)["SecretString"])
        integrations[name] = (content, secret)
    return integrations


def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(sorted(INTEGRATIONS))}


INTEGRATIONS = load()

# Less than AWS's runtime client does, in Python's favour.
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    request_id = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    result = handler(json.loads(answer.read()), None)
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", json.dumps(result))
    api.getresponse().read()
