import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { editImage } from "../../../src/engine/pipelines/edit-image.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { openFolder, runOnce } from "../support/load.ts";

const families = join(import.meta.dir, "../../reference/families");
const assets = openFolder(join(families, "flux-2-klein"));
const media = async (url: string) => new Uint8Array(readFileSync(join(families, url)));
const edit = (input: Record<string, unknown>) =>
  runOnce(editImage, {
    assets,
    media,
    input: { prompt: "a big red circle", num_inference_steps: 2, seed: 1, output_format: "png", ...input },
  });

test("an edit has the first picture's size, cut to what the model draws, and depends on every picture", async () => {
  const one = await edit({ image_urls: ["reference-1.png"] });
  expect(one.output.images).toMatchObject([{ width: 96, height: 72 }]);
  const two = await edit({ image_urls: ["reference-1.png", "reference-2.png"] });
  const none = await runOnce(textToImage, {
    assets,
    input: {
      prompt: "a big red circle",
      num_inference_steps: 2,
      seed: 1,
      output_format: "png",
      image_size: { width: 96, height: 72 },
    },
  });
  const bytes = [one, two, none].map(({ files }) => Buffer.from(files.get("image-1.png") ?? []).toString("base64"));
  expect(new Set(bytes).size).toBe(3);
});

test("a size that is asked for is drawn", async () => {
  const { output } = await edit({ image_urls: ["reference-2.png"], image_size: { width: 64, height: 80 } });
  expect(output.images).toMatchObject([{ width: 64, height: 80 }]);
});

test("a picture that the model cannot go by is refused by its field", async () => {
  const refused = edit({ image_urls: ["reference-1.png", "picture.png"] });
  await expect(refused).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "image_urls", 1] }],
  });
});

test("what the model has no way to do is refused, not left out", async () => {
  const image_urls = ["reference-1.png"];
  for (const [field, value] of Object.entries({ clip_skip: 1, prompt_weighting: true, scheduler: "DDIM" })) {
    await expect(edit({ image_urls, [field]: value })).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", field] }],
    });
  }
});

test("a model that draws from prompts alone is refused when it is loaded", async () => {
  const other = openFolder(join(families, "sd"));
  await expect(editImage.load(other)).rejects.toMatchObject({ code: "misconfigured" });
});
