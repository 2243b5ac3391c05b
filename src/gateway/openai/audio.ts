// Speech as a file or in events, and what was said in a recording, whole or as it is heard.
import { ForecourtError } from "../../core/errors.ts";
import type { Job } from "../../core/job.ts";
import type { SpeakOutput } from "../../engine/pipelines/speak.ts";
import type { TranscribeOutput } from "../../engine/pipelines/transcribe.ts";
import type { Call } from "../fal/call.ts";
import { readForm } from "../read-form.ts";
import { readJson } from "../read-json.ts";
import { listeningInput, readSpeechBody, readTranscriptionBody, speakingInput } from "./audio-body.ts";
import { chosenModel } from "./chosen-model.ts";
import { openAiStream } from "./event-stream.ts";
import { answerHeaders } from "./headers.ts";
import { outputBytes } from "./output-bytes.ts";
import { abandonAll, answersOf, beginJobs, type DoneJob, finishedJobs, type OpenAiParts } from "./runs.ts";
import { speechEvents, spokenPcm } from "./speech-events.ts";
import { transcript } from "./transcript.ts";

export const speech = (parts: OpenAiParts, call: Call): Promise<Response> =>
  spoken(parts, call).catch((error: unknown) => {
    throw toldOfVoices(error);
  });

/** Clients write one of OpenAI's voices for who chooses none; it is the operator who can say what is meant. */
function toldOfVoices(error: unknown): unknown {
  if (!(error instanceof ForecourtError) || error.problems?.[0]?.loc[1] !== "voice") return error;
  const message = `${error.message}. The setting openai.voices gives voices further names.`;
  return ForecourtError.from({ ...error.toFailure(), message });
}

async function spoken(parts: OpenAiParts, call: Call): Promise<Response> {
  const body = readSpeechBody(await readJson(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "speech");
  const inEvents = body.stream_format === "sse";
  const isFollowed = inEvents && body.response_format === "pcm";
  const jobs = await beginJobs(parts, call, { ...chosen, inputs: [speakingInput(body, parts)], isFollowed });
  const [job] = jobs;
  const sound = async (signal: AbortSignal) => {
    const done = await finishedJobs(parts.jobs, jobs, signal);
    return { done, ...(await soundOf(parts, done)) };
  };
  if (job && inEvents) {
    const whole = async (signal: AbortSignal) => (await sound(signal)).bytes;
    const values = (signal: AbortSignal) =>
      speechEvents(isFollowed ? spokenPcm(parts.jobs, { job, signal, whole }) : once(whole(signal)));
    return await openAiStream({ ...parts, call, requestId: job.id, isDoneSaid: false, values });
  }
  const { done, bytes, contentType } = await sound(call.request.signal);
  return new Response(bytes, { headers: { ...answerHeaders(parts, done), "content-type": contentType } });
}

async function* once(whole: Promise<Uint8Array>) {
  yield await whole;
}

async function soundOf(parts: OpenAiParts, [job]: readonly DoneJob[]) {
  if (!job) throw new ForecourtError("internal", "Speech was asked for and no request was made.");
  const { audio } = job.output as SpeakOutput; // of the speak pipeline, which chosenModel saw to
  return { bytes: await outputBytes(parts, job, audio.url), contentType: audio.content_type };
}

export const transcriptions = (parts: OpenAiParts, call: Call) => heard(parts, call, "transcribe");
export const translations = (parts: OpenAiParts, call: Call) => heard(parts, call, "translate");

async function heard(parts: OpenAiParts, call: Call, task: "transcribe" | "translate"): Promise<Response> {
  const body = await readTranscriptionBody(await readForm(call.request, parts.bodyLimit));
  const chosen = chosenModel(parts, body.model, "hearing");
  const inputs = [listeningInput(body, task)];
  const jobs = await beginJobs(parts, call, { ...chosen, inputs, isFollowed: body.stream });
  const [job] = jobs;
  if (job && body.stream) {
    const values = (signal: AbortSignal) => heardEvents(parts, job, signal);
    return await openAiStream({ ...parts, call, requestId: job.id, isDoneSaid: false, values });
  }
  const done = await finishedJobs(parts.jobs, jobs, call.request.signal);
  const output = done[0]?.output as TranscribeOutput; // of the transcribe pipeline, which chosenModel saw to
  const { text, contentType } = transcript({ output, body, task });
  return new Response(text, { headers: { ...answerHeaders(parts, done), "content-type": contentType } });
}

async function* heardEvents({ jobs }: OpenAiParts, job: Job, signal: AbortSignal) {
  let [told, isOver] = ["", false];
  try {
    for await (const step of answersOf<Pick<TranscribeOutput, "text">, TranscribeOutput>(jobs, job, signal)) {
      const { text } = "output" in step ? step.output : step.partial;
      const delta = text.startsWith(told) ? text.slice(told.length) : "";
      if (delta !== "") yield { type: "transcript.text.delta", delta };
      told = text;
      if (!("output" in step)) continue;
      isOver = true;
      // Of an event's usage clients know tokens alone, which are not counted here.
      yield { type: "transcript.text.done", text };
    }
  } finally {
    if (!isOver) abandonAll(jobs, [job]);
  }
}
