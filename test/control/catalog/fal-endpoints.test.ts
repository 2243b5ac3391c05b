// fal's endpoints that are known here: what each takes where a request says no more than it must (fal-protocol.md 12).
import { describe, expect, test } from "bun:test";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { parse } from "../../../src/core/schema.ts";
import { falEndpoints } from "../../../src/engine/endpoints/fal.ts";
import { testModel } from "../../support/test-models.ts";

type Fields = Record<string, unknown>;

const prompt = "a cat";
const image_url = "https://example.org/cat.png";
const mask_url = "https://example.org/mask.png";
const one = { num_images: 1, sync_mode: false };
const checked = { enable_safety_checker: true };

const flux = { prompt, ...one, ...checked, guidance_scale: 3.5, output_format: "jpeg", acceleration: "none" };
const schnell = { ...flux, image_size: "landscape_4_3", num_inference_steps: 4 };
const dev = { ...flux, image_size: "landscape_4_3", num_inference_steps: 28 };
const devFromPicture = { ...flux, image_url, strength: 0.95, num_inference_steps: 40 };
const klein = { prompt, ...one, ...checked, num_inference_steps: 4, output_format: "png" };
const kleinBase = {
  ...klein,
  negative_prompt: "",
  num_inference_steps: 28,
  guidance_scale: 5,
  acceleration: "regular",
};
const adapted = { ...flux, num_inference_steps: 28, loras: [] };

/** A klein's endpoints, with LoRAs too. */
function kleins(id: string, fields: Fields): Record<string, Fields> {
  const drawn = { ...fields, image_size: "landscape_4_3" };
  const edited = { ...fields, image_urls: [image_url] };
  return {
    [id]: drawn,
    [`${id}/lora`]: { ...drawn, loras: [] },
    [`${id}/edit`]: edited,
    [`${id}/edit/lora`]: { ...edited, loras: [] },
  };
}

const worded = { prompt, negative_prompt: "" };
const three = { ...worded, ...one, ...checked, prompt_expansion: false, num_inference_steps: 28, guidance_scale: 5 };
const threeAndAHalf = { ...worded, ...one, ...checked, image_size: "landscape_4_3", output_format: "jpeg" };

const versioned = { ...checked, safety_checker_version: "v1" };
const fast = { format: "jpeg", expand_prompt: false, embeddings: [] };
const proportions = { preserve_aspect_ratio: false, crop_output: false };
const picture = { image_url, strength: 0.95 };
const masked = { ...picture, mask_url };
const xl = {
  ...{ ...worded, ...one, ...versioned, ...fast, loras: [], request_id: "" },
  ...{ image_size: "square_hd", num_inference_steps: 25, guidance_scale: 7.5 },
};
const lightning = {
  ...{ prompt, ...one, ...versioned, ...fast, request_id: "" },
  ...{ image_size: "square_hd", num_inference_steps: 4 },
};
const turbo = {
  ...{ ...worded, num_images: 1, sync_mode: true, enable_safety_checker: false, expand_prompt: false },
  ...{ image_size: "square", num_inference_steps: 2, guidance_scale: 1 },
};
const consistency = {
  ...{ ...worded, num_images: 1, sync_mode: true, ...versioned, expand_prompt: false, format: "jpeg", request_id: "" },
  ...{ image_size: "square_hd", num_inference_steps: 6, guidance_scale: 1.5, guidance_rescale: 0 },
};
const first = {
  ...{ ...worded, ...one, ...fast, ...versioned, enable_safety_checker: false, loras: [], request_id: "" },
  ...{ image_size: "square", num_inference_steps: 25, guidance_scale: 7.5 },
};
const canny = {
  ...{ ...worded, ...one, enable_safety_checker: false, loras: [], expand_prompt: false },
  ...{ control_image_url: image_url, controlnet_conditioning_scale: 0.5, guidance_scale: 7.5 },
};
const lcmFromPicture = {
  ...{ ...worded, ...one, image_url, strength: 0.8, enable_safety_checks: true, request_id: "" },
  ...{ num_inference_steps: 4, guidance_scale: 1 },
};
const model_name = "acme/painter";
const schedule = { method: "default", array: [] };
const lora = {
  ...{ ...worded, model_name, num_images: 1, prompt_weighting: false, loras: [], embeddings: [], controlnets: [] },
  ...{ controlnet_guess_mode: false, ip_adapter: [], image_encoder_weight_name: "pytorch_model.bin" },
  ...{ num_inference_steps: 30, guidance_scale: 7.5, clip_skip: 0, timesteps: schedule, sigmas: schedule },
  ...{ rescale_betas_snr_zero: false, image_format: "png", enable_safety_checker: false, eta: 0 },
  ...{ tile_width: 4096, tile_height: 4096, tile_stride_width: 2048, tile_stride_height: 2048 },
  ...{ debug_latents: false, debug_per_pass_latents: false },
};

