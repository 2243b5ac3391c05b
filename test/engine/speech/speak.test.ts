// A tiny random VITS says the same as in Python's transformers, sentence by sentence and in any format.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeWav } from "../../../src/engine/media/wav.ts";
import { speak } from "../../../src/engine/pipelines/speak.ts";
import { tokenIds } from "../../../src/engine/voice/token-ids.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(60_000);

type Case = { text: string; ids: number[]; length: number; samples: number[] };

const FOLDER = join(import.meta.dir, "../../reference/speech/vits");
const cases: Case[] = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const assets = openFolder(FOLDER);
const say = (input: Record<string, unknown>, wantsPartials = false) => runOnce(speak, { assets, input, wantsPartials });

for (const { text, ids, length, samples } of cases) {
  test(`"${text}" sounds as in Python`, async () => {
    expect(await tokenIds(await assets.transformers("AutoTokenizer"), text)).toEqual(ids);
    const { output, files, units } = await say({ text });
    const sound = decodeWav(files.get("speech.wav") ?? new Uint8Array());
    if (!sound) throw new Error("it saved no WAV file");
    expect(sound.rate).toBe(16_000);
    expect(sound.samples.length).toBe(length);
    expect(output.duration).toBeCloseTo(length / 16_000, 5);
    // 16 bits of the file, and the last digits of two runtimes.
    for (const [i, value] of samples.entries())
      expect(Math.abs((sound.samples[i * 37] ?? 9) - value)).toBeLessThan(1e-3);
    expect(units).toEqual({ seconds: length / 16_000, characters: text.length, requests: 1 });
  });
}

test("sentences come one by one, and together with pauses between them", async () => {
  const { steps, output } = await say({ text: "Hello there. A small world!\nAnd more" }, true);
  const partials = steps.flatMap((step) => (step.type === "partial" ? [step.value] : []));
  const spoken = partials as { text: string; duration: number; audio_url: string }[];
  expect(spoken.map(({ text }) => text)).toEqual(["Hello there.", "A small world!", "And more"]);
  for (const { audio_url } of spoken) expect(audio_url).toStartWith("data:audio/wav;base64,UklGR");
  const sum = spoken.reduce((all, { duration }) => all + duration, 0);
  expect(output.duration).toBeCloseTo(sum + 2 * 0.2, 3);
});

test("faster speech is shorter, and a format is a content type", async () => {
  const [usual, fast] = [await say({ text: "hello there" }), await say({ text: "hello there", speed: 2 })];
  expect(fast.output.duration).toBeCloseTo(usual.output.duration / 2, 2);
  const { output, files } = await say({ prompt: "hello there", output_format: "mp3" });
  expect(output.audio).toMatchObject({ content_type: "audio/mpeg", file_name: "speech.mp3" });
  expect(files.get("speech.mp3")?.length).toBe(output.audio.file_size);
});

test("no text and unknown voices are wrong input", async () => {
  await expect(say({ text: "  " })).rejects.toMatchObject({ problems: [{ loc: ["body", "text"], type: "missing" }] });
  await expect(say({ text: "hello", voice: "nova" })).rejects.toMatchObject({
    code: "invalid_input",
    problems: [{ loc: ["body", "voice"], msg: expect.stringContaining("only one") }],
  });
});
