// Callers of models: the queue with webhooks and cancels, direct runs, streams and sockets, to their end and cut off.

import { readEvents } from "../support/read-events.ts";
import { connect } from "../support/socket-client.ts";
import { ask, type Caller, json, type Scenario, SHORT_LIVED, somePrompt } from "./caller.ts";

export const ECHO = "forecourt/echo";
export const DRAWER = "forecourt/demo-diffusion";
/** Of these there is room for one or two at a time: they make room for each other. */
const SWAPPED = ["forecourt/demo-clip", "forecourt/demo-clip/embed", "forecourt/demo-diffusion/image-to-image"];
const POLL_MS = 100;

type Submitted = { request_id: string; status_url: string; response_url: string; cancel_url: string };
type Output = { prompt?: string; images?: { url: string }[] };

export const queued: Scenario = async (caller) => {
  const { random, tally, hook, hooked } = caller;
  const prompt = "long ".repeat(random() < 0.05 ? 40_000 : Math.ceil(random() * 400));
  const path = `/queue/${ECHO}?fal_webhook=${encodeURIComponent(hook)}`;
  const headers: Record<string, string> = random() < 0.5 ? { "x-fal-store-io": "0" } : {};
  const body = { prompt, steps: 2, step_ms: 20 };
  const submitted = await tally.take("queue: submit", await ask(caller, path, { body, headers }), [200]);
  const { request_id, status_url, response_url } = await json<Submitted>(submitted);
  hooked.add(request_id);
  for (let status = ""; status !== "COMPLETED"; await Bun.sleep(POLL_MS))
    status = (
      await json<{ status: string }>(await tally.take("queue: status", await ask(caller, status_url), [200, 202]))
    ).status;
  const result = await json<Output>(await tally.take("queue: result", await ask(caller, response_url), [200]));
  if (result.prompt !== prompt) tally.wrong("queue: result", "another prompt came back");
};

/** Followed as events instead of polled. */
export const followed: Scenario = async (caller) => {
  const { tally } = caller;
  const body = { prompt: "followed", steps: 5, step_ms: 20 };
  const submitted = await tally.take("queue: submit", await ask(caller, `/queue/${ECHO}`, { body }), [200]);
  const { status_url } = await json<Submitted>(submitted);
  const stream = await tally.take("queue: status stream", await ask(caller, `${status_url}/stream?logs=1`), [200]);
  if (!(await stream.text()).includes("COMPLETED")) tally.wrong("queue: status stream", "ended before the request");
};

export const cancelled: Scenario = async (caller) => {
  const { tally, random } = caller;
  const body = { prompt: "to be cancelled", steps: 100, step_ms: 100 };
  const submitted = await tally.take("queue: submit", await ask(caller, `/queue/${ECHO}`, { body }), [200]);
  const { response_url, status_url, cancel_url } = await json<Submitted>(submitted);
  await Bun.sleep(random() * 400); // still waiting, or running by now
  await tally.take("queue: cancel", await ask(caller, cancel_url, { method: "PUT" }), [202]);
  for (let status = ""; status !== "COMPLETED"; await Bun.sleep(POLL_MS))
    status = (await json<{ status: string }>(await ask(caller, status_url))).status;
  await tally.take("queue: result of a cancelled one", await ask(caller, response_url), [499]);
};

/** The probe whose latency is told. */
export const direct: Scenario = async (caller) => {
  const before = performance.now();
  const response = await caller.tally.take(
    "run: echo",
    await ask(caller, `/run/${ECHO}`, { body: { prompt: "direct" } }),
    [200],
  );
  await response.text();
  caller.tally.timed(performance.now() - before);
};

export const drawn: Scenario = async (caller) => {
  const { tally, random } = caller;
  const body = { prompt: somePrompt(random), num_inference_steps: 2, seed: Math.floor(random() * 1000) };
  const response = await ask(caller, `/run/${DRAWER}`, { body, headers: SHORT_LIVED });
  const { images = [] } = await json<Output>(await tally.take("run: picture", response, [200]));
  const url = images[0]?.url ?? "";
  const whole = await tally.take("file: read", await ask(caller, url, { key: "" }), [200]);
  if ((await whole.bytes())[0] !== 0x89) tally.wrong("file: read", "not a PNG");
  const headers = { range: "bytes=0-99" };
  const part = await tally.take("file: part", await ask(caller, url, { key: "", headers }), [206]);
  if ((await part.bytes()).length !== 100) tally.wrong("file: part", "not a hundred bytes");
};

