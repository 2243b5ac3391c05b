// How sure a pass of Whisper was, as openai/whisper's decoding.py and transcribe.py define it.
import { deflateSync } from "node:zlib";

/** Of one pass: all segments of it share them. */
export type Certainty = {
  avg_logprob: number;
  /** Of the text's bytes: a high one means that it repeats itself. */
  compression_ratio: number;
  /** Null for models without a mark for it. */
  no_speech_prob: number | null;
  temperature: number;
  /** Frames of 10 ms before the pass. */
  seek: number;
};

/** Adds up the log probability of what is written, the end mark among it. */
export function countChances() {
  let offered: Float32Array | undefined;
  let total = 0;
  const take = (token: number | undefined) => {
    if (offered && token !== undefined) total += (offered[token] ?? -Infinity) - logSum(offered);
    offered = undefined;
  };
  return {
    /** Before each token: what was written before it, and the scores that it is chosen from. */
    offer(last: number | undefined, scores: Float32Array) {
      take(last);
      offered = Float32Array.from(scores);
    },
    /** Mean over `count` tokens and the end mark, `last` being the last that was chosen. */
    mean(last: number | undefined, count: number): number {
      take(last);
      return total / (count + 1);
    },
  };
}

function logSum(scores: Float32Array): number {
  const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  return highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0));
}

/** Of one token among all. */
export const chanceOf = (token: number, scores: Float32Array): number =>
  Math.exp((scores[token] ?? -Infinity) - logSum(scores));

/** Bytes of the text per byte of it compressed by zlib. */
export function compressionRatio(text: string): number {
  const bytes = new TextEncoder().encode(text.trim());
  return bytes.length / deflateSync(bytes).length;
}
