// fal's endpoints for pictures through fal's own client, each drawn by a tiny model of its family: fal's example goes in,
// fal's answer comes out. Sizes and steps are small where fal's defaults would only take longer.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFalClient, type FalClient, ValidationError } from "@fal-ai/client";
import { YAML } from "bun";
import { falEndpoints } from "../../src/engine/endpoints/fal.ts";
import type { PipelineName } from "../../src/engine/pipelines/registry.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";

setDefaultTimeout(120_000);

const FAMILIES = join(import.meta.dir, "../reference/families");

type Family = { folders: string[]; depth?: string; pipelines: Partial<Record<PipelineName, string[]>> };

const ways = (id: string) => ({
  "text-to-image": [id],
  "image-to-image": [`${id}/image-to-image`],
  inpaint: [`${id}/inpainting`],
});

const kleins = ["fal-ai/flux-2/klein/4b", "fal-ai/flux-2/klein/9b"];

/** Model -> folders of its weights, the last ones first, and the endpoints of each pipeline. */
const families: Record<string, Family> = {
  first: { folders: ["sd"], pipelines: ways("fal-ai/stable-diffusion-v15") },
  lora: {
    folders: ["sd"],
    pipelines: {
      "text-to-image": ["fal-ai/lora"],
      "image-to-image": ["fal-ai/lora/image-to-image"],
      inpaint: ["fal-ai/lora/inpaint"],
    },
  },
  consistency: { folders: ["lcm", "sd"], pipelines: ways("fal-ai/fast-lcm-diffusion") },
  "consistency-i2i": { folders: ["lcm", "sd"], pipelines: { "image-to-image": ["fal-ai/lcm-sd15-i2i"] } },
  xl: { folders: ["sdxl"], pipelines: ways("fal-ai/fast-sdxl") },
  lightning: { folders: ["sdxl"], pipelines: ways("fal-ai/fast-lightning-sdxl") },
  turbo: { folders: ["sdxl"], pipelines: ways("fal-ai/fast-turbo-diffusion") },
  canny: {
    folders: ["sdxl-control", "sdxl"],
    pipelines: {
      "control-image": ["", "/image-to-image", "/inpainting"].map((way) => `fal-ai/fast-sdxl-controlnet-canny${way}`),
    },
  },
  depth: {
    folders: ["sd-control", "sd"],
    depth: "../vision/depth/relative",
    pipelines: { "control-image": ["fal-ai/sd15-depth-controlnet"] },
  },
  three: {
    folders: ["sd3"],
    pipelines: {
      "text-to-image": [
        "fal-ai/stable-diffusion-v3-medium",
        "fal-ai/stable-diffusion-v35-medium",
        "fal-ai/stable-diffusion-v35-large",
      ],
      "image-to-image": ["fal-ai/stable-diffusion-v3-medium/image-to-image"],
    },
  },
  dev: {
    folders: ["flux-dev"],
    pipelines: {
      "text-to-image": ["fal-ai/flux/dev", "fal-ai/flux-1/dev"],
      "image-to-image": ["fal-ai/flux/dev/image-to-image", "fal-ai/flux-1/dev/image-to-image"],
    },
  },
  schnell: {
    folders: ["flux-schnell", "flux-dev"],
    pipelines: { "text-to-image": ["fal-ai/flux/schnell", "fal-ai/flux-1/schnell"] },
  },
  adapted: { folders: ["flux-dev"], pipelines: ways("fal-ai/flux-lora") },
  klein: {
    folders: ["flux-2-klein"],
    pipelines: {
      "text-to-image": kleins.flatMap((id) => [id, `${id}/lora`]),
      "edit-image": kleins.flatMap((id) => [`${id}/edit`, `${id}/edit/lora`]),
    },
  },
  "klein-base": {
    folders: ["flux-2-klein-base", "flux-2-klein"],
    pipelines: {
      "text-to-image": kleins.flatMap((id) => [`${id}/base`, `${id}/base/lora`]),
      "edit-image": kleins.flatMap((id) => [`${id}/base/edit`, `${id}/base/edit/lora`]),
    },
  },
};

