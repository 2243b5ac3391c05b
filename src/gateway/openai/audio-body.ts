// The bodies of requests for speech and for what was said in a recording, translated to their models' inputs.
import { ForecourtError } from "../../core/errors.ts";
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { soundFormats } from "../../engine/media/encode-sound.ts";
import { dataUri, type FormFields } from "../read-form.ts";

export const speechBody = Type.Object({
  model: Type.String({ minLength: 1, description: "Id or alias of a voice model; GET /v1/models lists them" }),
  input: Type.String({ minLength: 1, maxLength: 50_000, description: "What is said" }),
  voice: Type.Optional(
    Type.Union([Type.String({ minLength: 1 }), Type.Object({ id: Type.String({ minLength: 1 }) })], {
      description: "One of the model's voices; a wrong name's error lists them. Absent or `default`: its first",
    }),
  ),
  response_format: choice(soundFormats, { default: "mp3" }),
  speed: Type.Number({ default: 1, minimum: 0.25, maximum: 4 }),
  language: Type.Optional(Type.String({ description: "Beyond OpenAI's: for models of several languages" })),
  stream_format: choice(["audio", "sse"], { default: "audio" }),
});

const heard = {
  file: Type.String({ description: "The recording: a file (wav, mp3, flac, ogg, m4a, webm)" }),
  model: Type.String({ minLength: 1, description: "Id or alias of a model that listens; GET /v1/models lists them" }),
  prompt: Type.String({ default: "", description: "Spellings and style are taken from it" }),
  response_format: choice(["json", "text", "srt", "vtt", "verbose_json"], { default: "json" }),
  temperature: Type.Number({ default: 0, minimum: 0, maximum: 1 }),
};

export const translationBody = Type.Object(heard);
export const transcriptionBody = Type.Object({
  ...heard,
  language: Type.Optional(Type.String({ description: "Spoken language, e.g. de. Absent: found out" })),
  timestamp_granularities: Type.Array(choice(["word", "segment"]), { default: ["segment"] }),
  stream: Type.Boolean({ default: false }),
});

export type SpeechBody = Static<typeof speechBody>;
export type TranscriptionBody = Static<typeof transcriptionBody>;

export const readSpeechBody = (body: unknown): SpeechBody => parse(speechBody, body);

/** The file becomes a data URI. Throws `invalid_input` for one that is missing. */
export async function readTranscriptionBody(fields: FormFields): Promise<TranscriptionBody> {
  const { file, timestamp_granularities: times, temperature, stream, ...texts } = fields;
  if (!(file instanceof File)) throw noFile();
  return parse(transcriptionBody, {
    ...texts,
    ...{ file: await dataUri(file), ...(times !== undefined && { timestamp_granularities: [times].flat() }) },
    ...(temperature !== undefined && { temperature: Number(temperature) }),
    ...(stream !== undefined && { stream: stream === "true" }),
  });
}

/** Clients insist on a voice, also of models that have only one. */
const FIRST_VOICE = "default";

export function speakingInput(
  { input, voice, speed, language, response_format }: SpeechBody,
  { voices }: { voices: Readonly<Record<string, string>> },
) {
  const asked = typeof voice === "object" ? voice.id : voice;
  const named = asked !== undefined && Object.hasOwn(voices, asked) ? voices[asked] : asked;
  return {
    ...{ text: input, speed, output_format: response_format },
    ...(named !== undefined && named !== FIRST_VOICE && { voice: named }),
    ...(language !== undefined && { language }),
  };
}

export const listeningInput = (body: TranscriptionBody, task: "transcribe" | "translate") => ({
  ...{ audio_url: body.file, task, prompt: body.prompt, temperature: body.temperature, chunk_level: "segment" },
  word_timestamps: body.timestamp_granularities.includes("word"),
  with_certainty: body.response_format === "verbose_json",
  ...(body.language !== undefined && { language: body.language }),
});

function noFile(): ForecourtError {
  const msg = "Field required: a file";
  return new ForecourtError("invalid_input", `file: ${msg}`, {
    problems: [{ loc: ["body", "file"], msg, type: "missing" }],
  });
}
