"""Runs a job in JSONBender: python jsonbender_worker.py JOB.json DOCUMENTS

Documents are JSON texts, a line each. Commands come on standard input, a line each; each is answered by one line:
`text` and `parsed` by the nanoseconds of one pass over all documents, `compile` by those of building the mapping,
`write PATH` by `ok` once the outputs are there, `version` by the version.
"""

import importlib.metadata
import json
import platform
import sys
import time

from jsonbender import F, K, S, bend
from jsonbender.control_flow import If, Switch
from jsonbender.list_ops import Filter, ForallBend


def ticket(job):
    assignee = S("assigned_to", "display_value")
    return {
        "id": S("number", "display_value") >> F(str.strip),
        "external_id": S("sys_id", "value"),
        "title": S("short_description", "display_value"),
        "state": Switch(
            S("state", "value"), {code: K(state) for code, state in job["states"].items()}, default=K("UNKNOWN")
        ),
        "requester": S("caller_id", "display_value") >> F(str.lower),
        "assignee": If(assignee, assignee, K("unassigned")),
        "url": K(job["address"]) + S("sys_id", "value"),
        "updated_at": (S("sys_updated_on", "value") >> F(str.replace, " ", "T")) + K("Z"),
        "comments": S("comments")
        >> Filter(lambda comment: not comment["internal"])
        >> ForallBend({"id": S("id"), "body": S("body")}),
    }


def mapping(job):
    if job["kind"] == "ticket":
        return ticket(job)
    if job["kind"] == "page":
        return S("items") >> ForallBend(ticket(job))
    return {name: S(*path) for name, path in job["fields"]}


def run(compiled, document):
    return bend(compiled, document) if isinstance(compiled, dict) else compiled(document)


def write(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    with open(sys.argv[2], encoding="utf-8", newline="\n") as file:
        texts = file.read().split("\n")[:-1]
    compiled = mapping(job)
    parsed = [json.loads(text) for text in texts]
    for line in sys.stdin:
        command, _, path = line.strip().partition(" ")
        start = time.perf_counter_ns()
        if command == "text":
            for text in texts:
                write(run(compiled, json.loads(text)))
        elif command == "parsed":
            for document in parsed:
                run(compiled, document)
        elif command == "compile":
            mapping(job)
        answer = time.perf_counter_ns() - start
        if command == "write":
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.writelines(write(run(compiled, document)) + "\n" for document in parsed)
            answer = "ok"
        elif command == "version":
            answer = f"{importlib.metadata.version('JSONBender')} (Python {platform.python_version()})"
        print(answer, flush=True)


main()
