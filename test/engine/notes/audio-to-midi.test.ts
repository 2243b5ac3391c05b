// Spotify's trained Basic Pitch on a small piece, and its rules on activations made up here, against the package basic-pitch.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseMidi } from "midi-file";
import { readSound } from "../../../src/engine/media/sound.ts";
import { encodeWav } from "../../../src/engine/media/wav.ts";
import { type Activations, loadEar } from "../../../src/engine/notes/activations.ts";
import { findNotes, type NoteSettings } from "../../../src/engine/notes/find-notes.ts";
import { aloneOnly, midiOf } from "../../../src/engine/notes/midi-notes.ts";
import { secondsOf } from "../../../src/engine/notes/note-times.ts";
import { pitchBendsOf } from "../../../src/engine/notes/pitch-bends.ts";
import { audioToMidi } from "../../../src/engine/pipelines/audio-to-midi.ts";
import { openFolder, runOnce } from "../support/load.ts";

setDefaultTimeout(120_000);

/** Start, end, pitch, loudness, bends. */
type Note = [number, number, number, number, number[] | null];
/** As the package calls them. */
type Settings = {
  onset_thresh?: number;
  frame_thresh?: number;
  min_note_len?: number;
  melodia_trick?: boolean;
  infer_onsets?: boolean;
  min_freq?: number;
  max_freq?: number;
  multiple_pitch_bends?: boolean;
  midi_tempo?: number;
  include_pitch_bends?: boolean;
};
type Track = { program: number; notes: number[][]; bends: number[][] };
type Cases = {
  frames: number;
  activations: Record<"note" | "onset" | "contour", number[]>;
  heard: { settings: Settings; notes: Note[]; midi: { resolution: number; tempo: number; tracks: Track[] } }[];
  made: { seed: number; settings: Settings; notes: Note[] }[];
};

const FOLDER = join(import.meta.dir, "../../reference/music/basic-pitch");
const cases: Cases = JSON.parse(readFileSync(join(FOLDER, "cases.json"), "utf8"));
const assets = openFolder(FOLDER);
const piece = new Uint8Array(readFileSync(join(FOLDER, "piece.flac")));
const media = async () => piece;
const never = () => new AbortController().signal;

async function hear(signal = never()) {
  const { samples } = await readSound({ task: { media }, url: "piece", field: "audio_url" });
  const listening = (await loadEar(assets, "nmp.onnx")).listen(samples, signal);
  let next = await listening.next();
  while (!next.done) next = await listening.next();
  return next.value;
}

/** What the package heard, in 255ths: notes do not hang on the last digits of a runtime. */
const rounded = activationsOf(gunzipSync(readFileSync(join(FOLDER, "activations.gz"))), cases.frames);

function activationsOf(bytes: Uint8Array, frames: number): Made {
  const part = (from: number, width: number): Activations => ({
    values: Float32Array.from(bytes.subarray(from * frames, (from + width) * frames), (value) => value / 255),
    width,
  });
  return { frames, note: part(0, 88), onset: part(88, 88), contour: part(176, 264) };
}

const settingsOf = (given: Settings): NoteSettings => ({
  onsetThreshold: given.onset_thresh ?? 0.5,
  frameThreshold: given.frame_thresh ?? 0.3,
  shortest: given.min_note_len ?? 11,
  ...(given.min_freq !== undefined && { lowest: given.min_freq }),
  ...(given.max_freq !== undefined && { highest: given.max_freq }),
  infersOnsets: given.infer_onsets ?? true,
  findsMore: given.melodia_trick ?? true,
});

function expectNotes(got: Note[], wanted: Note[], apart: number): void {
  const frames = ([start, end, pitch, , bends]: Note) => [start.toFixed(4), end.toFixed(4), pitch, bends];
  expect(got.map(frames)).toEqual(wanted.map(frames));
  for (const [i, note] of wanted.entries()) expect(Math.abs((got[i]?.[3] ?? 9) - note[3])).toBeLessThan(apart);
}

type Made = { frames: number } & Record<"note" | "onset" | "contour", Activations>;

const notesOf = (heard: Made, given: Settings): Note[] =>
  findNotes(heard, settingsOf(given)).map((note) => [
    ...([secondsOf(note.start), secondsOf(note.end), note.pitch, note.loudness] as const),
    given.include_pitch_bends === false ? null : pitchBendsOf(heard.contour, note),
  ]);