const models = Object.entries(families).flatMap(([name, { folders, depth, pipelines }]) =>
  Object.entries(pipelines).map(([pipeline, aliases]) => ({
    id: `tiny/${name}/${pipeline}`,
    folders,
    depth,
    pipeline,
    aliases,
  })),
);

const modelFile = ({ id, pipeline, aliases }: (typeof models)[number], path: string) =>
  YAML.stringify({
    ...{ id, title: id, description: "Random weights.", category: pipeline, pipeline, aliases, source: { path } },
    licence: { id: "Apache-2.0", commercial: true },
    memory: { weights: 1_000_000, working: 1_000_000 },
    price: { unit: "image", amount: 0, currency: "USD" },
  });

let server: LiveServer;
let fal: FalClient;
let picture: string;
let mask: string;
/** Large enough to go by. */
let reference: string;
let folder: string;

const dataUri = async (name: string) =>
  `data:image/png;base64,${(await readFile(join(FAMILIES, name))).toString("base64")}`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forecourt-images-"));
  await mkdir(join(folder, "models"));
  for (const model of models) {
    const weights = join(folder, "tiny", model.folders.join("+"));
    // Those that come first keep their files.
    for (const part of model.folders)
      await cp(join(FAMILIES, part), weights, { recursive: true, force: false, errorOnExist: false });
    if (model.depth) await cp(join(FAMILIES, model.depth), join(weights, "depth"), { recursive: true });
    await writeFile(join(folder, "models", `${model.id.replaceAll("/", "-")}.yaml`), modelFile(model, weights));
  }
  server = await startServer({ data: folder });
  fal = createFalClient({
    credentials: server.key,
    proxyUrl: { url: `${server.origin}/fal/proxy`, when: "always" },
  });
  picture = await dataUri("picture.png");
  mask = await dataUri("mask.png");
  reference = await dataUri("reference-1.png");
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

type Fields = Record<string, unknown>;

/** Prompts of the examples in fal's documents. */
const PROMPTS: [part: string, prompt: string][] = [
  [
    "flux",
    'Extreme close-up of a single tiger eye, direct frontal view. The word "FLUX" is painted over it in big, white brush strokes.',
  ],
  [
    "fast-sdxl",
    "photo of a rhino dressed suit and tie sitting at a table in a bar with a bar stools, award winning photography",
  ],
  [
    "",
    "an island near sea, with seagulls, moon shining over the sea, light house, boats int he background, fish flying over the sea",
  ],
];
const promptOf = (endpoint: string) => PROMPTS.find(([part]) => endpoint.includes(part))?.[1] ?? "";

/** A request as fal's documents show it, small: what it must have, and a size where there is one. */
function example(endpoint: string): Fields {
  const inputs = falEndpoints[endpoint]?.inputs ?? {};
  const values: Fields = {
    ...{
      prompt: promptOf(endpoint),
      image_url: picture,
      mask_url: mask,
      image_urls: [reference],
      control_image_url: picture,
    },
    ...{ image_size: { width: 64, height: 64 }, num_images: 1, seed: 42 },
    ...("model_name" in inputs && { model_name: endpoint }),
    num_inference_steps: endpoint.includes("dev/image-to-image") ? 10 : 4,
  };
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in inputs));
}

type Picture = { url: string; width: number; height: number; content_type: string };
type Answer = Fields & { images: Picture[]; seed: number };

const endpoints = models.flatMap(({ aliases }) => aliases);

/** What fal's answers hold, where it is not the usual. */
const FIELDS: [endpoint: RegExp, fields: string[]][] = [
  [/turbo|controlnet-canny/, ["images", "timings", "seed", "has_nsfw_concepts"]],
  [/^fal-ai\/lora/, ["images", "seed", "has_nsfw_concepts"]],
  [/lcm-sd15/, ["images", "timings", "seed", "num_inference_steps", "request_id", "nsfw_content_detected"]],
  [/./, ["images", "timings", "seed", "has_nsfw_concepts", "prompt"]],
];
const fieldsOf = (endpoint: string) => FIELDS.find(([pattern]) => pattern.test(endpoint))?.[1] ?? [];

test("every endpoint for pictures is drawn here", () => {
  expect(endpoints.sort()).toEqual(
    Object.entries(falEndpoints)
      .filter(([, { pipeline }]) => models.some((model) => model.pipeline === pipeline))
      .map(([endpoint]) => endpoint)
      .sort(),
  );
});

