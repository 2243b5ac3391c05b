// Voices that lie beside a model as recordings, for models that copy a voice: voices/NAME.wav, and the repository's own.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import type { Sound } from "../media/channels.ts";
import { readSound } from "../media/sound.ts";
import type { VoiceFiles } from "./voice.ts";

const FOLDER = "voices";
const FILE = /^(.+)\.(wav|flac|mp3|ogg)$/i;

/** Of onnx-community/chatterbox-ONNX. */
const OWN = "default_voice.wav";

/** Paths by name: the repository's own first, as `default`, then the others in alphabetical order. */
export function recordedVoices(assets: VoiceFiles): ReadonlyMap<string, string> {
  const others = assets.list(FOLDER).flatMap((file) => {
    const name = FILE.exec(file)?.[1];
    return name === undefined ? [] : [[name, `${FOLDER}/${file}`] as const];
  });
  const own = assets.has(OWN) ? [["default", OWN] as const] : [];
  return new Map([...own, ...others.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Throws `weights_missing` for a file that is no sound. */
export async function readRecording(assets: Assets, path: string): Promise<Sound> {
  try {
    return await readSound({ task: { media: () => assets.bytes(path) }, url: path, field: "voice" });
  } catch (cause) {
    const message = `${path} is not a recording that can be read: put a wav, flac, mp3 or ogg file in its place`;
    throw new ForecourtError("weights_missing", message, { details: { file: path }, cause });
  }
}
