// The notes of a recording, with Spotify's Basic Pitch: as a MIDI file and as a list.
import { definePipeline, type Task } from "../../core/pipeline.ts";
import { mediaUrl, type Static, Type } from "../../core/schema.ts";
import { savedFileField } from "../media/saved-file.ts";
import { readSound } from "../media/sound.ts";
import { type Heard, HOP, loadEar, RATE } from "../notes/activations.ts";
import { findNotes } from "../notes/find-notes.ts";
import { midiOf, type PlayedNote } from "../notes/midi-notes.ts";
import { secondsOf } from "../notes/note-times.ts";
import { pitchBendsOf } from "../notes/pitch-bends.ts";

const share = (value: number, description: string) =>
  Type.Number({ default: value, minimum: 0.05, maximum: 1, description });
const hertz = (description: string) => Type.Optional(Type.Number({ minimum: 20, maximum: 20_000, description }));

/** Names and defaults are those of the package basic-pitch. */
const input = Type.Object({
  audio_url: mediaUrl(
    "audio",
    "The recording of one instrument: URL or data URI of a wav, mp3, flac, ogg, m4a or webm file.",
  ),
  onset_threshold: share(0.5, "How sure a beginning must be: higher finds fewer notes."),
  frame_threshold: share(0.3, "How sure it must be that a note sounds: higher makes them shorter."),
  minimum_note_length: Type.Number({ default: 127.7, minimum: 0, maximum: 10_000, description: "Milliseconds." }),
  minimum_frequency: hertz("Hertz; lower notes are left out."),
  maximum_frequency: hertz("Hertz; higher notes are left out."),
  include_pitch_bends: Type.Boolean({ default: true, description: "How the pitch of each note moves." }),
  multiple_pitch_bends: Type.Boolean({
    default: false,
    description: "In the file each pitch has a channel of its own, so that notes that sound together may bend.",
  }),
  melodia_trick: Type.Boolean({ default: true, description: "Finds notes without a clear beginning too." }),
  midi_tempo: Type.Number({
    default: 120,
    minimum: 4,
    maximum: 960,
    description: "Quarters a minute that the file says; the notes' times stay.",
  }),
});

const output = Type.Object({
  midi_file: savedFileField("A standard MIDI file."),
  notes: Type.Array(
    Type.Object({
      start_time: Type.Number({ description: "Seconds." }),
      end_time: Type.Number({ description: "Seconds." }),
      pitch: Type.Integer({ description: "MIDI's number: 60 is the middle C." }),
      amplitude: Type.Number({ description: "0 to 1." }),
      pitch_bends: Type.Optional(
        Type.Array(Type.Integer(), { description: "In thirds of a semitone, evenly over the note." }),
      ),
    }),
    { description: "In the order of their beginnings." },
  ),
  duration: Type.Number({ description: "Of the recording in seconds." }),
});

type AudioToMidiInput = Static<typeof input>;

/** What is heard of a second takes 150 kB while it is worked on. */
const LONGEST_SECONDS = 1800;

export const audioToMidi = definePipeline({
  summary: "Writes down the notes of a recording as a MIDI file.",
  counts: ["seconds", "minutes"],
  input,
  output,
  async load(assets) {
    const ear = await loadEar(assets, "nmp.onnx");
    return async function* (tasks, signal) {
      for (const [index, task] of tasks.entries()) {
        const samples = await samplesOf(task, signal);
        const listening = ear.listen(samples, signal);
        let next = await listening.next();
        for (; !next.done; next = await listening.next())
          yield { index, step: { type: "progress" as const, ...next.value } };
        const notes = notesOf(next.value, task.input);
        const { midi_tempo: tempo, multiple_pitch_bends: isSpread } = task.input;
        const duration = samples.length / RATE;
        const midi_file = await task.save(midiOf(notes, { tempo, isSpread }), {
          name: "notes.mid",
          contentType: "audio/midi",
        });
        const value = { midi_file, notes: notes.map(told), duration };
        const units = { seconds: duration, minutes: duration / 60, requests: 1 };
        yield { index, step: { type: "output" as const, value, units } };
      }
    };
  },
});

async function samplesOf(task: Task<AudioToMidiInput>, signal: AbortSignal): Promise<Float32Array> {
  const longestSoundSeconds = Math.min(task.longestSoundSeconds ?? LONGEST_SECONDS, LONGEST_SECONDS);
  const { samples } = await readSound({
    task: { ...task, longestSoundSeconds },
    url: task.input.audio_url,
    field: "audio_url",
    rate: RATE,
    signal,
  });
  return samples;
}

function notesOf(heard: Heard, given: AudioToMidiInput): PlayedNote[] {
  const { minimum_frequency: lowest, maximum_frequency: highest } = given;
  const found = findNotes(heard, {
    onsetThreshold: given.onset_threshold,
    frameThreshold: given.frame_threshold,
    shortest: Math.round(((given.minimum_note_length / 1000) * RATE) / HOP),
    ...(lowest !== undefined && { lowest }),
    ...(highest !== undefined && { highest }),
    infersOnsets: true,
    findsMore: given.melodia_trick,
  });
  const played = found.map((note) => ({
    start: secondsOf(note.start),
    end: secondsOf(note.end),
    pitch: note.pitch,
    loudness: note.loudness,
    ...(given.include_pitch_bends && { bends: pitchBendsOf(heard.contour, note) }),
  }));
  return played.sort((a, b) => a.start - b.start || a.pitch - b.pitch);
}

const told = ({ start, end, pitch, loudness, bends }: PlayedNote) => ({
  start_time: start,
  end_time: end,
  pitch,
  amplitude: loudness,
  ...(bends && { pitch_bends: [...bends] }),
});
