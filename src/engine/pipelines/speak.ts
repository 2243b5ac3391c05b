// A voice that reads a text aloud, sentence by sentence.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline, type Task } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { randomSeed } from "../media/drawn.ts";
import { encodeSound, soundFormats } from "../media/encode-sound.ts";
import { joinSounds } from "../media/join-sounds.ts";
import { encodeWav } from "../media/wav.ts";
import { sentencesOf } from "../speech/sentences.ts";
import { resample } from "../tensor/resample.ts";
import { loadVoice } from "../voice/families.ts";
import type { Voice } from "../voice/voice.ts";

const input = Type.Object({
  text: Type.Optional(Type.String({ maxLength: 50_000, description: "What is said." })),
  prompt: Type.Optional(Type.String({ maxLength: 50_000, description: "The same, as fal-ai/kokoro calls it." })),
  voice: Type.Optional(
    Type.String({ description: "Name of a voice. Absent: the model's first. A wrong name's error lists them." }),
  ),
  speed: Type.Number({ default: 1, minimum: 0.1, maximum: 5, description: "2: twice as fast." }),
  language: Type.Optional(Type.String({ description: "Code of the text's language, for models of several." })),
  output_format: choice(soundFormats, { default: "wav", description: "Format of the file." }),
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

/** Between two sentences. */
const PAUSE_SECONDS = 0.2;

export const speak = definePipeline({
  summary: "Reads a text aloud.",
  input,
  output,
  estimate: (given) => ({ characters: textOf(given).length, requests: 1 }),
  async load(assets) {
    const voice = await loadVoice(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const { text, name, sentences } = plan(task, voice);
        const seed = task.input.seed ?? randomSeed();
        const spoken: Float32Array[] = [];
        for (const [i, sentence] of sentences.entries()) {
          signal.throwIfAborted();
          const { speed, language } = task.input;
          const samples = await voice.speak({
            text: sentence,
            speed,
            seed: seed + i,
            signal,
            ...(name !== undefined && { voice: name }),
            ...(language !== undefined && { language }),
          });
          spoken.push(samples);
          yield { index, step: { type: "progress", at: i + 1, of: sentences.length } };
          if (task.wantsPartials)
            yield { index, step: { type: "partial", value: sentenceOf(sentence, samples, voice.rate) } };
        }
        const whole = joinSounds(spoken, Math.round(PAUSE_SECONDS * voice.rate));
        const rate = task.input.sample_rate ?? voice.rate;
        const samples = resample({ samples: whole, rate: voice.rate }, rate);
        const { bytes, contentType, ending } = await encodeSound({ samples, rate }, task.input.output_format);
        const duration = whole.length / voice.rate;
        const audio = await task.save(bytes, { name: `speech.${ending}`, contentType });
        const value = { audio, duration, sample_rate: rate, seed };
        const units = { seconds: duration, characters: text.length, requests: 1 };
        yield { index, step: { type: "output", value, units } };
      }
    };
  },
});

const textOf = ({ text, prompt }: Pick<SpeakInput, "text" | "prompt">) => text ?? prompt ?? "";

function plan({ input: given }: Pick<Task<SpeakInput>, "input">, { voices, longest }: Voice) {
  const text = textOf(given);
  const sentences = sentencesOf(text, longest);
  if (sentences.length === 0) throw wrong("text", "Field required: there is nothing to say", "missing");
  const name = given.voice ?? voices[0];
  if (given.voice !== undefined && !voices.includes(given.voice)) {
    const choices = voices.length === 0 ? "it has only one" : voices.join(", ");
    throw wrong("voice", `The model has no voice "${given.voice}": ${choices}`, "value_error");
  }
  return { text, name, sentences };
}

const wrong = (field: string, msg: string, type: string) =>
  new ForecourtError("invalid_input", `${field}: ${msg}`, { problems: [{ loc: ["body", field], msg, type }] });

function sentenceOf(text: string, samples: Float32Array, rate: number): SpokenSentence {
  const audio_url = `data:audio/wav;base64,${encodeWav({ samples, rate }).toBase64()}`;
  return { text, audio_url, duration: samples.length / rate, sample_rate: rate };
}
