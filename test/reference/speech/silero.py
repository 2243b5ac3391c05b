"""When somebody speaks in silero-vad's test.wav, by Python's onnxruntime and the rules of silero's get_speech_timestamps.

Run in an environment with ../requirements.txt: `python silero.py FOLDER` with silero_vad.onnx and test.wav. Writes silero.json.
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime

RATE, NEW, CONTEXT = 16000, 512, 64
THRESHOLD, SPEECH, SILENCE, PAD = 0.5, 0.25 * RATE, 1.0 * RATE, int(0.4 * RATE)


def shares(session, sound):
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
    for at in range(0, len(sound), NEW):
        piece = np.pad(sound[at : at + NEW], (0, max(0, NEW - len(sound[at : at + NEW]))))
        output, state = session.run(None, {"input": np.concatenate([context, piece])[None], "state": state, "sr": np.array(RATE, np.int64)})
        context = piece[-CONTEXT:]
        yield float(output[0, 0])


def stretches(values, length):
    found, start, pause = [], None, 0
    for i, share in enumerate(values):
        now = NEW * i
        if share >= THRESHOLD:
            pause = 0
            start = now if start is None else start
        elif share < THRESHOLD - 0.15 and start is not None:
            pause = pause or now
            if now - pause >= SILENCE:
                if pause - start > SPEECH:
                    found.append([start, pause])
                start, pause = None, 0
    if start is not None and length - start > SPEECH:
        found.append([start, length])
    for i, each in enumerate(found):
        if i == 0:
            each[0] = max(0, each[0] - PAD)
        if i == len(found) - 1:
            each[1] = min(length, each[1] + PAD)
        else:
            silence = found[i + 1][0] - each[1]
            half = silence // 2 if silence < 2 * PAD else PAD
            each[1] += half
            found[i + 1][0] -= half
    return [[a / RATE, b / RATE] for a, b in found]


folder = Path(sys.argv[1])
with wave.open(str(folder / "test.wav")) as file:
    sound = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16).astype(np.float32) / 2**15
values = list(shares(onnxruntime.InferenceSession(folder / "silero_vad.onnx"), sound))
result = {"mean": sum(values) / len(values), "speaking": sum(v >= THRESHOLD for v in values), "of": len(values), "stretches": stretches(values, len(sound))}
(Path(__file__).resolve().parent / "silero.json").write_text(json.dumps(result) + "\n", encoding="utf-8")
print(result)