/** Requests with all that fal fills in. */
const filled: Record<string, Fields> = {
  "fal-ai/flux/schnell": schnell,
  "fal-ai/flux-1/schnell": schnell,
  "fal-ai/flux/dev": dev,
  "fal-ai/flux-1/dev": dev,
  "fal-ai/flux/dev/image-to-image": devFromPicture,
  "fal-ai/flux-1/dev/image-to-image": devFromPicture,
  "fal-ai/flux-lora": { ...adapted, image_size: "landscape_4_3" },
  "fal-ai/flux-lora/image-to-image": { ...adapted, image_url, strength: 0.85 },
  "fal-ai/flux-lora/inpainting": { ...adapted, image_url, mask_url, strength: 0.85 },
  ...kleins("fal-ai/flux-2/klein/4b", klein),
  ...kleins("fal-ai/flux-2/klein/9b", klein),
  ...kleins("fal-ai/flux-2/klein/4b/base", kleinBase),
  ...kleins("fal-ai/flux-2/klein/9b/base", kleinBase),
  "fal-ai/stable-diffusion-v3-medium": { ...three, image_size: "square_hd" },
  "fal-ai/stable-diffusion-v3-medium/image-to-image": { ...three, image_url, strength: 0.9 },
  "fal-ai/stable-diffusion-v35-medium": { ...threeAndAHalf, num_inference_steps: 40, guidance_scale: 4.5 },
  "fal-ai/stable-diffusion-v35-large": { ...threeAndAHalf, num_inference_steps: 28, guidance_scale: 3.5, loras: [] },
  "fal-ai/fast-sdxl": xl,
  "fal-ai/fast-sdxl/image-to-image": { ...xl, ...picture, ...proportions },
  "fal-ai/fast-sdxl/inpainting": { ...xl, ...masked },
  "fal-ai/fast-lightning-sdxl": lightning,
  "fal-ai/fast-lightning-sdxl/image-to-image": { ...lightning, ...picture, ...proportions },
  "fal-ai/fast-lightning-sdxl/inpainting": { ...lightning, ...masked },
  "fal-ai/fast-turbo-diffusion": turbo,
  "fal-ai/fast-turbo-diffusion/image-to-image": { ...turbo, ...picture },
  "fal-ai/fast-turbo-diffusion/inpainting": { ...turbo, ...masked },
  "fal-ai/fast-lcm-diffusion": consistency,
  "fal-ai/fast-lcm-diffusion/image-to-image": { ...consistency, ...picture, ...proportions },
  "fal-ai/fast-lcm-diffusion/inpainting": { ...consistency, ...masked },
  "fal-ai/stable-diffusion-v15": first,
  "fal-ai/stable-diffusion-v15/image-to-image": { ...first, ...picture },
  "fal-ai/stable-diffusion-v15/inpainting": { ...first, ...masked },
  "fal-ai/fast-sdxl-controlnet-canny": { ...canny, num_inference_steps: 25, enable_deep_cache: false },
  "fal-ai/sd15-depth-controlnet": { ...canny, num_inference_steps: 35, enable_deep_cache: false },
  "fal-ai/fast-sdxl-controlnet-canny/image-to-image": { ...canny, ...picture, num_inference_steps: 35 },
  "fal-ai/fast-sdxl-controlnet-canny/inpainting": { ...canny, ...masked, num_inference_steps: 35 },
  "fal-ai/lcm-sd15-i2i": lcmFromPicture,
  "fal-ai/lora": { ...lora, image_size: "square_hd" },
  "fal-ai/lora/image-to-image": { ...lora, image_url, noise_strength: 0.5 },
  "fal-ai/lora/inpaint": { ...lora, image_url, mask_url, noise_strength: 0.5 },
};

