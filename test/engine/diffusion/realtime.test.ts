// Messages of one realtime connection on the demo model: few steps, and what they keep from one to the next.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCatalog } from "../../../src/control/catalog/catalog.ts";
import type { Assets, Task } from "../../../src/core/pipeline.ts";
import { parse, type Static } from "../../../src/core/schema.ts";
import { imageToImage } from "../../../src/engine/pipelines/image-to-image.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { openFolder } from "../support/load.ts";

setDefaultTimeout(60_000);

const folder = openFolder(join(import.meta.dir, "../../../models/demo/diffusion"));
/** Counts the runs of each graph. */
function counted() {
  const runs = new Map<string, number>();
  const assets: Assets = {
    ...folder,
    async graph(path) {
      const graph = await folder.graph(path);
      return {
        ...graph,
        run(inputs) {
          runs.set(path, (runs.get(path) ?? 0) + 1);
          return graph.run(inputs);
        },
      };
    },
  };
  return { assets, runs: (part: string) => runs.get(`${part}/model.onnx`) ?? 0 };
}

const picture = new Uint8Array(readFileSync(join(import.meta.dir, "../../reference/families/picture.png")));
const URI = `data:image/png;base64,${picture.toBase64()}`;

async function connection(pipeline: typeof textToImage | typeof imageToImage) {
  const { assets, runs } = counted();
  const run = await pipeline.load(assets);
  const say = async (message: Record<string, unknown>, session = "one") => {
    const schema = createCatalog({}).find("forecourt/demo-diffusion")?.frame;
    if (!schema) throw new Error("the demo model takes realtime messages");
    const input = parse(schema, { output_format: "png", sync_mode: true, ...message });
    const task: Task<Static<typeof textToImage.input>> = {
      input: input as Static<typeof textToImage.input>, // checked
      session,
      media: async () => picture,
      save: async () => {
        throw new Error("nothing is to be saved");
      },
      log: () => {},
    };
    for await (const { step } of run([task] as never, new AbortController().signal))
      if (step.type === "output") return { ...step.value, units: step.units, image: step.value.images[0]?.url };
    throw new Error("there was no output");
  };
  return { say, runs };
}

test("a message of the demo model takes few steps", async () => {
  const { say, runs } = await connection(textToImage);
  expect((await say({ prompt: "a red circle" })).units).toMatchObject({ images: 1, steps: 4 });
  expect(runs("unet")).toBe(4);
});

test("the seed and the prompts' embeddings are kept within a connection and not shared with another", async () => {
  const { say, runs } = await connection(textToImage);
  const first = await say({ prompt: "a red circle" });
  const again = await say({ prompt: "a red circle" });
  expect(again.image).toBe(first.image);
  expect(again.seed).toBe(first.seed);
  expect(runs("text_encoder")).toBe(2); // the prompt and the negative one
  expect((await say({ prompt: "a red circle" }, "two")).seed).not.toBe(first.seed);
  expect((await say({ prompt: "a red circle", seed: 5 })).seed).toBe(5);
  expect((await say({ prompt: "a red circle" })).seed).toBe(5);
});

test("a picture is encoded once, whether it is sent again or left out", async () => {
  const { say, runs } = await connection(textToImage);
  const seed = 3;
  const first = await say({ prompt: "a red circle", image_url: URI, strength: 0.5, seed });
  const again = await say({ prompt: "a red circle", image_url: URI, strength: 0.5 });
  const without = await say({ prompt: "a red circle", strength: 0.5 });
  expect([again.image, without.image]).toEqual([first.image, first.image]);
  expect(runs("vae_encoder")).toBe(1);
  const fromNoise = await say({ prompt: "a red circle", seed }, "two");
  expect(fromNoise.image).not.toBe(first.image);
});

test("feedback lets the last picture flow into the next", async () => {
  const { say } = await connection(textToImage);
  const first = await say({ prompt: "a red circle", seed: 3 });
  const none = await say({ prompt: "a red circle", feedback: 0 });
  const some = await say({ prompt: "a red circle", feedback: 1, strength: 0.5 });
  expect(none.image).toBe(first.image);
  expect(some.image).not.toBe(first.image);
  expect(some.units).toMatchObject({ steps: 2 });
});

test("image-to-image wants a picture in the first message and keeps it", async () => {
  const { say, runs } = await connection(imageToImage);
  await expect(say({ prompt: "a red circle" })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "image_url"], type: "missing" }],
  });
  await say({ prompt: "a red circle", image_url: URI });
  await say({ prompt: "a blue circle" });
  expect(runs("vae_encoder")).toBe(1);
});
