"""The deployed stack, as its operator and as its callers see it."""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import urllib3
from programs import COMMAND, REGION, ROOT, TOOLS, Sandbox, Server, run

NAME = "ticket-gateway-test"
FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml"))


@dataclass
class Answer:
    status: int
    body: dict
    headers: dict = field(repr=False)

    def expect(self, status: int) -> dict:
        """The body of an answer that must have this status."""
        assert self.status == status, f"{self.status}: {json.dumps(self.body, indent=1)}"
        return self.body

    def error(self, status: int) -> tuple[str, str]:
        """Code and message of an error that must have this status."""
        error = self.expect(status)["error"]
        return error["code"], error["message"]


class Stack:
    """template.yaml as it is, built and deployed into `server` with the parameters of parameters.toml."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self._folder = folder
        # Everything at once; `sam build` then finds each function built.
        run("cargo", "build", "--workspace", "--locked", seconds=3600)
        self._build()
        self._deploy()
        described = self.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        self._http = urllib3.PoolManager(num_pools=1, maxsize=64, retries=False)

    def _build(self) -> None:
        environment = {**self.server.operator(), "SAM_BUILD_MODE": "debug", "CARGO_LAMBDA_COMPILER": "cargo"}
        build = ("build", "--template", "template.yaml", "--build-dir", self._folder / "build")
        run(TOOLS / "sam", *build, environment=environment, seconds=3600)

    def _deploy(self) -> None:
        deploy = ("deploy", "--template", self._folder / "build" / "template.yaml", "--no-progressbar")
        parameters = ("--config-file", Path(__file__).with_name("parameters.toml"))
        run(TOOLS / "sam", *deploy, *parameters, environment=self.server.operator())

    def client(self, service: str):
        """A client of the AWS API with all rights."""
        return boto3.client(
            service,
            endpoint_url=self.server.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def command(self, *words: str | Path, stdin: str = "") -> str:
        """Runs `ticket-gateway` on this stack and gives what it prints."""
        environment = {**self.server.operator(), "TICKET_GATEWAY_STACK": NAME}
        return run(COMMAND, *words, environment=environment, stdin=stdin)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Calls the API through API Gateway. `path` begins with /v1."""
        headers = {"Host": f"{self.outputs['ApiId']}.execute-api.localhost", **(headers or {})}
        if key is not None:
            headers["x-api-key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body)
        answer = self._http.request(method, f"{self.server.url}{path}", body=data, headers=headers, timeout=60)
        return Answer(answer.status, json.loads(answer.data), dict(answer.headers))

    def log(self, function: str) -> str:
        """Everything that a function has written to its log group."""
        events = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{NAME}-{function}")["events"]
        return "\n".join(event["message"] for event in events)

    def await_log(self, function: str, pattern: str) -> str:
        """The first line of a function's log that the pattern fits; it may take a moment to be there."""
        deadline = time.monotonic() + 10
        while True:
            text = self.log(function)
            for line in text.splitlines():
                if re.search(pattern, line):
                    return line
            assert time.monotonic() < deadline, f"no line of {function}'s log has {pattern!r}:\n{text[-3000:]}"
            time.sleep(0.1)

    @contextlib.contextmanager
    def without_statement(self, sid: str) -> Iterator[None]:
        """While this lasts, the roles lack the statement of this name."""
        iam = self.client("iam")
        arn, document = self._policy_with(iam, sid)
        rest = [statement for statement in document["Statement"] if statement["Sid"] != sid]
        # A policy has to have a statement.
        nothing = {"Sid": "Nothing", "Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        self._replace_policy(iam, arn, {**document, "Statement": rest or [nothing]})
        try:
            yield
        finally:
            self._replace_policy(iam, arn, document)

    @staticmethod
    def _replace_policy(iam, arn: str, document: dict) -> None:
        # The server has no SetDefaultPolicyVersion, and a policy may have five versions only.
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])

    @staticmethod
    def _policy_with(iam, sid: str) -> tuple[str, dict]:
        for policy in iam.list_policies(Scope="Local")["Policies"]:
            version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
            document = version["PolicyVersion"]["Document"]
            if any(statement.get("Sid") == sid for statement in document["Statement"]):
                return policy["Arn"], document
        raise AssertionError(f"no policy of the stack has the statement {sid}")

    @contextlib.contextmanager
    def without_table(self, output: str) -> Iterator[None]:
        """While this lasts, a table is not there; afterwards it is there and empty."""
        api = self.client("dynamodb")
        name = self.outputs[output]
        before = api.describe_table(TableName=name)["Table"]
        api.update_table(TableName=name, DeletionProtectionEnabled=False)
        api.delete_table(TableName=name)
        try:
            yield
        finally:
            same = {member: before[member] for member in ("TableName", "KeySchema", "AttributeDefinitions")}
            api.create_table(**same, BillingMode="PAY_PER_REQUEST")


