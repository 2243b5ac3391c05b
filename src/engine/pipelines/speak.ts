// A voice that reads a text aloud, sentence by sentence.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Task } from "../../core/pipeline.ts";
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";
import { randomSeed } from "../media/drawn.ts";
import { encodeSound, soundFormats } from "../media/encode-sound.ts";
import { joinSounds } from "../media/join-sounds.ts";
import { readSound } from "../media/sound.ts";
import { encodeWav } from "../media/wav.ts";
import { sentencesOf } from "../speech/sentences.ts";
import { resample } from "../tensor/resample.ts";
import { loadVoice } from "../voice/families.ts";
import type { Voice, Wish } from "../voice/voice.ts";

const input = Type.Object({
  text: Type.Optional(Type.String({ maxLength: 50_000, description: "What is said." })),
  prompt: Type.Optional(Type.String({ maxLength: 50_000, description: "The same, as fal-ai/kokoro calls it." })),
  voice: Type.Optional(
    Type.String({ description: "Name of a voice. Absent: the model's first. A wrong name's error lists them." }),
  ),
  audio_url: Type.Optional(
    mediaUrl(
      "audio",
      "For models that copy a voice: a recording of somebody who speaks, best of 10 seconds, as URL or data URI of a wav, mp3, flac, ogg, m4a or webm file. It is used instead of `voice`.",
    ),
  ),
  exaggeration: Type.Optional(
    Type.Number({ minimum: 0, maximum: 2, description: "For models that know it: how much of a feeling is heard." }),
  ),
  temperature: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 5,
      description: "For models that speak by chance: more is livelier, 0 always says the likeliest.",
    }),
  ),
  speed: Type.Number({ default: 1, minimum: 0.1, maximum: 5, description: "2: twice as fast." }),
  language: Type.Optional(Type.String({ description: "Code of the text's language, for models of several." })),
  num_inference_steps: Type.Optional(
    Type.Integer({
      ...{ minimum: 1, maximum: 100 },
      description: "For models that make sound out of noise in steps: more sound better and take longer.",
    }),
  ),
  output_format: choice([...soundFormats, "url"], {
    default: "wav",
    description: "Format of the file. `url`: wav; Vercel's AI SDK always writes it.",
  }),
  sample_rate: Type.Optional(
    Type.Integer({ minimum: 8000, maximum: 48_000, description: "Samples per second. Absent: the voice's own." }),
  ),
  seed: Type.Optional(Type.Integer({ minimum: 0, description: "The same seed says it the same way again." })),
});

const output = Type.Object({
  audio: Type.Object({
    url: Type.String(),
    content_type: Type.String(),
    file_name: Type.String(),
    file_size: Type.Integer(),
  }),
  duration: Type.Number({ description: "Seconds." }),
  sample_rate: Type.Integer(),
  seed: Type.Integer(),
});

export type SpeakInput = Static<typeof input>;
export type SpeakOutput = Static<typeof output>;
/** Value of a partial step: one sentence, as a data URI of a WAV file. */
export type SpokenSentence = { text: string; audio_url: string; duration: number; sample_rate: number };

/** Samples of silence between two sentences. */
export const pauseAt = (rate: number) => Math.round(0.2 * rate);

