// What is said in a recording, when, in which language: Whisper in transformers.js' layout.
import type { ForecourtError } from "../../core/errors.ts";
import { definePipeline } from "../../core/pipeline.ts";
import { choice, mediaUrl, type Static, Type } from "../../core/schema.ts";
import { wrongField } from "../../core/wrong-field.ts";
import { readSound } from "../media/sound.ts";
import { DIARIZATION_FILES, loadDiarization } from "../speakers/diarize.ts";
import { speakerWithin, type Turn } from "../speakers/turns.ts";
import { hundredths, joinChunks } from "../speech/chunks.ts";
import { clipsOf, WINDOW_SECONDS } from "../speech/clips.ts";
import { languageCode } from "../speech/languages.ts";
import { listen } from "../speech/listen.ts";
import { loadVoiceActivity } from "../speech/voice-activity.ts";
import { loadWhisper, type Whisper } from "../speech/whisper.ts";

const input = Type.Object({
  audio_url: mediaUrl("audio", "The recording: URL or data URI of a wav, mp3, flac, ogg, m4a or webm file."),
  task: choice(["transcribe", "translate"], {
    default: "transcribe",
    description: "translate: what was said, in English.",
  }),
  language: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: "Spoken language, as a code (de) or in English (German). Absent or null: found out.",
    }),
  ),
  chunk_level: choice(["none", "segment", "word"], {
    default: "segment",
    description: "What `chunks` has: nothing, segments or words.",
  }),
  diarize: Type.Boolean({
    default: false,
    description: "Who spoke when, and who said each chunk; for models whose weights tell speakers apart.",
  }),
  num_speakers: Type.Optional(
    Type.Integer({ minimum: 1, description: "At most so many speakers. Absent: as many as sound apart." }),
  ),
  max_segment_len: Type.Number({
    default: WINDOW_SECONDS,
    minimum: 1,
    maximum: WINDOW_SECONDS,
    description: "Seconds: more is never listened to at once, so that no segment is longer.",
  }),
  merge_chunks: Type.Boolean({
    default: false,
    description: "Segments that follow each other become one, up to max_segment_len.",
  }),
  word_timestamps: Type.Boolean({ default: false, description: "Words with their times in each segment too." }),
  with_certainty: Type.Boolean({
    default: false,
    description:
      "How sure the model was of each segment, as Whisper's own code tells it. Not of segments that are merged.",
  }),
  prompt: Type.String({
    default: "",
    description: "Text before the recording: spellings and style are taken from it.",
  }),
  temperature: Type.Number({ default: 0, minimum: 0, maximum: 1, description: "0: always the likeliest word." }),
});

const time = Type.Array(Type.Union([Type.Number(), Type.Null()]), {
  minItems: 2,
  maxItems: 2,
  description: "Beginning and end in seconds.",
});
const word = Type.Object({ text: Type.String(), timestamp: time });

/** As `verbose_json` of OpenAI's API has them; the pass that heard a segment is one with those around it. */
const certainty = Type.Object({
  avg_logprob: Type.Number({ description: "Mean log probability of the pass's tokens." }),
  compression_ratio: Type.Number({ description: "Bytes of the pass's text per byte of it compressed." }),
  no_speech_prob: Type.Union([Type.Number(), Type.Null()], {
    description: "That nobody speaks; null for models that do not tell.",
  }),
  temperature: Type.Number(),
  seek: Type.Integer({ description: "Frames of 10 ms before the pass." }),
  tokens: Type.Array(Type.Integer(), { description: "Of the segment, with its marks of time." }),
});

const output = Type.Object({
  text: Type.String({ description: "All that was said." }),
  chunks: Type.Array(
    Type.Object({
      timestamp: time,
      text: Type.String(),
      speaker: Type.Optional(Type.String()),
      words: Type.Optional(Type.Array(word)),
      certainty: Type.Optional(certainty),
    }),
    { description: "Segments or words with their times." },
  ),
  inferred_languages: Type.Array(Type.String(), { description: "Code of the spoken language." }),
  languages: Type.Array(Type.String(), { description: "The same." }),
  diarization_segments: Type.Array(Type.Object({ timestamp: time, speaker: Type.String() }), {
    description: "Who spoke when, where that was asked for.",
  }),
  output: Type.String({ description: "The same as text." }),
  duration: Type.Number({ description: "Of the recording in seconds." }),
});

export type TranscribeInput = Static<typeof input>;
export type TranscribeOutput = Static<typeof output>;

export const transcribe = definePipeline({
  summary: "Writes down what is said in a recording, with times, or translates it to English.",
  counts: ["seconds", "minutes"],
  input,
  output,
  async load(assets) {
    const [whisper, activity] = [await loadWhisper(assets), await loadVoiceActivity(assets)];
    const diarize = await loadDiarization(assets);
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        if (task.input.diarize && !diarize) throw withoutSpeakers();
        expectHeard(task.input, whisper);
        const left = await whisper.promptLeftOut(task.input.prompt);
        if (left > 0) task.log(`the prompt's first ${left} tokens are left out: the model reads the last ones alone`);
        const { rate } = whisper;
        const { samples } = await readSound({ task, url: task.input.audio_url, field: "audio_url", rate, signal });
        const duration = samples.length / whisper.rate;
        const { language: wanted, ...wishes } = task.input;
        const speech = activity && (await activity(samples, signal));
        const clips = clipsOf(speech, { duration, window: wishes.max_segment_len });
        const heard = listen(samples, { whisper, clips, signal, ...wishes, ...(wanted && { language: wanted }) });
        let next = await heard.next();
        for (; !next.done; next = await heard.next()) {
          const { segments, until } = next.value;
          yield { index, step: { type: "progress", at: until, of: duration } };
          if (task.wantsPartials)
            yield { index, step: { type: "partial", value: joinChunks(segments, task.input), isWhole: true } };
        }
        const { segments, language } = next.value;
        const languages = language === undefined ? [] : [language];
        const { num_speakers: speakers } = wishes;
        const turns =
          diarize && wishes.diarize
            ? await diarize(samples, { signal, ...(speakers !== undefined && { speakers }) })
            : [];
        const { text, chunks } = joinChunks(segments, task.input);
        const value = {
          text,
          chunks: withSpeakers(chunks, turns),
          inferred_languages: languages,
          languages,
          diarization_segments: turns.map(({ start, end, speaker }) => ({
            timestamp: [hundredths(start), hundredths(end)],
            speaker,
          })),
          output: text,
          duration,
        };
        yield { index, step: { type: "output", value, units: { seconds: duration, minutes: duration / 60 } } };
      }
    };
  },
});

/** Throws `invalid_input` for a language that the model does not hear, before it listens. */
function expectHeard({ language, task }: TranscribeInput, whisper: Whisper): void {
  if (whisper.isMultilingual) {
    if (language) whisper.language(language);
    return;
  }
  if (task === "translate") throw wrongField("task", "The model hears English alone, and translates nothing");
  if (language && languageCode(language) !== "en")
    throw wrongField("language", `The model hears English alone, not "${language}": leave it out`);
}

type Chunks = ReturnType<typeof joinChunks>["chunks"];

function withSpeakers(chunks: Chunks, turns: readonly Turn[]) {
  return chunks.map((chunk) => {
    const [start, end] = chunk.timestamp;
    const speaker = speakerWithin({ start, end }, turns);
    return speaker === undefined ? chunk : { ...chunk, speaker };
  });
}

function withoutSpeakers(): ForecourtError {
  const msg = `This model cannot tell speakers apart: its weights have no ${DIARIZATION_FILES.join(" and no ")}`;
  return wrongField("diarize", msg);
}