const needed = { prompt, image_url, mask_url, image_urls: [image_url], control_image_url: image_url, model_name };

function entryOf(endpoint: string) {
  const pipeline = falEndpoints[endpoint]?.pipeline;
  const entry = createCatalog({ builtIn: [testModel("acme/painter", { pipeline, aliases: [endpoint] })] }).find(
    endpoint,
  );
  if (!entry?.words) throw new Error(`${endpoint} has no words of its own`);
  return { ...entry, words: entry.words };
}

/** Of image endpoints: those of other kinds have tests of their own. */
const PICTURES = ["text-to-image", "image-to-image", "inpaint", "control-image", "edit-image"];

test("every endpoint for pictures is compared with fal's documents", () => {
  const known = Object.entries(falEndpoints).filter(([, { pipeline }]) => PICTURES.includes(pipeline));
  expect(known.map(([endpoint]) => endpoint).sort()).toEqual(Object.keys(filled).sort());
});

describe.each(Object.entries(filled))("%s", (endpoint, defaults) => {
  test("fills in fal's defaults, and needs no more than fal does", () => {
    const { input, words } = entryOf(endpoint);
    const { required = [] } = input;
    const minimal = Object.fromEntries(Object.entries(needed).filter(([name]) => required.includes(name)));
    const given = parse(input, minimal);
    expect(given).toEqual(defaults);
    expect(() => words.check(given)).not.toThrow();
    const drawn = words.toPipeline(given);
    const names = Object.keys(
      createCatalog({ builtIn: [testModel("acme/native", { pipeline: falEndpoints[endpoint]?.pipeline })] }).list()[0]
        ?.input.properties ?? {},
    );
    expect(Object.keys(drawn).filter((name) => !names.includes(name))).toEqual([]);
  });

  test("takes null for what may be left out, as fal's clients send it", () => {
    const { input } = entryOf(endpoint);
    const nulls = Object.keys(input.properties).map((name) => [name, null]);
    const minimal = Object.entries(needed).filter(([name]) => (input.required ?? []).includes(name));
    expect(parse(input, Object.fromEntries([...nulls, ...minimal]))).toEqual(defaults);
  });
});

