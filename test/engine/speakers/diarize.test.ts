// Who spoke when: the parts as Python computes them, and a conversation of two voices turn by turn.
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readSound } from "../../../src/engine/media/sound.ts";
import { createPause } from "../../../src/engine/pause.ts";
import { transcribe } from "../../../src/engine/pipelines/transcribe.ts";
import { cluster, unit } from "../../../src/engine/speakers/cluster.ts";
import { loadDiarization } from "../../../src/engine/speakers/diarize.ts";
import { kaldiFeatures } from "../../../src/engine/speakers/kaldi-features.ts";
import { POWERSET, voicesOf } from "../../../src/engine/speakers/powerset.ts";
import { speakerWithin, type Turn, turnsOf } from "../../../src/engine/speakers/turns.ts";
import { openFolder, runOnce } from "../support/load.ts";
import { openOverlay } from "../support/overlay.ts";

setDefaultTimeout(60_000);

type Clusters = { points: number[][]; byDistance: Record<string, number[]>; byCount: Record<string, number[]> };
type Cases = {
  turns: { speaker: string; start: number; end: number }[];
  powerset: number[][];
  features: number[];
  frames: number;
  clusters: Clusters[];
};

const SPEECH = join(import.meta.dir, "../../reference/speech");
const FOLDER = join(SPEECH, "diarization");
const cases: Cases = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const recording = new Uint8Array(readFileSync(join(FOLDER, "conversation.flac")));
const media = async () => recording;
const { samples } = await readSound({ task: { media }, url: "conversation.flac", field: "audio_url" });
const signal = new AbortController().signal;

test("the seven classes are Python's sets of up to two of three voices", () => {
  expect(POWERSET).toEqual(cases.powerset);
  const scores = Float32Array.from(
    [1, 3, 2, 6].flatMap((likeliest) => POWERSET.map((_, i) => (i === likeliest ? 2 : -1))),
  );
  const [first, second, third] = voicesOf(scores).map(({ speaks, alone }) => [[...speaks], [...alone]]);
  expect(first).toEqual([
    [1, 0, 0, 0],
    [1, 0, 0, 0],
  ]);
  expect(second).toEqual([
    [0, 0, 1, 1],
    [0, 0, 1, 0],
  ]);
  expect(third).toEqual([
    [0, 1, 0, 1],
    [0, 1, 0, 0],
  ]);
});

test("features are Kaldi's, as transformers computes them", () => {
  const { values, frames } = kaldiFeatures(samples.slice(8000, 24_000));
  expect(frames).toBe(cases.frames);
  const rows = Array.from({ length: Math.ceil(frames / 9) }, (_, i) => values.slice(i * 9 * 80, (i * 9 + 1) * 80));
  const seen = rows.flatMap((row) => [...row]).filter((_, i) => i % 7 === 0);
  expect(seen).toHaveLength(cases.features.length);
  for (const [i, value] of cases.features.entries()) expect(Math.abs((seen[i] ?? 99) - value)).toBeLessThan(2e-3);
});

/** The same numbers in the order of the points. */
function renumbered(numbers: readonly number[]): number[] {
  const known = [...new Set(numbers)];
  return numbers.map((number) => known.indexOf(number));
}

const pause = createPause();

test("clusters are SciPy's, by distance and by number", async () => {
  const sizes = new Set<number>();
  for (const { points, byDistance, byCount } of cases.clusters) {
    const units = points.map((point) => unit(Float32Array.from(point)));
    for (const [distance, wanted] of Object.entries(byDistance)) {
      expect(await cluster(units, { distance: Number(distance) }, pause)).toEqual(renumbered(wanted));
      sizes.add(new Set(wanted).size);
    }
    for (const [count, wanted] of Object.entries(byCount))
      expect(await cluster(units, { count: Number(count) }, pause)).toEqual(renumbered(wanted));
  }
  expect(sizes.size).toBeGreaterThan(3);
  expect(await cluster([], { distance: 1 }, pause)).toEqual([]);
});

