// Clients of others that speak fal's API, unmodified, against a live server: they draw a picture and meet the errors.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { createFal } from "@ai-sdk/fal";
import { InferenceClient } from "@huggingface/inference";
import { generateImage as generateWithTanstack } from "@tanstack/ai";
import { falImage } from "@tanstack/ai-fal";
import { generateImage } from "ai";
import { proved } from "../support/conformance.ts";
import { pythonWith } from "../support/python-venv.ts";
import { onBox, rewrittenFetch } from "./hosts-on-box.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;
beforeAll(async () => {
  server = await serverUnderTest();
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

const MODEL = "forecourt/demo-diffusion";
const prompt = "a big red circle on a blue ground";
const isPng = (bytes: Uint8Array) => Buffer.from(bytes.slice(1, 4)).toString() === "PNG";
const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;
const isPicture = (bytes: Uint8Array) => isPng(bytes) || isJpeg(bytes);

test("@ai-sdk/fal by its base URL", async () => {
  const fal = createFal({ apiKey: server.key, baseURL: `${server.origin}/run` });
  const { images, providerMetadata } = await generateImage({
    model: fal.image(MODEL),
    ...{ prompt, seed: 7 },
    providerOptions: { fal: { numInferenceSteps: 2 } },
    maxRetries: 0,
  });
  expect(images.map(({ uint8Array }) => isPicture(uint8Array))).toEqual([true]);
  expect(providerMetadata.fal).toMatchObject({ images: [{ width: 128, nsfw: false }] });
  const wrong = generateImage({ model: fal.image(MODEL), prompt, size: "99999x99999", maxRetries: 0 });
  await expect(wrong).rejects.toMatchObject({ statusCode: 422 });
  const stranger = createFal({ apiKey: "nobody:nothing", baseURL: `${server.origin}/run` });
  const refused = generateImage({ model: stranger.image(MODEL), prompt, maxRetries: 0 });
  await expect(refused).rejects.toMatchObject({ statusCode: 401 });
  const unknown = generateImage({ model: fal.image("forecourt/nothing"), prompt, maxRetries: 0 });
  await expect(unknown).rejects.toMatchObject({ statusCode: 404 });
  proved("ai-sdk", "run", "error-fields", "error-auth", "error-unknown");
}, 60_000);

/** It asks the Hub which fal model stands for a Hub model; nobody else can be asked here. */
const mapping = {
  inferenceProviderMapping: { "fal-ai": { status: "live", providerId: MODEL, task: "text-to-image" } },
};

/** What internal DNS does: fal's host names lead to the box, which knows them by the header. */
async function byHostName(url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { hostname, pathname, search } = new URL(String(url));
  if (hostname === "huggingface.co") return Response.json(mapping);
  const headers = { ...Object.fromEntries(new Headers(init?.headers)), host: hostname };
  return await realFetch(`${server.origin}${pathname}${search}`, { ...init, headers });
}
const realFetch = globalThis.fetch;

test("@huggingface/inference with provider fal-ai by fal's host names", async () => {
  const draw = (accessToken: string) =>
    new InferenceClient(accessToken).textToImage(
      {
        ...{ provider: "fal-ai", model: "stabilityai/stand-in", inputs: prompt },
        parameters: { num_inference_steps: 2, seed: 7 },
      },
      { outputType: "blob" },
    );
  // It looks at the status with the global fetch, whatever its option says.
  globalThis.fetch = Object.assign(byHostName, realFetch);
  try {
    const picture = await draw(server.key);
    expect(isPicture(await picture.bytes())).toBe(true);
    await expect(draw("nobody:nothing")).rejects.toMatchObject({ httpResponse: { status: 401 } });
  } finally {
    globalThis.fetch = realFetch;
  }
  proved("huggingface", "submit", "status", "result", "error-auth");
}, 60_000);

test("@tanstack/ai-fal by its option fetch", async () => {
  const adapter = (apiKey: string) =>
    falImage(MODEL, {
      apiKey,
      fetch: rewrittenFetch((url) => onBox(url, server.origin)),
    });
  const result = await generateWithTanstack({
    adapter: adapter(server.key),
    prompt,
    numberOfImages: 2,
    modelOptions: { num_inference_steps: 2, seed: 7 },
    debug: false,
  });
  expect(result.images).toHaveLength(2);
  for (const { url } of result.images) expect(isPicture(await (await fetch(url ?? "")).bytes())).toBe(true);
  const wrong = generateWithTanstack({
    adapter: adapter(server.key),
    prompt,
    modelOptions: { num_inference_steps: 0 },
    debug: false,
  });
  await expect(wrong).rejects.toMatchObject({ status: 422 });
  const refused = generateWithTanstack({ adapter: adapter("nobody:nothing"), prompt, debug: false });
  await expect(refused).rejects.toMatchObject({ status: 401 });
  proved("tanstack", "submit", "status", "result", "subscribe", "error-fields", "error-auth");
}, 60_000);

test("@tanstack/ai-fal by its option proxyUrl, as in a page", async () => {
  Object.assign(globalThis, { window: { document: {} } });
  try {
    const adapter = falImage(MODEL, { apiKey: server.key, proxyUrl: `${server.origin}/fal/proxy` });
    const modelOptions = { num_inference_steps: 2, seed: 7 };
    const { images } = await generateWithTanstack({ adapter, prompt, modelOptions, debug: false });
    for (const { url } of images) expect(isPicture(await (await fetch(url ?? "")).bytes())).toBe(true);
    expect(images).toHaveLength(1);
  } finally {
    Reflect.deleteProperty(globalThis, "window");
  }
  proved("tanstack", "proxy");
}, 60_000);

const python = pythonWith("litellm==1.110.2");

test.skipIf(python === undefined)(
  "litellm by its parameter api_base",
  async () => {
    // Its price list is within the package: it need not look for a newer one.
    const env = { ...process.env, BOX: server.origin, FAL_KEY: server.key, LITELLM_LOCAL_MODEL_COST_MAP: "True" };
    const program = [join(python ?? "", "python"), join(import.meta.dir, "python/litellm_calls.py")];
    const child = Bun.spawn(program, { env, stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    if ((await child.exited) !== 0) throw new Error(stderr);
    // It speaks to its users on the standard output too.
    const seen = JSON.parse(stdout.slice(stdout.indexOf("{")));
    expect(seen).toMatchObject({ wrong_input: 422, wrong_key: 401 });
    expect(isPicture(await (await fetch(seen.url)).bytes())).toBe(true);
    proved("litellm", "run", "error-fields", "error-auth");
  },
  120_000,
);