test.each(endpoints)("%s", async (endpoint) => {
  const { data } = (await fal.subscribe(endpoint, { input: example(endpoint) })) as { data: Answer };
  expect(Object.keys(data)).toEqual(fieldsOf(endpoint));
  expect(data.seed).toBe(42);
  expect(data.images).toHaveLength(1);
  const [image] = data.images;
  const isPng = /^fal-ai\/lora|klein/.test(endpoint);
  expect(image?.content_type).toBe(isPng ? "image/png" : "image/jpeg");
  if (/turbo|fast-lcm/.test(endpoint)) expect(image?.url).toStartWith("data:");
  const bytes = await (await fetch(image?.url ?? "")).bytes();
  expect([...bytes.subarray(0, 2)]).toEqual(isPng ? [0x89, 0x50] : [0xff, 0xd8]);
});

test("fal-ai/fast-turbo-diffusion with nothing but a prompt", async () => {
  const { data } = (await fal.subscribe("fal-ai/fast-turbo-diffusion", { input: { prompt: "a cat" } })) as {
    data: Answer;
  };
  expect(data.images).toMatchObject([{ width: 512, height: 512 }]);
});

/** By a name that is not known to be one of fal's: its types would not let a wrong input pass. */
const run = async (endpoint: string, input: Fields) => (await fal.run(endpoint, { input })) as { data: Answer };

test("streams tell of unfinished pictures in the endpoint's words", async () => {
  const input = { ...example("fal-ai/fast-turbo-diffusion"), num_inference_steps: 6 };
  const stream = await fal.stream("fal-ai/fast-turbo-diffusion", { input });
  const seen: unknown[] = [];
  for await (const event of stream) seen.push(event);
  expect(seen.length).toBeGreaterThan(1);
  for (const event of seen) expect(Object.keys(Object(event))).toEqual(fieldsOf("fal-ai/fast-turbo-diffusion"));
});

test("a wrong input is refused under the endpoint's own name of the field", async () => {
  const refusalOf = async (input: Fields): Promise<ValidationError> =>
    await run("fal-ai/fast-sdxl", { prompt: "a", ...input }).then(
      () => expect.unreachable(),
      (error) => error,
    );
  const refusal = await refusalOf({ format: "webp" });
  expect(refusal).toBeInstanceOf(ValidationError);
  expect(refusal.fieldErrors.map(({ loc }) => loc)).toEqual([["body", "format"]]);
  expect((await refusalOf({ expand_prompt: true })).fieldErrors).toMatchObject([{ loc: ["body", "expand_prompt"] }]);
});

test("the document of an endpoint shows fal's fields in fal's names, and that of the box has its operations", async () => {
  const document = await (await fetch(`${server.origin}/models/fal-ai/fast-sdxl/openapi.json`)).json();
  const { FastSdxlInput } = document.components.schemas;
  expect(Object.keys(FastSdxlInput.properties)).toEqual(Object.keys(falEndpoints["fal-ai/fast-sdxl"]?.inputs ?? {}));
  expect(FastSdxlInput.properties.format).toMatchObject({ enum: ["jpeg", "png", null], default: "jpeg" });
  const box = await (await fetch(`${server.origin}/swagger/json`)).json();
  const { requestBody } = box.paths["/run/fal-ai/fast-sdxl"].post;
  expect(requestBody.content["application/json"].schema).toEqual({ $ref: "#/components/schemas/FastSdxlInput" });
});

test("crop_output cuts the picture to the proportions of the one given", async () => {
  // 60 x 44, in a square: 64 x 48 is the nearest that the model draws, of which 64 x 47 is cut.
  const input = { ...example("fal-ai/fast-sdxl/image-to-image"), preserve_aspect_ratio: true };
  const drawn = await run("fal-ai/fast-sdxl/image-to-image", input);
  expect(drawn.data.images).toMatchObject([{ width: 64, height: 48 }]);
  const cut = await run("fal-ai/fast-sdxl/image-to-image", { ...input, crop_output: true });
  expect(cut.data.images).toMatchObject([{ width: 64, height: 47 }]);
});
