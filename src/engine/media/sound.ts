// Sound of an input, as one channel of samples.
import { ForecourtError } from "../../core/errors.ts";
import type { Task } from "../../core/pipeline.ts";
import { decodeWav } from "./wav.ts";

/** One channel, values in [-1, 1]. */
export type Sound = { samples: Float32Array; rate: number };

type Reading = {
  task: Pick<Task<unknown>, "media">;
  url: string;
  /** Name of the input's field, for the error. */
  field: string;
};

/** Channels are averaged. Throws `invalid_input` that names the field when the bytes are not a WAV file. */
export async function readSound({ task, url, field }: Reading): Promise<Sound> {
  const sound = decodeWav(await task.media(url));
  if (sound) return sound;
  const msg = "Failed to load the audio. Please provide a WAV file of PCM or floating point samples";
  throw new ForecourtError("invalid_input", `${field}: ${msg}`, {
    problems: [{ loc: ["body", field], msg, type: "audio_load_error" }],
  });
}
