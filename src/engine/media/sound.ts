// Sound of an input, as one channel of samples.
import { ForecourtError } from "../../core/errors.ts";
import type { Task } from "../../core/pipeline.ts";
import { tooLong } from "./too-long.ts";
import { decodeWav } from "./wav.ts";

/** One channel, values in [-1, 1]. */
export type Sound = { samples: Float32Array; rate: number };

type Reading = {
  task: Pick<Task<unknown>, "media" | "convertSound" | "longestSoundSeconds">;
  url: string;
  /** Name of the input's field, for the error. */
  field: string;
};

/** Where the settings say nothing, as in tests: four hours. */
const LONGEST_SECONDS = 4 * 3600;

/**
 * wav, mp3, flac, ogg and webm by decoders of our own, what else a program of this machine can read (m4a with AAC by
 * ffmpeg) by that. Channels are averaged. Throws `invalid_input` that names the field.
 */
export async function readSound({ task, url, field }: Reading): Promise<Sound> {
  const bytes = await task.media(url);
  const longest = task.longestSoundSeconds ?? LONGEST_SECONDS;
  const sound = decodeWav(bytes) ?? (await decode(bytes, { longest, field }));
  if (sound) return checked(sound, { longest, field });
  const converted = await task.convertSound?.(bytes, longest);
  const known = converted && decodeWav(converted);
  if (known) return checked(known, { longest, field });
  const also = task.convertSound ? "" : "; m4a (AAC) and others need the program ffmpeg, which is not installed here";
  const msg = `Failed to load the audio. Please provide a wav, mp3, flac, ogg or webm file that is not corrupted${also}`;
  throw new ForecourtError("invalid_input", `${field}: ${msg}`, {
    problems: [{ loc: ["body", field], msg, type: "audio_load_error" }],
  });
}

type Where = { longest: number; field: string };

function checked(sound: Sound, { longest, field }: Where): Sound {
  if (sound.samples.length > longest * sound.rate) throw tooLong(longest, field);
  return sound;
}

/** The decoders are loaded when the first file needs one. Undefined for what they do not know and for broken files. */
async function decode(bytes: Uint8Array, { longest, field }: Where): Promise<Sound | undefined> {
  const { decodeSound } = await import("./decode-sound.ts");
  try {
    return await decodeSound(bytes, { longestSeconds: longest, field });
  } catch (cause) {
    if (cause instanceof ForecourtError) throw cause;
    return undefined;
  }
}