export const speak = definePipeline({
  summary: "Reads a text aloud.",
  counts: ["seconds", "characters"],
  input,
  output,
  estimate: (given) => ({ characters: textOf(given).length, requests: 1 }),
  async load(assets) {
    const voice = await loadVoice(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const { text, name, sentences } = plan(task, voice);
        const seed = task.input.seed ?? randomSeed();
        await voice.expectReadable?.(text, task.log);
        const wishes = await wishesOf(task, voice, signal);
        const rate = task.input.sample_rate ?? voice.rate;
        const spoken: Float32Array[] = [];
        for (const [i, sentence] of sentences.entries()) {
          signal.throwIfAborted();
          const saying = { text: sentence, seed: seed + i, signal, ...wishes };
          const said = await voice.speak({ ...saying, ...(name !== undefined && { voice: name }) });
          // Each by itself, so that sentences one by one are the same sound as the whole.
          const samples = resample({ samples: said, rate: voice.rate }, rate);
          spoken.push(samples);
          yield { index, step: { type: "progress", at: i + 1, of: sentences.length } };
          if (task.wantsPartials)
            yield { index, step: { type: "partial", value: sentenceOf(sentence, samples, rate) } };
        }
        if (spoken.every(({ length }) => length === 0)) throw nothingToSay(task.input);
        const samples = joinSounds(spoken, pauseAt(rate));
        const { bytes, contentType, ending } = await encodeSound({ samples, rate }, formatOf(task.input));
        const duration = samples.length / rate;
        const audio = await task.save(bytes, { name: `speech.${ending}`, contentType });
        const value = { audio, duration, sample_rate: rate, seed };
        const units = { seconds: duration, characters: text.length, requests: 1 };
        yield { index, step: { type: "output", value, units } };
      }
    };
  },
});

const formatOf = ({ output_format: format }: Pick<SpeakInput, "output_format">) => (format === "url" ? "wav" : format);

const textOf = ({ text, prompt }: Pick<SpeakInput, "text" | "prompt">) => text ?? prompt ?? "";

const WISHES: readonly Wish[] = ["audio_url", "exaggeration", "temperature", "num_inference_steps", "language"];

function plan({ input: given }: Pick<Task<SpeakInput>, "input">, { voices, longest, takes = [] }: Voice) {
  if (given.text !== undefined && given.prompt !== undefined && given.text !== given.prompt)
    throw wrong("prompt", "It is another name for text, and that says something else: give one of them", "value_error");
  const text = textOf(given);
  const sentences = sentencesOf(text, longest);
  if (sentences.length === 0) throw nothingToSay(given);
  for (const wish of WISHES)
    if (given[wish] !== undefined && !takes.includes(wish))
      throw wrong(wish, `The model knows no ${wish}: leave it out`, "value_error");
  return { text, name: given.audio_url === undefined ? voiceOf(given.voice, { voices, takes }) : undefined, sentences };
}

/** Undefined for a model with one voice. */
function voiceOf(asked: string | undefined, { voices, takes = [] }: Pick<Voice, "voices" | "takes">) {
  const copies = takes.includes("audio_url");
  if (asked !== undefined && !voices.includes(asked)) {
    const few = copies ? "it has none of its own, but copies that of audio_url" : "it has only one, so leave this out";
    const choices = voices.length === 0 ? few : voices.join(", ");
    throw wrong("voice", `The model has no voice "${asked}": ${choices}`, "value_error");
  }
  if (copies && voices.length === 0)
    throw wrong("audio_url", "Field required: the model has no voice of its own, and copies one", "missing");
  return asked ?? voices[0];
}

/** What is the same for all sentences; the recording is read once, at the rate of the voice that becomes like it. */
async function wishesOf(task: Task<SpeakInput>, { rate }: Voice, signal: AbortSignal) {
  const { speed, language, audio_url: url, exaggeration, temperature, num_inference_steps: steps } = task.input;
  return {
    speed,
    ...(language !== undefined && { language }),
    ...(exaggeration !== undefined && { exaggeration }),
    ...(temperature !== undefined && { temperature }),
    ...(steps !== undefined && { steps }),
    ...(url !== undefined && { reference: await readSound({ task, url, field: "audio_url", rate, signal }) }),
  };
}

/** Of an empty text, and of one of marks that no voice says, such as an emoji alone. */
function nothingToSay({ text, prompt }: Pick<SpeakInput, "text" | "prompt">): ForecourtError {
  const asked = text === undefined && prompt !== undefined ? "prompt" : "text";
  return wrong(asked, "Field required: there is nothing to say", "missing");
}

const wrong = (field: string, msg: string, type: string) =>
  new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [{ loc: ["body", field], msg, type }] });

function sentenceOf(text: string, samples: Float32Array, rate: number): SpokenSentence {
  const audio_url = `data:audio/wav;base64,${encodeWav({ samples, rate }).toBase64()}`;
  return { text, audio_url, duration: samples.length / rate, sample_rate: rate };
}
