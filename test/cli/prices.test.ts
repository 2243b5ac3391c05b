// `forecourt prices`, `forecourt limits` and `forecourt usage` on a real database, and what a server makes of them.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { createTestAppliance, type TestAppliance } from "../support/create-test-appliance.ts";
import { forecourt, newFolder, removeFolders } from "./command.ts";

// Each call of the command line is a process of its own; on a busy machine some take seconds.
setDefaultTimeout(60_000);
afterAll(removeFolders);

const ECHO = "forecourt/echo";
const json = async (words: string[], data: string) => {
  const { exitCode, stdout, stderr } = await forecourt([...words, "--json", "--data", data]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return JSON.parse(stdout);
};
const run = (box: TestAppliance, key: string) => {
  const entry = box.catalog.find(ECHO);
  if (!entry) throw new Error("no echo");
  const id = box.keys.verify(key).id;
  return box.jobs.submit({
    model: entry.model,
    endpoint: ECHO,
    key: id,
    input: { prompt: "hi" },
    rejectInvalid: true,
    mayWait: true,
  });
};

test("prices of a key, its team and everybody count in this order, at once in a server that runs", async () => {
  const data = newFolder();
  await using box = await createTestAppliance({ data });
  const key = await json(["keys", "create", "--name", "app", "--team", "art"], data);
  const model = box.catalog.find(ECHO)?.model;
  if (!model) throw new Error("no echo");
  const price = () => box.accounts.priceOf(model, key.id).parts.map(({ amount, unit }) => `${amount / 1e9} ${unit}`);
  expect(price()).toEqual(["0 request"]);
  await json(["prices", "set", "*", "1 USD/request"], data);
  expect(price()).toEqual(["1 request"]);
  await json(["prices", "set", "forecourt/*", "2 USD/request", "0.5 USD/gpu_second", "--team", "art"], data);
  expect(price()).toEqual(["2 request", "0.5 gpu_second"]);
  expect(await json(["prices", "set", ECHO, "0.003 USD per request", "--key", "app"], data)).toEqual({
    ...{ holder: `key:${key.id}`, model: ECHO, price: ["0.003 USD/request"] },
  });
  expect(price()).toEqual(["0.003 request"]);
  const { overrides, models } = await json(["prices", "list"], data);
  expect(overrides).toHaveLength(3);
  expect(models).toContainEqual({ model: ECHO, price: ["1 USD/request"] });
  await json(["prices", "remove", ECHO, "--key", "app"], data);
  expect(price()).toEqual(["2 request", "0.5 gpu_second"]);
  const again = await forecourt(["prices", "remove", ECHO, "--key", "app", "--data", data]);
  expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining("has no price of its own")]);
  expect(box.oversight.audit.list({ limit: 9 }).map(({ action }) => action)).toContain("forecourt prices set");
});

test("a price in a unit that some models of a pattern never count is set, and these are named", async () => {
  const data = newFolder();
  const words = ["prices", "set", "forecourt/*", "1 USD/image"];
  const { unpriced } = await json(words, data);
  expect(unpriced).toContain("forecourt/demo-llama");
  expect(unpriced).not.toContain(ECHO);
  const told = await forecourt([...words, "--data", data]);
  expect([told.exitCode, told.stderr]).toEqual([0, expect.stringContaining("none of these units: ")]);
  expect(told.stderr).toContain("forecourt/demo-llama");
  // The request itself is counted everywhere.
  expect(await json([...words, "0.1 USD/request"], data)).not.toHaveProperty("unpriced");
});

test.each([
  [["prices", "set", "*", "1 dollar"], "e.g. '0.02 USD/image'"],
  [["prices", "set", "*", "1 USD/image", "1 EUR/step"], "in one currency"],
  [["prices", "set", "*", "1 USD/image", "--key", "admin", "--team", "x"], "not for both"],
  [["limits", "set", "team", "x", "--budget", "much"], "should be an amount"],
  [["limits", "set", "planet", "x"], "Allowed choices are key, team, model"],
  [["usage", "--by", "request", "--limit", "0"], "--limit"],
])(
  "%j is wrong usage",
  async (words, text) => {
    const data = newFolder();
    await forecourt(["keys", "create", "--name", "admin", "--data", data]);
    const { exitCode, stderr } = await forecourt([...words, "--data", data]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(text)]);
  },
  30_000,
);

test("limits of a team and of a model hold at once in a server that runs, and are listed with what is left", async () => {
  const data = newFolder();
  await using box = await createTestAppliance({ data });
  const { key } = await json(["keys", "create", "--name", "app", "--team", "art"], data);
  await json(["limits", "set", "team", "art", "--budget", "2 requests/day"], data);
  await json(["limits", "set", "model", ECHO, "--rpm", "3"], data);
  await run(box, key);
  await run(box, key);
  await expect(run(box, key)).rejects.toMatchObject({ code: "budget_exhausted", details: { account: "team" } });
  await json(["limits", "set", "team", "art"], data);
  await run(box, key);
  await expect(run(box, key)).rejects.toMatchObject({ code: "rate_limited", details: { account: "model" } });
  expect(await json(["limits", "list"], data)).toMatchObject([
    { kind: "model", id: ECHO, limits: { requests_per_minute: 3 }, budgets: [] },
  ]);
  const unknown = await forecourt(["limits", "set", "model", "no/such", "--rpm", "1", "--data", data]);
  expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("There is no model no/such")]);
});

test("usage by request shows each with its cost, the latest first, as table, JSON and CSV", async () => {
  const data = newFolder();
  await using box = await createTestAppliance({ data });
  const { key, id } = await json(["keys", "create", "--name", "app"], data);
  await json(["prices", "set", ECHO, "0.25 USD/request"], data);
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const job = await run(box, key);
    ids.unshift(job.id);
    for await (const event of box.jobs.watch(job.id, AbortSignal.timeout(60_000))) if (event.type === "finished") break;
  }
  const latest = await forecourt(["usage", "--by", "request", "--limit", "2", "--json", "--data", data]);
  expect(latest.stderr).toBe("These are the latest 2; --limit takes a larger number.\n");
  expect(JSON.parse(latest.stdout)).toMatchObject(
    ids.slice(0, 2).map((request_id) => ({
      ...{ request_id, key: id, name: "app", model: ECHO, outcome: "done", cost: "0.25", currency: "USD" },
      units: { requests: "1" },
    })),
  );
  const { stdout: text } = await forecourt(["usage", "--by", "request", "--data", data]);
  expect(
    text
      .split("\n")
      .slice(0, 4)
      .map((line) =>
        line
          .split(/\s{2,}/)
          .at(-1)
          ?.trim(),
      ),
  ).toEqual(["COST", ...Array(3).fill("0.25 USD")]);
  const { stdout: csv, stderr } = await forecourt(["usage", "--by", "request", "--csv", "--data", data]);
  expect(stderr).toBe("");
  expect(csv.split("\r\n")).toHaveLength(5);
  expect(csv).toStartWith(
    "request_id,key,name,team,model,endpoint,outcome,failure,device,cost,currency,admitted_at,ended_at,tags",
  );
});
