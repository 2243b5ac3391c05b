// What was heard, written as OpenAI's clients ask for it: JSON, plain text, or subtitles.
import type { TranscribeOutput } from "../../engine/pipelines/transcribe.ts";
import type { TranscriptionBody } from "./audio-body.ts";

type Format = TranscriptionBody["response_format"];
type Heard = { output: TranscribeOutput; body: TranscriptionBody; task: "transcribe" | "translate" };
type Written = { text: string; contentType: string };

const plain = (text: string, contentType = "text/plain; charset=utf-8"): Written => ({ text, contentType });
const json = (value: object): Written => ({ text: JSON.stringify(value), contentType: "application/json" });

const formats: Record<Format, (heard: Heard) => Written> = {
  json: ({ output }) => json({ text: output.text, usage: durationOf(output) }),
  text: ({ output }) => plain(`${output.text}\n`),
  srt: ({ output }) =>
    plain(
      cues(output, ",")
        .map((cue, at) => `${at + 1}\n${cue}`)
        .join("\n"),
    ),
  vtt: ({ output }) => plain(["WEBVTT\n", ...cues(output, ".")].join("\n"), "text/vtt; charset=utf-8"),
  verbose_json: (heard) => json(verbose(heard)),
  diarized_json: (heard) => json(diarized(heard)),
};

export const transcript = (heard: Heard): Written => formats[heard.body.response_format](heard);

const durationOf = ({ duration }: TranscribeOutput) => ({ type: "duration", seconds: Math.ceil(duration) });

function verbose({ output, body, task }: Heard) {
  const [language = ""] = output.languages;
  const wants = new Set(body.timestamp_granularities);
  const words = output.chunks.flatMap(({ words: spoken = [] }) => spoken);
  return {
    ...{ task, language: nameOf(language), duration: output.duration, text: output.text },
    segments: wants.has("segment")
      ? output.chunks.map(({ text, timestamp, certainty }, id) => ({
          ...{ id, ...span(timestamp), text },
          ...certainty,
          // Clients insist on a number.
          no_speech_prob: certainty?.no_speech_prob ?? 0,
        }))
      : undefined,
    words: wants.has("word")
      ? words.map(({ text, timestamp }) => ({ word: text.trim(), ...span(timestamp) }))
      : undefined,
    usage: durationOf(output),
  };
}

function diarized({ output, task }: Heard) {
  return {
    ...{ task, duration: output.duration, text: output.text },
    segments: output.chunks.map(({ text, timestamp, speaker = "" }, at) => ({
      ...{ type: "transcript.text.segment", id: `seg_${at}`, ...span(timestamp), text, speaker },
    })),
    usage: durationOf(output),
  };
}

/** OpenAI writes `german`, models `de`. */
function nameOf(code: string): string {
  if (code === "") return code;
  return new Intl.DisplayNames("en", { type: "language" }).of(code)?.toLowerCase() ?? code;
}

type Times = TranscribeOutput["chunks"][number]["timestamp"];

const span = ([start = 0, end = start]: Times) => ({ start: start ?? 0, end: end ?? start ?? 0 });

function cues({ chunks }: TranscribeOutput, mark: "," | "."): string[] {
  return chunks.map(({ text, timestamp }) => {
    const { start, end } = span(timestamp);
    return `${clock(start, mark)} --> ${clock(end, mark)}\n${text.trim()}\n`;
  });
}

function clock(seconds: number, mark: string): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const rest = String(ms % 1000).padStart(3, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${mark}${rest}`;
}
