// Two actions of the gateway's API, as a team would write them: Fastify, undici, jsonata. It takes a free port.
//
// A caller's key is checked, the ticketing system is asked once with Basic authentication, and its ticket is brought into
// the normal form. Neither retries, nor a rate budget, nor a check of the ticket against a schema.

import { createHash, timingSafeEqual } from "node:crypto";

import Fastify from "fastify";
import jsonata from "jsonata";
import { Pool } from "undici";

const { CALLER_KEY_SHA256, UPSTREAM_URL, UPSTREAM_USER, UPSTREAM_PASSWORD } = process.env;
const keyHash = Buffer.from(CALLER_KEY_SHA256, "hex");
const authorization = "Basic " + Buffer.from(`${UPSTREAM_USER}:${UPSTREAM_PASSWORD}`).toString("base64");
const upstream = new Pool(UPSTREAM_URL, { connections: 100, headersTimeout: 10_000, bodyTimeout: 10_000 });

const TICKET = `{
  "id": sys_id.value,
  "number": $trim(number.display_value),
  "short_description": short_description.display_value,
  "description": description.display_value,
  "state": state.value,
  "internal_state_code": $lookup($states, state.value),
  "requested_for": $lowercase(caller_id.display_value),
  "assigned_to_user": assigned_to.display_value ? assigned_to.display_value : "unassigned",
  "updated_at": $replace(sys_updated_on.value, " ", "T") & ".000000Z",
  "url": "https://acme.service-now.com/nav_to.do?uri=incident.do?sys_id=" & sys_id.value,
  "comments": [comments[internal = false].{
    "id": id, "body": body, "created_at": $replace(created_on, " ", "T") & ".000000Z"
  }]
}`;
const STATES = `$states := {
  "1": "NEW", "2": "WIP", "3": "WAITING_FOR_USER", "6": "RESOLVED", "7": "CLOSED", "8": "CLOSED"
}`;
const found = jsonata(`(${STATES}; { "raw_ticket": result.${TICKET} })`);
const page = jsonata(
  `(${STATES}; { "raw_tickets": [result.${TICKET}], "pagination_info": { "next_page_token": next } })`,
);

class Refused extends Error {
  constructor(statusCode, message) {
    super(message);
    this.statusCode = statusCode;
  }
}

async function ask(path, query) {
  let answer;
  try {
    answer = await upstream.request({ method: "GET", path, query, headers: { authorization } });
  } catch {
    throw new Refused(502, "the ticketing system does not answer");
  }
  if (answer.statusCode === 200) return answer.body.json();
  await answer.body.dump();
  if (answer.statusCode === 404) throw new Refused(404, "the ticketing system has no ticket with this id");
  throw new Refused(502, `the ticketing system answers ${answer.statusCode}`);
}

// One line a request, as the others write it, instead of Fastify's two.
const app = Fastify({ logger: true, disableRequestLogging: true });

app.addHook("onResponse", async (request, reply) => {
  request.log.info({ method: request.method, url: request.url, status: reply.statusCode, ms: reply.elapsedTime });
});

app.addHook("onRequest", async (request) => {
  const key = request.headers["x-api-key"] ?? "";
  if (!timingSafeEqual(createHash("sha256").update(key).digest(), keyHash)) {
    throw new Refused(401, "one valid key is needed in the header x-api-key");
  }
});

app.get("/v1/bench/tickets/:ticketId", async (request) =>
  found.evaluate(await ask(`/api/tickets/${encodeURIComponent(request.params.ticketId)}`)),
);

const range = {
  type: "object",
  required: ["updated_start_ts", "updated_end_ts"],
  properties: {
    updated_start_ts: { type: "string", format: "date-time" },
    updated_end_ts: { type: "string", format: "date-time" },
  },
};
app.get("/v1/bench/tickets", { schema: { querystring: range } }, async ({ query }) =>
  page.evaluate(
    await ask("/api/tickets", { updated_from: query.updated_start_ts, updated_to: query.updated_end_ts, limit: "100" }),
  ),
);

await app.listen({ host: "127.0.0.1", port: 0 });