test("the graph hears what it hears in Python, window by window", async () => {
  const heard = await hear();
  expect(heard.frames).toBe(cases.frames);
  for (const kind of ["note", "onset", "contour"] as const)
    for (const [i, value] of cases.activations[kind].entries())
      expect(Math.abs((heard[kind].values[i * 499] ?? 9) - value)).toBeLessThan(1e-3);
});

for (const { settings, notes } of cases.heard) {
  test(`notes of the piece are the package's with ${JSON.stringify(settings)}`, () => {
    expectNotes(notesOf(rounded, settings), notes, 2e-6);
  });
}

/** As the script makes them. */
function wander(seed: number, frames: number, bins: number): Activations {
  let state = BigInt(seed);
  const values = new Float32Array(frames * bins);
  const row = new Array<number>(bins).fill(0);
  for (let at = 0; at < frames; at++)
    for (let bin = 0; bin < bins; bin++) {
      state = (1_103_515_245n * state + 12_345n) % 2n ** 31n;
      const before = row[bin] ?? 0;
      const next = before + (Number(state >> 16n) % 401) - 200 - (before > 100 ? 8 : 0);
      row[bin] = Math.min(1024, Math.max(0, next));
      values[at * bins + bin] = (row[bin] ?? 0) / 1024;
    }
  return { values, width: bins };
}

for (const { seed, settings, notes } of cases.made) {
  test(`of made up activations ${seed} the package makes the same ${notes.length} notes`, () => {
    const made = {
      frames: 150,
      note: wander(seed, 150, 88),
      onset: wander(seed + 100, 150, 88),
      contour: wander(seed + 200, 150, 264),
    };
    expectNotes(notesOf(made, settings), notes, 2e-6);
  });
}

/** Ticks of what a file plays, track by track. */
function played(bytes: Uint8Array) {
  const { header, tracks } = parseMidi(bytes);
  const [timing = [], ...rest] = tracks;
  const tempo = timing.find((event) => event.type === "setTempo");
  const told = rest.map((events) => {
    let tick = 0;
    const open = new Map<number, [number, number]>();
    const track: Track & { channels: Set<number> } = { program: -1, notes: [], bends: [], channels: new Set() };
    for (const event of events) {
      tick += event.deltaTime;
      if ("channel" in event) track.channels.add(event.channel);
      if (event.type === "programChange") track.program = event.programNumber;
      if (event.type === "pitchBend") track.bends.push([tick, event.value]);
      if (event.type === "noteOn") open.set(event.noteNumber, [tick, event.velocity]);
      if (event.type === "noteOff") {
        const [start = 0, velocity = 0] = open.get(event.noteNumber) ?? [];
        track.notes.push([start, tick, event.noteNumber, velocity]);
      }
    }
    track.notes.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0));
    return track;
  });
  const microseconds = tempo?.type === "setTempo" ? tempo.microsecondsPerBeat : 0;
  return { resolution: header.ticksPerBeat, tempo: 60e6 / microseconds, tracks: told };
}

const byPitch = (tracks: Track[]) => tracks.toSorted((a, b) => (a.notes[0]?.[2] ?? 0) - (b.notes[0]?.[2] ?? 0));

for (const { settings, notes, midi } of cases.heard) {
  test(`the file plays what pretty_midi's plays with ${JSON.stringify(settings)}`, () => {
    const given = notes.map(([start, end, pitch, loudness, bends]) => ({
      ...{ start, end, pitch, loudness },
      ...(bends && { bends }),
    }));
    const layout = { tempo: settings.midi_tempo ?? 120, isSpread: settings.multiple_pitch_bends === true };
    const file = played(midiOf(given, layout));
    expect(file.resolution).toBe(midi.resolution);
    expect(file.tempo).toBeCloseTo(midi.tempo, 3);
    const [ours, theirs] = [byPitch(file.tracks), byPitch(midi.tracks)];
    expect(ours.map(({ notes: each, program }) => ({ each, program }))).toEqual(
      theirs.map(({ notes: each, program }) => ({ each, program })),
    );
    for (const [i, track] of theirs.entries()) {
      // Bends end where a note without any begins: the package leaves the channel bent.
      const free = new Set(
        aloneOnly(given).flatMap(({ start, bends }) => (bends || layout.isSpread ? [] : [Math.round(start * 440)])),
      );
      const ended = (ours[i]?.bends ?? []).filter(([tick = 0, value]) => !(value === 0 && free.has(tick)));
      expect(ended).toEqual(track.bends);
      expect(ours[i]?.bends.length ?? 0).toBeGreaterThanOrEqual(track.bends.length);
    }
  });
}

