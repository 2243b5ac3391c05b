// Alerts as their receiver sees them: a real server spends, fails, lets wait and fills its disk, and is killed meanwhile.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type LiveServer, startServer, until } from "../support/live-server.ts";
import { PRICED_ECHO, writePricedEcho } from "../support/priced-echo.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { isSigned, type Received, startReceiver } from "../support/webhook-receiver.ts";

setDefaultTimeout(600_000);

const MIB = 1024 * 1024;
/** Its looks are half a minute apart, and the machine may be busy. */
const PATIENCE_MS = 120_000;
/** Three of them are more than the 300 that the settings begin with. */
const DOLLARS = 101;
/** Of a model that a box without weights refuses, by no fault of its caller. */
const WITHOUT_WEIGHTS = "stabilityai/sdxl-turbo";

const folder = mkdtempSync(join(tmpdir(), "forecourt-alerts-"));
const data = join(folder, "data");
const disk = mountSmallDisk(data, 256);
afterAll(() => {
  disk.unmount();
  rmSync(folder, { recursive: true, force: true });
});

type Alert = { id: string; rule: string; subject: string; message: string; window_start: string };
const alertOf = ({ body }: Received): Alert => JSON.parse(body);

const call = (server: LiveServer, path: string, { key = server.key, body }: { key?: string; body?: unknown } = {}) =>
  fetch(`${server.origin}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Key ${key}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

async function keyOf(server: LiveServer, name: string, more = {}): Promise<{ id: string; key: string }> {
  return (await call(server, "/admin/v1/keys", { body: { name, ...more } })).json();
}

/** Waits for each answer. */
async function runTimes(server: LiveServer, times: number, { key, model }: { key: string; model: string }) {
  for (let each = 0; each < times; each++) {
    const answer = await call(server, `/run/${model}`, { key, body: { prompt: "x" } });
    if (model !== WITHOUT_WEIGHTS) expect([model, answer.status]).toEqual([model, 200]);
    await answer.arrayBuffer();
  }
}

test("each is told once and signed, whatever becomes of the server and of the first attempts", async () => {
  let isOpen = false;
  const taken: Received[] = [];
  let refused = 0;
  await using receiver = startReceiver((letter) => {
    if (isOpen) taken.push(letter);
    else refused++;
    return new Response("", { status: isOpen ? 200 : 503 });
  });
  writePricedEcho(data, { amount: DOLLARS });
  const port = await freePort();
  const start = () =>
    startServer({
      ...{ data, port },
      env: {
        FORECOURT_ALERTS_URL: `${receiver.origin}/alerts`,
        FORECOURT_ALERTS_QUEUE_WAIT_SECONDS: "5",
        FORECOURT_FETCH_ALLOW: "127.0.0.0/8",
        FORECOURT_WEIGHTS_FETCH: "never",
        FORECOURT_WEBHOOKS_RETRY_SECONDS: "0.5",
      },
    });

  let server = await start();
  await using _last = { [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  const spender = await keyOf(server, "spender");
  const saver = await keyOf(server, "saver", { budgets: ["10 requests/day"] });
  const waiter = await keyOf(server, "waiter");
  await runTimes(server, 3, { key: spender.key, model: PRICED_ECHO });
  await runTimes(server, 8, { key: saver.key, model: "forecourt/echo" });
  await runTimes(server, 30, { key: waiter.key, model: WITHOUT_WEIGHTS });
  const waiting: { cancel_url: string }[] = [];
  for (let each = 0; each < 2; each++) {
    const body = { prompt: "x", steps: 1000, step_ms: 100 };
    waiting.push(await (await call(server, `/queue/${PRICED_ECHO}`, { key: waiter.key, body })).json());
  }
  if (disk.isOwn) disk.fill(10 * MIB);
  else process.stderr.write(`No disk of its own to fill (${disk.why}): the alert of a low disk is not tested.\n`);

  // Killed while nobody takes them: they are on the disk with what they say.
  await until(async () => refused > 0, "a first attempt was made", PATIENCE_MS);
  await server.kill("SIGKILL");
  isOpen = true;
  server = await start();
  const rules = ["budget-used", "error-rate", "key-spend", "queue-wait", ...(disk.isOwn ? ["disk-low"] : [])].sort();
  const told = () => taken.map((letter) => alertOf(letter).rule);
  await until(async () => rules.every((rule) => told().includes(rule)), `all of ${rules} are told`, PATIENCE_MS);
  const isDelivered = async () => {
    const { alerts } = (await (await call(server, "/admin/v1/alerts")).json()) as {
      alerts: { delivery: { status: string } }[];
    };
    return alerts.every(({ delivery }) => delivery.status === "delivered");
  };
  await until(isDelivered, "the server knows so", PATIENCE_MS);

  // What comes next for the same keys in the same windows is the same alert; another key's tells that it was looked for. That key is
  // on the disk before its maker hears of it, and so is what was known before.
  const other = await keyOf(server, "other");
  await server.kill("SIGKILL");
  disk.empty();
  server = await start();
  for (const { cancel_url } of waiting)
    await fetch(cancel_url, { method: "PUT", headers: { authorization: `Key ${waiter.key}` } });
  await runTimes(server, 2, { key: spender.key, model: PRICED_ECHO });
  await runTimes(server, 1, { key: saver.key, model: "forecourt/echo" });
  await runTimes(server, 3, { key: other.key, model: PRICED_ECHO });
  const isOfOther = (letter: Received) => alertOf(letter).subject === other.id;
  await until(async () => taken.some(isOfOther), "the other key is told", PATIENCE_MS);

  const alerts = taken.map(alertOf);
  const names = alerts.map(
    ({ rule, subject, window_start }) => `${rule} of ${subject || "the box"} in ${window_start}`,
  );
  expect(names).toEqual([...new Set(names)]);
  expect(new Set(alerts.map(({ id }) => id)).size).toBe(alerts.length);
  const of = (rule: string, subject = "") => alerts.find((each) => each.rule === rule && each.subject === subject);
  expect(of("key-spend", spender.id)?.message).toContain(`spent ${3 * DOLLARS} USD this day, more than 300`);
  expect(of("key-spend", other.id)).toBeDefined();
  expect(of("budget-used", `key ${saver.id}`)?.message).toContain("80 % or more");
  expect(of("error-rate")?.message).toMatch(/^30 of the last \d+ requests failed/);
  expect(of("queue-wait")?.message).toMatch(/waits for \d+ seconds/);
  if (disk.isOwn) expect(of("disk-low")?.message).toMatch(/^[0-4]\.\d % of the disk is free/);

  const { keys } = (await (await fetch(`${server.origin}/.well-known/jwks.json`)).json()) as {
    keys: Parameters<typeof isSigned>[1];
  };
  const [first] = taken;
  expect(taken.filter((letter) => !isSigned(letter, keys))).toEqual([]);
  expect(first && isSigned({ ...first, body: first.body.replace("alert", "alarm") }, keys)).toBe(false);
});
