// fal's endpoints of SAM 2 by fal's own client, on tiny graphs: a picture that is uploaded, points, boxes, and everything.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFalClient, type FalClient, ValidationError } from "@fal-ai/client";
import { YAML } from "bun";
import { type LiveServer, startServer } from "../support/live-server.ts";

setDefaultTimeout(120_000);

const VISION = join(import.meta.dir, "../reference/vision");
const models = { "segment-image": "fal-ai/sam2/image", "segment-all": "fal-ai/sam2/auto-segment" } as const;

let server: LiveServer;
let data: string;
let fal: FalClient;
let picture: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "forecourt-segmentation-"));
  await mkdir(join(data, "models"));
  for (const [pipeline, alias] of Object.entries(models)) {
    const file = {
      ...{
        id: `tiny/sam2/${pipeline}`,
        title: "Tiny SAM 2",
        description: "Random weights.",
        category: "vision",
        pipeline,
      },
      ...{ aliases: [alias], source: { path: join(VISION, "sam2") }, licence: { id: "Apache-2.0", commercial: true } },
      memory: { weights: 1_000_000, working: 1_000_000 },
      price: { unit: "image", amount: 0.02, currency: "USD" },
    };
    await writeFile(join(data, "models", `${pipeline}.yaml`), YAML.stringify(file));
  }
  server = await startServer({ data });
  fal = createFalClient({
    credentials: server.key,
    proxyUrl: { url: `${server.origin}/fal/proxy`, when: "always" },
  });
  const bytes = await readFile(join(VISION, "picture.png"));
  picture = `data:image/png;base64,${bytes.toString("base64")}`;
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

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
