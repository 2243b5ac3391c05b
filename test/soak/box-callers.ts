// Callers of all else: OpenAI's faces, uploads, keys and budgets, lists of the admin's, workflows, tools, and input that is wrong.
import { ask, type Caller, json, type Scenario, SHORT_LIVED, somePrompt } from "./caller.ts";
import { DRAWER, ECHO } from "./job-callers.ts";

const CHAT = "forecourt/demo-llama";
const QUESTION =
  "There is a big red circle on the left and a small blue star on the right, on a green ground. What colour is the star?";

const chat = (caller: Caller, more: object, signal?: AbortSignal) =>
  ask(caller, "/v1/chat/completions", {
    body: { model: CHAT, messages: [{ role: "user", content: QUESTION }], max_tokens: 30, ...more },
    ...(signal && { signal }),
  });

export const chatted: Scenario = async (caller) => {
  const response = await caller.tally.take("chat: stream", await chat(caller, { stream: true }), [200]);
  const text = await response.text();
  if (!text.endsWith("data: [DONE]\n\n")) caller.tally.wrong("chat: stream", `ended with ${text.slice(-200)}`);
};

export const chatCut: Scenario = async (caller) => {
  const leaving = new AbortController();
  const response = await caller.tally.take("chat: cut", await chat(caller, { stream: true }, leaving.signal), [200]);
  await response.body?.getReader().read();
  leaving.abort();
};

export const responded: Scenario = async (caller) => {
  const { tally } = caller;
  const body = { model: CHAT, input: QUESTION, max_output_tokens: 20 };
  const { id } = await json(await tally.take("responses: made", await ask(caller, "/v1/responses", { body }), [200]));
  const next = { ...body, input: "And the circle?", previous_response_id: id };
  await (await tally.take("responses: gone on", await ask(caller, "/v1/responses", { body: next }), [200])).text();
  const gone = await ask(caller, `/v1/responses/${id}`, { method: "DELETE" });
  await (await tally.take("responses: deleted", gone, [200])).text();
};

export const uploaded: Scenario = async (caller) => {
  const { tally, random } = caller;
  const picture = await Bun.file(`${import.meta.dir}/../../models/demo/contact-sheet.png`).bytes();
  const begin = { file_name: "sheet.png", content_type: "image/png" };
  const path = "/rest/storage/upload/initiate?storage_type=fal-cdn-v3";
  const begun = await ask(caller, path, { body: begin, headers: { "x-fal-object-lifecycle": LIFECYCLE } });
  const { upload_url, file_url } = await json<Record<string, string>>(await tally.take("upload: begun", begun, [200]));
  const headers = { "content-type": "image/png" };
  const sent = await ask(caller, upload_url ?? "", { method: "PUT", body: picture, headers, key: "" });
  await (await tally.take("upload: sent", sent, [200])).text();
  const read = await tally.take("upload: read", await ask(caller, file_url ?? "", { key: "" }), [200]);
  if ((await read.bytes()).length !== picture.length) tally.wrong("upload: read", "not what was sent");
  if (random() < 0.5) return;
  const body = { image_url: file_url, width_percent: 50 };
  const cropped = await ask(caller, "/run/fal-ai/workflow-utilities/crop-image", { body, headers: SHORT_LIVED });
  await (await tally.take("run: with an upload", cropped, [200])).text();
};

const LIFECYCLE = SHORT_LIVED["x-fal-object-lifecycle-preference"];

/** A key that may do three requests an hour: the fourth is refused, and after its end all are. */
export const keyed: Scenario = async (caller) => {
  const { tally, admin } = caller;
  const limits = { name: "soaked", team: "soak", budgets: ["3 requests/hour"], expires_in: 86_400 };
  const made = await ask(caller, "/admin/v1/keys", { body: limits, key: admin });
  const { id, key } = await json<Record<string, string>>(await tally.take("keys: made", made, [201]));
  for (const wanted of [200, 200, 200, 403]) {
    const answer = await ask(caller, `/run/${ECHO}`, { body: { prompt: "counted" }, key: key ?? "" });
    await (await tally.take("keys: call within a budget", answer, [wanted])).text();
  }
  const revoked = await ask(caller, `/admin/v1/keys/${id}`, { method: "DELETE", key: admin });
  await (await tally.take("keys: revoked", revoked, [200])).text();
  const late = await ask(caller, `/run/${ECHO}`, { body: { prompt: "late" }, key: key ?? "" });
  await (await tally.take("keys: call after the end", late, [401])).text();
};

