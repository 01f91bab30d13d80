"""What the template says, read without deploying it."""

import fnmatch
import json
import re
from ipaddress import ip_address, ip_network

import pytest
from cfnlint.decode import cfn_yaml
from programs import ROOT, TOOLS, run

TEMPLATE = cfn_yaml.load(str(ROOT / "template.yaml"))
RESOURCES = TEMPLATE["Resources"]

CALL = "CallTicketingSystemPolicy"
WRITE = "RecordWritePolicy"

# Every function, what its role may do beside writing its own log and traces, and its routes.
FUNCTIONS = {
    "authorize-caller": (["ReadCallerKeysPolicy"], []),
    "describe-api": ([], ["get /openapi.json", "get /healthz"]),
    "read-events": (["ReadEventsPolicy"], ["get /{integration}/events"]),
    "poll-dispatch": (["DispatchPollsPolicy"], []),
    "poll-worker": ([CALL, "PollPolicy"], []),
    "deliver-webhooks": (["DeliverWebhooksPolicy"], []),
    "create-ticket": ([CALL, WRITE], ["post /{integration}/tickets"]),
    "query-ticket-by-id": ([CALL], ["get /{integration}/tickets/{ticket_id}"]),
    "query-tickets-by-requestor": ([CALL], ["get /{integration}/requestors/{requestor_id}/tickets"]),
    "query-tickets-by-time-range": ([CALL], ["get /{integration}/tickets"]),
    "update-ticket-fields": ([CALL, WRITE], ["patch /{integration}/tickets/{ticket_id}"]),
    "update-ticket-state": ([CALL, WRITE], ["put /{integration}/tickets/{ticket_id}/state"]),
    "update-ticket-assignment": ([CALL, WRITE], ["put /{integration}/tickets/{ticket_id}/assignment"]),
    "add-public-comment": ([CALL, WRITE], ["post /{integration}/tickets/{ticket_id}/comments"]),
    "add-internal-comment": ([CALL, WRITE], ["post /{integration}/tickets/{ticket_id}/internal-comments"]),
    "add-attachment": ([CALL, WRITE], ["post /{integration}/tickets/{ticket_id}/attachments"]),
    "resolve-ticket": ([CALL, WRITE], ["post /{integration}/tickets/{ticket_id}/resolve"]),
    "reopen-ticket": ([CALL, WRITE], ["post /{integration}/tickets/{ticket_id}/reopen"]),
}

INTEGRATIONS = {"Fn::GetAtt": ["IntegrationsTable", "Arn"]}
STATE = {"Fn::GetAtt": ["StateTable", "Arn"]}
POLL_QUEUE = {"Fn::GetAtt": ["PollQueue", "Arn"]}
# Of this stack alone, so that a second stack in the account has secrets of its own.
SECRET_PREFIX = {"Fn::If": ["NamesSecrets", {"Ref": "SecretPrefix"}, {"Fn::Sub": "${AWS::StackName}/"}]}


def leading(*keys: str) -> dict:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}


READ_SECRETS = {
    "ReadSecrets": (
        ["secretsmanager:GetSecretValue"],
        {
            "Fn::Sub": [
                "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${Prefix}*",
                {"Prefix": SECRET_PREFIX},
            ]
        },
        None,
    ),
    "DecryptSecrets": (
        ["kms:Decrypt"],
        {"Ref": "SecretsKmsKeyArn"},
        {
            "StringEquals": {
                "kms:ViaService": {"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"},
            }
        },
    ),
}

