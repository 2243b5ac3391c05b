// fal's endpoints of music and sound through fal's own client, by tiny models: fal's words in, fal's answers out.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type FalClient, ValidationError } from "@fal-ai/client";
import { parseMidi } from "midi-file";
import { decodeWav } from "../../src/engine/media/wav.ts";
import { type LiveServer, startServer } from "../support/live-server.ts";
import { testModel } from "../support/test-models.ts";
import { falClientOf } from "./hosts-on-box.ts";

setDefaultTimeout(120_000);

const REFERENCE = join(import.meta.dir, "../reference/music");

const models = [
  testModel("test/musicgen", {
    ...{ category: "text-to-audio", pipeline: "make-music", source: { path: join(REFERENCE, "musicgen") } },
    aliases: ["fal-ai/stable-audio", "fal-ai/stable-audio-25/text-to-audio", "cassetteai/music-generator"],
    price: { unit: "second", amount: 0.5, currency: "USD" },
  }),
  // Trained, and small enough to lie here.
  testModel("test/basic-pitch", {
    ...{ category: "audio-to-audio", pipeline: "audio-to-midi", source: { path: join(REFERENCE, "basic-pitch") } },
    price: { unit: "second", amount: 0, currency: "USD" },
  }),
  ...["audio-text-similarity", "embed"].map((pipeline) =>
    testModel(`test/clap/${pipeline}`, {
      category: "audio-classification",
      pipeline,
      source: { path: join(REFERENCE, "clap") },
    }),
  ),
];

let server: LiveServer;
let fal: FalClient;
beforeAll(async () => {
  server = await startServer({ models });
  fal = falClientOf(server);
}, 60_000);
afterAll(() => server?.[Symbol.asyncDispose]());

type File = { url: string; content_type: string; file_name: string; file_size: number };
const soundOf = async ({ url }: File) => decodeWav(new Uint8Array(await (await fetch(url)).arrayBuffer()));

test("fal-ai/stable-audio takes prompt and seconds_total and gives audio_file", async () => {
  const input = { prompt: "128 BPM tech house drum loop", seconds_total: 1, steps: 100 };
  const { data: answer } = await fal.subscribe("fal-ai/stable-audio", { input });
  const { audio_file: file, ...rest } = answer as { audio_file: File };
  expect(rest).toEqual({});
  expect(file).toMatchObject({ content_type: "audio/wav", file_name: "music.wav" });
  const sound = await soundOf(file);
  expect(sound?.rate).toBe(32_000);
  expect(sound?.samples.length).toBe(32_000);
});

test("its second version gives audio and the seed, which makes the same again", async () => {
  const asked = (more: object) =>
    fal.run("fal-ai/stable-audio-25/text-to-audio", { input: { prompt: "a small star", seconds_total: 1, ...more } });
  const { data: first } = (await asked({})) as { data: { audio: File; seed: number } };
  expect(Object.keys(first).sort()).toEqual(["audio", "seed"]);
  const { data: again } = (await asked({ seed: first.seed, sync_mode: true })) as { data: { audio: File } };
  expect(again.audio.url).toStartWith("data:audio/wav;base64,");
  expect(await soundOf(again.audio)).toEqual(await soundOf(first.audio));
});

test("a second of music costs what the model file says of a second", async () => {
  const answer = await fetch(`${server.origin}/run/cassetteai/music-generator`, {
    method: "POST",
    headers: { authorization: `Key ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a cat", duration: 0.5 }),
  });
  expect(answer.status).toBe(200);
  expect(Number(answer.headers.get("x-fal-billable-units"))).toBe(0.5);
  expect(Object.keys((await answer.json()) as object)).toEqual(["audio_file"]);
});

test("more seconds than there can be, and a beginning elsewhere, are refused with the field", async () => {
  const refused = async (input: Record<string, unknown>) => {
    const failure = await fal.run<string>("fal-ai/stable-audio", { input }).catch((error) => error);
    expect(failure).toBeInstanceOf(ValidationError);
    return (failure as ValidationError).fieldErrors.map(({ loc }) => loc.at(-1));
  };
  expect(await refused({ prompt: "a cat", seconds_total: 47 })).toEqual(["seconds_total"]);
  expect(await refused({ prompt: "a cat", seconds_total: 1, seconds_start: 3 })).toEqual(["seconds_start"]);
  expect(await refused({ seconds_total: 1 })).toEqual(["prompt"]);
});

test("a recording that is sent along comes back as notes and a MIDI file that anybody can open", async () => {
  const piece = Buffer.from(await Bun.file(join(REFERENCE, "basic-pitch/piece.flac")).bytes());
  const input = { audio_url: `data:audio/flac;base64,${piece.toString("base64")}` };
  const { data: answer } = (await fal.subscribe("test/basic-pitch", { input })) as {
    data: { midi_file: File; notes: { pitch: number }[]; duration: number };
  };
  // What the piece plays first.
  expect(answer.notes.slice(0, 3).map(({ pitch }) => pitch)).toEqual([60, 64, 67]);
  expect(answer.duration).toBeCloseTo(5.8, 3);
  expect(answer.midi_file).toMatchObject({ content_type: "audio/midi", file_name: "notes.mid" });
  const file = await (await fetch(answer.midi_file.url)).bytes();
  expect(parseMidi(file).tracks).toHaveLength(2);
  expect(file.length).toBe(answer.midi_file.file_size);
});

test("a sound is described by the best of some texts, and embedded beside them, by fal's client and OpenAI's words", async () => {
  const recording = Buffer.from(await Bun.file(join(REFERENCE, "clap/sound.wav")).bytes());
  const audio_url = `data:audio/wav;base64,${recording.toString("base64")}`;
  const texts = ["a dog", "water"];
  const { data: described } = (await fal.subscribe("test/clap/audio-text-similarity", {
    input: { audio_url, texts },
  })) as { data: { label: string; scores: number[]; similarities: number[] } };
  expect(texts[described.scores.indexOf(Math.max(...described.scores))]).toBe(described.label);
  expect(described.scores.reduce((sum, each) => sum + each)).toBeCloseTo(1, 5);
  const input = [{ audio_url }, ...texts.map((text) => `This is a sound of ${text}.`)];
  const { data: embedded } = (await fal.run("test/clap/embed", { input: { input } })) as {
    data: { embeddings: number[][] };
  };
  const [sound = [], ...words] = embedded.embeddings;
  for (const [i, word] of words.entries())
    expect(word.reduce((sum, each, at) => sum + each * (sound[at] ?? 0), 0)).toBeCloseTo(
      described.similarities[i] ?? 9,
      4,
    );
  const answer = await fetch(`${server.origin}/v1/embeddings`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "test/clap/embed", input }),
  });
  const { data: listed } = (await answer.json()) as { data: { embedding: number[] }[] };
  expect(listed.map(({ embedding }) => embedding)).toEqual(embedded.embeddings);
});
