// Image tools under fal's ids: its names, defaults and answers.
import { expect, test } from "bun:test";
import { YAML } from "bun";
import { pipelineInput } from "../../../src/control/catalog/asked.ts";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import { asId } from "../../../src/core/ids.ts";
import { parse } from "../../../src/core/schema.ts";

const base = {
  ...{ id: "acme/tool", title: "Tool", description: "Works.", category: "image-to-image" },
  ...{ licence: { id: "MIT", commercial: true }, source: { embedded: "none" }, memory: { weights: 1, working: 1 } },
  price: { unit: "image", amount: 0, currency: "USD" },
};

/** What a request under an alias of fal's becomes for the pipeline, checked. */
function asked(change: Record<string, unknown>, endpoint: string, given: Record<string, unknown>) {
  const text = YAML.stringify({ ...base, aliases: [endpoint], ...change });
  const catalog = createCatalog({ builtIn: [{ file: "models/tool.yaml", text }] });
  const entry = catalog.find(endpoint);
  if (!entry) throw new Error(`no ${endpoint}`);
  const input = parse(entry.input, { image_url: "https://example.org/p.png", ...given });
  entry.words?.check(input);
  return {
    entry,
    fields: Object.keys(entry.input.properties),
    input: pipelineInput(catalog, { model: asId(entry.model.id), endpoint, input }),
  };
}

const cut = { pipeline: "remove-background", defaults: { model: "General Use (Heavy)" } };

test("fal-ai/birefnet and its second version", () => {
  const first = asked(cut, "fal-ai/birefnet", { operating_resolution: "2048x2048" });
  expect(first.fields).toEqual([
    ...["image_url", "model", "operating_resolution", "output_format", "output_mask", "refine_foreground", "sync_mode"],
  ]);
  expect(first.input).toMatchObject({
    model: "General Use (Heavy)",
    operating_resolution: "2048x2048",
    mask_only: false,
  });
  expect(() => asked(cut, "fal-ai/birefnet", { operating_resolution: "2304x2304" })).toThrow(/operating_resolution/);
  const model = "General Use (Light)";
  expect(() => asked(cut, "fal-ai/birefnet", { model })).toThrow(/model: .*one of "General Use \(Heavy\)"/);
  const second = asked(cut, "fal-ai/birefnet/v2", { operating_resolution: "2304x2304", mask_only: true });
  expect(second.input).toMatchObject({ operating_resolution: "2304x2304", mask_only: true, output_format: "png" });
});

test("fal-ai/imageutils/rembg gives the picture alone", () => {
  const { entry, fields, input } = asked(cut, "fal-ai/imageutils/rembg", { crop_to_bbox: true });
  expect(fields).toEqual(["image_url", "crop_to_bbox", "sync_mode"]);
  expect(Object.keys(entry.output.properties)).toEqual(["image"]);
  expect(input).toMatchObject({ crop_to_bbox: true, refine_foreground: true, output_mask: false });
});

test("fal-ai/esrgan refuses to restore faces, by name", () => {
  const large = { pipeline: "upscale" };
  const { entry, fields, input } = asked(large, "fal-ai/esrgan", { scale: 3 });
  expect(fields).toEqual(["image_url", "scale", "tile", "face", "model", "output_format"]);
  expect(Object.keys(entry.output.properties)).toEqual(["image"]);
  expect(input).toMatchObject({ scale: 3, tile: 0, model: "RealESRGAN_x4plus", output_format: "png" });
  expect(() => asked(large, "fal-ai/esrgan", { face: true })).toThrow(/Faces are not restored here/);
  expect(() => asked(large, "fal-ai/esrgan", { scale: 10 })).toThrow(/scale/);
});

