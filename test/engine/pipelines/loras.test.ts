import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../../../src/core/pipeline.ts";
import { textToImage } from "../../../src/engine/pipelines/text-to-image.ts";
import { runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

const families = join(import.meta.dir, "../../reference/families");
const assets = openOverlay([join(families, "sd-lora"), join(families, "sd")]);
const file = new Uint8Array(readFileSync(join(families, "sd-lora/diffusers.safetensors")));
const common = {
  prompt: "a big red circle",
  seed: 1,
  num_inference_steps: 2,
  output_format: "png",
  image_size: { width: 64, height: 64 },
};

async function draw(loras: object[], { media = file, of = assets }: { media?: Uint8Array; of?: Assets } = {}) {
  const { files } = await runOnce(textToImage, { assets: of, media: async () => media, input: { ...common, loras } });
  return Buffer.from(files.get("image-1.png") ?? []).toString("base64");
}

/** A file with these tensors, all of zeros. */
function safetensors(entries: Record<string, { dtype: string; shape: number[]; size: number }>): Uint8Array {
  let at = 0;
  const header: Record<string, object> = {};
  for (const [name, { dtype, shape, size }] of Object.entries(entries)) {
    header[name] = { dtype, shape, data_offsets: [at, at + size] };
    at += size;
  }
  return withHeader(header, at);
}

function withHeader(header: unknown, bytes = 0): Uint8Array {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(bytes)]));
}

test("a LoRA by URL is the same as one among the model's files, of scale 0 is none, and none is there afterwards", async () => {
  const plain = await draw([]);
  const own = await draw([{ path: "diffusers.safetensors" }]);
  expect(own).toBe(await draw([{ path: "https://example.com/lora.safetensors", scale: 1 }]));
  expect(own).toBe(await draw([{ path: "owner/name" }]));
  expect(own).not.toBe(plain);
  expect(await draw([{ path: "diffusers.safetensors", scale: 0 }])).toBe(plain);
  expect(await draw([])).toBe(plain);
});

const url = "https://example.com/lora.safetensors";
const down = "unet.conv_in.lora_A.weight";
const up = "unet.conv_in.lora_B.weight";
const tensor = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
const many = Array.from({ length: 50_001 }, (_, at) => [`unet.x${at}.lora_A.weight`, tensor]);

/** A change of the right size, every value of which has these bits. */
function notNumbers(bits: number): Uint8Array {
  const header = {
    [down]: { dtype: "F32", shape: [1, 4, 3, 3], data_offsets: [0, 144] },
    [up]: { dtype: "F32", shape: [8, 1, 1, 1], data_offsets: [144, 176] },
  };
  const bytes = withHeader(header, 176);
  bytes.set(new Uint8Array(new Uint32Array(44).fill(bits).buffer), bytes.length - 176);
  return bytes;
}

const wrong: [string, string, Uint8Array][] = [
  ["a name that is neither a file nor a repository", "lora", file],
  ["a file outside of the model's", "../sd/unet/x.safetensors", file],
  ["no safetensors", url, new Uint8Array(100)],
  ["a cut file", url, file.slice(0, file.length - 1000)],
  ["a half of a pair", url, safetensors({ [down]: { dtype: "F32", shape: [1, 36], size: 144 } })],
  [
    "another kind of change",
    url,
    safetensors({
      [down]: { dtype: "F32", shape: [1, 4, 3, 3], size: 144 },
      [up]: { dtype: "F32", shape: [8, 1, 1, 1], size: 32 },
      "unet.conv_in.lora_magnitude_vector": { dtype: "F32", shape: [8], size: 32 },
    }),
  ],
  [
    "another model's sizes",
    url,
    safetensors({
      [down]: { dtype: "F32", shape: [1, 8, 3, 3], size: 288 },
      [up]: { dtype: "F32", shape: [8, 1, 1, 1], size: 32 },
    }),
  ],
  [
    "modules that are not there",
    url,
    safetensors({
      "unet.mid_block.x.lora_A.weight": { dtype: "F16", shape: [1, 2], size: 4 },
      "unet.mid_block.x.lora_B.weight": { dtype: "F16", shape: [2, 1], size: 4 },
    }),
  ],
  [
    "a part that is not there",
    url,
    safetensors({
      "transformer.x.lora_A.weight": { dtype: "BF16", shape: [1, 2], size: 4 },
      "transformer.x.lora_B.weight": { dtype: "BF16", shape: [2, 1], size: 4 },
    }),
  ],
  ["a header whose tensors are nothing", url, withHeader({ [down]: null, [up]: null })],
  ["a header that is a list", url, withHeader([1, 2])],
  [
    "a shape that counts less than nothing",
    url,
    withHeader({ [down]: { dtype: "F32", shape: [-1, -4, 3, 3], data_offsets: [0, 144] } }, 144),
  ],
  ["places between bytes", url, withHeader({ [down]: { dtype: "F32", shape: [1], data_offsets: [0.5, 4.5] } }, 8)],
  ["more tensors than any LoRA has", url, withHeader(Object.fromEntries(many))],
  ["values that are no numbers", url, notNumbers(0x7fc0_0000)],
  ["values whose products are beyond all numbers", url, notNumbers(0x7f00_0000)],
  ["numbers of another kind", url, safetensors({ [down]: { dtype: "I64", shape: [1, 36], size: 288 } })],
];

test.each(wrong)("%s is refused, and the model draws on", async (_, path, media) => {
  await expect(draw([{ path }], { media })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "loras"] }],
  });
  expect(await draw([])).not.toBe("");
});

test("what is said of a file beside its tensors may be nothing", async () => {
  const header = { __metadata__: null, [down]: { dtype: "F32", shape: [1, 4, 3, 3], data_offsets: [0, 144] } };
  const pair = { ...header, [up]: { dtype: "F32", shape: [8, 1, 1, 1], data_offsets: [144, 176] } };
  expect(await draw([{ path: url }], { media: withHeader(pair, 176) })).toBe(await draw([]));
});

test("a graph that names no modules takes no LoRA", async () => {
  const of = openOverlay([join(families, "sd")]);
  await expect(draw([{ path: url }], { of })).rejects.toMatchObject({ code: "invalid_input" });
});