export const swapped: Scenario = async (caller) => {
  const { tally, random } = caller;
  const model = SWAPPED[Math.floor(random() * SWAPPED.length)] ?? DRAWER;
  const image_url = `data:image/png;base64,${(await Bun.file(`${import.meta.dir}/../../models/demo/contact-sheet.png`).bytes()).toBase64()}`;
  const input = model.endsWith("image-to-image")
    ? { prompt: somePrompt(random), image_url, num_inference_steps: 2 }
    : model.endsWith("embed")
      ? { input: [somePrompt(random)] }
      : { image_url, texts: [somePrompt(random), somePrompt(random)] };
  const response = await ask(caller, `/run/${model}`, { body: input, headers: SHORT_LIVED });
  await (await tally.take("run: model that is swapped", response, [200])).text();
};

export const streamed: Scenario = async (caller) => {
  const { tally, random } = caller;
  const body = { prompt: somePrompt(random), num_inference_steps: 3, preview_every: 1 };
  const response = await ask(caller, `/run/${DRAWER}/stream`, { body, headers: SHORT_LIVED });
  const events = await Array.fromAsync(readEvents(await tally.take("stream: to its end", response, [200])));
  const last = events.at(-1)?.data as Output | undefined;
  if (!last?.images?.[0]?.url) tally.wrong("stream: to its end", `ended with ${JSON.stringify(last)}`);
};

export const streamCut: Scenario = async (caller) => {
  const { tally, random } = caller;
  const leaving = new AbortController();
  const body = { prompt: somePrompt(random), num_inference_steps: 40, preview_every: 1 };
  const { signal } = leaving;
  const response = await ask(caller, `/run/${DRAWER}/stream`, { body, headers: SHORT_LIVED, signal });
  const reader = (await tally.take("stream: cut", response, [200])).body?.getReader();
  if (random() < 0.8) await reader?.read();
  leaving.abort();
};

/** Who leaves before there is an answer. */
export const runCut: Scenario = async (caller) => {
  const signal = AbortSignal.timeout(50 + caller.random() * 150);
  const body = { prompt: "nobody waits", steps: 50, step_ms: 50 };
  const answer = await ask(caller, `/run/${ECHO}`, { body, signal }).catch(() => undefined);
  caller.tally.count("run: left before its answer", answer ? String(answer.status) : "left");
  if (answer) caller.tally.wrong("run: left before its answer", `it was answered ${answer.status}`);
};

const socketOf = ({ origin, key }: Caller, model: string) =>
  connect(`${origin.replace("http", "ws")}/run/${model}/realtime`, { authorization: `Key ${key}` });

export const realtime: Scenario = async (caller) => {
  const { tally, random } = caller;
  const socket = await socketOf(caller, DRAWER);
  for (let frame = 0; frame < 3; frame++) {
    socket.send(JSON.stringify({ prompt: somePrompt(random), num_inference_steps: 1, request_id: `${frame}` }));
    for (;;) {
      const message = JSON.parse(String(await socket.next())) as { images?: unknown; type?: string };
      if (message.type === "x-fal-error") tally.wrong("realtime: message", JSON.stringify(message));
      if (message.type === "x-fal-message") continue;
      tally.count("realtime: message", message.images ? "picture" : "error");
      break;
    }
  }
  socket.close();
  tally.count("realtime: closed", String((await socket.closed).code));
};

/** Goes while its picture is drawn. */
export const realtimeCut: Scenario = async (caller) => {
  const socket = await socketOf(caller, DRAWER);
  socket.send(JSON.stringify({ prompt: somePrompt(caller.random), num_inference_steps: 20 }));
  await Bun.sleep(caller.random() * 200);
  socket.close();
  caller.tally.count("realtime: cut", String((await socket.closed).code));
};