test("fal-ai/aura-sr enlarges four times", () => {
  const large = { pipeline: "upscale" };
  const { input } = asked(large, "fal-ai/aura-sr", { overlapping_tiles: true });
  expect(input).toMatchObject({ scale: 4, output_format: "png" });
  expect(() => asked(large, "fal-ai/aura-sr", { upscale_factor: 2 })).toThrow(/upscale_factor/);
  expect(() => asked(large, "fal-ai/aura-sr", { checkpoint: "v2" })).toThrow(/other weights than AuraSR's/);
});

test("fal's endpoints for depth give the picture alone", () => {
  const depth = { pipeline: "estimate-depth" };
  const midas = asked(depth, "fal-ai/imageutils/depth", { a: 3, bg_th: 0.2 });
  expect(midas.fields).toEqual(["image_url", "a", "bg_th", "depth_and_normal"]);
  expect(Object.keys(midas.entry.output.properties)).toEqual(["image"]);
  expect(midas.input).toMatchObject({ output_format: "png", sync_mode: false });
  expect(() => asked(depth, "fal-ai/imageutils/depth", { depth_and_normal: true })).toThrow(/Normals are not drawn/);
  expect(asked(depth, "fal-ai/image-preprocessors/depth-anything/v2", {}).fields).toEqual(["image_url"]);
});

test("fal-ai/dwpose gives the picture alone, in each of fal's modes", () => {
  const pose = { pipeline: "estimate-pose" };
  const { entry, fields, input } = asked(pose, "fal-ai/dwpose", {});
  expect(fields).toEqual(["image_url", "draw_mode"]);
  expect(Object.keys(entry.output.properties)).toEqual(["image"]);
  expect(input).toMatchObject({ draw_mode: "body-pose", box_prompts: [], draw_on_image: false, output_format: "png" });
  const modes = ["full-pose", "face-pose", "hand-pose", "face-hand-mask", "face-mask", "hand-mask"];
  for (const draw_mode of modes) expect(asked(pose, "fal-ai/dwpose", { draw_mode }).input).toMatchObject({ draw_mode });
  expect(() => asked(pose, "fal-ai/dwpose", { draw_mode: "feet" })).toThrow(/draw_mode/);
});

test("fal's erasers: Bria's gives one picture, object removal a list of it and a wider mask", () => {
  const given = { mask_url: "https://example.org/m.png" };
  const bria = asked({ pipeline: "erase" }, "fal-ai/bria/eraser", { ...given, mask_type: "automatic" });
  expect(bria.fields).toEqual(["image_url", "mask_url", "mask_type", "preserve_alpha", "sync_mode"]);
  expect(Object.keys(bria.entry.output.properties)).toEqual(["image"]);
  expect(bria.input).toMatchObject({ ...given, mask_expansion: 0, preserve_alpha: false, output_format: "png" });
  const wide = asked({ pipeline: "erase" }, "fal-ai/object-removal/mask", given);
  expect(wide.fields).toEqual(["image_url", "mask_url", "model", "mask_expansion"]);
  expect(Object.keys(wide.entry.output.properties)).toEqual(["images"]);
  expect(wide.input).toMatchObject({ mask_expansion: 15 });
  const tooWide = { ...given, mask_expansion: 51 };
  expect(() => asked({ pipeline: "erase" }, "fal-ai/object-removal/mask", tooWide)).toThrow(/mask_expansion/);
  expect(() => asked({ pipeline: "erase" }, "fal-ai/object-removal/mask", {})).toThrow(/mask_url/);
  const box = { x_min: 0.1, y_min: 0.2, x_max: 0.3, y_max: 0.4 };
  const boxed = asked({ pipeline: "erase" }, "fal-ai/object-removal/bbox", { box_prompts: [box] });
  expect(boxed.fields).toEqual(["image_url", "box_prompts", "model", "mask_expansion"]);
  expect(boxed.input).toMatchObject({ box_prompts: [box], mask_expansion: 15 });
});

test("fal's two endpoints that check pictures: one and its probability, several and whether they are unsafe", () => {
  const check = { pipeline: "check-image" };
  const one = asked(check, "fal-ai/imageutils/nsfw", {});
  expect(one.fields).toEqual(["image_url"]);
  expect(Object.keys(one.entry.output.properties)).toEqual(["nsfw_probability"]);
  const image_urls = ["https://example.org/a.png", "https://example.org/b.png"];
  const several = asked(check, "fal-ai/x-ailab/nsfw", { image_urls });
  expect(several.fields).toEqual(["image_urls"]);
  expect(several.input).toMatchObject({ image_urls, threshold: 0.5 });
  expect(Object.keys(several.entry.output.properties)).toEqual(["has_nsfw_concepts"]);
  expect(() => asked(check, "fal-ai/x-ailab/nsfw", {})).toThrow(/image_urls/);
});
