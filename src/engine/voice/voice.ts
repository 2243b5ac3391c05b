// A text-to-speech model as the pipeline sees it: one piece of text in, sound out.
import type { Assets } from "../../core/pipeline.ts";
import type { Sound } from "../media/channels.ts";

/** Fields of a request that few models know anything of. */
export type Wish = "audio_url" | "exaggeration" | "temperature" | "num_inference_steps" | "language";

export type Utterance = {
  /** At most `longest` letters. */
  text: string;
  /** Name of a voice; absent: the model's first. */
  voice?: string;
  /** The recording behind `audio_url`: its voice speaks, instead of one by name. The same object for all of a request. */
  reference?: Sound;
  /** From 0 to 2: how much of a feeling is heard; absent: the model's own. */
  exaggeration?: number;
  /** 0: always the likeliest sound; absent: the model's own. */
  temperature?: number;
  /** 1 = as the model speaks. */
  speed: number;
  language?: string;
  /** From noise to sound; absent: as many as the model usually takes. */
  steps?: number;
  seed: number;
  signal: AbortSignal;
};

export type Voice = {
  rate: number;
  /** Letters that it can speak at once. */
  longest: number;
  /** Names to choose from; empty: it has one voice, or none where it takes `audio_url`. */
  voices: readonly string[];
  /** Absent: none of them. */
  takes?: readonly Wish[];
  /** Throws `invalid_input` for a text that it cannot read all of, before any of it is said; what is left out is logged. */
  expectReadable?(text: string, log: (message: string) => void): Promise<void>;
  speak(utterance: Utterance): Promise<Float32Array>;
};

/** What of a model's weights tells its voices, without opening any of it. */
export type VoiceFiles = Pick<Assets, "has" | "list" | "json">;

export type LoadVoice = (assets: Assets, config: Record<string, unknown>) => Promise<Voice>;
