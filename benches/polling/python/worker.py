"""One poll of a stream, as a team would write it in Python: `requests` for the ticketing system, `boto3` for AWS.

It does what the gateway's worker does, with the same promises: a window from a stored watermark, each page mapped,
compared with what was seen of its tickets, the new version and its event noted under a condition, the events published,
the note cleared, and the watermark moved in one conditional write at the end. It has neither retries of pages, nor
back-off, nor checks of the ticket against a schema.
"""

import argparse
import hashlib
import json
import resource
import time
from datetime import datetime, timedelta, timezone

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

LOOK_BACK = timedelta(seconds=120)
SETTLE = timedelta(seconds=10)
LEASE = timedelta(seconds=60)
RETENTION = timedelta(days=30)
STATES = {"New": "NEW", "Started": "WIP", "Waiting": "WAITING_FOR_USER", "Resolved": "RESOLVED", "Closed": "CLOSED"}
INTEGRATION = "bench"


def parse(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def canonical(moment):
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def person(record):
    return {"id": record["id"], "name": record["name"], "email": record["email"]}


def normalise(record):
    fields = {field["id"]: field["value"] for field in record["custom_fields"]}
    state = record["status"]["name"]
    return {
        "id": str(record["id"]),
        "number": record["key"],
        "short_description": record["subject"],
        "description": record["body"],
        "state": state,
        "internal_state_code": STATES[state],
        "priority": record["priority"],
        "requested_for": person(record["requester"]),
        "assigned_to_user": person(record["assignee"]),
        "assignment_group": record["group"]["name"],
        "created_at": canonical(parse(record["created_at"])),
        "updated_at": canonical(parse(record["updated_at"])),
        "url": record["links"]["web"],
        "custom_data": {"impact": fields.get("impact"), "site": fields.get("site")},
    }


def changes(before, after):
    found = []
    for name in before.keys() | after.keys():
        if name == "custom_data":
            old, new = before.get(name) or {}, after.get(name) or {}
            for field in old.keys() | new.keys():
                if old.get(field) != new.get(field):
                    found.append({"field": f"custom_data.{field}", "before": old.get(field), "after": new.get(field)})
        elif before.get(name) != after.get(name):
            found.append({"field": name, "before": before.get(name), "after": after.get(name)})
    return found


class ConflictError(Exception):
    """Another run wrote the record."""


class Worker:
    def __init__(self, upstream, aws, table, now):
        self.upstream = upstream
        self.table = table
        self.offset = now - datetime.now(timezone.utc)
        self.session = requests.Session()
        settings = {
            "region_name": "eu-central-1",
            "endpoint_url": aws,
            "aws_access_key_id": "AKIDEXAMPLE",
            "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "config": Config(retries={"mode": "standard", "max_attempts": 4}),
        }
        self.dynamo = boto3.client("dynamodb", **settings)
        self.bus = boto3.client("events", **settings)
        self.tickets = self.published = 0

    def now(self):
        return datetime.now(timezone.utc) + self.offset

    # The store

    def put(self, key, revision, attributes):
        """Puts an item in the place of the one with this revision."""
        item = {**key, **attributes, "revision": {"N": str(revision + 1)}}
        if revision == 0:
            condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        else:
            condition = {
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
            }
        try:
            self.dynamo.put_item(TableName=self.table, Item=item, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                raise ConflictError() from error
            raise

    def seen_key(self, ticket_id):
        shard = hashlib.sha256(ticket_id.encode()).hexdigest()[:2]
        return {"pk": {"S": f"SEEN#{INTEGRATION}#{shard}"}, "sk": {"S": ticket_id}}

    def seen(self, tickets):
        keys = [self.seen_key(ticket["id"]) for ticket in tickets]
        found = {}
        while keys:
            answer = self.dynamo.batch_get_item(RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}})
            for item in answer["Responses"].get(self.table, []):
                found[item["sk"]["S"]] = item
            keys = answer["UnprocessedKeys"].get(self.table, {}).get("Keys")
        return found

    # The stream

    def run(self):
        stream = {"pk": {"S": f"POLL#{INTEGRATION}"}, "sk": {"S": "STREAM"}}
        item = self.dynamo.get_item(TableName=self.table, Key=stream, ConsistentRead=True).get("Item")
        end = self.now() - SETTLE
        revision = int(item["revision"]["N"]) if item else 0
        first = {"watermark": canonical(end), "began": canonical(end - LOOK_BACK)}
        record = json.loads(item["record"]["S"]) if item else first
        start = parse(record["watermark"]) - LOOK_BACK
        token, last = None, None
        leased = self.now() - LEASE
        while True:
            parameters = {"updated_from": canonical(start), "updated_to": canonical(end), "limit": "100"}
            if token:
                parameters["token"] = token
            answer = self.session.get(f"{self.upstream}/tickets", params=parameters, timeout=30)
            answer.raise_for_status()
            page = answer.json()
            tickets = [normalise(row) for row in page["tickets"]]
            self.tickets += len(tickets)
            for ticket in tickets:
                last = max(last, ticket["updated_at"]) if last else ticket["updated_at"]
            news = self.compare(tickets, record["began"], start, end)
            if news or self.now() - leased > LEASE / 3:
                leased = self.now()
                record["lease"] = canonical(leased + LEASE)
                record["token"] = token
                record["in_flight"] = [ticket["id"] for ticket, *_ in news]
                self.put(stream, revision, {"record": {"S": json.dumps(record)}})
                revision += 1
            self.publish(news)
            token = page.get("next")
            if not token:
                break
        watermark = max(filter(None, [record["watermark"], last, canonical(end - LOOK_BACK)]))
        record = {"watermark": watermark, "began": record["began"]}
        self.put(stream, revision, {"record": {"S": json.dumps(record)}})

    def compare(self, tickets, began, start, end):
        """What is new: the ticket, its version, its event, and the revision of what was seen of it."""
        if not tickets:
            return []
        seen = self.seen(tickets)
        news = []
        for ticket in tickets:
            content = hashlib.sha256(json.dumps(ticket, sort_keys=True).encode()).hexdigest()[:32]
            item = seen.get(ticket["id"])
            before, revision = None, 0
            if item:
                revision = int(item["revision"]["N"])
                had = json.loads(item["data"]["S"])
                if had["updated_at"] > ticket["updated_at"]:
                    continue
                if had["updated_at"] == ticket["updated_at"] and had["content"] == content:
                    continue
                before = had["ticket"]
            version = f"{INTEGRATION}\n{ticket['id']}\n{content}\n{ticket['updated_at']}"
            event = {
                "event_id": "evt_" + hashlib.sha256(version.encode()).hexdigest()[:32],
                "type": "Ticket Updated" if before or ticket["created_at"] < began else "Ticket Created",
                "integration": INTEGRATION,
                "ticket_id": ticket["id"],
                "version": {"updated_at": ticket["updated_at"], "content": content},
                "window": {"start": canonical(start), "end": canonical(end)},
                "observed_at": canonical(self.now()),
                "ticket": ticket,
                "changes": changes(before, ticket) if before else None,
            }
            news.append((ticket, content, event, revision))
        return news

    def publish(self, news):
        for ticket, content, event, revision in news:
            data = {"updated_at": ticket["updated_at"], "content": content, "ticket": ticket, "pending": event}
            self.put(self.seen_key(ticket["id"]), revision, {"data": {"S": json.dumps(data)}})
        expires_at = str(int((self.now() + RETENTION).timestamp()))
        for first in range(0, len(news), 10):
            batch = news[first : first + 10]
            entries = [
                {
                    "EventBusName": "bench",
                    "Source": "ticket-gateway",
                    "DetailType": event["type"],
                    "Detail": json.dumps(event),
                }
                for _, _, event, _ in batch
            ]
            answer = self.bus.put_events(Entries=entries)
            if answer["FailedEntryCount"]:
                raise RuntimeError("the bus did not take all events")
            self.published += len(batch)
            for ticket, content, _, revision in batch:
                data = {"updated_at": ticket["updated_at"], "content": content, "ticket": ticket}
                attributes = {"data": {"S": json.dumps(data)}, "expires_at": {"N": expires_at}}
                self.put(self.seen_key(ticket["id"]), revision + 1, attributes)


def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak():
    """`ru_maxrss` would count what the process that started this one had."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--upstream", "--aws", "--table", "--now"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    worker = Worker(arguments.upstream, arguments.aws, arguments.table, parse(arguments.now))
    begun, before = time.perf_counter(), spent()
    worker.run()
    print(
        json.dumps(
            {
                "outcome": "CaughtUp",
                "tickets": worker.tickets,
                "published": worker.published,
                "cpu": spent() - before,
                "wall": time.perf_counter() - begun,
                "peak_kb": peak(),
            }
        )
    )


main()
