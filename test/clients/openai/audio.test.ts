// Speech and transcripts by OpenAI's own JavaScript client, unmodified: every format, subtitles, times, events.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { proved } from "../../support/conformance.ts";
import { languageServer, MODEL } from "./language-server.ts";

const SPEECH = join(import.meta.dir, "../../reference/speech");
/** Whisper of random weights, beside graphs that tell speakers apart. */
const diarizing = (folder: string) => `
id: test/diarize
title: Hears who speaks
description: Random weights.
category: audio
licence: { id: Apache-2.0, commercial: true }
pipeline: transcribe
source: { path: ${folder} }
memory: { weights: 2000000, working: 20000000 }
price: { unit: second, amount: 0, currency: USD }
`;

let server: Awaited<ReturnType<typeof languageServer>>;
let client: OpenAI;
let recording: Buffer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "forecourt-diarize-"));
  await cp(join(SPEECH, "whisper"), folder, { recursive: true });
  await cp(join(SPEECH, "diarization"), folder, { recursive: true });
  server = await languageServer({ models: { diarize: diarizing(folder) } });
  client = new OpenAI({ apiKey: server.key, baseURL: server.baseURL, maxRetries: 0 });
  recording = Buffer.from(await (await client.audio.speech.create(spoken("wav"))).arrayBuffer());
}, 60_000);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
setDefaultTimeout(60_000);

const sent = async <T>(asked: PromiseLike<T>) => await asked;
/** The voice has a tone of 20 ms for each letter. */
const input = "the circle is red and the star is blue ".repeat(3).trim();
const spoken = (response_format: "wav" | "mp3" | "opus" | "flac" | "pcm") =>
  ({ model: "test/speak", voice: "default", input, response_format }) as const;
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const file = () => toFile(recording, "speech.wav", { type: "audio/wav" });

test("speech comes in the format that was asked for, each with its own beginning", async () => {
  expect(recording.subarray(0, 4).toString()).toBe("RIFF");
  const pcm = await bytesOf(await client.audio.speech.create(spoken("pcm")));
  // Without a header nobody could tell another rate than OpenAI's.
  expect(pcm.length / 2 / 24_000).toBeCloseTo(input.length * 0.02, 1);
  const begins = { opus: "OggS", flac: "fLaC" } as const;
  for (const [format, mark] of Object.entries(begins) as ["opus" | "flac", string][])
    expect((await bytesOf(await client.audio.speech.create(spoken(format)))).subarray(0, 4).toString()).toBe(mark);
  const mp3 = await client.audio.speech.create(spoken("mp3"));
  expect(mp3.headers.get("content-type")).toBe("audio/mpeg");
  expect(mp3.headers.get("x-request-id")).not.toBeNull();
  expect((await bytesOf(mp3)).length).toBeGreaterThan(1000);
  proved("openai-js", "speech");
});

test("speech in events is the same sound", async () => {
  const answer = await client.audio.speech.create({ ...spoken("wav"), stream_format: "sse" });
  const events = (await answer.text())
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)) as { type: string; audio?: string });
  expect(events.at(-1)?.type).toBe("speech.audio.done");
  const sound = Buffer.concat(events.map(({ audio = "" }) => Buffer.from(audio, "base64")));
  expect(sound.equals(recording)).toBe(true);
});

test("pcm in events comes sentence by sentence, and is the same sound", async () => {
  const sentences = ["The circle is red. ", "The star is blue. ", "And so on. "];
  const asked = { ...spoken("pcm"), input: sentences.join("").repeat(20) };
  const answer = await client.audio.speech.create({ ...asked, stream_format: "sse" });
  const events = (await answer.text())
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)) as { type: string; audio?: string });
  expect(events.at(-1)?.type).toBe("speech.audio.done");
  const sounds = events.flatMap(({ audio }) => (audio === undefined ? [] : [audio]));
  // Each says something before the last one does.
  expect(sounds.length).toBeGreaterThanOrEqual(20 * sentences.length);
  expect(sounds.slice(0, -1).join("")).not.toContain("=");
  const whole = await bytesOf(await client.audio.speech.create(asked));
  expect(Buffer.concat(sounds.map((sound) => Buffer.from(sound, "base64"))).equals(whole)).toBe(true);
});

