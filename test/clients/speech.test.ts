// fal's endpoints of speech by fal's own client, unmodified: its names, its defaults, its answers, sentences as they are spoken.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { falClientOf } from "./hosts-on-box.ts";
import { ANNA, CONVERSATION, speechServer } from "./speech-server.ts";

setDefaultTimeout(60_000);

let server: Awaited<ReturnType<typeof speechServer>>;
let fal: FalClient;
beforeAll(async () => {
  server = await speechServer();
  fal = falClientOf(server);
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

/** fal's client has types for fal's models; these endpoints are called as its documentation shows. */
const call = async (endpoint: string, input: Record<string, unknown>) =>
  (await fal.subscribe(endpoint, { input })).data as Record<string, unknown>;
const problemsOf = async (endpoint: string, input: Record<string, unknown>) => {
  const error = await call(endpoint, input).catch((cause: unknown) => cause);
  if (!(error instanceof ValidationError)) throw error;
  return error.fieldErrors;
};

describe.skipIf(Bun.which("espeak-ng") === null)("fal-ai/kokoro", () => {
  const american = "fal-ai/kokoro/american-english";

  test("gives a WAV file and nothing else", async () => {
    const data = await call(american, { prompt: "Hello there. It is a small world!" });
    expect(Object.keys(data)).toEqual(["audio"]);
    const audio = data.audio as { url: string; content_type: string };
    expect(audio.content_type).toBe("audio/wav");
    const bytes = new Uint8Array(await (await fetch(audio.url)).arrayBuffer());
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe("RIFF");
  });

  test("takes its own voices and speeds", async () => {
    const told = await problemsOf(american, { prompt: "a", voice: "bf_emma" });
    expect(told).toMatchObject([{ loc: ["body", "voice"], msg: expect.stringContaining("af_heart") }]);
    expect(await problemsOf(american, { prompt: "a", speed: 6 })).toMatchObject([{ loc: ["body", "speed"] }]);
    const missing = await problemsOf("fal-ai/kokoro/spanish", { prompt: "hola" });
    expect(missing).toMatchObject([{ loc: ["body", "voice"], type: "missing" }]);
    expect(await call("fal-ai/kokoro/spanish", { prompt: "hola", voice: "ef_dora" })).toHaveProperty("audio.url");
  });

  test("sentences come as they are spoken", async () => {
    const stream = await fal.stream(american, { input: { prompt: "Hello there. A small world! And more." } });
    const heard: unknown[] = [];
    for await (const event of stream) heard.push(event);
    expect(heard.slice(0, -1)).toMatchObject([
      { text: "Hello there.", sample_rate: 24_000, audio_url: expect.stringMatching(/^data:audio\/wav/) },
      { text: "A small world!" },
      { text: "And more." },
    ]);
    expect(heard.at(-1)).toMatchObject({ audio: { content_type: "audio/wav" } });
  });
});

describe("fal-ai/chatterbox", () => {
  const english = "fal-ai/chatterbox/text-to-speech";
  const bytesAt = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer());
  const said = async (endpoint: string, input: Record<string, unknown>) => {
    const data = await call(endpoint, input);
    expect(Object.keys(data)).toEqual(["audio"]);
    return await bytesAt((data.audio as { url: string }).url);
  };
  const anna = async () => new Blob([await readFile(ANNA)], { type: "audio/wav" });

  test("copies the voice of a file that the client uploads, with the model's own where there is none", async () => {
    const text = "Hello there!";
    const usual = await said(english, { text, seed: 3 });
    expect(new TextDecoder().decode(usual.subarray(0, 4))).toBe("RIFF");
    const full = { audio_url: null, exaggeration: 0.25, temperature: 0.7, cfg: 0.5, seed: 3 };
    expect(await said(english, { text, ...full })).toEqual(usual);
    const copied = await said(english, { text, audio_url: await anna(), seed: 3 });
    expect(copied).not.toEqual(usual);
    const named = await call("test/chatterbox", { text, voice: "anna", exaggeration: 0.25, temperature: 0.7, seed: 3 });
    expect(copied).toEqual(await bytesAt((named.audio as { url: string }).url));
    expect(await said(english, { text, exaggeration: 1, seed: 3 })).not.toEqual(usual);
  });

  test("has turbo, many languages and the hd endpoint in their own words", async () => {
    expect((await said(`${english}/turbo`, { text: "Hello there!", voice: "lucy", seed: 1 })).length).toBeGreaterThan(
      200,
    );
    const many = `${english}/multilingual`;
    const german = await said(many, { text: "Hallo!", voice: "german", cfg_scale: 0.3, seed: 1 });
    expect(german).not.toEqual(await said(many, { text: "Hallo!", seed: 1 }));
    const hd = { text: "Hello!", voice: "anna", high_quality_audio: false, seed: 1 };
    expect((await said("resemble-ai/chatterboxhd/text-to-speech", hd)).length).toBeGreaterThan(200);
  });

  test("takes fal's ranges, and guards what it fetches", async () => {
    const at = async (endpoint: string, input: Record<string, unknown>) =>
      (await problemsOf(endpoint, input))[0]?.loc[1];
    for (const [field, value] of Object.entries({ exaggeration: 1.1, temperature: 0, cfg: 1.5, seed: -1 }))
      expect(await at(english, { text: "a", [field]: value })).toBe(field);
    expect(await at(english, {})).toBe("text");
    expect(await at(`${english}/turbo`, { text: "a", voice: "nobody" })).toBe("voice");
    expect(await at(`${english}/multilingual`, { text: "a", voice: "klingon" })).toBe("voice");
    expect(await at(english, { text: "a", audio_url: "http://127.0.0.1:1/voice.wav" })).toBe("audio_url");
    const hd = { text: "a", high_quality_audio: true };
    expect(await at("resemble-ai/chatterboxhd/text-to-speech", hd)).toBe("high_quality_audio");
  });

  test("sentences come as they are spoken, and OpenAI's face speaks in its voices", async () => {
    const stream = await fal.stream(english, { input: { text: "Hello there. Why not?", audio_url: await anna() } });
    const heard: unknown[] = [];
    for await (const event of stream) heard.push(event);
    expect(heard.slice(0, -1)).toMatchObject([{ text: "Hello there." }, { text: "Why not?", sample_rate: 24_000 }]);
    const answer = await fetch(`${server.origin}/v1/audio/speech`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "test/chatterbox", input: "Hello!", voice: "anna", response_format: "flac" }),
    });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "audio/flac"]);
    expect(new TextDecoder().decode((await answer.bytes()).subarray(0, 4))).toBe("fLaC");
  });
});

