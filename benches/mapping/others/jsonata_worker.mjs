// Runs a job in jsonata, the reference of JSONata: node jsonata_worker.mjs JOB.json DOCUMENTS
//
// Commands and answers are those of jsonbender_worker.py. Evaluations are awaited one by one.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The package lies where the command put it, not beside this file.
const require = createRequire(process.env.BENCH_NODE_MODULES);
const jsonata = require("jsonata");

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const texts = readFileSync(process.argv[3], "utf8").split("\n").slice(0, -1);
const parsed = texts.map((text) => JSON.parse(text));
const compiled = jsonata(job.jsonata);

const commands = {
  async text() {
    for (const text of texts) JSON.stringify(await compiled.evaluate(JSON.parse(text)));
  },
  async parsed() {
    for (const document of parsed) await compiled.evaluate(document);
  },
  async compile() {
    jsonata(job.jsonata);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, path] = line.trim().split(" ");
  let answer;
  if (command === "write") {
    const outputs = [];
    for (const document of parsed) outputs.push(JSON.stringify(await compiled.evaluate(document)) + "\n");
    writeFileSync(path, outputs.join(""));
    answer = "ok";
  } else if (command === "version") {
    answer = `${require("jsonata/package.json").version} (Node ${process.version.slice(1)})`;
  } else {
    const start = process.hrtime.bigint();
    await commands[command]();
    answer = process.hrtime.bigint() - start;
  }
  console.log(String(answer));
}