test("a transcript is the same in all its forms, with times of segments and words", async () => {
  const asked = async () => ({ file: await file(), model: "test/transcribe", language: "en" });
  const whole = await client.audio.transcriptions.create({
    ...(await asked()),
    response_format: "verbose_json",
    timestamp_granularities: ["segment", "word"],
  });
  expect(whole).toMatchObject({ language: "english" });
  expect(whole.duration).toBeCloseTo(input.length * 0.02, 1);
  const plain = await client.audio.transcriptions.create(await asked());
  expect(plain.text).toBe(whole.text);
  const text = await client.audio.transcriptions.create({ ...(await asked()), response_format: "text" });
  expect(text).toBe(`${whole.text}\n`);
  const segments = whole.segments ?? [];
  expect(segments.length).toBeGreaterThan(0);
  for (const { start, end } of segments) expect(end).toBeGreaterThanOrEqual(start);
  for (const segment of segments) {
    expect(segment.tokens.length).toBeGreaterThan(1);
    expect(segment.avg_logprob).toBeLessThan(0);
    expect(segment.compression_ratio).toBeGreaterThan(0);
    expect(segment.no_speech_prob).toBeGreaterThan(0);
    expect(segment.no_speech_prob).toBeLessThan(1);
  }
  for (const { start, end } of whole.words ?? []) expect(end).toBeGreaterThanOrEqual(start);
  const srt = await client.audio.transcriptions.create({ ...(await asked()), response_format: "srt" });
  expect(srt.match(/^\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}$/gm)).toHaveLength(segments.length);
  const vtt = await client.audio.transcriptions.create({ ...(await asked()), response_format: "vtt" });
  expect(vtt.startsWith("WEBVTT\n\n00:00:")).toBe(true);
  const streamed: string[] = [];
  let last = "";
  for await (const event of await client.audio.transcriptions.create({ ...(await asked()), stream: true })) {
    if (event.type === "transcript.text.delta") streamed.push(event.delta);
    if (event.type === "transcript.text.done") last = event.text;
  }
  expect(last).toBe(plain.text);
  expect(streamed.join("")).toBe(plain.text);
  const english = await client.audio.translations.create({ file: await file(), model: "test/transcribe" });
  expect(typeof english.text).toBe("string");
  proved("openai-js", "transcriptions", "transcriptions-stream", "translations");
});

test("who said what is told by a model that tells speakers apart, and refused by another", async () => {
  const bytes = await readFile(join(SPEECH, "diarization/conversation.flac"));
  const asked = async (model: string) => ({
    ...{ model, language: "en", response_format: "diarized_json" as const },
    file: await toFile(bytes, "conversation.flac", { type: "audio/flac" }),
  });
  const answer: unknown = await client.audio.transcriptions.create(await asked("test/diarize"));
  const told = answer as OpenAI.Audio.TranscriptionDiarized; // as asked for
  expect(told).toMatchObject({ task: "transcribe", usage: { type: "duration" } });
  expect(told.segments.length).toBeGreaterThan(0);
  for (const { type, id, start, end, speaker } of told.segments) {
    expect([type, id.startsWith("seg_"), end >= start]).toEqual(["transcript.text.segment", true, true]);
    expect(speaker).toMatch(/^(SPEAKER_\d+)?$/);
  }
  expect(told.segments.some(({ speaker }) => speaker !== "")).toBe(true);
  const deaf = sent(client.audio.transcriptions.create(await asked("test/transcribe")));
  await expect(deaf).rejects.toMatchObject({ status: 400, param: "response_format" });
});

test("what cannot be said or heard is refused by its field", async () => {
  const voice = sent(client.audio.speech.create({ ...spoken("wav"), voice: "nobody" }));
  await expect(voice).rejects.toMatchObject({ status: 400, param: "voice" });
  await expect(voice).rejects.toThrow(/only one, so leave this out\. The setting openai\.voices/);
  const inEvents = sent(client.audio.speech.create({ ...spoken("wav"), voice: "nobody", stream_format: "sse" }));
  await expect(inEvents).rejects.toThrow(/openai\.voices/);
  const format = sent(client.audio.speech.create({ ...spoken("wav"), response_format: "aac" }));
  await expect(format).rejects.toMatchObject({ status: 400, param: "response_format" });
  const chat = sent(client.audio.speech.create({ ...spoken("wav"), model: MODEL }));
  await expect(chat).rejects.toThrow(/chat\/completions/);
  const noise = await toFile(Buffer.from("no sound"), "a.wav", { type: "audio/wav" });
  const unreadable = sent(client.audio.transcriptions.create({ file: noise, model: "test/transcribe" }));
  await expect(unreadable).rejects.toMatchObject({ status: 400, param: "file" });
  const hearing = (more: object) =>
    sent(client.audio.transcriptions.create({ file: noise, model: "test/transcribe", ...more } as never));
  await expect(hearing({ include: ["logprobs"] })).rejects.toMatchObject({ status: 400, param: "include" });
  await expect(hearing({ known_speaker_names: ["Ann"] })).rejects.toMatchObject({ param: "known_speaker_names" });
  const references = { known_speaker_references: ["data:audio/wav;base64,AAAA"] };
  await expect(hearing(references)).rejects.toMatchObject({ param: "known_speaker_references" });
  await expect(hearing({ stream: "perhaps" })).rejects.toMatchObject({ status: 400, param: "stream" });
  for (const response_format of ["srt", "vtt", "verbose_json", "diarized_json"])
    await expect(hearing({ stream: true, response_format })).rejects.toMatchObject({
      ...{ status: 400, param: "response_format", message: expect.stringContaining(response_format) },
    });
  const nothing = sent(client.post("/audio/transcriptions", { body: new FormData() }));
  await expect(nothing).rejects.toMatchObject({ status: 400, param: "file", code: "missing_required_parameter" });
});
