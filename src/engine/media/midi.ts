// Writes MIDI files; wraps midi-file, the only file that imports it.
import { type MidiEvent, writeMidi } from "midi-file";

/** `at` in seconds. */
export type TimedEvent =
  | { at: number; type: "on"; pitch: number; velocity: number }
  | { at: number; type: "off"; pitch: number }
  /** -8192 to 8191: down and up by two semitones. */
  | { at: number; type: "bend"; value: number };

/** One instrument of General MIDI; the order of events does not matter. */
export type MidiTrack = { program: number; events: readonly TimedEvent[] };

/** Ticks of a quarter: pretty_midi's. */
const RESOLUTION = 220;
/** The tenth channel is the drums'. */
const CHANNELS = Array.from({ length: 16 }, (_, channel) => channel).filter((channel) => channel !== 9);
/** At one tick: bends before the notes they are for, ends before beginnings. */
const ORDER = { bend: 0, off: 1, on: 2 };

/** `tempo`: quarters a minute. More tracks than channels share these. */
export function writeMidiFile({ tempo, tracks }: { tempo: number; tracks: readonly MidiTrack[] }): Uint8Array {
  const tickOf = (seconds: number) => Math.round((seconds * tempo * RESOLUTION) / 60);
  const end: MidiEvent = { deltaTime: 0, meta: true, type: "endOfTrack" };
  const timing: MidiEvent[] = [
    { deltaTime: 0, meta: true, type: "setTempo", microsecondsPerBeat: Math.round(60e6 / tempo) },
    { deltaTime: 0, meta: true, type: "timeSignature", numerator: 4, denominator: 4, metronome: 24, thirtyseconds: 8 },
    end,
  ];
  const written = tracks.map(({ program, events }, number): MidiEvent[] => {
    const channel = CHANNELS[number % CHANNELS.length] ?? 0;
    const sorted = events
      .map((event) => ({ event, tick: tickOf(event.at) }))
      .sort((a, b) => a.tick - b.tick || ORDER[a.event.type] - ORDER[b.event.type]);
    return [
      { deltaTime: 0, type: "programChange", channel, programNumber: program },
      ...sorted.map(({ event, tick }, at) =>
        midiEvent(event, { channel, deltaTime: tick - (sorted[at - 1]?.tick ?? 0) }),
      ),
      end,
    ];
  });
  const header = { format: 1, numTracks: tracks.length + 1, ticksPerBeat: RESOLUTION } as const;
  return Uint8Array.from(writeMidi({ header, tracks: [timing, ...written] }));
}

function midiEvent(event: TimedEvent, common: { channel: number; deltaTime: number }): MidiEvent {
  switch (event.type) {
    case "on":
      return { ...common, type: "noteOn", noteNumber: event.pitch, velocity: event.velocity };
    case "off":
      return { ...common, type: "noteOff", noteNumber: event.pitch, velocity: 0 };
    case "bend":
      return { ...common, type: "pitchBend", value: event.value };
  }
}
