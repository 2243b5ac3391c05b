// From activations to notes, as Spotify's Basic Pitch does it: notes from their onsets, backwards in time, then from what
// sounds on without one (ICASSP 2022, "A lightweight instrument-agnostic model").
import { type Activations, type Heard, KEYS } from "./activations.ts";

export type NoteSettings = {
  /** An onset counts from here on, 0 to 1. */
  onsetThreshold: number;
  /** A note sounds as long as it is above this, 0 to 1. */
  frameThreshold: number;
  /** Frames; notes of no more are dropped. */
  shortest: number;
  /** Hertz. */
  lowest?: number;
  highest?: number;
  /** Onsets also where a note becomes much louder. */
  infersOnsets: boolean;
  /** Notes also where none has begun (basic_pitch calls it the melodia trick). */
  findsMore: boolean;
};

/** `end` is the frame behind it; `loudness` 0 to 1. */
export type FoundNote = { start: number; end: number; pitch: number; loudness: number };

/** MIDI's number of the lowest key. */
export const LOWEST_PITCH = 21;
/** A note goes on over so many frames below the threshold, less one. */
const PATIENCE = 11;

export function findNotes(heard: Pick<Heard, "frames" | "note" | "onset">, settings: NoteSettings): FoundNote[] {
  const { frames } = heard;
  const keys = keysWithin(settings);
  const note = only(heard.note.values, keys);
  const given = only(heard.onset.values, keys);
  const onset = settings.infersOnsets ? withInferred(given, note) : given;
  const search: Search = { frames, note, energy: note.slice(), settings };
  const begun = onsetsOf(onset, settings.onsetThreshold).flatMap((at) => fromOnset(search, at));
  return settings.findsMore ? [...begun, ...fromEnergy(search)] : begun;
}

type Search = {
  frames: number;
  note: Float32Array;
  /** What no note has taken yet. */
  energy: Float32Array;
  settings: NoteSettings;
};

type Keys = { from: number; to: number };

function keysWithin({ lowest, highest }: NoteSettings): Keys {
  const keyOf = (hertz: number) => Math.round(12 * Math.log2(hertz / 440) + 69 - LOWEST_PITCH);
  return {
    from: lowest === undefined ? 0 : Math.max(0, keyOf(lowest)),
    to: highest === undefined ? KEYS : Math.max(0, keyOf(highest)),
  };
}

/** The same memory where these are all keys. */
const only = (values: Activations["values"], { from, to }: Keys) =>
  from === 0 && to >= KEYS ? values : values.map((value, at) => (at % KEYS >= from && at % KEYS < to ? value : 0));

/** The louder of an onset and the least rise over one and two frames, scaled to the highest onset. */
function withInferred(onset: Float32Array, note: Float32Array): Float64Array {
  const rises = new Float64Array(note.length);
  let [highest, steepest] = [0, 0];
  for (let at = 0; at < note.length; at++) {
    highest = Math.max(highest, onset[at] ?? 0);
    if (at < 2 * KEYS) continue;
    const now = note[at] ?? 0;
    rises[at] = Math.max(0, Math.min(now - (note[at - KEYS] ?? 0), now - (note[at - 2 * KEYS] ?? 0)));
    steepest = Math.max(steepest, rises[at] ?? 0);
  }
  for (let at = 0; at < rises.length; at++)
    rises[at] = Math.max(onset[at] ?? 0, steepest === 0 ? 0 : (highest * (rises[at] ?? 0)) / steepest);
  return rises;
}

/** Places of peaks in time, the last ones first. */
function onsetsOf(onset: Float32Array | Float64Array, threshold: number): number[] {
  const found: number[] = [];
  for (let at = onset.length - KEYS - 1; at >= KEYS; at--) {
    const value = onset[at] ?? 0;
    if (value >= threshold && value > (onset[at - KEYS] ?? 0) && value > (onset[at + KEYS] ?? 0)) found.push(at);
  }
  return found;
}

function fromOnset(search: Search, at: number): FoundNote[] {
  const [start, key] = [Math.floor(at / KEYS), at % KEYS];
  const { frames, energy, settings } = search;
  if (start >= frames - 1) return [];
  let end = start + 1;
  let below = 0;
  for (; end < frames - 1 && below < PATIENCE; end++)
    below = (energy[end * KEYS + key] ?? 0) < settings.frameThreshold ? below + 1 : 0;
  end -= below;
  if (end - start <= settings.shortest) return [];
  for (let frame = start; frame < end; frame++) take(energy, frame, key);
  return [noteOf(search, { start, end, key })];
}

/** From the strongest that is left, in both directions, until nothing is above the threshold. */
function fromEnergy(search: Search): FoundNote[] {
  const { frames, energy, settings } = search;
  const found: FoundNote[] = [];
  for (const at of strongest(energy, settings.frameThreshold)) {
    if (energy[at] === 0) continue;
    const [middle, key] = [Math.floor(at / KEYS), at % KEYS];
    energy[at] = 0;
    const follow = (step: 1 | -1) => {
      let below = 0;
      let frame = middle + step;
      for (; frame > 0 && frame < frames - 1 && below < PATIENCE; frame += step) {
        below = (energy[frame * KEYS + key] ?? 0) < settings.frameThreshold ? below + 1 : 0;
        take(energy, frame, key);
      }
      return frame - step * (1 + below);
    };
    const end = middle + 1 < frames - 1 ? follow(1) : middle;
    const start = middle - 1 > 0 ? follow(-1) : middle;
    if (end - start > settings.shortest) found.push(noteOf(search, { start, end, key }));
  }
  return found;
}

/** Places above the threshold, the highest first, of equals the first: nothing rises again, so they are sorted once. */
function strongest(energy: Float32Array, threshold: number): Uint32Array {
  const count = energy.reduce((sum, value) => (value > threshold ? sum + 1 : sum), 0);
  const places = new Uint32Array(count);
  let next = 0;
  for (let at = 0; at < energy.length; at++) if ((energy[at] ?? 0) > threshold) places[next++] = at;
  return places.sort((a, b) => (energy[b] ?? 0) - (energy[a] ?? 0) || a - b);
}

/** A note takes its neighbours' energy too. */
function take(energy: Float32Array, frame: number, key: number): void {
  energy[frame * KEYS + key] = 0;
  if (key < KEYS - 1) energy[frame * KEYS + key + 1] = 0;
  if (key > 0) energy[frame * KEYS + key - 1] = 0;
}

function noteOf({ note }: Search, { start, end, key }: { start: number; end: number; key: number }): FoundNote {
  let sum = 0;
  for (let frame = start; frame < end; frame++) sum += note[frame * KEYS + key] ?? 0;
  return { start, end, pitch: key + LOWEST_PITCH, loudness: sum / (end - start) };
}