/** Of tones, 20 ms for each letter: nothing that the small listener understands, but always the same. */
const recording = async () => {
  const text = "the circle is red and the star is blue ".repeat(3).trim();
  const { audio } = await call("test/tones", { text });
  return { audio_url: (audio as { url: string }).url };
};

describe("fal-ai/whisper", () => {
  test("has fal's answer, and segments or words with their times", async () => {
    const { audio_url } = await recording();
    const data = await call("fal-ai/whisper", {
      audio_url,
      task: "transcribe",
      language: null,
      batch_size: 8,
      version: "3",
    });
    expect(Object.keys(data).sort()).toEqual(["chunks", "diarization_segments", "inferred_languages", "text"]);
    expect(data.inferred_languages).toEqual([expect.stringMatching(/^(en|de|fr|zh)$/)]);
    const chunks = data.chunks as { timestamp: [number, number]; text: string }[];
    expect(chunks.length).toBeGreaterThan(0);
    for (const { timestamp } of chunks) expect(timestamp[0]).toBeLessThanOrEqual(timestamp[1]);
    const words = await call("fal-ai/whisper", { audio_url, language: "de", chunk_level: "word" });
    expect(words.inferred_languages).toEqual(["de"]);
    expect((await call("fal-ai/whisper", { audio_url, chunk_level: "none" })).chunks).toEqual([]);
  });

  test("takes fal's ranges", async () => {
    const { audio_url } = await recording();
    expect(await problemsOf("fal-ai/whisper", { audio_url, batch_size: 65 })).toMatchObject([
      { loc: ["body", "batch_size"] },
    ]);
    expect(await problemsOf("fal-ai/whisper", { audio_url, version: "2" })).toMatchObject([
      { loc: ["body", "version"] },
    ]);
    expect(await problemsOf("fal-ai/whisper", { audio_url, language: "xx" })).toMatchObject([
      { loc: ["body", "language"] },
    ]);
    expect(await problemsOf("fal-ai/whisper", {})).toMatchObject([{ loc: ["body", "audio_url"], type: "missing" }]);
  });
});

test("fal-ai/whisper tells two speakers apart, in segments of their own and in the chunks", async () => {
  const file = new Blob([await readFile(CONVERSATION)], { type: "audio/flac" });
  const data = await call("fal-ai/whisper", { audio_url: file, language: "en", diarize: true, num_speakers: 2 });
  const turns = data.diarization_segments as { timestamp: [number, number]; speaker: string }[];
  const speakers = turns.map(({ speaker }) => speaker);
  expect(speakers.filter((speaker, i) => speaker !== speakers[i - 1])).toEqual([
    ...["SPEAKER_00", "SPEAKER_01", "SPEAKER_00", "SPEAKER_01", "SPEAKER_00"],
  ]);
  const chunks = data.chunks as { speaker?: string }[];
  expect(chunks.some(({ speaker }) => speaker?.startsWith("SPEAKER_0"))).toBe(true);
  const plain = await call("fal-ai/whisper", { audio_url: file, language: "en" });
  expect(plain.diarization_segments).toEqual([]);
  expect(await problemsOf("fal-ai/whisper", { audio_url: file, num_speakers: 0 })).toMatchObject([
    { loc: ["body", "num_speakers"] },
  ]);
});

describe("fal-ai/wizper", () => {
  test("is English where nothing is said, finds the language where null is said, and joins segments", async () => {
    const { audio_url } = await recording();
    const data = await call("fal-ai/wizper", { audio_url });
    expect(Object.keys(data).sort()).toEqual(["chunks", "languages", "text"]);
    expect(data.languages).toEqual(["en"]);
    const found = await call("fal-ai/whisper", { audio_url });
    expect((await call("fal-ai/wizper", { audio_url, language: null })).languages).toEqual(found.inferred_languages);
    const apart = await call("fal-ai/wizper", { audio_url, merge_chunks: false });
    expect(apart.text).toBe(data.text);
    expect((data.chunks as unknown[]).length).toBeLessThanOrEqual((apart.chunks as unknown[]).length);
  });

  test("takes fal's ranges", async () => {
    const { audio_url } = await recording();
    for (const [field, value] of Object.entries({ max_segment_len: 9, chunk_level: "word", version: "2" }))
      expect(await problemsOf("fal-ai/wizper", { audio_url, [field]: value })).toMatchObject([
        { loc: ["body", field] },
      ]);
  });
});
