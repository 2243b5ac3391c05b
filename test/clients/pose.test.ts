// fal-ai/dwpose by fal's own client, on tiny models: a skeleton as a file, each mode, and what a model cannot draw.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { decode } from "../engine/support/vision.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const VISION = join(import.meta.dir, "../reference/vision");
/** Bodies alone behind its own id, faces and hands too behind fal's. */
const models = Object.entries({ yolo: [], simcc: ["fal-ai/dwpose"] }).map(([name, aliases]) =>
  testModel(`tiny/${name}`, {
    ...{ category: "vision", aliases, pipeline: "estimate-pose", source: { path: join(VISION, "pose", name) } },
    price: { unit: "image", amount: 0.02, currency: "USD" },
  }),
);

let server: LiveServer;
let fal: FalClient;
let image_url: string;

beforeAll(async () => {
  server = await startServer({ models });
  fal = falClientOf(server);
  const bytes = await readFile(join(VISION, "picture.png"));
  image_url = `data:image/png;base64,${bytes.toString("base64")}`;
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const pictureAt = async (url: string) => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return await decode(new Uint8Array(await response.arrayBuffer()));
};
const isWhite = (value: number) => value === 255;

test("fal-ai/dwpose gives the picture alone, as a file of the picture's size", async () => {
  const { data: answer } = await fal.subscribe("fal-ai/dwpose", { input: { image_url } });
  expect(Object.keys(answer)).toEqual(["image"]);
  expect(answer.image).toMatchObject({ content_type: "image/png", width: 150, height: 110 });
  const drawn = await pictureAt(answer.image.url);
  expect(drawn).toMatchObject({ width: 150, height: 110 });
  expect(drawn.data.some(isWhite)).toBe(true);
});

test("fal's modes draw different things", async () => {
  const modes = [
    "full-pose",
    "body-pose",
    "face-pose",
    "hand-pose",
    "face-hand-mask",
    "face-mask",
    "hand-mask",
  ] as const;
  const drawn = new Set<string>();
  for (const draw_mode of modes) {
    const { data: answer } = await fal.run("fal-ai/dwpose", { input: { image_url, draw_mode } });
    const { data: pixels } = await pictureAt(answer.image.url);
    expect(pixels.some((value) => value > 0)).toBe(true);
    drawn.add(Buffer.from(pixels).toString("base64"));
  }
  expect(drawn.size).toBe(modes.length);
});

test("the model's own id gives people with named points too", async () => {
  const { data: answer } = await fal.run("tiny/yolo", { input: { image_url } });
  expect(answer.people).toHaveLength(3);
  expect(answer.people[0].keypoints[0]).toMatchObject({
    name: "nose",
    x: expect.any(Number),
    score: expect.any(Number),
  });
});

test("a mode that the model has no points for is fal's ValidationError, with the field", async () => {
  const input = { image_url, draw_mode: "hand-pose" };
  const failure = await fal.run("tiny/yolo", { input }).catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect(failure.getFieldErrors("draw_mode")).toMatchObject([{ msg: expect.stringContaining("send body-pose") }]);
});
