"""Two small hand-made graphs that tell two voices of espeak-ng apart, a conversation of these, and what Python computes of the parts.

Run in an environment with ../requirements.txt and the program espeak-ng: `python diarization.py`. Writes diarization/: the
graphs in the layout that `diarize` reads (segmentation of 10 seconds into pyannote's seven classes by loudness and depth of
voice; an embedding from the spread of each band around a centre that was measured on other sentences), conversation.flac
with its true turns, and cases.json: features as transformers' own code for Kaldi has them, clusters by SciPy.
"""

import itertools
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.signal import resample_poly
from torch import nn
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

HERE = Path(__file__).resolve().parent / "diarization"
RATE, WINDOW, HOP = 16_000, 160_000, 270
DEEP, HIGH = ("en-us+m3", "30"), ("en-us+f2", "75")
TALK = [
    (DEEP, "Good morning, how are you today?"),
    (HIGH, "I am fine, thank you. And you?"),
    (DEEP, "Very well. Shall we look at the numbers of the last month?"),
    (HIGH, "Yes, please do. I have not seen them yet."),
    (DEEP, "They are better than those before."),
]
OTHERS = [
    "The weather in the north was sunny and warm.", "Never put all of your eggs into one basket.", "My brother plays the piano every evening.",
    "A quick brown fox jumps over a lazy dog.", "We went to the market and bought apples, pears and bread.", "Can you tell me the way to the station?",
    "Twelve people were waiting in front of the door.", "It is too late to change our minds now.",
]


def say(voice, text):
    name, pitch = voice
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["espeak-ng", "-v", name, "-p", pitch, "-w", file.name, text], check=True)
        sound, rate = soundfile.read(file.name, dtype="float32")
    sound = resample_poly(sound, RATE, rate).astype(np.float32)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1]]


