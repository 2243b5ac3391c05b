// Voices that lie beside a model as files of numbers: voices/NAME.bin, or NumPy's voices/NAME.npy.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";

const FOLDER = "voices";
const FILE = /^(.+)\.(bin|npy)$/;

/** Their names in alphabetical order. Throws `weights_missing` where there are none. */
export function voiceNames(assets: Assets): string[] {
  const names = assets.list(FOLDER).flatMap((file) => FILE.exec(file)?.[1] ?? []);
  if (names.length > 0) return [...new Set(names)].sort();
  const message = `${FOLDER}/ holds no voices: this model needs at least one, as ${FOLDER}/NAME.bin (float32 numbers) or ${FOLDER}/NAME.npy`;
  throw new ForecourtError("weights_missing", message, { details: { folder: FOLDER } });
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