type Refused = [endpoint: string, input: Fields, message: RegExp];
const refused: Refused[] = [
  ["fal-ai/flux/schnell", { num_inference_steps: 13 }, /num_inference_steps: .*less than or equal to 12/],
  ["fal-ai/flux/schnell", { num_images: 5 }, /num_images: .*less than or equal to 4/],
  ["fal-ai/flux/dev", { guidance_scale: 0.5 }, /guidance_scale: .*greater than or equal to 1/],
  ["fal-ai/flux/dev", { guidance_scale: 21 }, /guidance_scale: .*less than or equal to 20/],
  ["fal-ai/flux-lora", { guidance_scale: 36 }, /guidance_scale: .*less than or equal to 35/],
  ["fal-ai/flux-lora", { acceleration: "high" }, /acceleration: .*one of "none", "regular"/],
  ["fal-ai/fast-sdxl-controlnet-canny/inpainting", { control_image_url: image_url }, /image_url: Field required/],
  ["fal-ai/flux/dev", { output_format: "webp" }, /output_format: .*one of "jpeg", "png"/],
  ["fal-ai/flux/dev", { acceleration: "extreme" }, /acceleration: .*one of "none", "regular", "high"/],
  ["fal-ai/fast-sdxl", { expand_prompt: true }, /expand_prompt: Prompts are not expanded here/],
  ["fal-ai/fast-sdxl", { embeddings: [{ path: "https://example.org/a.pt" }] }, /embeddings: Textual inversion/],
  ["fal-ai/fast-sdxl", { safety_checker_version: "v3" }, /safety_checker_version: .*one of "v1", "v2"/],
  ["fal-ai/fast-lightning-sdxl", { num_inference_steps: 3 }, /num_inference_steps: .*one of 1, 2, 4, 8/],
  ["fal-ai/fast-lcm-diffusion", { guidance_rescale: 0.7 }, /guidance_rescale: Guidance is not rescaled/],
  ["fal-ai/fast-turbo-diffusion", { model_name: "stabilityai/sd-turbo" }, /model_name: .*one of "acme\/painter"/],
  ["fal-ai/stable-diffusion-v35-large", { ip_adapter: { path: "x" } }, /ip_adapter: Not known here/],
  ["fal-ai/lora", { model_name, unet_name: "https://example.org/unet" }, /unet_name: Not known here/],
];
test.each(refused)("%s refuses %j", (endpoint, given, message) => {
  const { input, words } = entryOf(endpoint);
  expect(() => words.check(parse(input, { ...given, prompt }))).toThrow(message);
});

test("fal-ai/lora's words about sampling reach the sampler", () => {
  const { input, words } = entryOf("fal-ai/lora");
  const told = { scheduler: "TCD", eta: 0.3, prediction_type: "v_prediction", rescale_betas_snr_zero: true };
  expect(words.toPipeline(parse(input, { prompt, model_name, ...told }))).toMatchObject(told);
  const parsed = parse(input, { prompt, model_name, scheduler: "LCM (trailing timesteps)" });
  expect(words.toPipeline(parsed)).toMatchObject({ scheduler: "LCM (trailing timesteps)", eta: 0 });
});

test("a mask of lcm-sd15-i2i says what is drawn anew", () => {
  const { input, words } = entryOf("fal-ai/lcm-sd15-i2i");
  expect(words.toPipeline(parse(input, { prompt, image_url, mask_url }))).toMatchObject({ image_url, mask_url });
});

test("steps of Lightning come as numbers and as fal's text, and it draws without guidance", () => {
  const { input, words } = entryOf("fal-ai/fast-lightning-sdxl");
  for (const steps of [8, "8"]) {
    const drawn = words.toPipeline(parse(input, { prompt, num_inference_steps: steps }));
    expect(drawn).toMatchObject({ num_inference_steps: 8, guidance_scale: 0, output_format: "jpeg" });
  }
});

test("the answer of lcm-sd15-i2i is that of its own document", () => {
  const { input, output, words } = entryOf("fal-ai/lcm-sd15-i2i");
  const given = parse(input, { prompt, image_url, request_id: "mine" });
  const drawn = { images: [], timings: { inference: 1 }, seed: 7, has_nsfw_concepts: [true], prompt };
  const answer = words.toCaller(drawn, given);
  const own = { num_inference_steps: 4, request_id: "mine", nsfw_content_detected: [true] };
  expect(answer).toEqual({ images: [], timings: { inference: 1 }, seed: 7, ...own });
  expect(Object.keys(output.properties)).toEqual(Object.keys(Object(answer)));
});

test("a video of fast-svd's words is drawn from them alone, and what says how a picture moves is refused", () => {
  const { input, words } = entryOf("fal-ai/fast-svd/text-to-video");
  const given = parse(input, { prompt, steps: 12 });
  expect(given).toMatchObject({ motion_bucket_id: 127, cond_aug: 0.02, fps: 10, steps: 12 });
  words.check(given);
  const drawn = words.toPipeline(given);
  expect(drawn).toMatchObject({ prompt, num_inference_steps: 12, fps: 10 });
  expect(drawn).not.toHaveProperty("motion_bucket_id");
  expect(() => words.check(parse(input, { prompt, motion_bucket_id: 200 }))).toThrow("says how a picture moves");
});