class Installation:
    """TeamsWork under a name of its own: a sandbox, an active version, a secret and a key that may read and write."""

    def __init__(self, stack: Stack, name: str, folder: Path) -> None:
        self.stack = stack
        self.name = name
        self.sandbox = Sandbox(folder / name)
        self.push()
        self.set_secret(self.sandbox.key)
        self.key = self.new_key()
        # The path of a ticket that was there before us.
        self.ticket = f"/tickets/{self._seen()[0]['id']}"

    def push(self, *flags: str | Path, folder: Path = ROOT / "connectors" / "teamswork") -> None:
        """Makes a version of the connector active, on this installation's sandbox."""
        settings = {
            "base_url": self.sandbox.url,
            "service_user_id": "053660b7-0000-0000-0000-000000000000",
            "service_user_name": "Service Desk",
            "service_user_email": "service.desk@example.com",
            "internal_comments": "true",
            "attachments": "true",
        }
        given = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        self.stack.command("push", folder, "--name", self.name, *given, *flags)

    def set_secret(self, value: str) -> None:
        self.stack.command("secret", "set", self.name, "api_key", stdin=value)

    def new_key(self, label: str = "tests", *flags: str) -> str:
        return self.stack.command("keys", "create", self.name, "--label", label, *flags).strip()

    def call(self, method: str, path: str, body: object = None, **more) -> Answer:
        """Calls a path below this integration's, with its key unless another is given."""
        more.setdefault("key", self.key)
        return self.stack.call(method, f"/v1/{self.name}{path}", body, **more)

    def create(self, title: str = "Second monitor stays dark", **more) -> dict:
        body = {"payload": {"short_description": title}, "requestor_info": REQUESTOR}
        return self.call("POST", "/tickets", body, **more).expect(201)["raw_ticket"]

    def tickets(self, title: str) -> list[dict]:
        """The tickets of this title that the ticketing system itself has."""
        return [ticket for ticket in self._seen() if ticket["title"] == title]

    def _seen(self) -> list[dict]:
        url = f"{self.sandbox.url}/tickets?limit=1000&key={self.sandbox.key}"
        return json.loads(urllib3.request("GET", url).data)["items"]

    def assignee(self) -> str:
        """The address of somebody who can be assigned tickets in the ticketing system."""
        url = f"{self.sandbox.url}/instance?key={self.sandbox.key}"
        person = json.loads(urllib3.request("GET", url).data)["item"]["assignees"]["peoples"][0]
        return person.get("email") or person["secondaryText"]


REQUESTOR = {
    "requestor": {
        "full_name": "Molly Agent",
        "email_addr": "molly.agent@example.com",
        "user_id_info": {
            "user_itsm_id_info": [
                {
                    "system": "TEAMSWORK",
                    "external_id": "0d2c7a54-7c1b-4f0e-9a53-1d3c8a7e0001",
                    "integration_id": "teamswork",
                }
            ]
        },
    }
}
