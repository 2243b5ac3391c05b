// Every engine of voices in every format by OpenAI's client, sentence by sentence by fal's: whole files of the same length.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { FalClient } from "@fal-ai/client";
import OpenAI from "openai";
import type { Sound } from "../../src/engine/media/channels.ts";
import { readSound } from "../../src/engine/media/sound.ts";
import { falClientOf } from "./hosts-on-box.ts";
import { speechServer } from "./speech-server.ts";

setDefaultTimeout(60_000);

let server: Awaited<ReturnType<typeof speechServer>>;
let openai: OpenAI;
let fal: FalClient;
beforeAll(async () => {
  server = await speechServer();
  openai = new OpenAI({ apiKey: server.key, baseURL: `${server.origin}/v1`, maxRetries: 0 });
  fal = falClientOf(server);
}, 60_000);
afterAll(() => server[Symbol.asyncDispose]());

type Engine = {
  rate: number;
  /** None: it has only one. */
  voices: string[];
  /** A program. */
  needs?: string;
  slowly?: object;
  sentences?: number;
};

const ENGINES: Record<string, Engine> = {
  "test/chatterbox": { rate: 24_000, voices: ["default", "anna"] },
  "test/kokoro": {
    rate: 24_000,
    voices: ["af_heart", "am_adam", "bf_emma", "ef_dora"],
    needs: "espeak-ng",
    sentences: 40,
  },
  "test/speecht5": { rate: 16_000, voices: ["clear", "warm"] },
  "test/supertonic": { rate: 4000, voices: ["F1", "F2", "M1"], slowly: { num_inference_steps: 50 } },
  "test/supertonic-transformers": { rate: 4000, voices: ["F1", "F2", "M1"], slowly: { num_inference_steps: 50 } },
  "test/vits": { rate: 16_000, voices: [], sentences: 80 },
};
const BEGINNINGS = { wav: "RIFF", mp3: undefined, opus: "OggS", flac: "fLaC", pcm: undefined } as const;
type Format = keyof typeof BEGINNINGS;

/** OpenAI's pcm has one rate, whatever the voice's. */
const PCM_RATE = 24_000;

const input = "Hello there. A small world!";
const spoken = async (model: string, response_format: Format, more: object = {}) => {
  const answer = await openai.audio.speech.create({ model, voice: "default", input, response_format, ...more });
  return new Uint8Array(await answer.arrayBuffer());
};
const soundOf = (bytes: Uint8Array): Promise<Sound> =>
  readSound({ task: { media: async () => bytes }, url: "speech", field: "audio_url" });
const secondsOf = ({ samples, rate }: Sound) => samples.length / rate;

for (const [model, { rate, voices, needs, slowly, sentences: count = 8 }] of Object.entries(ENGINES))
  describe.skipIf(needs !== undefined && Bun.which(needs) === null)(model, () => {
    test("speaks in every format", async () => {
      const wav = await soundOf(await spoken(model, "wav"));
      expect(wav.rate).toBe(rate);
      expect(secondsOf(wav)).toBeGreaterThan(0.2);
      for (const format of Object.keys(BEGINNINGS) as Format[]) {
        const bytes = await spoken(model, format);
        const begins = BEGINNINGS[format];
        if (begins) expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe(begins);
        const seconds = format === "pcm" ? bytes.length / 2 / PCM_RATE : secondsOf(await soundOf(bytes));
        // An mp3 ends with a whole frame, and has silence before it.
        expect(Math.abs(seconds - secondsOf(wav))).toBeLessThan(format === "mp3" ? 0.3 : 0.05);
      }
    });

    test("lists its voices to who asks for another", async () => {
      const asked = (async () => await spoken(model, "wav", { voice: "nobody" }))();
      await expect(asked).rejects.toMatchObject({ status: 400, param: "voice" });
      const listed = voices.length === 0 ? "only one" : voices.join(", ");
      await expect(asked).rejects.toThrow(listed);
    });

    test("sends sentences as they are spoken", async () => {
      // Enough to say: of what is over before anybody listens only the whole is told.
      const sentences = Array.from({ length: count }, (_, i) => `Number ${"o".repeat((i % 8) + 1)}.`);
      const stream = await fal.stream(model, { input: { text: sentences.join(" "), ...slowly } });
      const heard: unknown[] = [];
      for await (const event of stream) heard.push(event);
      expect(heard.slice(0, -1)).toMatchObject(sentences.map((text) => ({ text, sample_rate: rate })));
      expect(heard.at(-1)).toMatchObject({ audio: { content_type: "audio/wav" }, sample_rate: rate });
    });
  });

describe("what there is to choose from", () => {
  type Listed = { id: string; name: string; model?: string }[];
  const list = async (path: string) => (await openai.get(path)) as { object: string; voices?: Listed; models?: Listed };
  const idsOf = (listed: Listed | undefined) => listed?.map(({ id }) => id);

  test("voices of one model, by its files alone; the first of them is `default`", async () => {
    for (const [model, { voices }] of Object.entries(ENGINES)) {
      const { voices: listed } = await list(`/audio/voices?model=${encodeURIComponent(model)}`);
      expect([model, idsOf(listed)]).toEqual([model, [...new Set(["default", ...voices])]]);
      expect(listed?.[0]).toMatchObject({ name: "default", model });
    }
    await expect(list("/audio/voices?model=nobody/nothing")).rejects.toMatchObject({ code: "model_not_found" });
    await expect(list("/audio/voices?model=test/listener")).rejects.toMatchObject({ status: 400, param: "model" });
  });

  test("voices of all, each once, and the models that speak", async () => {
    const { object, voices } = await list("/audio/voices");
    expect(object).toBe("list");
    const all = Object.values(ENGINES).flatMap((engine) => engine.voices);
    expect(idsOf(voices)?.toSorted()).toEqual([...new Set(["default", "lucy", ...all])].toSorted());
    expect(idsOf((await list("/audio/models")).models)).toEqual(expect.arrayContaining(Object.keys(ENGINES)));
    expect(idsOf((await list("/audio/models")).models)).not.toContain("test/listener");
  });
});

describe("Supertonic by fal's client", () => {
  const said = async (more: object = {}) => {
    const { data } = await fal.subscribe("test/supertonic", { input: { text: input, seed: 3, ...more } });
    const { audio } = data as { audio: { url: string } };
    return await (await fetch(audio.url)).bytes();
  };

  test("says the same for a seed, in steps and languages as asked for", async () => {
    const first = await said();
    expect(await said()).toEqual(first);
    for (const more of [{ seed: 4 }, { num_inference_steps: 9 }, { language: "fr" }, { voice: "M1" }])
      expect(await said(more)).not.toEqual(first);
    expect((await said({ speed: 2 })).length).toBeLessThan(first.length);
  });

  test("names the field of what it cannot say", async () => {
    for (const [field, value] of Object.entries({ language: "tlh", text: "世界", num_inference_steps: 101 })) {
      const failing = said({ [field]: value });
      await expect(failing).rejects.toMatchObject({ status: 422, body: { detail: [{ loc: ["body", field] }] } });
    }
  });
});
