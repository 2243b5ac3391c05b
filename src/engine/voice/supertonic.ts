// Supertonic: letters to sound by flow matching; how long a text lasts is told at once, then noise of that length becomes
// latents in a few steps. Kim et al., "SupertonicTTS" (2025).
import { joinSounds } from "../media/join-sounds.ts";
import { cutText } from "../speech/sentences.ts";
import { createRandom, type Random } from "../tensor/random.ts";
import { chosenLanguage } from "./chosen-language.ts";
import type { Knows } from "./readable.ts";
import { languagesOf, readableText, taggedText } from "./supertonic-text.ts";
import type { Voice } from "./voice.ts";

export type Numbers = { shape: readonly number[]; values: Float32Array };

/** A text that the model has read, in one voice. */
export type Reading = {
  /** At the speed 1. */
  seconds: number;
  /** [1, channels, latents] a step nearer to speech; `step` counts from 0. */
  denoise(latents: Numbers, step: number, steps: number): Promise<Numbers>;
};

/** The graphs of one layout of its files. */
export type SupertonicModel = {
  rate: number;
  /** Of a latent: numbers, and samples of sound that it stands for. */
  latent: { channels: number; samples: number };
  voices: readonly string[];
  knows: Knows;
  read(text: string, voice: string): Promise<Reading>;
  /** Sound of all latents. */
  decode(latents: Numbers): Promise<Float32Array>;
  /** Samples are whole; the layouts' own programs differ in how they make them so. */
  round(samples: number): number;
};

/** Letters at once, in Supertone's own programs; signs of Korean and Japanese stand for more sound each. */
const LONGEST = 300;
const LONGEST_DENSE = 120;
const DENSE = ["ko", "ja"];
/** As in transformers.js. */
const USUAL_STEPS = 5;

export async function speakSupertonic(model: SupertonicModel): Promise<Voice> {
  const { rate, voices } = model;
  const languages = await languagesOf(model.knows);
  return {
    rate,
    longest: LONGEST,
    voices,
    takes: ["num_inference_steps", "language"],
    async expectReadable(text) {
      await readableText(text, model.knows);
    },
    async speak({ text, voice = voices[0] ?? "", speed, steps = USUAL_STEPS, language, seed, signal }) {
      const code = language === undefined ? (languages.codes[0] ?? "") : chosenLanguage(language, languages.codes);
      const noise = createRandom(seed);
      const spoken: Float32Array[] = [];
      for (const part of cutText(text, DENSE.includes(code) ? LONGEST_DENSE : LONGEST)) {
        const readable = await readableText(part, model.knows);
        if (readable === "") continue;
        const reading = await model.read(taggedText(readable, code, languages), voice);
        spoken.push(await say(model, reading, { speed, steps, noise, signal }));
      }
      return joinSounds(spoken, 0);
    },
  };
}

type Saying = { speed: number; steps: number; noise: Random; signal: AbortSignal };

async function say(model: SupertonicModel, { seconds, denoise }: Reading, saying: Saying): Promise<Float32Array> {
  const { speed, steps, noise, signal } = saying;
  const { channels, samples } = model.latent;
  // In single precision, as both programs count.
  const length = model.round(Math.fround(Math.fround(seconds / speed) * model.rate));
  const count = Math.max(1, Math.ceil(length / samples));
  let latents: Numbers = { shape: [1, channels, count], values: noise.normal(channels * count) };
  for (let step = 0; step < steps; step++) {
    signal.throwIfAborted();
    latents = await denoise(latents, step, steps);
  }
  return (await model.decode(latents)).subarray(0, length);
}
