// Layers of the text encoder that a request wants to be left out, of exports that give its answer alone.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Assets } from "../../../src/core/pipeline.ts";
import { loadDiffusionModel } from "../../../src/engine/diffusion/diffusion-model.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

const FAMILIES = join(import.meta.dir, "../../reference/families");
const openPrompts = () => openOverlay([join(FAMILIES, "sd-prompts"), join(FAMILIES, "sd")]);

/** The same encoder, exported without what its layers pass on: norms in parts (opset 14) or as an operator (17). */
function bare(opset: 14 | 17): Assets {
  const assets = openPrompts();
  const moved = (path: string) => path.replace(/^text_encoder\//, `text_encoder_${opset}/`);
  return { ...assets, graph: (path, wish) => assets.graph(moved(path), wish) };
}

const readBy = async (assets: Assets, clipSkip: number) => {
  const { encode } = await loadDiffusionModel(assets, { drawsFrom: "prompt" });
  const condition = await encode({ text: "a big red circle", isNegative: false, clipSkip });
  return Array.from(condition.rows.encoder_hidden_states?.data ?? []);
};

describe("clip_skip", () => {
  for (const opset of [14, 17] as const)
    test(`reads of an export of opset ${opset} what a graph with its layers' states says`, async () => {
      for (const skip of [0, 1, 2]) {
        const wanted = await readBy(openPrompts(), skip);
        const got = await readBy(bare(opset), skip);
        const largest = Math.max(...wanted.map(Math.abs));
        expect(got).toHaveLength(wanted.length);
        for (const [i, value] of got.entries())
          expect(Math.abs(value - (wanted[i] ?? Number.NaN))).toBeLessThan(1e-5 * largest);
      }
    });

  test("prompts that are read at the same time share one graph", async () => {
    const assets = bare(14);
    let opened = 0;
    const graph: Assets["graph"] = (path, wish) => {
      if (wish?.states) opened++;
      return assets.graph(path, wish);
    };
    const { encode } = await loadDiffusionModel({ ...assets, graph }, { drawsFrom: "prompt" });
    const read = (text: string) => encode({ text, isNegative: false, clipSkip: 1 });
    await Promise.all(["a big red circle", "two stars", "a dog"].map(read));
    expect(opened).toBe(1);
  });

  test("more layers than there are is refused by the field, and the model draws on", async () => {
    const assets = bare(17);
    const draw = (clip_skip: number) =>
      runOnce(textToImage, {
        assets,
        input: { prompt: "a", seed: 1, num_inference_steps: 2, image_size: { width: 64, height: 64 }, clip_skip },
      });
    await expect(draw(10)).rejects.toMatchObject({
      code: "invalid_input",
      problems: [{ loc: ["body", "clip_skip"] }],
    });
    expect((await draw(1)).files).not.toEqual((await draw(0)).files);
  });

  test("counts together with a LoRA of the text encoder", async () => {
    const assets = openOverlay([join(FAMILIES, "sd-lora"), join(FAMILIES, "sd")]);
    const draw = async (more: object) => {
      const common = { prompt: "a big red circle", seed: 1, num_inference_steps: 2 };
      const input = { ...common, image_size: { width: 64, height: 64 }, ...more };
      return (await runOnce(textToImage, { assets, input })).files;
    };
    const loras = [{ path: "diffusers.safetensors" }];
    const [plain, skipped, adapted, both] = [
      await draw({}),
      await draw({ clip_skip: 1 }),
      await draw({ loras }),
      await draw({ loras, clip_skip: 1 }),
    ];
    for (const other of [plain, skipped, adapted]) expect(both).not.toEqual(other);
    expect(await draw({ clip_skip: 1 })).toEqual(skipped);
    expect(await draw({})).toEqual(plain);
  });
});
