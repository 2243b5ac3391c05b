"""What the package basic-pitch hears in a small piece, and which notes its functions make of activations made up here.

Run in an environment of its own (its TensorFlow is not needed): `pip install --no-deps basic-pitch==0.4.0`, then
`pip install "numpy<2.3" librosa mir_eval resampy pretty_midi "setuptools<81" onnxruntime scipy soundfile`, then `python basic_pitch.py`.
Writes basic-pitch/piece.flac, basic-pitch/activations.gz and basic-pitch/cases.json; basic-pitch/nmp.onnx is Spotify's trained graph (Apache 2.0), from
github.com/spotify/basic-pitch at fa5997af0a8210982619003269994a1be25eddf3.
"""

import gzip
import json
import sys
import tempfile
from pathlib import Path

sys.path = [each for each in sys.path if Path(each or ".").resolve() != Path(__file__).resolve().parent]  # its name is the package's

import numpy as np
import pretty_midi
import soundfile
from basic_pitch import inference, note_creation

FOLDER = Path(__file__).resolve().parent / "basic-pitch"
RATE = 22050
# Seconds, MIDI pitch, loudness, slide in semitones.
PIECE = [
    (0.1, 0.5, 60, 0.3, 0), (0.6, 0.5, 64, 0.3, 0), (1.1, 0.5, 67, 0.25, 0), (1.6, 0.9, 72, 0.3, 0),
    (2.6, 1.0, 48, 0.25, 0), (2.6, 1.0, 55, 0.2, 0), (2.6, 0.7, 64, 0.2, 0),
    (3.8, 0.9, 69, 0.3, 1.2), (4.8, 0.12, 76, 0.3, 0), (4.8, 0.15, 41, 0.3, 0), (5.0, 0.6, 40, 0.3, 0),
]


def piece():
    sound = np.zeros(int(5.8 * RATE))
    for start, length, pitch, loudness, slide in PIECE:
        t = np.arange(int(length * RATE)) / RATE
        hz = 440 * 2 ** ((pitch - 69 + slide * t / length) / 12)
        phase = 2 * np.pi * np.cumsum(hz) / RATE
        shape = np.minimum(1, t / 0.01) * np.minimum(1, (length - t) / 0.03) * np.exp(-1.5 * t)
        tone = sum(np.sin(n * phase) / n**1.5 for n in range(1, 6))
        at = int(start * RATE)
        sound[at : at + len(t)] += loudness * shape * tone
    return np.clip(sound, -1, 1)


def unwrap_output(output, length, shared):
    """As in the commit named above: 0.4.0 counts 86 frames a second where there are 86.13, so long recordings lose their end."""
    step = inference.AUDIO_N_SAMPLES - shared * inference.FFT_HOP
    kept = output[:, shared // 2 : -(shared // 2), :]
    return kept.reshape(-1, output.shape[2])[: int(length / step * kept.shape[1])]


def wander(seed, frames, bins):
    """Activations that come and go: quarters of a thousandth, so that every kind of number holds them exactly."""
    state = seed
    values = np.zeros((frames, bins))
    row = [0] * bins
    for at in range(frames):
        for bin in range(bins):
            state = (1103515245 * state + 12345) % 2**31
            row[bin] = min(1024, max(0, row[bin] + (state >> 16) % 401 - 200 - (8 if row[bin] > 100 else 0)))
            values[at, bin] = row[bin] / 1024
    return values


SETTINGS = [
    {},
    {"onset_thresh": 0.3, "frame_thresh": 0.2, "min_note_len": 5},
    {"melodia_trick": False},
    {"infer_onsets": False},
    {"min_freq": 200.0, "max_freq": 450.0},
    {"multiple_pitch_bends": True, "midi_tempo": 90},
    {"include_pitch_bends": False},
]


def notes_of(output, settings):
    given = {"onset_thresh": 0.5, "frame_thresh": 0.3, "min_note_len": 11, **settings}
    midi, notes = note_creation.model_output_to_notes({k: v.copy() for k, v in output.items()}, **given)
    return midi, [[round(float(s), 9), round(float(e), 9), int(p), round(float(a), 6), None if b is None else [int(x) for x in b]] for s, e, p, a, b in notes]


def events_of(midi):
    """As a reader of the written file finds them, in ticks."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "notes.mid")
        midi.write(path)
        back = pretty_midi.PrettyMIDI(path)
    tick = back.time_to_tick
    return {
        "resolution": int(back.resolution),
        "tempo": float(back.get_tempo_changes()[1][0]),
        "tracks": [
            {
                "program": int(each.program),
                "notes": sorted([int(x) for x in (tick(n.start), tick(n.end), n.pitch, n.velocity)] for n in each.notes),
                "bends": [[int(tick(b.time)), int(b.pitch)] for b in each.pitch_bends],
            }
            for each in back.instruments
        ],
    }


def main():
    soundfile.write(FOLDER / "piece.flac", piece(), RATE, subtype="PCM_16")
    inference.unwrap_output = unwrap_output
    output = inference.run_inference(FOLDER / "piece.flac", inference.Model(FOLDER / "nmp.onnx"))
    # Notes are of rounded activations: runtimes differ in the last digits, and what hangs on these would differ too.
    bytes_of = {name: np.round(values * 255).clip(0, 255).astype(np.uint8) for name, values in output.items()}
    rounded = {name: values.astype(np.float32) / np.float32(255) for name, values in bytes_of.items()}
    names = ["note", "onset", "contour"]
    (FOLDER / "activations.gz").write_bytes(gzip.compress(b"".join(bytes_of[name].tobytes() for name in names), mtime=0))
    heard = []
    for settings in SETTINGS:
        midi, notes = notes_of(rounded, settings)
        heard.append({"settings": settings, "notes": notes, "midi": events_of(midi)})
    print({"notes": [len(each["notes"]) for each in heard], "pitches": [note[2] for note in heard[0]["notes"]]})
    made = []
    for seed, settings in [(1, {}), (2, {"min_note_len": 6, "melodia_trick": False, "onset_thresh": 0.6}), (4, {"min_note_len": 4, "infer_onsets": False}), (5, {"min_freq": 100.0, "max_freq": 1000.0, "min_note_len": 3})]:
        activations = {"note": wander(seed, 150, 88), "onset": wander(seed + 100, 150, 88), "contour": wander(seed + 200, 150, 264)}
        made.append({"seed": seed, "settings": settings, "notes": notes_of(activations, settings)[1]})
    print({"made up": [len(each["notes"]) for each in made]})
    cases = {
        "frames": int(output["note"].shape[0]),
        "activations": {name: [round(float(v), 6) for v in values.reshape(-1)[::499]] for name, values in output.items()},
        "heard": heard,
        "made": made,
    }
    (FOLDER / "cases.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
