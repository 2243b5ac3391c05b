// The worst bodies that callers may send, while another caller is answered: the server's thread never works for long without
// a turn of its event loop. From source, whatever was built: the meter is loaded into it.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { encode } from "@msgpack/msgpack";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { connect } from "../support/socket-client.ts";
import { testFolder } from "../support/test-folder.ts";
import { testModel } from "../support/test-models.ts";
import { yardsOf } from "../support/yardstick.ts";
import type { Metered } from "./meter.ts";

setDefaultTimeout(300_000);

const MODEL = "test/echo/idle";
const MIB = 2 ** 20;
const metered = join(testFolder("stalls"), "port");

/**
 * In yards of plain work, of some milliseconds each. 64 MiB of text are a dozen of them, in the parser alone; without limits and
 * slices what follows here took hundreds.
 */
const MOST_YARDS = 60;

let server: LiveServer;
let asker: Bun.Subprocess<"pipe", "pipe", "inherit">;
beforeAll(async () => {
  server = await startServer({
    models: [testModel(MODEL, { sizeMb: 0 })],
    preload: join(import.meta.dir, "meter.ts"),
    env: { FORECOURT_TEST_METER: metered },
  });
  asker = Bun.spawn([process.execPath, join(import.meta.dir, "asker.ts"), server.origin, server.key, MODEL], {
    ...{ stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  });
  // Code that runs for the first time is slower.
  for (let i = 0; i < 50; i++) expect((await post(`/run/${MODEL}`, '{"prompt":"hello"}')).status).toBe(200);
});
afterAll(async () => {
  asker?.kill();
  await server?.[Symbol.asyncDispose]();
});

async function meter(): Promise<Metered> {
  const port = await Bun.file(metered).text();
  return (await (await fetch(`http://127.0.0.1:${port}`)).json()) as Metered;
}

const post = (path: string, body: string, type = "application/json") =>
  fetch(`${server.origin}${path}`, {
    ...{ method: "POST", body },
    headers: { authorization: `Key ${server.key}`, "content-type": type },
  });

async function frame(message: string | Uint8Array<ArrayBuffer>) {
  const headers = { authorization: `Key ${server.key}` };
  const socket = await connect(`${server.origin.replace("http", "ws")}/run/${MODEL}/realtime`, headers);
  socket.send(message);
  const answer = await socket.next();
  socket.close();
  return String(answer);
}

const run = (more: string) => post(`/run/${MODEL}`, `{"prompt":"a","more":${more}}`);
const chat = (fields: object) =>
  post("/v1/chat/completions", JSON.stringify({ model: "forecourt/demo-llama", ...fields }));
const many = (value: string, times: number) => `[${`${value},`.repeat(times - 1)}${value}]`;
const names = (times: number, name: (at: number) => string) =>
  `{${Array.from({ length: times }, (_, at) => `"${name(at)}":0`).join()}}`;
const form = (parts: number, name: (at: number) => string) => {
  const part = (_: unknown, at: number) => `--b\r\ncontent-disposition: form-data; name="${name(at)}"\r\n\r\nx\r\n`;
  const body = `${Array.from({ length: parts }, part).join("")}--b--\r\n`;
  return post("/v1/images/edits", body, "multipart/form-data; boundary=b");
};

const cases: [string, () => Promise<Response | string>][] = [
  ["a text of 63 MiB", () => run(`"${"a".repeat(63 * MIB)}"`)],
  ["a prompt of 63 MiB", () => post(`/run/${MODEL}`, JSON.stringify({ prompt: "a".repeat(63 * MIB) }))],
  ["escapes of 60 MiB", () => run(`"${"\\u0001".repeat(10 * MIB)}"`)],
  ["quotes of 60 MiB", () => run(`"${'\\"'.repeat(30 * MIB)}"`)],
  ["half a million lists in lists", () => run(many(`${"[".repeat(60)}${"]".repeat(60)}`, 500_000))],
  ["a million numbers", () => run(many("0", 1_000_000))],
  ["as many numbers as may be", () => run(many("0.123456", 249_990))],
  ["a million objects", () => run(many('{"a":0}', 1_000_000))],
  ["a million names", () => run(names(1_000_000, (at) => `n${at}`))],
  ["as many names as may be", () => run(names(49_990, (at) => `n${at}`))],
  ["as many numbers as names as may be", () => run(names(49_990, (at) => `${at * 7}`))],
  ["a wrong list", () => post(`/run/${MODEL}`, `{"prompt":${many("0", 249_990)}}`)],
  ["5,000 messages", () => chat({ messages: Array(5_000).fill({ role: "user", content: "hi" }) })],
  ["as many wrong messages as may be", () => chat({ messages: Array(24_990).fill({ role: "user", content: 7 }) })],
  ["a form of 100,000 parts", () => form(100_000, () => "image[]")],
  ["a form of 100,000 names", () => form(100_000, (at) => `n${at}`)],
  ["a frame of a million lists in lists", () => frame(new Uint8Array(16 * MIB).fill(0x9f))],
  ["as many values in a frame as may be", () => frame(encode({ prompt: "a", more: Array(249_990).fill(0) }))],
  ["a frame of a million numbers", () => frame(`{"prompt":"a","more":${many("0", 1_000_000)}}`)],
  ["all documents", () => fetch(`${server.origin}/swagger/json`)],
];

test.each(cases)("%s: others are answered meanwhile", async (name, ask) => {
  await meter();
  const answer = await ask();
  if (answer instanceof Response) {
    expect(answer.status).toBeWithin(200, 500);
    await answer.arrayBuffer();
  }
  expect(yardsOf(name, await meter())).toBeLessThan(MOST_YARDS);
});

test("the other caller was answered all the while", async () => {
  asker.stdin.end();
  const waits = JSON.parse(await new Response(asker.stdout).text()) as Record<"health" | "echo", number[]>;
  for (const name of ["health", "echo"] as const) {
    const sorted = waits[name].toSorted((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
    if (process.env.FORECOURT_TELL_TURNS)
      process.stderr.write(
        `${name}: half within ${at(0.5)} ms, 99 % ${at(0.99)}, all ${at(1)}; ${sorted.length} asked\n`,
      );
    expect(sorted.length).toBeGreaterThan(cases.length);
  }
  expect(await asker.exited).toBe(0);
});
