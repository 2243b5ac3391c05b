// The bodies of requests for speech and for what was said in a recording, translated to their models' inputs.
import { choice, parse, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { soundFormats } from "../../engine/media/encode-sound.ts";
import { dataUri, type FormFields, plainText } from "../read-form.ts";
import { nothing } from "./nullable.ts";

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
  temperature: Type.Number({ default: 0, minimum: 0, maximum: 1 }),
};

const STRANGERS = "Speakers are told apart, not recognised";
const FORMATS = ["json", "text", "srt", "vtt", "verbose_json"] as const;

export const translationBody = Type.Object({ ...heard, response_format: choice(FORMATS, { default: "json" }) });
export const transcriptionBody = Type.Object({
  ...heard,
  response_format: choice([...FORMATS, "diarized_json"], {
    default: "json",
    description: "diarized_json: who said what, by models that tell speakers apart",
  }),
  language: Type.Optional(Type.String({ description: "Spoken language, e.g. de. Absent: found out" })),
  languages: Type.Optional(
    Type.Array(Type.String(), {
      description: "Languages that it may be in. One is `language`; of several it is found out",
    }),
  ),
  keywords: Type.Array(Type.String(), { default: [], description: "Words that may come up: they go into the prompt" }),
  timestamp_granularities: Type.Array(choice(["word", "segment"]), { default: ["segment"] }),
  stream: Type.Boolean({
    default: false,
    description: "Events with the text as it is heard; for response_format json and text",
  }),
  include: nothing("These models tell no log probabilities of tokens; verbose_json has those of segments"),
  known_speaker_names: nothing(STRANGERS),
  known_speaker_references: nothing(STRANGERS),
});

export type SpeechBody = Static<typeof speechBody>;
export type TranscriptionBody = Static<typeof transcriptionBody>;

export const readSpeechBody = (body: unknown): SpeechBody => parse(speechBody, body);

/** The file becomes a data URI. Throws `invalid_input` for one that is missing. */
export async function readTranscriptionBody(fields: FormFields): Promise<TranscriptionBody> {
  const { file, timestamp_granularities: times, temperature, stream, keywords, languages, ...texts } = fields;
  if (!(file instanceof File)) throw wrongField("file", "Field required: a file", "missing");
  const body = parse(transcriptionBody, {
    ...texts,
    ...{ file: await dataUri(file), ...(times !== undefined && { timestamp_granularities: [times].flat() }) },
    ...(keywords !== undefined && { keywords: [keywords].flat() }),
    ...(languages !== undefined && { languages: [languages].flat() }),
    ...(temperature !== undefined && { temperature: Number(temperature) }),
    ...(stream !== undefined && { stream: typeof stream === "string" ? plainText(stream.toLowerCase()) : stream }),
  });
  if (body.stream && !STREAMED.includes(body.response_format)) throw onlyText(body);
  return body;
}

/** What the events of a stream can be: they carry the text alone. */
const STREAMED: readonly string[] = ["json", "text"] satisfies (typeof FORMATS)[number][];

const onlyText = ({ response_format: format }: TranscriptionBody) =>
  wrongField(
    "response_format",
    `Events of a stream carry the text alone, and no ${format}: leave stream out, or ask for ${STREAMED.join(" or ")}`,
  );

/** OpenAI's raw samples do not tell their rate: it is always this. */
const PCM_RATE = 24_000;

/** Clients insist on a voice, also of models that have only one. */
export const FIRST_VOICE = "default";

export function speakingInput(
  { input, voice, speed, language, response_format }: SpeechBody,
  { voices }: { voices: Readonly<Record<string, string>> },
) {
  const asked = typeof voice === "object" ? voice.id : voice;
  const named = asked !== undefined && Object.hasOwn(voices, asked) ? voices[asked] : asked;
  return {
    ...{ text: input, speed, output_format: response_format },
    ...(response_format === "pcm" && { sample_rate: PCM_RATE }),
    ...(named !== undefined && named !== FIRST_VOICE && { voice: named }),
    ...(language !== undefined && { language }),
  };
}

export function listeningInput(body: TranscriptionBody, task: "transcribe" | "translate") {
  const { languages = [], keywords } = body;
  const language = body.language ?? (languages.length === 1 ? languages[0] : undefined);
  return {
    ...{ audio_url: body.file, task, temperature: body.temperature, chunk_level: "segment" },
    prompt: [body.prompt, keywords.join(", ")].filter((text) => text !== "").join(" "),
    word_timestamps: body.timestamp_granularities.includes("word"),
    with_certainty: body.response_format === "verbose_json",
    diarize: body.response_format === "diarized_json",
    ...(language !== undefined && { language }),
  };
}
