// When somebody speaks, by Silero's model where the weights have one beside the speech model.

import { invariant } from "../../core/errors.ts";
import type { Assets } from "../../core/pipeline.ts";
import { type Stretch, stretchesOf } from "../onnx/outputs/segments.ts";
import { tensorOf, toFloats } from "../tensor/tensor.ts";

/** The file's place in a folder of weights: Silero is not part of the speech models' repositories. */
const GRAPH = "vad/silero_vad.onnx";
/** Of the model at 16 kHz: new samples at each step, and those before them that it sees again. */
const [RATE, NEW, CONTEXT] = [16_000, 512, 64];
/** Shape of what it keeps from step to step. */
const STATE = [2, 1, 128];

/**
 * Silero's own rules (get_speech_timestamps), but for a longer padding and longer pauses: a speech model wants the
 * beginnings and ends of words, and whole sentences (the values of faster-whisper).
 */
const RULES = { threshold: 0.5, hysteresis: 0.15, minSeconds: 0.25, minPauseSeconds: 1, padSeconds: 0.4 };

/** Samples at 16 kHz -> stretches of speech in seconds. */
export type VoiceActivity = (samples: Float32Array, signal: AbortSignal) => Promise<Stretch[]>;

/** Undefined where the weights have no such model: everything is listened to then. */
export async function loadVoiceActivity(assets: Assets): Promise<VoiceActivity | undefined> {
  if (!assets.has(GRAPH)) return undefined;
  const graph = await assets.graph(GRAPH);
  return async (samples, signal) => {
    const shares: number[] = [];
    let state = tensorOf("float32", STATE, new Float32Array(256));
    const sr = tensorOf("int64", [], [RATE]);
    for (let at = 0; at < samples.length; at += NEW) {
      signal.throwIfAborted();
      const piece = new Float32Array(CONTEXT + NEW);
      const begin = Math.max(0, at - CONTEXT);
      piece.set(samples.subarray(begin, at + NEW), begin - at + CONTEXT);
      const { output, stateN } = await graph.run({ input: tensorOf("float32", [1, piece.length], piece), state, sr });
      invariant(output && stateN, "Silero's graph gives output and stateN");
      shares.push(toFloats(output)[0] ?? 0);
      state = stateN;
    }
    return stretchesOf(shares, NEW / RATE, RULES);
  };
}
