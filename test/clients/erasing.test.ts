// fal's erasers by fal's own client, on a tiny LaMa: what a mask covers is gone, the rest of the picture is as it was.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { createCodec } from "../../src/engine/runner/codec.ts";
import { apart, pictureOf } from "../engine/support/vision.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const VISION = join(import.meta.dir, "../reference/vision");

let server: LiveServer;
let fal: FalClient;

const inline = async (path: string) => {
  const bytes = await readFile(join(VISION, path));
  return `data:image/png;base64,${bytes.toString("base64")}`;
};

beforeAll(async () => {
  const model = testModel("tiny/lama", {
    ...{ category: "image-to-image", pipeline: "erase", source: { path: join(VISION, "lama") } },
    aliases: ["fal-ai/bria/eraser", "fal-ai/object-removal/mask", "fal-ai/object-removal/bbox"],
    price: { unit: "image", amount: 0.02, currency: "USD" },
  });
  server = await startServer({ models: [model] });
  fal = falClientOf(server);
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

test("fal-ai/bria/eraser gives Python's picture, as a file", async () => {
  const input = { image_url: await inline("picture.png"), mask_url: await inline("lama/two-mask.png") };
  const { data: answer } = await fal.subscribe("fal-ai/bria/eraser", { input });
  expect(Object.keys(answer)).toEqual(["image"]);
  expect(answer.image).toMatchObject({ content_type: "image/png", width: 150, height: 110 });
  const response = await fetch(answer.image.url);
  expect(response.status).toBe(200);
  const filled = await createCodec().decode(new Uint8Array(await response.arrayBuffer()));
  expect(apart(filled, await pictureOf("lama/two.png")).most).toBeLessThanOrEqual(1);
});

test("fal-ai/object-removal/mask gives a list of one", async () => {
  const input = { image_url: await inline("picture.png"), mask_url: await inline("lama/two-mask.png") };
  const { data: answer } = await fal.run("fal-ai/object-removal/mask", {
    input: { ...input, model: "low_quality", mask_expansion: 3 },
  });
  expect(Object.keys(answer)).toEqual(["images"]);
  expect(answer.images).toHaveLength(1);
  expect((await fetch(answer.images[0]?.url ?? "")).status).toBe(200);
});

test("fal-ai/object-removal/bbox takes a box in shares of the picture", async () => {
  const { data: answer } = await fal.run("fal-ai/object-removal/bbox", {
    input: {
      image_url: await inline("picture.png"),
      box_prompts: [{ x_min: 0.3, y_min: 0.2, x_max: 0.5, y_max: 0.6 }],
    },
  });
  expect(answer.images).toHaveLength(1);
  expect(answer.images[0]).toMatchObject({ width: 150, height: 110 });
});

test("a mask that covers nothing is fal's ValidationError, with the field", async () => {
  const black = await createCodec().encode({ data: new Uint8Array(64), width: 8, height: 8, channels: 1 }, "png");
  const mask = `data:image/png;base64,${Buffer.from(black).toString("base64")}`;
  const input = { image_url: await inline("picture.png"), mask_url: mask };
  const failure = await fal.run("fal-ai/bria/eraser", { input }).catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect(failure.getFieldErrors("mask_url")).toHaveLength(1);
});
