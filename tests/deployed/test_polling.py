"""Polling with all its parts: schedule, orders in SQS, worker, log of events, event bus.

Most tests send the order to poll themselves, as the dispatch would; one waits for the schedule.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from programs import ROOT
from scripted_desk import ScriptedDesks
from stack import NAME, Installation, Stack
from test_permissions import assert_safe, request_id

SCRIPTED = Path(__file__).with_name("scripted")


class Bus:
    """What arrives on a queue behind the event bus, by a rule as an operator writes it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sqs = stack.client("sqs")
        self.seen: list[dict] = []
        self._url = self._sqs.create_queue(QueueName="assistant")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        events = stack.client("events")
        bus = stack.outputs["EventBusName"]
        pattern = json.dumps({"source": ["ticket-gateway"]})
        events.put_rule(Name="to-the-assistant", EventBusName=bus, EventPattern=pattern)
        put = events.put_targets(Rule="to-the-assistant", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        assert put["FailedEntryCount"] == 0

    def read(self) -> list[dict]:
        """Everything that has arrived so far, in order."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.seen.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.seen

    def of(self, integration: str) -> list[dict]:
        """The events of an integration that have arrived so far: the `detail` of what the bus hands on."""
        return [event["detail"] for event in self.read() if event["detail"]["integration"] == integration]

    def wait_for(self, integration: str, is_it: Callable[[dict], bool], seconds: float = 20) -> dict:
        """The first event of an integration that is the one."""

        def find() -> dict | None:
            return next((event for event in self.of(integration) if is_it(event)), None)

        return until(find, seconds, lambda: f"{self.of(integration)}\n{self._stack.log('poll-dispatch')}")


def until(look: Callable[[], object], seconds: float, explain: Callable[[], str]):
    """What `look` finds, which may take a while."""
    deadline = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def bus(stack: Stack) -> Bus:
    return Bus(stack)


@pytest.fixture(scope="module", autouse=True)
def schedule(stack: Stack) -> Iterator[None]:
    """Switches the schedule on: with it, every stream of the account would be polled during the other modules too."""
    scheduler = stack.client("scheduler")
    found = scheduler.get_schedule(Name=f"{NAME}-poll")
    same = {member: found[member] for member in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**same, State="ENABLED")
    yield
    scheduler.update_schedule(**same, State="DISABLED")


@pytest.fixture(scope="module")
def desks() -> Iterator[ScriptedDesks]:
    desks = ScriptedDesks()
    yield desks
    desks.stop()


def push_scripted(stack: Stack, desks: ScriptedDesks, name: str) -> None:
    stack.command("push", SCRIPTED, "--name", name, "--set", f"base_url={desks.url(name)}")


@pytest.fixture(scope="module")
def desk(install, tmp_path_factory) -> Installation:
    """TeamsWork, polled every 10 s and up to the present second."""
    desk = install("polled")
    folder = tmp_path_factory.mktemp("quick")
    text = (ROOT / "connectors" / "teamswork" / "integration.yaml").read_text()
    for number, quick in (
        ("interval_seconds: 30", "interval_seconds: 10"),
        ("settle_seconds: 10", "settle_seconds: 0"),
    ):
        assert text.count(f"\n  {number}\n") == 1
        text = text.replace(f"\n  {number}\n", f"\n  {quick}\n")
    (folder / "integration.yaml").write_text(text)
    desk.push(folder=folder)
    return desk


def order(*names: str) -> list[dict]:
    """Orders as the dispatch sends them."""
    now = datetime.now(UTC).isoformat()
    bodies = [json.dumps({"stream": {"integration": name}, "due_at": now}) for name in names]
    return [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]


def send(stack: Stack, entries: list[dict]) -> None:
    answer = stack.client("sqs").send_message_batch(QueueUrl=stack.outputs["PollQueueUrl"], Entries=entries)
    assert not answer.get("Failed")


def poll(stack: Stack, *names: str) -> None:
    send(stack, order(*names))


def poll_until(stack: Stack, name: str, look: Callable[[], object], seconds: float, explain: Callable[[], str]):
    """Orders a run every second until `look` finds something."""
    deadline = time.monotonic() + seconds
    while True:
        poll(stack, name)
        pause = time.monotonic() + 1
        while time.monotonic() < pause:
            if found := look():
                return found
            time.sleep(0.1)
        assert time.monotonic() < deadline, explain()


def workers(stack: Stack) -> list[int]:
    """The processes of the worker, which the server has as children."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (entry / "environ").read_bytes().split(b"\0")
        except (OSError, ValueError):
            continue
        name = f"AWS_LAMBDA_FUNCTION_NAME={NAME}-poll-worker".encode()
        if parent == stack.server.pid and name in variables:
            found.append(int(entry.name))
    return found


def test_a_worker_that_is_killed_between_publishing_and_committing_repeats_nothing(stack, bus, desks):
    system = desks.add("killed", ["K-1", "K-2", "K-3"], ["K-4", "K-5"], hangs=(1,))
    push_scripted(stack, desks, "killed")
    poll(stack, "killed")
    # The events of page 1 are out, and the worker waits for page 2: nothing of the window is committed.
    until(lambda: len(bus.of("killed")) == 3 and 1 in system.asked, 20, lambda: f"{bus.of('killed')}, {system.asked}")
    killed = workers(stack)
    assert killed
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    system.hangs.clear()
    system.go_on.set()
    pages_before = len(system.asked)

    # The dead worker's lease ends by itself, within a minute. Until then others leave the stream alone.
    poll(stack, "killed")
    look = lambda: len(bus.of("killed")) >= 5  # noqa: E731
    poll_until(stack, "killed", look, 90, lambda: f"{bus.of('killed')}, {system.asked}")
    assert len(system.asked) > pages_before

    # Two more runs over the same window, and still every event is there once.
    last = len(system.asked)
    poll_until(stack, "killed", lambda: len(system.asked) >= last + 4, 30, lambda: f"{system.asked}")
    ids = [event["event_id"] for event in bus.of("killed")]
    assert sorted(event["ticket_id"] for event in bus.of("killed")) == ["K-1", "K-2", "K-3", "K-4", "K-5"]
    assert len(set(ids)) == len(ids) == 5


def test_schedule_queue_and_worker_carry_a_change_to_the_bus(desk, bus):
    """Nothing here sends an order: the schedule starts the dispatch, at the next full minute."""
    answer = desk.call(
        "POST",
        "/tickets",
        {"payload": {"short_description": "The plotter sings"}, "requestor_info": {}},
    )
    ticket = answer.expect(201)["raw_ticket"]
    event = bus.wait_for(desk.name, lambda event: event["ticket_id"] == ticket["id"], 90)
    assert event["ticket"]["short_description"] == "The plotter sings"
    # Our own API made it, and the event says by which call.
    assert event["caused_by"] == {name.lower(): value for name, value in answer.headers.items()}["x-request-id"]
    line = json.loads(desk.stack.await_log("poll-dispatch", '"message":"orders to poll"'))
    assert line["orders"] >= 6, "every ten seconds of the minute"


def test_the_api_gives_the_same_events_as_the_bus(desk, bus):
    poll(desk.stack, desk.name)
    read, cursor = [], "oldest"
    while True:
        page = desk.call("GET", f"/events?after={cursor}").expect(200)
        cursor = page["cursor"]
        if not page["events"]:
            break
        read += page["events"]
    assert read
    until(lambda: len(bus.of(desk.name)) >= len(read), 20, lambda: f"{len(bus.of(desk.name))} of {len(read)}")
    by_id = {event["event_id"]: event for event in bus.of(desk.name)}
    assert {event["event_id"]: event for event in read}.items() <= by_id.items()

    reader = desk.new_key("reader", "--read-only")
    assert desk.call("GET", f"/events?after={cursor}", key=reader).expect(200)["events"] == []
    assert desk.call("GET", "/events", key="tgk_polled_0_0").status in (401, 403)


def test_a_change_is_an_event_with_what_was_before_and_after(desk, bus):
    ticket = desk.create("Before")
    is_it = lambda event: event["ticket_id"] == ticket["id"]  # noqa: E731
    found = lambda: [event for event in bus.of(desk.name) if is_it(event)]  # noqa: E731
    poll_until(desk.stack, desk.name, found, 30, lambda: f"{bus.of(desk.name)}")
    time.sleep(1)  # TeamsWork's times are whole seconds: another second is another change
    body = {"payload": {"short_description": "After"}, "requestor_info": {}}
    desk.call("PATCH", f"/tickets/{ticket['id']}", body).expect(200)
    updated = lambda: [event for event in found() if event["type"] == "Ticket Updated"]  # noqa: E731
    [event] = poll_until(desk.stack, desk.name, updated, 30, lambda: f"{found()}")
    changes = {change["field"]: (change["before"], change["after"]) for change in event["changes"]}
    assert changes["short_description"] == ("Before", "After")


def test_a_failing_stream_does_not_hold_up_another(stack, bus, desks, install):
    locked_out = install("locked-out")
    locked_out.set_secret("mistyped")
    locked_out.set_secret("mistyped-again")
    desks.add("fine", ["F-1"])
    push_scripted(stack, desks, "fine")
    poll(stack, "locked-out", "fine")
    bus.wait_for("fine", lambda event: event["ticket_id"] == "F-1")
    line = stack.await_log("poll-worker", r'"level":"ERROR".*"locked-out".*"outcome":"failed"')
    assert "mistyped" not in line
    assert bus.of("locked-out") == []
    stack.await_log("poll-worker", r'"FailedPolls":1.*|"Integration":"locked-out"')


def test_a_message_that_is_no_order_becomes_a_dead_letter(stack):
    sqs = stack.client("sqs")
    queue = stack.outputs["PollQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="not an order")
        url = stack.outputs["PollDeadLettersUrl"]
        dead = lambda: sqs.receive_message(QueueUrl=url).get("Messages")  # noqa: E731
        [message] = until(dead, 40, lambda: "it is not there")
        assert message["Body"] == "not an order"
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)
    stack.await_log("poll-worker", '"level":"ERROR".*is no such order')


@pytest.mark.parametrize("statement", ["KeepStreams", "RememberTickets", "LogEvents", "PublishEvents"])
def test_without_a_statement_a_poll_fails_and_goes_on_afterwards(stack, bus, desks, statement):
    name = f"without-{statement.lower()}"
    desks.add(name, ["P-1"])
    push_scripted(stack, desks, name)
    with stack.without_statement(statement):
        poll(stack, name)
        stack.await_log("poll-worker", rf'"level":"ERROR".*"{name}".*not authorized to perform')
        assert bus.of(name) == []
    look = lambda: bus.of(name)  # noqa: E731
    [event] = poll_until(stack, name, look, 40, lambda: "no event")
    assert event["ticket_id"] == "P-1"


def test_without_the_statement_for_own_writes_events_go_out_without_their_cause(stack, bus, desk):
    with stack.without_statement("ReadOwnWrites"):
        ticket = desk.create("Of unknown cause")
        found = lambda: [event for event in bus.of(desk.name) if event["ticket_id"] == ticket["id"]]  # noqa: E731
        [event] = poll_until(stack, desk.name, found, 30, lambda: f"{bus.of(desk.name)}")
    assert "caused_by" not in event


@pytest.mark.parametrize("statement", ["ListStreams", "SendOrders"])
def test_without_a_statement_the_dispatch_fails(stack, desk, statement):
    with stack.without_statement(statement):
        answer = stack.client("lambda").invoke(FunctionName=f"{NAME}-poll-dispatch:live", Payload=b"{}")
    assert answer["FunctionError"]
    stack.await_log("poll-dispatch", '"level":"ERROR".*not authorized to perform')


@pytest.mark.parametrize("statement", ["ReadPolledIntegrations", "ReadLoggedEvents"])
def test_without_a_statement_reading_events_fails_safely(stack, install, statement):
    # A name of its own: nothing of it can be known to the function yet.
    desk = install(f"without-{statement.lower()}")
    with stack.without_statement(statement):
        answer = desk.call("GET", "/events?after=oldest")
    assert_safe(answer)
    stack.await_log("read-events", rf'"level":"ERROR".*{request_id(answer)}.*not authorized to perform')


def test_a_write_that_cannot_be_noted_is_done_all_the_same(stack, desk):
    with stack.without_statement("NoteWrites"):
        desk.create("Unnoted")
    stack.await_log("create-ticket", '"level":"WARN".*could not be noted.*not authorized to perform')