test("windows that hear a moment vote, and short silences do not end a turn", () => {
  const piece = (start: number, speaks: number[], speaker: number) => ({
    start,
    speaks: Uint8Array.from(speaks),
    speaker,
  });
  const times = { starts: [0, 2], windowSeconds: 4, frameSeconds: 1, duration: 5.5 };
  const turns = turnsOf([piece(0, [1, 1, 1, 0], 4), piece(2, [0, 0, 1, 1], 7)], times);
  expect(turns).toEqual([
    { start: 0, end: 3, speaker: "SPEAKER_00" },
    { start: 4, end: 5.5, speaker: "SPEAKER_01" },
  ]);
  const breath = { starts: [0], windowSeconds: 1, frameSeconds: 0.1, duration: 1 };
  const [only, ...none] = turnsOf([piece(0, [1, 1, 0, 0, 1, 0, 0, 0, 0, 0], 0)], breath);
  expect(none).toEqual([]);
  expect(only?.end).toBeCloseTo(0.5, 6);
  expect(speakerWithin({ start: 2, end: 6 }, turns)).toBe("SPEAKER_01");
  expect(speakerWithin({ start: 3, end: 4 }, turns)).toBeUndefined();
});

/** Who of the true speakers each of the found ones is, and how well they fit. */
function expectTurns(turns: readonly Turn[]) {
  const speakers = new Map<string, string>();
  for (const { start, end, speaker } of cases.turns) {
    const found = speakerWithin({ start, end }, turns) ?? "nobody";
    expect(speakers.get(speaker) ?? found).toBe(found);
    speakers.set(speaker, found);
    const own = turns.filter((turn) => turn.speaker === found && turn.end > start && turn.start < end);
    // The hand-made segmentation looks at a fifth of a second at a time.
    expect(Math.abs((own[0]?.start ?? -9) - start)).toBeLessThan(0.25);
    expect(Math.abs((own.at(-1)?.end ?? -9) - end)).toBeLessThan(0.25);
  }
  expect(new Set(speakers.values()).size).toBe(2);
}

test("a conversation of two voices has its five turns, whether the number of speakers is known or not", async () => {
  const diarize = await loadDiarization(openFolder(FOLDER));
  const turns = (await diarize?.(samples, { signal })) ?? [];
  expect(new Set(turns.map(({ speaker }) => speaker))).toEqual(new Set(["SPEAKER_00", "SPEAKER_01"]));
  expect(turns[0]?.speaker).toBe("SPEAKER_00");
  expectTurns(turns);
  expectTurns((await diarize?.(samples, { speakers: 2, signal })) ?? []);
  const alone = (await diarize?.(samples, { speakers: 1, signal })) ?? [];
  expect(new Set(alone.map(({ speaker }) => speaker))).toEqual(new Set(["SPEAKER_00"]));
  expect(await diarize?.(new Float32Array(32_000), { signal })).toEqual([]);
  const aborted = diarize?.(samples, { signal: AbortSignal.abort(new Error("enough")) });
  await expect(aborted).rejects.toThrow("enough");
});

test("a transcript has the turns and says who spoke each chunk; weights without the models refuse", async () => {
  const input = { audio_url: "conversation.flac", language: "en", diarize: true };
  const assets = openOverlay([join(SPEECH, "whisper"), FOLDER].toReversed());
  const { output } = await runOnce(transcribe, { assets, media, input });
  const turns = output.diarization_segments.map(({ timestamp: [start, end], speaker }) => ({
    ...{ start: start ?? -1, end: end ?? -1, speaker },
  }));
  expectTurns(turns);
  const spoken = output.chunks.filter(({ speaker }) => speaker !== undefined);
  expect(spoken.length).toBeGreaterThan(0);
  for (const { timestamp, speaker } of spoken)
    expect(speaker).toBe(speakerWithin({ start: timestamp[0] ?? 0, end: timestamp[1] ?? 0 }, turns));
  const without = runOnce(transcribe, { assets: openFolder(join(SPEECH, "whisper")), media, input });
  await expect(without).rejects.toMatchObject({
    problems: [{ loc: ["body", "diarize"], msg: expect.stringContaining("diarization/embedding.onnx") }],
  });
});
