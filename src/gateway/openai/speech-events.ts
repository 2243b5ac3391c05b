// Speech in OpenAI's events; as pcm, which has no header that would have to know its length, sentence by sentence.
import type { Jobs } from "../../control/jobs/jobs.ts";
import type { Job } from "../../core/job.ts";
import { joinBytes } from "../../engine/media/join-bytes.ts";
import { decodeWav, toPcm16 } from "../../engine/media/wav.ts";
import { pauseAt, type SpeakOutput, type SpokenSentence } from "../../engine/pipelines/speak.ts";
import { abandonAll, answersOf } from "./runs.ts";

/** Of sound in one event; a multiple of 3, so that its base64 has no padding within a stream. */
const EVENT_BYTES = 48 * 1024;

export async function* speechEvents(pieces: AsyncIterable<Uint8Array>) {
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of pieces) {
    const bytes = joinBytes([rest, piece]);
    const even = bytes.length - (bytes.length % 3);
    for (let at = 0; at < even; at += EVENT_BYTES) yield deltaOf(bytes.subarray(at, Math.min(at + EVENT_BYTES, even)));
    rest = bytes.subarray(even);
  }
  if (rest.length > 0) yield deltaOf(rest);
  yield { type: "speech.audio.done", usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } };
}

const deltaOf = (bytes: Uint8Array) => ({ type: "speech.audio.delta", audio: bytes.toBase64() });

type Speaking = { job: Job; signal: AbortSignal; whole: (signal: AbortSignal) => Promise<Uint8Array> };

/** All pieces together are the whole file. Of what was over before it was listened to there is only that. */
export async function* spokenPcm(jobs: Jobs, { job, signal, whole }: Speaking): AsyncGenerator<Uint8Array> {
  let [told, isOver] = [0, false];
  try {
    for await (const step of answersOf<SpokenSentence, SpeakOutput>(jobs, job, signal)) {
      if ("partial" in step) yield pcmOf(step.partial, told++ > 0);
      else isOver = true;
    }
  } finally {
    if (!isOver) abandonAll(jobs, [job]);
  }
  if (isOver && told === 0) yield await whole(signal);
}

function pcmOf({ audio_url, sample_rate }: SpokenSentence, isAfterAnother: boolean): Uint8Array {
  const wav = Uint8Array.fromBase64(audio_url.slice(audio_url.indexOf(",") + 1));
  const samples = decodeWav(wav)?.samples ?? new Float32Array();
  const pause = new Uint8Array(isAfterAnother ? pauseAt(sample_rate) * 2 : 0);
  return joinBytes([pause, new Uint8Array(toPcm16(samples).buffer)]);
}
