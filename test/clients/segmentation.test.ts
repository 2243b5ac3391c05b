// fal's endpoints of SAM 2 by fal's own client, on tiny graphs: a picture that is uploaded, points, boxes, and everything.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const VISION = join(import.meta.dir, "../reference/vision");
const aliases = { "segment-image": "fal-ai/sam2/image", "segment-all": "fal-ai/sam2/auto-segment" };
const models = Object.entries(aliases).map(([pipeline, alias]) =>
  testModel(`tiny/sam2/${pipeline}`, {
    ...{ category: "vision", pipeline, aliases: [alias], source: { path: join(VISION, "sam2") } },
    price: { unit: "image", amount: 0.02, currency: "USD" },
  }),
);

let server: LiveServer;
let fal: FalClient;
let picture: string;

beforeAll(async () => {
  server = await startServer({ models });
  fal = falClientOf(server);
  const bytes = await readFile(join(VISION, "picture.png"));
  picture = `data:image/png;base64,${bytes.toString("base64")}`;
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

const sizeOf = async (url: string) => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const view = new DataView(await response.arrayBuffer());
  return { width: view.getUint32(16), height: view.getUint32(20) }; // IHDR
};

test("fal-ai/sam2/image gives a mask of what points and boxes show, as a file", async () => {
  const { data: answer } = await fal.subscribe("fal-ai/sam2/image", {
    input: {
      image_url: picture,
      prompts: [{ x: 60, y: 50, label: "1", frame_index: 0 }],
      box_prompts: [{ x_min: 30, y_min: 15, x_max: 110, y_max: 90, frame_index: 0 }],
      apply_mask: true,
    },
  });
  expect(Object.keys(answer)).toEqual(["image"]);
  expect(answer.image).toMatchObject({ content_type: "image/png", width: 150, height: 110 });
  expect(await sizeOf(answer.image.url)).toEqual({ width: 150, height: 110 });
});

test("fal-ai/sam2/auto-segment gives all masks and their picture", async () => {
  const { data: answer } = await fal.subscribe("fal-ai/sam2/auto-segment", {
    input: {
      ...{ image_url: picture, points_per_side: 4, pred_iou_thresh: 0.5, stability_score_thresh: 0.6 },
      ...{ min_mask_region_area: 0, sync_mode: true },
    },
  });
  expect(Object.keys(answer)).toEqual(["combined_mask", "individual_masks"]);
  expect(answer.individual_masks).toHaveLength(1);
  expect(answer.combined_mask.url).toStartWith("data:image/png;base64,");
});

test("a request without a point or a box is fal's ValidationError, with the field", async () => {
  const failure = await fal.run("fal-ai/sam2/image", { input: { image_url: picture } }).catch((error) => error);
  expect(failure).toBeInstanceOf(ValidationError);
  expect(failure.getFieldErrors("prompts")).toHaveLength(1);
});