const LISTS = [
  ...["keys", "usage?by=model", "usage/requests?limit=20", "limits", "prices", "models", "status", "audit?limit=20"],
  ...["alerts", "webhooks?limit=20"],
].map((name) => `/admin/v1/${name}`);
const PAGES = [
  "/v1/models",
  "/platform/v1/models?limit=20",
  "/swagger/json",
  `/models/${DRAWER}/llms.txt`,
  "/metrics",
  "/ready",
];

export const listed: Scenario = async (caller) => {
  for (const path of [...LISTS, ...PAGES]) {
    const response = await ask(caller, path, { key: caller.admin });
    await (await caller.tally.take("lists", response, [200])).text();
  }
};

/** Each with what is to be answered. */
const MISTAKES: { path: string; wish: Parameters<typeof ask>[2]; status: number }[] = [
  { path: `/run/${ECHO}`, wish: { body: {} }, status: 422 },
  { path: `/run/${ECHO}`, wish: { body: '{"prompt": ' }, status: 422 },
  { path: `/run/${ECHO}`, wish: { body: { prompt: "x", steps: "many" } }, status: 422 },
  { path: `/run/${ECHO}`, wish: { body: { prompt: "x" }, key: "nobody:nothing" }, status: 401 },
  { path: "/run/forecourt/nothing", wish: { body: { prompt: "x" } }, status: 404 },
  { path: `/queue/${ECHO}/requests/00000000-0000-0000-0000-000000000000/status`, wish: {}, status: 404 },
  {
    path: `/run/${DRAWER}/image-to-image`,
    wish: { body: { prompt: "x", image_url: "http://127.0.0.1:1/x.png" } },
    status: 422,
  },
  {
    path: `/run/${DRAWER}/image-to-image`,
    wish: { body: { prompt: "x", image_url: "data:image/png;base64,AAAA" } },
    status: 422,
  },
  { path: "/v1/chat/completions", wish: { body: { model: CHAT, messages: [] } }, status: 400 },
  {
    path: "/v1/chat/completions",
    wish: { body: { model: "nothing", messages: [{ role: "user", content: "x" }] } },
    status: 404,
  },
  { path: "/files/none/at-all.png", wish: { key: "" }, status: 404 },
  { path: "/admin/v1/keys", wish: { body: { name: "x", scope: "none" } }, status: 403 },
];

export const mistaken: Scenario = async (caller) => {
  for (const { path, wish, status } of MISTAKES)
    await (await caller.tally.take("mistakes", await ask(caller, path, wish), [status])).text();
};

const workflow = {
  nodes: {
    text: { type: "run", app: "fal-ai/text-concat", input: { text1: "$input.shape", text2: " on a black ground" } },
    drawn: { type: "run", app: DRAWER, input: { prompt: "$text.results", num_inference_steps: 2 } },
    said: { type: "run", app: ECHO, input: { prompt: "$drawn.images.0.url" } },
  },
  output: { url: "$said.prompt" },
};

export const conducted: Scenario = async (caller) => {
  const body = { input: { shape: somePrompt(caller.random) }, workflow };
  const response = await ask(caller, "/run/workflows/execute", { body, headers: SHORT_LIVED });
  const output = await json<{ url?: string }>(await caller.tally.take("workflow", response, [200]));
  if (!output.url?.startsWith("http")) caller.tally.wrong("workflow", JSON.stringify(output));
};

export const tooled: Scenario = async (caller) => {
  const headers = { accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18" };
  const call = (method: string, params: object) =>
    ask(caller, "/mcp", { body: { jsonrpc: "2.0", id: 1, method, params }, headers });
  await (await caller.tally.take("tools: list", await call("tools/list", {}), [200])).text();
  const run = { name: "run_model", arguments: { endpoint_id: ECHO, input: { prompt: "by a tool" } } };
  const text = await (await caller.tally.take("tools: run", await call("tools/call", run), [200])).text();
  if (!text.includes("by a tool")) caller.tally.wrong("tools: run", text);
};