# Every statement of the shared policies: actions, resource, condition.
STATEMENTS = {
    CALL: {
        "ReadIntegrations": (["dynamodb:GetItem", "dynamodb:Query"], INTEGRATIONS, leading("ACTIVE", "INTEGRATION#*")),
        "SpendRateBudget": (
            ["dynamodb:GetItem", "dynamodb:PutItem"],
            STATE,
            leading("RATE#*"),
        ),
        **READ_SECRETS,
    },
    WRITE: {
        "RecordIdempotentWrites": (
            ["dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
            STATE,
            leading("IDEMPOTENCY#*"),
        ),
        "NoteWrites": (["dynamodb:UpdateItem"], STATE, leading("WRITE#*")),
    },
    "DispatchPollsPolicy": {
        "ListStreams": (["dynamodb:Query"], INTEGRATIONS, leading("ACTIVE")),
        "SendOrders": (["sqs:SendMessage"], POLL_QUEUE, None),
    },
    "PollPolicy": {
        "TakeOrders": (["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], POLL_QUEUE, None),
        "OrderTheNextRun": (["sqs:SendMessage"], POLL_QUEUE, None),
        "KeepStreams": (["dynamodb:GetItem", "dynamodb:PutItem"], STATE, leading("POLL#*", "STREAMS")),
        "RememberTickets": (
            [f"dynamodb:{what}" for what in ("BatchGetItem", "GetItem", "Query", "PutItem", "DeleteItem")],
            STATE,
            leading("SEEN#*", "SEENPART#*"),
        ),
        "ReadOwnWrites": (["dynamodb:BatchGetItem"], STATE, leading("WRITE#*")),
        "LogEvents": (
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            STATE,
            leading("EVENT#*", "EVENTID#*"),
        ),
        "PublishEvents": (["events:PutEvents"], {"Fn::GetAtt": ["EventBus", "Arn"]}, None),
        "SetEventsAside": (["sqs:SendMessage"], {"Fn::GetAtt": ["SetAsideQueue", "Arn"]}, None),
    },
    "DeliverWebhooksPolicy": {
        "KeepWebhooks": (["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], STATE, leading("WEBHOOK")),
        "ReadEvents": (["dynamodb:GetItem", "dynamodb:Query"], STATE, leading("EVENT#*")),
        **READ_SECRETS,
    },
    "ReadEventsPolicy": {
        "ReadPolledIntegrations": (
            ["dynamodb:GetItem", "dynamodb:Query"],
            INTEGRATIONS,
            leading("ACTIVE", "INTEGRATION#*"),
        ),
        "ReadLoggedEvents": (["dynamodb:GetItem", "dynamodb:Query"], STATE, leading("EVENT#*")),
    },
    "ReadCallerKeysPolicy": {"ReadCallerKeys": (["dynamodb:GetItem"], INTEGRATIONS, leading("KEYS#*"))},
    "TracePolicy": {"WriteTraces": (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*", None)},
}


def of_type(kind: str) -> dict[str, dict]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def logical(function: str) -> str:
    """The first part of the names of a function's resources: `create-ticket` -> `CreateTicket`."""
    return function.title().replace("-", "")


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


def statements(document: dict) -> dict[str, dict]:
    """The statements of a policy by name, those under a condition too."""
    found = {}
    for statement in document["Statement"]:
        statement = statement["Fn::If"][1] if "Fn::If" in statement else statement
        assert statement["Effect"] == "Allow"
        found[statement["Sid"]] = statement
    return found


def test_the_linters_find_nothing():
    run(TOOLS / "cfn-lint", "template.yaml")
    run(TOOLS / "sam", "validate", "--lint", "--template", "template.yaml")


def test_there_is_a_crate_for_every_function_and_nothing_else():
    crates = {path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml")}
    assert crates == set(FUNCTIONS)
    assert set(of_type("AWS::Serverless::Function")) == {f"{logical(name)}Function" for name in FUNCTIONS}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_built_from_its_crate_and_named_after_it(function):
    resource = RESOURCES[f"{logical(function)}Function"]
    assert resource["Metadata"] == {"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": function}}
    assert resource["Properties"]["FunctionName"] == {"Fn::Sub": f"${{AWS::StackName}}-{function}"}
    assert "Policies" not in resource["Properties"], "SAM would make a role of its own"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_log_group_with_retention(function):
    properties = RESOURCES[f"{logical(function)}Function"]["Properties"]
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": f"{logical(function)}Log"}}
    group = RESOURCES[f"{logical(function)}Log"]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function}"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_alarm_and_rolls_back_on_it(function):
    name = f"{logical(function)}Errors"
    alarm = RESOURCES[name]["Properties"]
    assert RESOURCES[name]["Type"] == "AWS::CloudWatch::Alarm"
    watched = (alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])
    if function == "authorize-caller":
        # A caller who is refused is a failed run to Lambda; the function counts its own failures.
        own = {"Fn::Sub": "TicketGateway/${AWS::StackName}"}
        assert watched == (own, "AuthorizerFailed", [{"Name": "Action", "Value": "authorize_caller"}])
    else:
        of_it = {"Name": "FunctionName", "Value": {"Ref": f"{logical(function)}Function"}}
        assert watched == ("AWS/Lambda", "Errors", [of_it])
    preference = RESOURCES[f"{logical(function)}Function"]["Properties"]["DeploymentPreference"]
    # A version that answers 500 to everything ends no run with an error. What no caller waits for answers nothing.
    is_called_by_the_api = function == "authorize-caller" or bool(FUNCTIONS[function][1])
    expected = [{"Ref": name}, {"Ref": "ServerErrors"}] if is_called_by_the_api else [{"Ref": name}]
    assert preference == {"Alarms": expected}


def test_answers_with_5xx_raise_an_alarm_within_a_minute():
    # The authorizer's crashes and timeouts too: to API Gateway they are a 500.
    alarm = RESOURCES["ServerErrors"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Period"]) == ("AWS/ApiGateway", "5XXError", 60)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_runs_can_be_kept_for_the_authorizer_and_the_actions(function):
    def kept(condition: str, parameter: str) -> dict:
        return {"Fn::If": [condition, {"Ref": parameter}, {"Ref": "AWS::NoValue"}]}

    expected = {
        "authorize-caller": kept("ReservesForAuthorizer", "AuthorizerReservedConcurrency"),
        "describe-api": None,
        "read-events": kept("ReservesForReadEvents", "ReadEventsReservedConcurrency"),
        "poll-dispatch": None,
        "poll-worker": None,
        "deliver-webhooks": None,
    }.get(function, kept("ReservesForActions", "ActionReservedConcurrency"))
    assert RESOURCES[f"{logical(function)}Function"]["Properties"].get("ReservedConcurrentExecutions") == expected


def test_the_access_log_names_nobody():
    # A path has addresses: /requestors/molly@example.com/tickets.
    log = RESOURCES["Api"]["Properties"]["AccessLogSetting"]["Format"]
    assert "$context.resourcePath" in log
    assert "$context.path" not in log


def test_every_alarm_reports_to_whom_the_operator_named():
    target = {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        expected = {"Fn::If": ["HasAlarmTarget", [target], {"Ref": "AWS::NoValue"}]}
        assert alarm["Properties"]["AlarmActions"] == expected, name
        # That nothing happens is what one of them is for.
        silence = {"Fn::If": ["Polls", "breaching", "notBreaching"]}
        expected = silence if name == "PollNotDispatched" else "notBreaching"
        assert alarm["Properties"]["TreatMissingData"] == expected, name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_role_with_nothing_but_its_own_statements(function):
    policies, _ = FUNCTIONS[function]
    name = f"{logical(function)}Role"
    role = RESOURCES[name]["Properties"]
    assert RESOURCES[f"{logical(function)}Function"]["Properties"]["Role"] == {"Fn::GetAtt": [name, "Arn"]}
    traces = {"Fn::If": ["Traces", {"Ref": "TracePolicy"}, {"Ref": "AWS::NoValue"}]}
    assert role["ManagedPolicyArns"] == [*({"Ref": policy} for policy in policies), traces]
    [own] = role["Policies"]
    assert statements(own["PolicyDocument"]) == {
        "WriteOwnLog": {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [f"{logical(function)}Log", "Arn"]},
        }
    }
    trusted = role["AssumeRolePolicyDocument"]["Statement"]
    assert [statement["Principal"] for statement in trusted] == [{"Service": "lambda.amazonaws.com"}]


def test_the_shared_policies_hold_exactly_these_statements():
    assert set(of_type("AWS::IAM::ManagedPolicy")) == set(STATEMENTS)
    assert not of_type("AWS::IAM::Policy")
    for policy, expected in STATEMENTS.items():
        found = statements(RESOURCES[policy]["Properties"]["PolicyDocument"])
        described = {
            sid: (listed(statement["Action"]), statement["Resource"], statement.get("Condition"))
            for sid, statement in found.items()
        }
        assert described == expected, policy


def test_no_two_functions_share_a_role():
    roles = [
        function["Properties"]["Role"]["Fn::GetAtt"][0] for function in of_type("AWS::Serverless::Function").values()
    ]
    assert len(set(roles)) == len(FUNCTIONS)


def routes(function: str) -> list[str]:
    events = RESOURCES[f"{logical(function)}Function"]["Properties"].get("Events", {})
    return [f"{event['Properties']['Method'].lower()} {event['Properties']['Path']}" for event in events.values()]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_serves_its_route(function):
    assert routes(function) == FUNCTIONS[function][1]


def test_the_routes_are_those_of_the_openapi_document():
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    documented = {
        f"{method} {path.removeprefix('/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
        if method in ("get", "put", "post", "patch", "delete")
    }
    served = [route for function in FUNCTIONS for route in routes(function)]
    assert sorted(served) == sorted(documented)


def test_only_the_description_of_the_api_is_open_to_everybody():
    for function in FUNCTIONS:
        for event in RESOURCES[f"{logical(function)}Function"]["Properties"].get("Events", {}).values():
            auth = event["Properties"].get("Auth")
            is_open = function == "describe-api"
            assert auth == ({"Authorizer": "NONE", "ApiKeyRequired": False} if is_open else None), function
    api = RESOURCES["Api"]["Properties"]
    assert api["ApiKeySourceType"] == "AUTHORIZER"
    assert api["Auth"]["ApiKeyRequired"] is True
    assert api["Auth"]["DefaultAuthorizer"] == {"Ref": "CallerIdentity"}
    assert set(api["Auth"]["Authorizers"]) == set(TEMPLATE["Parameters"]["CallerIdentity"]["AllowedValues"])


API_ARN = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5"
# What the authorizer really answers; its own tests compare it with this file.
POLICIES = json.loads((ROOT / "shared" / "lambda" / "tests" / "lambda" / "data" / "policies.json").read_text())


def verdict(statements: list[dict], resource: str, source: str) -> str | None:
    """What a policy says of a call: `Deny` over `Allow`, or nothing."""

    def holds(statement: dict) -> bool:
        patterns = [re.sub("^execute-api:", API_ARN, each) for each in listed(statement["Resource"])]
        matches = any(fnmatch.fnmatchcase(resource, pattern) for pattern in patterns)
        networks = statement.get("Condition", {}).get("NotIpAddress", {}).get("aws:SourceIp")
        is_within = networks and any(ip_address(source) in ip_network(each) for each in networks)
        return matches and not is_within

    effects = {statement["Effect"] for statement in statements if holds(statement)}
    return "Deny" if "Deny" in effects else "Allow" if "Allow" in effects else None


def is_allowed(request: str, key: str | None, source: str = "203.0.113.7") -> bool:
    """Table A of "API Gateway authorization flow": the authorizer's policy and the API's, of one account.

    A method without an authorizer (`key` is none) goes by the API's policy alone.
    """
    statements = RESOURCES["Api"]["Properties"]["Auth"]["ResourcePolicy"]["CustomStatements"]
    networks = {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    statements = [{**each, "Condition": networks} if "Condition" in each else each for each in statements]
    resource = f"{API_ARN}/v1/{request}"
    said = {verdict(statements, resource, source)}
    if key is not None:
        said.add(verdict(POLICIES[key]["Statement"], resource, source))
    return "Deny" not in said and "Allow" in said


@pytest.mark.parametrize(
    ("request_", "key", "source", "allowed"),
    [
        ("GET/desk/tickets/IT-7", "read-write", "203.0.113.7", True),
        ("POST/desk/tickets", "read-write", "203.0.113.7", True),
        ("GET/desk/tickets/IT-7", "read-only", "2001:db8::7", True),
        ("POST/desk/tickets", "read-only", "203.0.113.7", False),
        ("GET/other/tickets/IT-7", "read-write", "203.0.113.7", False),
        ("POST/other/tickets", "read-write", "203.0.113.7", False),
        ("GET/other/tickets/openapi.json", "read-write", "203.0.113.7", False),
        ("GET/openapi.json", None, "203.0.113.7", True),
        ("GET/healthz", None, "203.0.113.7", True),
        ("GET/desk/tickets/IT-7", "read-write", "198.51.100.7", False),
        ("GET/healthz", None, "198.51.100.7", False),
    ],
)
def test_who_gets_through_api_gateway(request_, key, source, allowed):
    assert is_allowed(request_, key, source) is allowed


def test_the_apis_policy_allows_nothing_that_has_an_authorizer():
    [allow, deny] = RESOURCES["Api"]["Properties"]["Auth"]["ResourcePolicy"]["CustomStatements"]
    open_routes = [route.replace("get ", "execute-api:/v1/GET") for route in FUNCTIONS["describe-api"][1]]
    assert (allow["Effect"], allow["Principal"], allow["Resource"]) == ("Allow", "*", open_routes)
    assert (deny["Effect"], deny["Principal"], deny["Resource"]) == ("Deny", "*", "execute-api:/*")
    networks = {"Fn::Split": [",", {"Ref": "AllowedCallerNetworks"}]}
    assert deny["Condition"] == {"NotIpAddress": {"aws:SourceIp": networks}}


def test_the_tables_are_kept_and_protected():
    assert set(of_type("AWS::DynamoDB::Table")) == {"IntegrationsTable", "StateTable"}
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name
        properties = table["Properties"]
        assert "TableName" not in properties, "a table that is kept would be in the way of its successor"
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
        recovery = {"PointInTimeRecoveryEnabled": {"Ref": "PointInTimeRecovery"}}
        assert properties["PointInTimeRecoverySpecification"] == recovery
        keys = [key["AttributeName"] for key in properties["KeySchema"]]
        assert keys == ["pk", "sk"], "server.py and the conditions on leading keys rely on it"
    expiry = RESOURCES["StateTable"]["Properties"]["TimeToLiveSpecification"]
    assert expiry == {"AttributeName": "expires_at", "Enabled": True}


def test_the_queue_of_orders_waits_as_long_as_aws_advises():
    # "at least six times your function timeout", and five attempts before a message is dead.
    times = TEMPLATE["Mappings"]["PollTimes"]
    assert set(times) == set(TEMPLATE["Parameters"]["PollTimeoutSeconds"]["AllowedValues"])
    for seconds, row in times.items():
        assert row == {"VisibilityTimeout": 6 * int(seconds)}
    queue = RESOURCES["PollQueue"]["Properties"]
    found = {"Fn::FindInMap": ["PollTimes", {"Ref": "PollTimeoutSeconds"}, "VisibilityTimeout"]}
    assert queue["VisibilityTimeout"] == found
    assert RESOURCES["PollWorkerFunction"]["Properties"]["Timeout"] == {"Ref": "PollTimeoutSeconds"}
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["PollDeadLetters", "Arn"]},
        "maxReceiveCount": 5,
    }


def test_the_worker_takes_its_orders_one_by_one_and_in_bounds():
    mapping = RESOURCES["PollOrders"]["Properties"]
    assert mapping["EventSourceArn"] == POLL_QUEUE
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "PollMaximumConcurrency"}}


def test_the_schedule_starts_the_dispatch_and_can_be_switched_off():
    schedule = RESOURCES["PollSchedule"]["Properties"]
    assert schedule["ScheduleExpression"] == "cron(* * * * ? *)"
    assert schedule["State"] == {"Fn::If": ["Polls", "ENABLED", "DISABLED"]}
    target = schedule["Target"]
    assert target["Arn"] == {"Ref": "PollDispatchFunction.Alias"}
    assert json.loads(target["Input"]) == {"scheduled_time": "<aws.scheduler.scheduled-time>"}
    dead_letters = {"Fn::GetAtt": ["PollScheduleDeadLetters", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": dead_letters}
    role = RESOURCES["PollScheduleRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    [policy] = role["Policies"]
    described = {
        sid: (listed(statement["Action"]), statement["Resource"])
        for sid, statement in statements(policy["PolicyDocument"]).items()
    }
    assert described == {
        "StartDispatch": (["lambda:InvokeFunction"], {"Ref": "PollDispatchFunction.Alias"}),
        "KeepWhatDidNotStart": (["sqs:SendMessage"], dead_letters),
    }


@pytest.mark.parametrize("queue", ["PollDeadLetters", "PollScheduleDeadLetters", "SetAsideQueue"])
def test_what_could_not_be_done_raises_an_alarm(queue):
    of_it = [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
    alarms = [alarm["Properties"] for alarm in of_type("AWS::CloudWatch::Alarm").values()]
    [alarm] = [alarm for alarm in alarms if alarm["Dimensions" if "Dimensions" in alarm else "MetricName"] == of_it]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 0)
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_a_stream_that_is_behind_or_keeps_failing_raises_an_alarm():
    own = {"Fn::Sub": "TicketGateway/${AWS::StackName}"}
    for name, metric in (("PollLag", "PollLagSeconds"), ("PollFailures", "PollFailuresInARow")):
        alarm = RESOURCES[name]["Properties"]
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (own, metric, "Maximum")
        assert alarm["Dimensions"] == [{"Name": "Action", "Value": "poll"}]
        assert alarm["Threshold"] == {"Ref": f"Alarm{metric}"}
        # A stream that is polled once an hour, or that waits after failures, has one value in a while.
        assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 1


@pytest.mark.parametrize(
    ("name", "metric", "periods"),
    [
        ("PollUnusableRows", "UnusableRows", 1),
        ("PollUnloadable", "UnloadablePolls", 1),
        # A single slow batch makes a few of these.
        ("PollOutdated", "OutdatedPolls", 3),
    ],
)
def test_what_is_not_polled_or_not_published_raises_an_alarm(name, metric, periods):
    alarm = RESOURCES[name]["Properties"]
    own = {"Fn::Sub": "TicketGateway/${AWS::StackName}"}
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (own, metric, "Sum")
    assert alarm["Dimensions"] == [{"Name": "Action", "Value": "poll"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == periods


def test_every_parameter_is_described_used_and_in_a_group():
    text = (ROOT / "template.yaml").read_text()
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(TEMPLATE["Parameters"])
    for name, parameter in TEMPLATE["Parameters"].items():
        assert parameter.get("Description"), name
        assert "Default" in parameter, name
        body = text.split("\nRules:", 1)[1]
        assert re.search(rf"(!Ref |\$\{{){name}\b", body), f"{name} is not used"


def test_what_api_gateway_says_by_itself_has_the_form_of_every_other_error():
    document = json.loads((ROOT / "docs" / "openapi.json").read_text())
    codes = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    for kind, response in RESOURCES["Api"]["Properties"]["GatewayResponses"].items():
        template = response["ResponseTemplates"]["application/json"]
        filled = template.replace("$context.error.messageString", '"a message"').replace("$context.requestId", "id")
        error = json.loads(filled)["error"]
        assert set(error) == {"code", "message", "request_id"}, kind
        assert error["code"] in codes, kind
