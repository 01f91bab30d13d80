// The start-up of an action's function in Node: the active integrations and their secrets, then ready.

import http from "node:http";
import { gunzipSync } from "node:zlib";
import { DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

const table = process.env.TICKET_GATEWAY_INTEGRATIONS_TABLE;
const prefix = process.env.TICKET_GATEWAY_SECRET_PREFIX;
const dynamodb = new DynamoDBClient({});
const secrets = new SecretsManagerClient({});

async function items(pk) {
  const answer = await dynamodb.send(
    new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: pk } },
    }),
  );
  return answer.Items;
}

async function load() {
  const integrations = new Map();
  for (const pointer of await items("ACTIVE")) {
    const name = pointer.sk.S;
    const version = pointer.version.N.padStart(12, "0");
    const chunks = await items(`INTEGRATION#${name}#${version}`);
    const content = JSON.parse(gunzipSync(Buffer.concat(chunks.map((chunk) => chunk.data.B))));
    const answer = await secrets.send(new GetSecretValueCommand({ SecretId: prefix + name }));
    integrations.set(name, { content, secret: JSON.parse(answer.SecretString) });
  }
  return integrations;
}

const integrations = await load();

function handler() {
  return { statusCode: 200, body: JSON.stringify([...integrations.keys()].sort()) };
}

// Less than AWS's runtime client does, in Node's favour.
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${api}/${path}`, { method, agent }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve({ headers: answer.headers, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const { headers, text } = await call("GET", "next");
  const result = handler(JSON.parse(text));
  await call("POST", `${headers["lambda-runtime-aws-request-id"]}/response`, JSON.stringify(result));
}
