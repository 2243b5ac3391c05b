// Music and sounds from a description, with MusicGen.
import { ForecourtError } from "../../core/errors.ts";
import { definePipeline } from "../../core/pipeline.ts";
import { choice, type Static, Type } from "../../core/schema.ts";
import { randomSeed } from "../media/drawn.ts";
import { soundFormats } from "../media/encode-sound.ts";
import { saveSound, soundField } from "../media/saved-sound.ts";
import { loadMusicgen, type MusicModel } from "../music/musicgen.ts";
import { MAX_SEED } from "../tensor/random.ts";

const input = Type.Object({
  prompt: Type.String({
    minLength: 1,
    maxLength: 20_000,
    description: "What it sounds like: style, instruments, tempo, mood.",
    ui: { important: true },
  }),
  // MusicGen has learned from pieces of 30 seconds.
  duration: Type.Number({ default: 8, minimum: 0.5, maximum: 30, description: "Seconds." }),
  guidance_scale: Type.Number({
    default: 3,
    minimum: 1,
    maximum: 20,
    description: "How closely it follows the prompt; 1: without guidance, in half the time.",
  }),
  temperature: Type.Number({ default: 1, minimum: 0, maximum: 2, description: "0: always the likeliest sound." }),
  // 250 and 1 are what MusicGen's authors compose with.
  top_k: Type.Integer({
    default: 250,
    minimum: 0,
    description: "Only so many likeliest codes are chosen from; 0: all.",
  }),
  top_p: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    maximum: 1,
    description: "Only the likeliest codes that make up this share.",
  }),
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_SEED,
      description: "The same seed and input give the same music. Absent: drawn at random and returned.",
    }),
  ),
  output_format: choice(soundFormats, { default: "wav", description: "Format of the file." }),
  sync_mode: Type.Boolean({
    default: false,
    description: "Return the sound inside the answer, as a data URI, instead of as a file.",
  }),
});

const output = Type.Object({
  audio: soundField,
  duration: Type.Number({ description: "Seconds." }),
  sample_rate: Type.Integer(),
  channels: Type.Integer({ description: "2: left and right." }),
  seed: Type.Integer({ description: "The seed that was used." }),
  prompt: Type.String(),
});

export type MakeMusicInput = Static<typeof input>;

export const makeMusic = definePipeline({
  summary: "Makes music and sounds from a description.",
  counts: ["seconds"],
  input,
  output,
  estimate: ({ duration }) => ({ seconds: duration, requests: 1 }),
  async load(assets) {
    const model = await loadMusicgen(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const { prompt, guidance_scale: guidance, output_format: format, sync_mode: inline } = task.input;
        const dropped = model.dropped(prompt);
        if (dropped > 0) task.log(`the prompt is too long: its last ${dropped} tokens are not read`);
        const seed = task.input.seed ?? randomSeed();
        const sampling = samplingOf(task.input, seed);
        const writing = model.write({ prompt, guidance, frames: framesOf(model, task.input), sampling, signal });
        let next = await writing.next();
        for (; !next.done; next = await writing.next())
          yield { index, step: { type: "progress" as const, ...next.value } };
        const sound = await model.play(next.value);
        const audio = await saveSound({ task, sound, name: "music", format, inline });
        const [{ length } = new Float32Array()] = sound.channels;
        const duration = length / sound.rate;
        const { rate: sample_rate, channels } = model;
        const value = { audio, duration, sample_rate, channels, seed, prompt };
        yield { index, step: { type: "output" as const, value, units: { seconds: duration, requests: 1 } } };
      }
    };
  },
});

/** Whole frames, no more than were asked for. Throws `invalid_input` beyond what the model can count to. */
function framesOf({ framesPerSecond, longest }: MusicModel, { duration }: MakeMusicInput): number {
  const frames = Math.floor(duration * framesPerSecond + 1e-6);
  if (frames <= longest) return frames;
  const msg = `The model makes at most ${longest / framesPerSecond} seconds`;
  throw new ForecourtError("invalid_input", `duration: ${msg}`, {
    problems: [{ loc: ["body", "duration"], msg, type: "less_than_equal" }],
  });
}

const samplingOf = ({ temperature, top_k: topK, top_p: topP }: MakeMusicInput, seed: number) => ({
  ...{ temperature, topK, topP, minP: 0, seed },
  ...{ bias: new Map<number, number>(), repetition: 1, presence: 0, frequency: 0 },
});
