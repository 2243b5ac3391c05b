// Who spoke when: voices of overlapping windows (pyannote's segmentation), how each sounds (WeSpeaker), and which are one.
import { invariant } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import { createPause, type Pause } from "../pause.ts";
import { requirePort, tensorOf, toFloats } from "../tensor/tensor.ts";
import { cluster, squared, unit } from "./cluster.ts";
import { KALDI, kaldiFeatures } from "./kaldi-features.ts";
import { voicesOf } from "./powerset.ts";
import { type Piece, type Turn, turnsOf } from "./turns.ts";

/** Their places in a folder of weights: neither is part of the speech models' repositories. */
export const DIARIZATION_FILES = ["diarization/segmentation.onnx", "diarization/embedding.onnx"] as const;

const RATE = 16_000;
/** The segmentation was trained on windows of 10 seconds; each moment is heard in two of them. */
const [WINDOW_SECONDS, STEP_SECONDS] = [10, 5];
/** Of the centres of two people, as vectors of length 1 (clustering.threshold of pyannote/speaker-diarization-3.1). */
const SAME_VOICE = 0.7045654963945799;
/** Less of a voice is not told by, only counted to the nearest; WeSpeaker sees nothing in less than the second. */
const [CERTAIN_SECONDS, LEAST_FRAMES] = [0.5, 10];

export type Diarize = (samples: Float32Array, options: { speakers?: number; signal: AbortSignal }) => Promise<Turn[]>;

/** Undefined where the weights have no such models. */
export async function loadDiarization(assets: Assets): Promise<Diarize | undefined> {
  if (!DIARIZATION_FILES.every((path) => assets.has(path))) return undefined;
  const [cut, sounds] = [await assets.graph(DIARIZATION_FILES[0]), await assets.graph(DIARIZATION_FILES[1])];
  return async (samples, { speakers, signal }) => {
    const duration = samples.length / RATE;
    const heard: Heard[] = [];
    const starts: number[] = [];
    let frameSeconds = WINDOW_SECONDS;
    for (let start = 0; start < duration; start += STEP_SECONDS) {
      signal.throwIfAborted();
      const window = new Float32Array(WINDOW_SECONDS * RATE);
      window.set(samples.subarray(start * RATE, (start + WINDOW_SECONDS) * RATE));
      const voices = voicesOf(await scoresOf(cut, window));
      frameSeconds = WINDOW_SECONDS / (voices[0]?.speaks.length || 1);
      starts.push(start);
      const features = kaldiFeatures(window);
      for (const voice of voices) {
        const found = await soundOf(sounds, { features, voice, frameSeconds });
        if (found) heard.push({ ...found, start, speaks: voice.speaks });
      }
      if (start + WINDOW_SECONDS >= duration) break;
    }
    const pieces = await named(heard, speakers, createPause(signal));
    return turnsOf(pieces, { starts, frameSeconds, windowSeconds: WINDOW_SECONDS, duration });
  };
}

/** A voice of one window; `certain`: there is enough of it alone. */
type Heard = { start: number; speaks: Uint8Array; sound: Float32Array; certain: boolean };

async function scoresOf(graph: Graph, window: Float32Array): Promise<Float32Array> {
  const port = requirePort(graph.inputs, { names: ["input_values", "x"], of: "segmentation" });
  const results = await graph.run({ [port.name]: tensorOf(port.dtype, [1, 1, window.length], window) });
  const out = requirePort(graph.outputs, { names: ["logits", "y"], of: "segmentation" });
  const scores = results[out.name];
  invariant(scores, "a graph gives its outputs");
  return toFloats(scores);
}

type Spoken = {
  features: ReturnType<typeof kaldiFeatures>;
  voice: ReturnType<typeof voicesOf>[number];
  frameSeconds: number;
};

/** How the voice sounds where it speaks alone, else wherever it speaks; undefined for next to nothing. */
async function soundOf(graph: Graph, { features: { values, frames }, voice, frameSeconds }: Spoken) {
  const rowsWhere = (flags: Uint8Array) =>
    Array.from({ length: frames }, (_, row) => row).filter(
      (row) => flags[Math.floor((row + 0.5) / KALDI.framesPerSecond / frameSeconds)] === 1,
    );
  const alone = rowsWhere(voice.alone);
  const certain = alone.length >= CERTAIN_SECONDS * KALDI.framesPerSecond;
  const rows = certain ? alone : rowsWhere(voice.speaks);
  if (rows.length < LEAST_FRAMES) return undefined;
  const seen = centred(rows.map((row) => values.subarray(row * KALDI.bands, (row + 1) * KALDI.bands)));
  const port = requirePort(graph.inputs, { names: ["input_features", "feats"], of: "speaker embedding" });
  const results = await graph.run({ [port.name]: tensorOf(port.dtype, [1, rows.length, KALDI.bands], seen) });
  const out = requirePort(graph.outputs, {
    names: ["last_hidden_state", "embeddings", "embs"],
    of: "speaker embedding",
  });
  const sound = results[out.name];
  invariant(sound, "a graph gives its outputs");
  return { sound: unit(Float32Array.from(toFloats(sound))), certain };
}

/** Each band without its mean, as WeSpeaker wants it. */
function centred(rows: readonly Float32Array[]): Float32Array {
  const mean = new Float64Array(KALDI.bands);
  for (const row of rows) for (const [i, value] of row.entries()) mean[i] = (mean[i] ?? 0) + value / rows.length;
  const all = new Float32Array(rows.length * KALDI.bands);
  for (const [at, row] of rows.entries())
    for (const [i, value] of row.entries()) all[at * KALDI.bands + i] = value - (mean[i] ?? 0);
  return all;
}

/** Groups the voices that are told surely; the others count to the group whose centre is nearest. */
async function named(heard: readonly Heard[], speakers: number | undefined, pause: Pause): Promise<Piece[]> {
  const certain = heard.filter((each) => each.certain);
  const basis = certain.length > 0 ? certain : heard;
  const cut = speakers === undefined ? { distance: SAME_VOICE } : { count: speakers };
  const numbers = await cluster(
    basis.map(({ sound }) => sound),
    cut,
    pause,
  );
  const centres = centresOf(basis, numbers);
  const nearest = ({ sound }: Heard) =>
    centres.reduce(
      (best, centre, i) => (squared(centre, sound) < squared(centres[best] ?? sound, sound) ? i : best),
      0,
    );
  const places = new Map(basis.map((each, at) => [each, at]));
  return heard.map((each) => {
    const at = places.get(each) ?? -1;
    return { start: each.start, speaks: each.speaks, speaker: at < 0 ? nearest(each) : (numbers[at] ?? 0) };
  });
}

function centresOf(basis: readonly Heard[], numbers: readonly number[]): Float32Array[] {
  return Array.from({ length: Math.max(-1, ...numbers) + 1 }, (_, number) => {
    const own = basis.filter((_, i) => numbers[i] === number);
    return Float32Array.from(own[0]?.sound ?? [], (_, i) =>
      own.reduce((sum, { sound }) => sum + (sound[i] ?? 0) / own.length, 0),
    );
  });
}