const transcribe = (input: Record<string, unknown>, signal?: AbortSignal) =>
  runOnce(audioToMidi, { assets, input: { audio_url: "piece", ...input }, media, ...(signal && { signal }) });

describe("the pipeline", () => {
  test("gives a MIDI file and the notes, in order, and says how far it is", async () => {
    const { output, files, steps, units } = await transcribe({});
    const wanted = cases.heard[0]?.notes ?? [];
    const starts = (notes: { pitch: number; start_time: number }[]) =>
      notes.toSorted((a, b) => a.pitch - b.pitch || a.start_time - b.start_time);
    const theirs = starts(wanted.map(([start_time, , pitch]) => ({ pitch, start_time })));
    expect(starts(output.notes).map(({ pitch }) => pitch)).toEqual(theirs.map(({ pitch }) => pitch));
    for (const [i, { start_time }] of starts(output.notes).entries())
      expect(Math.abs(start_time - (theirs[i]?.start_time ?? 9))).toBeLessThan(0.04);
    const begins = output.notes.map(({ start_time }) => start_time);
    expect(begins).toEqual(begins.toSorted((a, b) => a - b));
    expect(output.notes.every(({ pitch_bends = [] }) => pitch_bends.length > 0)).toBe(true);
    expect(output.midi_file).toMatchObject({ content_type: "audio/midi", file_name: "notes.mid" });
    const file = played(files.get("notes.mid") ?? new Uint8Array());
    expect(file.tracks.map(({ notes }) => notes.length)).toEqual([wanted.length]);
    expect(output.duration).toBeCloseTo(5.8, 3);
    expect(units).toEqual({ seconds: output.duration, minutes: output.duration / 60, requests: 1 });
    expect(steps.slice(0, -1)).toEqual([1, 2, 3, 4].map((at) => ({ type: "progress", at, of: 4 })));
  });

  test("settings of the request are the package's", async () => {
    const within = await transcribe({ minimum_frequency: 200, maximum_frequency: 450, include_pitch_bends: false });
    const pitches = within.output.notes.map(({ pitch }) => pitch);
    expect(pitches).toContain(60);
    expect(pitches.filter((pitch) => pitch < 55 || pitch > 69)).toEqual([]);
    expect(within.output.notes.every((note) => !("pitch_bends" in note))).toBe(true);
    const [usual, more] = [await transcribe({}), await transcribe({ onset_threshold: 0.3, minimum_note_length: 58 })];
    expect(more.output.notes.length).toBeGreaterThan(usual.output.notes.length);
    const spread = await transcribe({ multiple_pitch_bends: true, midi_tempo: 90 });
    const { tracks, tempo } = played(spread.files.get("notes.mid") ?? new Uint8Array());
    expect(tempo).toBeCloseTo(90, 3);
    expect(tracks).toHaveLength(new Set(usual.output.notes.map(({ pitch }) => pitch)).size);
    expect(new Set(tracks.flatMap(({ channels }) => [...channels]))).not.toContain(9);
  });

  test("silence has no notes, and what is no sound is refused", async () => {
    const silence = { audio_url: "silence" };
    const wav = encodeWav({ samples: new Float32Array(22_050), rate: 22_050 });
    const { output, files } = await runOnce(audioToMidi, { assets, input: silence, media: async () => wav });
    expect(output.notes).toEqual([]);
    expect(played(files.get("notes.mid") ?? new Uint8Array()).tracks).toEqual([]);
    const broken = runOnce(audioToMidi, { assets, input: silence, media: async () => new Uint8Array(100) });
    await expect(broken).rejects.toMatchObject({
      problems: [{ loc: ["body", "audio_url"], type: "audio_load_error" }],
    });
  });

  test("an abort ends it between two windows", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(transcribe({}, stop.signal)).rejects.toThrow("enough");
  });
});
