// Notes as a MIDI file, laid out as Basic Pitch's: an electric piano, bends only where one note sounds alone, or each pitch
// on a channel of its own.
import { type MidiTrack, type TimedEvent, writeMidiFile } from "../media/midi.ts";
import { BINS_PER_KEY } from "./activations.ts";

export type PlayedNote = {
  /** Seconds. */
  start: number;
  end: number;
  /** MIDI's number. */
  pitch: number;
  /** 0 to 1. */
  loudness: number;
  /** Thirds of a semitone, evenly over the note. */
  bends?: readonly number[];
};

type Layout = {
  tempo: number /** A channel for each pitch, so that notes that sound together may bend. */;
  isSpread: boolean;
};

const ELECTRIC_PIANO = 4;
/** Of two semitones: what players bend by when nothing is said. */
const MOST_BENT = 8192;
const BENT_PER_SEMITONE = MOST_BENT / 2;

export function midiOf(notes: readonly PlayedNote[], { tempo, isSpread }: Layout): Uint8Array {
  const played = isSpread ? notes : aloneOnly(notes);
  const pitches = isSpread ? [...new Set(played.map(({ pitch }) => pitch))] : [undefined];
  const tracks = pitches.map((pitch): MidiTrack => {
    const own = played.filter((note) => pitch === undefined || note.pitch === pitch);
    return { program: ELECTRIC_PIANO, events: own.length === 0 ? [] : eventsOf(own) };
  });
  return writeMidiFile({ tempo, tracks: tracks.filter(({ events }) => events.length > 0) });
}

/** Channels bend as a whole: notes that overlap with others lose their bends. */
export function aloneOnly(notes: readonly PlayedNote[]): PlayedNote[] {
  const sorted = notes.toSorted((a, b) => a.start - b.start || a.end - b.end || a.pitch - b.pitch);
  const overlapping = new Set<PlayedNote>();
  for (const [at, note] of sorted.entries()) {
    for (let i = at + 1; i < sorted.length; i++) {
      const other = sorted[i];
      if (!other || other.start >= note.end) break;
      overlapping.add(note).add(other);
    }
  }
  return sorted.map((note) => {
    const { bends: _, ...rest } = note;
    return overlapping.has(note) ? rest : note;
  });
}

function eventsOf(notes: readonly PlayedNote[]): TimedEvent[] {
  const events: TimedEvent[] = [];
  const isBent = notes.some(({ bends = [] }) => bends.length > 0);
  for (const { start, end, pitch, loudness, bends = [] } of notes) {
    const velocity = Math.max(1, Math.min(127, Math.round(127 * loudness)));
    events.push({ at: start, type: "on", pitch, velocity }, { at: end, type: "off", pitch });
    // A channel stays bent until it is told otherwise.
    if (isBent && bends.length === 0) events.push({ at: start, type: "bend", value: 0 });
    for (const [i, bend] of bends.entries())
      events.push({
        at: bends.length === 1 ? start : start + ((end - start) * i) / (bends.length - 1),
        type: "bend",
        value: Math.max(-MOST_BENT, Math.min(MOST_BENT - 1, Math.round((bend * BENT_PER_SEMITONE) / BINS_PER_KEY))),
      });
  }
  return events;
}
