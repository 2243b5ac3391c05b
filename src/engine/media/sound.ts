// Sound of an input, as one channel of samples.
import { ForecourtError } from "../../core/errors.ts";
import type { Task } from "../../core/pipeline.ts";
import { createPause, type Pause } from "../pause.ts";
import { createResampler } from "../tensor/resample.ts";
import type { Sound } from "./channels.ts";
import { tooLong } from "./too-long.ts";
import { readWav } from "./wav.ts";

type Reading = {
  task: Pick<Task<unknown>, "media" | "convertSound" | "longestSoundSeconds">;
  url: string;
  /** Name of the input's field, for the error. */
  field: string;
  /** What it becomes while it is read, so that no more is held at once; absent: as it is. */
  rate?: number;
  /** Ends the reading. */
  signal?: AbortSignal;
};

/** Where the settings say nothing, as in tests: four hours. */
const LONGEST_SECONDS = 4 * 3600;
/** Samples a second: what is beyond is no sound, but a header that says so. */
const HIGHEST_RATE = 768_000;

/**
 * wav, mp3, flac, ogg and webm by decoders of our own, what else a program of this machine can read (m4a with AAC by
 * ffmpeg) by that. Channels are averaged. Throws `invalid_input` that names the field.
 */
export async function readSound({ task, url, field, rate, signal }: Reading): Promise<Sound> {
  const bytes = await task.media(url);
  const longest = task.longestSoundSeconds ?? LONGEST_SECONDS;
  const wish: Wish = { longest, field, pause: createPause(signal), signal, ...(rate && { rate }) };
  const sound = (await wavSound(bytes, wish)) ?? (await decode(bytes, wish));
  if (sound) return checked(sound, wish);
  const converted = await task.convertSound?.(bytes, { longestSeconds: longest, ...(rate && { rate }) });
  const known = converted && (await wavSound(converted, wish));
  if (known) return checked(known, wish);
  const others = task.convertSound
    ? "or another file with sound in it, that is not corrupted"
    : "that is not corrupted; m4a (AAC) and others need the program ffmpeg, which is not installed here";
  throw unreadable(`Please provide a wav, mp3, flac, ogg or webm file ${others}`, field);
}

type Wish = { longest: number; field: string; rate?: number; pause: Pause; signal: AbortSignal | undefined };

/** Samples that are read at once. */
const PIECE = 2 ** 18;

async function wavSound(bytes: Uint8Array, { longest, field, pause, ...wish }: Wish): Promise<Sound | undefined> {
  const file = readWav(bytes);
  if (!file || file.rate > HIGHEST_RATE) return undefined;
  const { rate, length } = file;
  if (length > longest * rate) throw tooLong(longest, field);
  const wanted = wish.rate ?? rate;
  const resampler = createResampler(rate, wanted);
  for (let at = 0; at < length; at += PIECE) {
    resampler.add(file.samples(at, Math.min(length, at + PIECE)));
    await pause();
  }
  return { samples: resampler.end(), rate: wanted };
}

/** Of nothing there is nothing to hear; files of floats may hold what no model can hear, and answers nonsense to. */
function checked(sound: Sound, { field }: Wish): Sound {
  const { samples } = sound;
  if (samples.length === 0) throw unreadable("It has no sound in it: its length is 0", field);
  for (let i = 0; i < samples.length; i++)
    if (!Number.isFinite(samples[i])) throw unreadable("Its samples are not all numbers", field);
  return sound;
}

function unreadable(why: string, field: string): ForecourtError {
  const msg = `Failed to load the audio. ${why}`;
  return new ForecourtError("invalid_input", `${field}: ${msg}`, {
    problems: [{ loc: ["body", field], msg, type: "audio_load_error" }],
  });
}

/** The decoders are loaded when the first file needs one. Undefined for what they do not know and for broken files. */
async function decode(bytes: Uint8Array, { longest, signal, ...wish }: Wish): Promise<Sound | undefined> {
  const { decodeSound } = await import("./decode-sound.ts");
  try {
    return await decodeSound(bytes, { longestSeconds: longest, ...wish });
  } catch (cause) {
    if (cause instanceof ForecourtError || signal?.aborted) throw cause;
    return undefined;
  }
}
