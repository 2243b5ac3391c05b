// A LoRA (2106.09685) as its file holds it: for each weight that it changes two narrow matrices, whose product is added.
import { badLora, unreadableLora } from "./failures.ts";
import { fromOriginalNames } from "./original-names.ts";
import { readSafetensors, type StoredTensor } from "./safetensors.ts";

/** Parts of a model that a LoRA may change, as folders of its repository. */
export type LoraPart = "unet" | "transformer" | "text_encoder" | "text_encoder_2";

export type LoraModule = {
  part: LoraPart;
  /** As in onnx-file/weights-of-modules.ts. */
  key: string;
  /** [rank, in, ...] */
  down: StoredTensor;
  /** [out, rank, ...] */
  up: StoredTensor;
  /** What the product is multiplied by before the caller's scale. */
  scale: number;
};

/** Endings of the two matrices: PEFT's, diffusers' older ones, kohya's. */
const DOWN = /(?:\.lora_A(?:\.\w+)?|\.lora\.down|\.lora_down|_lora\.down)\.weight$/;

/** Beginnings of names, and the part that they mean. */
const PARTS: readonly [RegExp, LoraPart][] = [
  [/^(?:unet\.|lora_unet_)/, "unet"],
  [/^transformer\./, "transformer"],
  [/^(?:text_encoder_2\.|lora_te2_)/, "text_encoder_2"],
  [/^(?:text_encoder\.|lora_te1?_)/, "text_encoder"],
];

/** Throws `invalid_input` for a file that holds anything else than such pairs: nothing is left out in silence. */
export function readLora(bytes: Uint8Array): LoraModule[] {
  const { tensors, metadata } = readSafetensors(bytes);
  const alphaOfPart = alphas(metadata.lora_adapter_metadata);
  const modules: LoraModule[] = [];
  const rest = new Set(tensors.keys());
  for (const [name, down] of tensors) {
    const ending = DOWN.exec(name);
    if (!ending) continue;
    const path = name.slice(0, ending.index);
    const upName = name.replace(DOWN, (found) => found.replace("_A", "_B").replace("down", "up"));
    const up = tensors.get(upName);
    if (!up) throw unreadableLora(`"${name}" has no counterpart "${upName}"`);
    const { part, key } = placeOf(path);
    const alpha = tensors.get(`${path}.alpha`)?.read()[0] ?? alphaOfPart[part];
    const [rank = 1] = down.shape;
    modules.push({ part, key, down, up, scale: alpha === undefined ? 1 : alpha / rank });
    for (const used of [name, upName, `${path}.alpha`]) rest.delete(used);
  }
  const [unknown] = rest;
  if (modules.length === 0) throw unreadableLora("it holds no pairs of matrices that are known here");
  if (unknown !== undefined)
    throw badLora(`The LoRA holds "${unknown}", which is not supported: only pairs of matrices are`);
  return modules;
}

function placeOf(path: string): Pick<LoraModule, "part" | "key"> {
  for (const [beginning, part] of PARTS) {
    if (!beginning.test(path)) continue;
    // Older files of diffusers name the attention's processor between the attention and its projection.
    const inside = path
      .replace(beginning, "")
      .replace(/\.processor\.to_out$/, ".to_out.0")
      .replace(".processor.", ".");
    const key = inside.replaceAll(".", "_");
    return { part, key: part === "unet" ? fromOriginalNames(key) : key };
  }
  throw badLora(`The LoRA changes "${path}", which is no part of a model that is known here`);
}

/** diffusers writes PEFT's settings beside the tensors: `unet.lora_alpha` and so on. */
function alphas(written: string | undefined): Partial<Record<LoraPart, number>> {
  if (written === undefined) return {};
  try {
    const settings: Record<string, unknown> = JSON.parse(written);
    const parts = PARTS.map(([, part]) => [part, settings[`${part}.lora_alpha`]] as const);
    return Object.fromEntries(parts.filter(([, alpha]) => typeof alpha === "number"));
  } catch {
    throw unreadableLora("its lora_adapter_metadata is no JSON");
  }
}