FILTERS = mel_filter_bank(num_frequency_bins=257, num_mel_filters=80, min_frequency=20, max_frequency=RATE // 2, sampling_rate=RATE, norm=None, mel_scale="kaldi", triangularize_in_mel_space=True)


def features(sound):
    return spectrogram(sound * 2**15, window_function(400, "hamming", periodic=False), frame_length=400, hop_length=160, fft_length=512, power=2.0, center=False, preemphasis=0.97, mel_filters=FILTERS, log_mel="log", mel_floor=1.192092955078125e-07, remove_dc_offset=True).T.astype(np.float32)


class Segmentation(nn.Module):
    """Energy at the pitch of the deep voice and at that of the high one, each smoothed over a third of a second."""

    def __init__(self):
        super().__init__()
        t = np.arange(1600) / RATE
        hann = np.hanning(1600)
        bank = [hann * f(2 * np.pi * hz * t) / 800 for hz in (80, 90, 100, 110, 165, 180, 215, 235, 250, 265, 280) for f in (np.cos, np.sin)]
        self.register_buffer("bank", torch.tensor(np.array(bank), dtype=torch.float32)[:, None])

    def forward(self, input_values):
        padded = torch.nn.functional.pad(input_values, (800, 800))
        power = torch.nn.functional.conv1d(padded, self.bank, stride=HOP) ** 2
        power = torch.nn.functional.avg_pool1d(power, 25, stride=1, padding=12, count_include_pad=False)
        deep, high = power[:, :12].sum(1), power[:, 12:].sum(1)
        loud = torch.nn.functional.avg_pool1d(torch.nn.functional.pad(input_values, (1600, 1600)) ** 2, 3200, stride=HOP)[:, 0]
        speaks = (loud > 1e-4).float()
        is_deep = (deep > high * RATIO).float()
        silent = torch.zeros_like(speaks)
        return torch.stack([1 - speaks, speaks * is_deep, speaks * (1 - is_deep), silent, silent, silent, silent], -1) * 10


RATIO = 0.15


class Embedding(nn.Module):
    """On which side of the two voices the spread of the bands lies, and how far, beside a constant."""

    def __init__(self, direction, centre):
        super().__init__()
        self.register_buffer("direction", torch.tensor(direction)[:, None])
        self.register_buffer("centre", torch.tensor(centre))

    def forward(self, input_features):
        side = (torch.sqrt((input_features**2).mean(1)) - self.centre) @ self.direction
        return torch.cat([side, 0.2 * torch.ones_like(side)], -1)


def between_voices():
    """Fisher's discriminant of the spreads in other sentences of the two voices, cut into pieces of a second and a half."""
    piece = RATE * 3 // 2
    groups = [np.array([spread(sound[at : at + piece]) for text in OTHERS for sound in [say(voice, text)] for at in range(0, len(sound) - piece, piece // 2)]) for voice in (DEEP, HIGH)]
    within = sum(np.cov(group.T) for group in groups) + 0.05 * np.eye(80)
    means = [group.mean(0) for group in groups]
    direction = np.linalg.solve(within, means[0] - means[1])
    direction /= abs(direction @ (means[0] - means[1])) / 2
    return direction.astype(np.float32), ((means[0] + means[1]) / 2).astype(np.float32)


def spread(sound):
    found = features(sound)
    return np.sqrt(((found - found.mean(0)) ** 2).mean(0))


def conversation():
    parts, turns, at = [], [], 0
    for voice, text in TALK:
        sound = say(voice, text)
        parts += [sound, np.zeros(RATE * 3 // 10, np.float32)]
        turns.append({"speaker": "deep" if voice is DEEP else "high", "start": round(at / RATE, 3), "end": round((at + len(sound)) / RATE, 3)})
        at += len(sound) + len(parts[-1])
    return np.concatenate(parts), turns


def clusters():
    cases = []
    random = np.random.default_rng(5)
    for speakers, count, noise in [(2, 9, 0.5), (3, 20, 0.8), (4, 40, 1.2), (1, 6, 0.3), (3, 2, 0.1)]:
        centres = random.normal(size=(speakers, 12))
        points = centres[np.arange(count) % speakers] + noise * random.normal(size=(count, 12))
        points = points.astype(np.float32)
        unit = points / np.linalg.norm(points, axis=1, keepdims=True)
        tree = linkage(unit.astype(np.float64), method="centroid", metric="euclidean")
        cuts = {f"{t}": fcluster(tree, t, criterion="distance").tolist() for t in (0.4, 0.7045, 0.9)}
        counts = {str(k): fcluster(tree, k, criterion="maxclust").tolist() for k in (1, 2, 3)}
        cases.append({"points": [[round(float(v), 6) for v in p] for p in points], "byDistance": cuts, "byCount": counts})
    return cases


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "diarization").mkdir(parents=True)
    sound, turns = conversation()
    sound = np.round(sound * 2**15) / 2**15
    soundfile.write(HERE / "conversation.flac", sound, RATE, subtype="PCM_16")
    embedding = Embedding(*between_voices())
    cut = Segmentation().eval()
    with torch.no_grad():
        told = cut(torch.tensor(sound[None, None, :WINDOW]))[0].argmax(-1).numpy()
        common = dict(opset_version=17, dynamo=False)
        torch.onnx.export(cut, (torch.zeros(1, 1, WINDOW),), str(HERE / "diarization/segmentation.onnx"), input_names=["input_values"], output_names=["logits"], dynamic_axes={"input_values": {2: "samples"}, "logits": {1: "frames"}}, **common)
        torch.onnx.export(embedding, (torch.zeros(1, 50, 80),), str(HERE / "diarization/embedding.onnx"), input_names=["input_features"], output_names=["last_hidden_state"], dynamic_axes={"input_features": {1: "frames"}}, **common)
    sample = features(sound[8000:24000].astype(np.float32))
    powerset = [list(each) for n in range(3) for each in itertools.combinations(range(3), n)]
    cases = {"turns": turns, "powerset": powerset, "features": [round(float(v), 4) for v in sample[::9].flatten()[::7]], "frames": len(sample), "clusters": clusters()}
    (HERE / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    print(sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file()) // 1000, "kB", len(sound) / RATE)
    print(turns)
    runs = [(int(k), len(list(g))) for k, g in itertools.groupby(told)]
    at = 0
    for k, n in runs:
        print(k, round(at * HOP / RATE, 2), round((at + n) * HOP / RATE, 2)); at += n
    for turn in turns:
        found = features(sound[int(turn["start"] * RATE) : int(turn["end"] * RATE)].astype(np.float32))
        print(turn, embedding(torch.tensor((found - found.mean(0))[None])).tolist())


if __name__ == "__main__":
    main()
