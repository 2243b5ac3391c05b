// A text-to-speech model as the pipeline sees it: one piece of text in, sound out.
import type { Assets } from "../../core/pipeline.ts";

export type Utterance = {
  /** At most `longest` letters. */
  text: string;
  /** Name of a voice; absent: the model's first. */
  voice?: string;
  /** 1 = as the model speaks. */
  speed: number;
  language?: string;
  seed: number;
  signal: AbortSignal;
};

export type Voice = {
  rate: number;
  /** Letters that it can speak at once. */
  longest: number;
  /** Names to choose from; empty: it has one voice. */
  voices: readonly string[];
  speak(utterance: Utterance): Promise<Float32Array>;
};

export type LoadVoice = (assets: Assets, config: Record<string, unknown>) => Promise<Voice>;
