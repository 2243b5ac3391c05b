// Basic Pitch's graph over a recording: how likely each note sounds, begins, and where its pitch lies, frame by frame.
import { ForecourtError } from "../../core/errors.ts";
import type { Assets, Graph } from "../../core/pipeline.ts";
import type { Port } from "../../core/tensor.ts";
import { letIn } from "../pause.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";

/** Row by row: [frames, width]. */
export type Activations = { values: Float32Array; width: number };

export type Heard = {
  frames: number;
  /** [frames, 88]: the keys of a piano. */
  note: Activations;
  onset: Activations;
  /** [frames, 264]: thirds of semitones. */
  contour: Activations;
};

/** basic_pitch/constants.py: what the graph was trained on. */
export const RATE = 22_050;
/** Samples between two frames. */
export const HOP = 256;
export const WINDOW_SAMPLES = 2 * RATE - HOP;
export const WINDOW_FRAMES = 172;
export const KEYS = 88;
export const BINS_PER_KEY = 3;
/** Frames that two windows share; half of them is thrown away on each side. */
const SHARED_FRAMES = 30;
const STEP_SAMPLES = WINDOW_SAMPLES - SHARED_FRAMES * HOP;

export type Ear = {
  /** Of one channel at RATE. Yields how many windows are heard. */
  listen(samples: Float32Array, signal: AbortSignal): AsyncGenerator<{ at: number; of: number }, Heard>;
};

/** Throws `runner_failed` for a graph of another kind. */
export async function loadEar(assets: Assets, path: string): Promise<Ear> {
  const graph = await assets.graph(path);
  const [input] = graph.inputs;
  if (!input || graph.inputs.length !== 1) throw unusable(path, "it has not one input");
  const names = { contour: outputOf(graph, path, 0), note: outputOf(graph, path, 1), onset: outputOf(graph, path, 2) };
  return {
    async *listen(samples, signal) {
      const padded = new Float32Array((SHARED_FRAMES / 2) * HOP + samples.length);
      padded.set(samples, padded.length - samples.length);
      const windows = Math.ceil(padded.length / STEP_SAMPLES);
      const frames = Math.min(
        Math.floor((samples.length / STEP_SAMPLES) * (WINDOW_FRAMES - SHARED_FRAMES)),
        windows * (WINDOW_FRAMES - SHARED_FRAMES),
      );
      const heard = {
        frames,
        note: empty(frames, KEYS),
        onset: empty(frames, KEYS),
        contour: empty(frames, KEYS * BINS_PER_KEY),
      };
      for (let at = 0; at < windows; at++) {
        // The event loop reads what was sent to this process meanwhile.
        await letIn(signal);
        const window = new Float32Array(WINDOW_SAMPLES);
        window.set(padded.subarray(at * STEP_SAMPLES, at * STEP_SAMPLES + WINDOW_SAMPLES));
        const results = await graph.run({ [input.name]: tensorOf(input.dtype, [1, WINDOW_SAMPLES, 1], window) });
        for (const kind of ["note", "onset", "contour"] as const) {
          const given = results[names[kind].name];
          if (given) place(toFloats(given), heard[kind], at);
        }
        yield { at: at + 1, of: windows };
      }
      return heard;
    },
  };
}

const empty = (frames: number, width: number): Activations => ({ values: new Float32Array(frames * width), width });

/** The middle of a window's frames, behind those of the windows before. */
function place(window: Float32Array, { values, width }: Activations, at: number): void {
  const cut = SHARED_FRAMES / 2;
  const kept = window.subarray(cut * width, (WINDOW_FRAMES - cut) * width);
  const from = at * kept.length;
  values.set(kept.subarray(0, Math.max(0, values.length - from)), Math.min(from, values.length));
}

/** TensorFlow's names count them: contour, note, onset. */
function outputOf({ outputs }: Graph, path: string, number: number): Port {
  const width = number === 0 ? KEYS * BINS_PER_KEY : KEYS;
  const output = outputs.find(({ name }) => name.endsWith(`:${number}`));
  const last = output?.shape.at(-1);
  if (output && (typeof last !== "number" || last === width)) return output;
  throw unusable(path, `it has no output of ${width} whose name ends in :${number}`);
}

const unusable = (file: string, why: string) =>
  new ForecourtError("runner_failed", `the graph ${file} is not Basic Pitch's: ${why}`, { details: { file } });
