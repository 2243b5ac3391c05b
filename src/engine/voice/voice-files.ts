// Voices that lie beside a model as files of numbers: voices/NAME.bin, NumPy's voices/NAME.npy, or Supertone's
// voice_styles/NAME.json.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { VoiceFiles } from "./voice.ts";

const FOLDER = "voices";
const STYLES = "voice_styles";

/** Their names in alphabetical order. Throws `weights_missing` where there are none. */
export const voiceNames = (assets: VoiceFiles) =>
  namesIn(assets, { folder: FOLDER, file: /^(.+)\.(bin|npy)$/, as: "NAME.bin (float32 numbers) or voices/NAME.npy" });
export const styleNames = (assets: VoiceFiles) =>
  namesIn(assets, { folder: STYLES, file: /^(.+)\.json$/, as: "NAME.json" });

type Place = { folder: string; file: RegExp; as: string };

function namesIn(assets: VoiceFiles, { folder, file, as }: Place): string[] {
  const names = assets.list(folder).flatMap((each) => file.exec(each)?.[1] ?? []);
  if (names.length > 0) return [...new Set(names)].sort();
  const message = `${folder}/ holds no voices: this model needs at least one, as ${folder}/${as}`;
  throw new ForecourtError("weights_missing", message, { details: { folder } });
}

/** Remembers what was read; a name whose reading failed is read again. */
export function readOnce<T>(read: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name) => {
    const found = known.get(name);
    if (found) return found;
    const reading = read(name);
    reading.catch(() => known.delete(name));
    known.set(name, reading);
    return reading;
  };
}

/** All numbers of a voice, in their order. Throws `weights_missing` for a file that holds none of `width` each. */
export async function readVoice(assets: Assets, name: string, width: number): Promise<Float32Array> {
  const isBare = assets.has(`${FOLDER}/${name}.bin`);
  const path = `${FOLDER}/${name}.${isBare ? "bin" : "npy"}`;
  const bytes = await assets.bytes(path);
  const numbers = isBare ? floatsOf(bytes) : fromNumPy(bytes);
  if (numbers && numbers.length > 0 && numbers.length % width === 0) return numbers;
  throw new ForecourtError("weights_missing", `${path} does not hold float32 numbers, ${width} for a voice`, {
    details: { file: path },
  });
}

export type Style = { shape: readonly number[]; values: Float32Array };

/** A voice of Supertone's: for the text and for how long it lasts. Throws `weights_missing` for a file that is none. */
export async function readStyle(assets: Assets, name: string): Promise<Record<"style_ttl" | "style_dp", Style>> {
  const path = `${STYLES}/${name}.json`;
  const file = await assets.json<Record<string, StoredStyle> | null>(path);
  const [style_ttl, style_dp] = [file?.style_ttl, file?.style_dp].map(styleOf);
  if (style_ttl && style_dp) return { style_ttl, style_dp };
  throw new ForecourtError("weights_missing", `${path} does not hold style_ttl and style_dp of a voice`, {
    details: { file: path },
  });
}

/** `data` has a list within another for each of the dimensions. */
type StoredStyle = Partial<Record<"dims" | "data", unknown>> | undefined;

function styleOf(stored: StoredStyle): Style | undefined {
  const { dims, data } = stored ?? {};
  if (!Array.isArray(dims) || !Array.isArray(data)) return undefined;
  const shape = dims.map(Number);
  const values = Float32Array.from(data.flat(Number.POSITIVE_INFINITY) as unknown[], Number);
  const isWhole = values.length === sizeOf(shape) && values.every(Number.isFinite);
  return isWhole ? { shape, values } : undefined;
}

function floatsOf(bytes: Uint8Array): Float32Array | undefined {
  return bytes.length % 4 === 0 ? new Float32Array(new Uint8Array(bytes).buffer) : undefined;
}

/** Version 1 has two bytes for the header's length, later ones four; the header is a Python dictionary. */
function fromNumPy(bytes: Uint8Array): Float32Array | undefined {
  const text = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 6) !== "\x93NUMPY" || bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [from, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = text(from, from + length);
  const isPlain = /'descr': '<f4'/.test(header) && /'fortran_order': False/.test(header);
  return isPlain ? floatsOf(bytes.subarray(from + length)) : undefined;
}
