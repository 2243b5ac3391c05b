// Listens to a recording clip by clip and window by window, as far as each pass got.
import type { Tensor } from "../../core/tensor.ts";
import { toFloats } from "../tensor/tensor.ts";
import { type Certainty, compressionRatio } from "./certainty.ts";
import { type Segment, segmentsOf } from "./segment.ts";
import type { Whisper } from "./whisper.ts";

/** 10 ms each. */
const FRAMES_PER_SECOND = 100;

export type Heard = {
  start: number;
  end: number;
  text: string;
  words?: { text: string; timestamp: [number, number] }[];
  /** With the segment's tokens, marks of time among them, where that was asked for. */
  certainty?: Certainty & { tokens: number[] };
};

export type ListenOptions = {
  whisper: Whisper;
  clips: readonly { start: number; end: number }[];
  signal: AbortSignal;
  task: "transcribe" | "translate";
  language?: string;
  /** Seconds of a window: at most the model's. */
  max_segment_len: number;
  prompt: string;
  temperature: number;
  chunk_level: "none" | "segment" | "word";
  word_timestamps: boolean;
  with_certainty: boolean;
};

type News = { segments: readonly Heard[]; until: number };

/** Yields all that was heard so far, after each pass; ends with everything and the language. */
export async function* listen(
  samples: Float32Array,
  options: ListenOptions,
): AsyncGenerator<News, { segments: readonly Heard[]; language: string | undefined }> {
  const { whisper, clips } = options;
  let language = whisper.isMultilingual && options.language ? whisper.language(options.language) : undefined;
  const segments: Heard[] = [];
  for (const clip of clips) {
    for (let at = clip.start; at < clip.end; ) {
      const until = Math.min(clip.end, at + options.max_segment_len);
      const features = await whisper.features(samples.slice(at * whisper.rate, until * whisper.rate));
      language ??= whisper.isMultilingual ? await whisper.detectLanguage(features) : undefined;
      const window = { features, frames: Math.round((until - at) * FRAMES_PER_SECOND), isLast: until >= clip.end };
      const heard = hearWindow({ ...window, from: at }, { ...options, ...(language !== undefined && { language }) });
      let seconds = until - at;
      for await (const { found, passed } of heard) {
        segments.push(...found.map((each) => moved(each, (time) => time + at)));
        seconds = passed;
        yield { segments, until: at + passed };
      }
      at += seconds;
    }
  }
  return { segments, language };
}

type Window = {
  /** Seconds from the recording's beginning. */
  from: number;
  features: Tensor;
  /** With sound. */
  frames: number;
  /** The clip ends with it: what a pass leaves over is heard again in the same window. */
  isLast: boolean;
};

async function* hearWindow({ features, frames, isLast, from: begins }: Window, options: ListenOptions) {
  const { whisper, signal } = options;
  const all = features.shape[2] ?? 0;
  const withWords = options.chunk_level === "word" || options.word_timestamps;
  for (let seek = 0; seek < frames; ) {
    signal.throwIfAborted();
    const left = frames - seek;
    const listening = { ...options, ...(withWords && { withTimes: { frames: left } }) };
    const rest = from(features, seek);
    const { tokens, times, averageLogProbability } = await whisper.pass(rest, listening);
    if (tokens.length === 0) return;
    const certainty: Certainty | undefined = options.with_certainty
      ? {
          avg_logprob: averageLogProbability,
          compression_ratio: compressionRatio(await whisper.text(tokens)),
          no_speech_prob: await whisper.silenceChance(rest, options.prompt),
          temperature: options.temperature,
          seek: Math.round(begins * FRAMES_PER_SECOND) + seek,
        }
      : undefined;
    const pass = { tokens, ...(times && { times }), firstMark: whisper.firstMark, frames: all - seek };
    const { segments, advance } = segmentsOf(pass);
    const offset = seek / FRAMES_PER_SECOND;
    const found: Heard[] = [];
    // Whisper may hear on into the silence that fills the window: there is no such time in the recording.
    for (const segment of segments) {
      const heard = moved(await written(segment, options), (at) => Math.min(at + offset, frames / FRAMES_PER_SECOND));
      found.push(certainty ? { ...heard, certainty: { ...certainty, tokens: segment.tokens } } : heard);
    }
    // A pass that did not get on would be repeated for ever.
    seek += advance > 0 ? advance : left;
    yield { found, passed: Math.min(seek, frames) / FRAMES_PER_SECOND };
    if (!isLast) return;
  }
}

async function written({ start, end, tokens, times }: Segment, options: ListenOptions): Promise<Heard> {
  const { whisper, language } = options;
  const text = await whisper.text(tokens);
  if (!times) return { start, end, text };
  const places = tokens.flatMap((token, i) => (token < whisper.firstMark ? [i] : []));
  const words = await whisper.words(
    places.map((place) => tokens[place] ?? 0),
    language,
  );
  const begins = (at: number | undefined) => times[places[at ?? 0] ?? 0] ?? start;
  const ends = (at: number | undefined) => times[(places[at ?? 0] ?? 0) + 1] ?? end;
  const timed = words.map(({ text: word, at }): { text: string; timestamp: [number, number] } => ({
    text: word,
    timestamp: [begins(at[0]), Math.max(begins(at[0]), ends(at.at(-1)))],
  }));
  return { start, end, text, words: timed };
}

/** The rest of a window, silence after it. */
function from({ shape, data, dtype }: Tensor, frame: number): Tensor {
  if (frame === 0) return { shape, data, dtype };
  const [bands, frames] = [shape[1] ?? 0, shape[2] ?? 0];
  const [all, rest] = [toFloats({ shape, data, dtype }), new Float32Array(bands * frames)];
  for (let band = 0; band < bands; band++)
    rest.set(all.subarray(band * frames + frame, (band + 1) * frames), band * frames);
  return { shape, data: rest, dtype: "float32" };
}

function moved(segment: Heard, to: (time: number) => number): Heard {
  const words = segment.words?.map(({ text, timestamp: [a, b] }) => ({
    text,
    timestamp: [to(a), to(b)] satisfies [number, number] as [number, number],
  }));
  return { ...segment, start: to(segment.start), end: to(segment.end), ...(words && { words }) };
}
