"""Two actions of the gateway's API, as a team would write them: FastAPI, httpx, JSONBender.

    python -m uvicorn server:app --port 0

A caller's key is checked, the ticketing system is asked once with Basic authentication, and its ticket is brought into
the normal form. Neither retries, nor a rate budget, nor a check of the ticket against a schema.
"""

import hashlib
import hmac
import os
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import JSONResponse
from jsonbender import F, K, S, bend
from jsonbender.control_flow import If, Switch
from jsonbender.list_ops import Filter, ForallBend

STATES = {"1": "NEW", "2": "WIP", "3": "WAITING_FOR_USER", "6": "RESOLVED", "7": "CLOSED", "8": "CLOSED"}
ADDRESS = "https://acme.service-now.com/nav_to.do?uri=incident.do?sys_id="
KEY_HASH = bytes.fromhex(os.environ["CALLER_KEY_SHA256"])


def utc(text):
    """A time of the ticketing system as the API writes it."""
    return text.replace(" ", "T") + ".000000Z"


assignee = S("assigned_to", "display_value")
TICKET = {
    "id": S("sys_id", "value"),
    "number": S("number", "display_value") >> F(str.strip),
    "short_description": S("short_description", "display_value"),
    "description": S("description", "display_value"),
    "state": S("state", "value"),
    "internal_state_code": Switch(S("state", "value"), {code: K(state) for code, state in STATES.items()}),
    "requested_for": S("caller_id", "display_value") >> F(str.lower),
    "assigned_to_user": If(assignee, assignee, K("unassigned")),
    "updated_at": S("sys_updated_on", "value") >> F(utc),
    "url": K(ADDRESS) + S("sys_id", "value"),
    "comments": S("comments")
    >> Filter(lambda comment: not comment["internal"])
    >> ForallBend({"id": S("id"), "body": S("body"), "created_at": S("created_on") >> F(utc)}),
}
FOUND = {"raw_ticket": S("result") >> F(lambda ticket: bend(TICKET, ticket))}
PAGE = {
    "raw_tickets": S("result") >> ForallBend(TICKET),
    "pagination_info": {"next_page_token": S("next")},
}


@asynccontextmanager
async def lifespan(app):
    async with httpx.AsyncClient(
        base_url=os.environ["UPSTREAM_URL"],
        auth=httpx.BasicAuth(os.environ["UPSTREAM_USER"], os.environ["UPSTREAM_PASSWORD"]),
        timeout=10,
        # The default keeps 20 connections of 100, and opens a new one for every other request of 64 callers.
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=100),
    ) as client:
        app.state.upstream = client
        yield


async def check_key(x_api_key: Annotated[str, Header()] = ""):
    if not hmac.compare_digest(hashlib.sha256(x_api_key.encode()).digest(), KEY_HASH):
        raise HTTPException(401, "one valid key is needed in the header x-api-key")


app = FastAPI(lifespan=lifespan, dependencies=[Depends(check_key)])


async def ask(path, parameters=None):
    try:
        answer = await app.state.upstream.get(path, params=parameters)
    except httpx.HTTPError as error:
        raise HTTPException(502, "the ticketing system does not answer") from error
    if answer.status_code == 404:
        raise HTTPException(404, "the ticketing system has no ticket with this id")
    if answer.status_code != 200:
        raise HTTPException(502, f"the ticketing system answers {answer.status_code}")
    return answer.json()


# The answer is given as it is to be written: FastAPI's own conversion of it would take longer than all the rest.
@app.get("/v1/bench/tickets/{ticket_id}")
async def query_ticket_by_id(ticket_id: str):
    return JSONResponse(bend(FOUND, await ask(f"/api/tickets/{ticket_id}")))


@app.get("/v1/bench/tickets")
async def query_tickets_by_time_range(updated_start_ts: datetime, updated_end_ts: datetime):
    parameters = {
        "updated_from": updated_start_ts.isoformat(),
        "updated_to": updated_end_ts.isoformat(),
        "limit": "100",
    }
    return JSONResponse(bend(PAGE, await ask("/api/tickets", parameters)))
