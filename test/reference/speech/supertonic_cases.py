"""Supertonic in miniature, in both layouts: run with torch, numpy, onnx, onnxruntime, tokenizers and Supertone's own package
(`supertonic==1.3.1`, alone: `pip install --no-deps`): `python supertonic_cases.py`. Writes supertonic/ (Supertone's layout) and
supertonic-transformers/ (transformers.js'). The graphs have random weights and Supertonic's contract, every input counts,
not its layers. Supertone's layout is spoken by its package. transformers.js' loop is written out here; its noise, as the
package's, is PyTorch's for a seed.
"""

import json
import shutil
import sys
import unicodedata
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from supertonic import core
from supertonic.loader import load_model, load_voice_style_from_name
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from torch import nn

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
OWN, OTHER = HERE / "supertonic", HERE / "supertonic-transformers"
RATE, CHUNK, JOINED, LATENT = 4000, 16, 2, 4
CHANNELS, SAMPLES = LATENT * JOINED, CHUNK * JOINED
WIDTH = 8
# [tokens, numbers of each], for the text and for how long it lasts; together they are rows of the other layout's voices.
TTL, DP, ROW = (3, WIDTH), (2, 4), 4
VOICES = ["F1", "F2", "M1"]
PLAIN = " !\"$%&'()*+,-.0123456789:;<>?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz¡¿«»\u0300\u0301\u0302\u0303\u0308\u0327/"
JAMO = "".join(map(chr, range(0x1100, 0x1200)))
CYRILLIC = "".join(map(chr, range(0x410, 0x450)))
TEXTS = [
    ("Hello there, small world!", "en", "F1", 5, 1.05, 1),
    ("Hello there, small world!", "en", "M1", 5, 1.05, 1),
    ("Hello there, small world!", "fr", "F1", 5, 1.05, 1),
    ("Hello there, small world!", "en", "F1", 2, 1.0, 2**32 + 7),
    ("Voilà, un café — ça va ? @ 5 «euros» 🙂", "fr", "F2", 8, 0.8, 3),
    ("안녕하세요, 세상", "ko", "M1", 3, 1.3, 4),
    ("Mr. O’Neil ‘said’ “no” , e.g., to [a/b] #1 ... i.e., ''never'' \\ ☀", "en", "F1", 1, 1.05, 5),
]


class Durations(nn.Module):
    """Seconds for each letter, by it and the voice."""

    def __init__(self, letters, numbers):
        super().__init__()
        self.rows, self.letter, self.voice = nn.Embedding(letters, WIDTH), nn.Linear(WIDTH, 1), nn.Linear(numbers, 1)

    def forward(self, ids, style, mask):
        return 0.03 * (torch.sigmoid(self.letter(self.rows(ids))[:, :, 0] + self.voice(style.flatten(1))) * mask).sum(1)


class Text(nn.Module):
    """[1, WIDTH, letters]"""

    def __init__(self, letters, numbers):
        super().__init__()
        self.rows, self.around, self.voice = nn.Embedding(letters, WIDTH), nn.Conv1d(WIDTH, WIDTH, 3, padding=1), nn.Linear(numbers, WIDTH)

    def forward(self, ids, style, mask):
        read = self.rows(ids).transpose(1, 2) + self.voice(style.flatten(1))[:, :, None]
        return torch.tanh(self.around(read)) * mask[:, None]


class Step(nn.Module):
    """One of Euler's, along a field that text, voice, time and what is there already make."""

    def __init__(self, numbers):
        super().__init__()
        self.latent, self.text, self.voice, self.time = nn.Conv1d(CHANNELS, WIDTH, 3, padding=1), nn.Linear(WIDTH, WIDTH), nn.Linear(numbers, WIDTH), nn.Linear(1, WIDTH)
        self.field = nn.Conv1d(WIDTH, CHANNELS, 1)

    def forward(self, latents, text, style, text_mask, latent_mask, step, steps):
        query = self.latent(latents).transpose(1, 2)
        look = torch.softmax(query @ text + torch.log(text_mask)[:, None], 2) @ text.transpose(1, 2)
        told = self.text(look) + self.voice(style.flatten(1))[:, None] + self.time((step / steps)[:, None])[:, None] + query
        return (latents + self.field(torch.tanh(told).transpose(1, 2)) / steps[:, None, None]) * latent_mask[:, None]


class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Conv1d(LATENT, CHUNK, 3, padding=1)

    def forward(self, latents):
        apart = latents.reshape(latents.shape[0], LATENT, JOINED, -1).transpose(2, 3).flatten(2)
        return torch.tanh(self.out(apart)).transpose(1, 2).flatten(1)


class Calling(nn.Module):
    """A graph of a layout: its inputs in that layout's shapes."""

    def __init__(self, run, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = run

    def forward(self, *given):
        return self.run(self, *given)


def export(folder, name, module, inputs, outputs, axes):
    path = folder / "onnx" / f"{name}.onnx"
    with torch.no_grad():
        torch.onnx.export(module.eval(), tuple(inputs.values()), str(path), input_names=list(inputs), output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    slim(path)


LETTERS, FRAMES = {1: "letters"}, {2: "latents"}


def own_layout(letters, parts):
    styles = {name: {"style_ttl": torch.randn(1, *TTL), "style_dp": torch.randn(1, *DP)} for name in VOICES}
    (OWN / "onnx").mkdir(parents=True)
    (OWN / "voice_styles").mkdir()
    indexer = [-1] * 0x1200
    for at, letter in enumerate(letters):
        indexer[ord(letter)] = at
    (OWN / "onnx" / "unicode_indexer.json").write_text(json.dumps(indexer, separators=(",", ":")) + "\n")
    write_json(OWN / "onnx" / "tts.json", {"tts_version": "v1.7.3", "split": "opensource-multilingual", "ttl": {"latent_dim": LATENT, "chunk_compress_factor": JOINED}, "ae": {"sample_rate": RATE, "base_chunk_size": CHUNK, "chunk_compress_factor": 1, "ldim": LATENT}})
    write_json(OWN / "config.json", {"model_name": "Supertonic", "model_type": "onnx"})
    for name, style in styles.items():
        stored = {key: {"dims": list(value.shape), "data": [[[round(n, 5) for n in row] for row in value[0].tolist()]], "type": "float32"} for key, value in style.items()}
        (OWN / "voice_styles" / f"{name}.json").write_text(json.dumps(stored) + "\n")
    durations, text, step, sound = parts
    ids, mask, style = torch.arange(6)[None], torch.ones(1, 1, 6), styles["F1"]
    latent, latent_mask = torch.randn(1, CHANNELS, 5), torch.ones(1, 1, 5)
    predictor = Calling(lambda self, ids, style, mask: self.durations(ids, style, mask[:, 0]), durations=durations)
    export(OWN, "duration_predictor", predictor, {"text_ids": ids, "style_dp": style["style_dp"], "text_mask": mask}, ["duration"], {"text_ids": LETTERS, "text_mask": {2: "letters"}})
    encoder = Calling(lambda self, ids, style, mask: self.text(ids, style, mask[:, 0]), text=text)
    export(OWN, "text_encoder", encoder, {"text_ids": ids, "style_ttl": style["style_ttl"], "text_mask": mask}, ["text_emb"], {"text_ids": LETTERS, "text_mask": {2: "letters"}, "text_emb": {2: "letters"}})
    estimator = Calling(lambda self, latent, text, style, latent_mask, text_mask, at, of: self.step(latent, text, style, text_mask[:, 0], latent_mask[:, 0], at, of), step=step)
    given = {"noisy_latent": latent, "text_emb": torch.randn(1, WIDTH, 6), "style_ttl": style["style_ttl"], "latent_mask": latent_mask, "text_mask": mask, "current_step": torch.tensor([1.0]), "total_step": torch.tensor([5.0])}
    export(OWN, "vector_estimator", estimator, given, ["denoised_latent"], {"noisy_latent": FRAMES, "latent_mask": FRAMES, "denoised_latent": FRAMES, "text_emb": {2: "letters"}, "text_mask": {2: "letters"}})
    export(OWN, "vocoder", sound, {"latent": latent}, ["wav_tts"], {"latent": FRAMES, "wav_tts": {1: "samples"}})


def other_layout(letters, parts):
    """Voices are the two styles' numbers one after the other, in rows of one width; the mask of latents is of integers."""
    packs = {name: torch.randn((TTL[0] * TTL[1] + DP[0] * DP[1]) // ROW, ROW) for name in VOICES}
    (OTHER / "onnx").mkdir(parents=True)
    (OTHER / "voices").mkdir()
    for name, pack in packs.items():
        pack.numpy().tofile(OTHER / "voices" / f"{name}.bin")
    write_json(OTHER / "config.json", {"model_type": "supertonic", "sampling_rate": RATE, "base_chunk_size": CHUNK, "chunk_compress_factor": JOINED, "latent_dim": LATENT, "style_dim": ROW})
    tokenizer = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate(letters)} | {"[UNK]": len(letters)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKD()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    tokenizer.save(str(OTHER / "tokenizer.json"))
    write_json(OTHER / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizer", "unk_token": "[UNK]", "model_max_length": 1000})
    durations, text, step, sound = parts
    first = TTL[0] * TTL[1]
    ids, mask, style = torch.arange(6)[None], torch.ones(1, 6, dtype=torch.long), packs["F1"][None]
    latents, latent_mask = torch.randn(1, CHANNELS, 5), torch.ones(1, 5, dtype=torch.long)

    def encode(self, ids, mask, style):
        numbers, kept = style.flatten(1), mask.float()
        return self.text(ids, numbers[:, :first], kept), self.durations(ids, numbers[:, first:], kept)

    export(OTHER, "text_encoder", Calling(encode, text=text, durations=durations), {"input_ids": ids, "attention_mask": mask, "style": style}, ["last_hidden_state", "durations"], {"input_ids": LETTERS, "attention_mask": LETTERS, "last_hidden_state": {2: "letters"}})
    denoise = Calling(lambda self, style, latents, latent_mask, text, mask, at, of: self.step(latents, text, style.flatten(1)[:, :first], mask.float(), latent_mask.float(), at, of), step=step)
    given = {"style": style, "noisy_latents": latents, "latent_mask": latent_mask, "encoder_outputs": torch.randn(1, WIDTH, 6), "attention_mask": mask, "timestep": torch.tensor([1.0]), "num_inference_steps": torch.tensor([5.0])}
    export(OTHER, "latent_denoiser", denoise, given, ["denoised_latents"], {"noisy_latents": FRAMES, "latent_mask": LETTERS, "encoder_outputs": {2: "letters"}, "attention_mask": LETTERS, "denoised_latents": FRAMES})
    export(OTHER, "voice_decoder", sound, {"latents": latents}, ["waveform"], {"latents": FRAMES, "waveform": {1: "samples"}})


def noise(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).numpy()


def case(text, language, voice, steps, speed, seed, samples):
    return {"text": text, "language": language, "voice": voice, "steps": steps, "speed": speed, "seed": seed, "length": len(samples), "samples": [float(f"{v:.6g}") for v in samples[::5]]}


def own_cases():
    model = load_model(OWN, auto_download=False)
    cases = []
    for text, language, voice, steps, speed, seed in TEXTS:
        core.np.random.randn = lambda *shape, seed=seed: noise(seed, *shape)
        sound, seconds = model([text], load_voice_style_from_name(OWN, voice), steps, speed, language)
        cases.append(case(text, language, voice, steps, speed, seed, sound[0, : int(RATE * seconds[0].item())]))
    return cases


def other_cases():
    """transformers.js 4.3, SupertonicForConditionalGeneration.generate_speech and TextToAudioPipeline."""
    tokenizer = Tokenizer.from_file(str(OTHER / "tokenizer.json"))
    encoder, denoiser, decoder = (onnxruntime.InferenceSession(str(OTHER / "onnx" / f"{name}.onnx")) for name in ("text_encoder", "latent_denoiser", "voice_decoder"))
    cases = []
    # Its callers clean and tag their texts themselves.
    for text, language, voice, steps, speed, seed in [each for each in TEXTS if each[0].isascii() and "e.g." not in each[0] or each[1] == "ko"]:
        ended = text if text[-1] in ".!?" else f"{text}."
        ids = np.array([tokenizer.encode(f"<{language}>{ended}</{language}>").ids])
        style = np.fromfile(OTHER / "voices" / f"{voice}.bin", dtype=np.float32).reshape(1, -1, ROW)
        mask = np.ones_like(ids)
        hidden, raw = encoder.run(["last_hidden_state", "durations"], {"input_ids": ids, "attention_mask": mask, "style": style})
        durations = (raw / speed).astype(np.float32) * np.float32(RATE)
        length = int(np.ceil(durations[0] / SAMPLES))
        latents = noise(seed, 1, CHANNELS, length)
        for at in range(steps):
            given = {"style": style, "noisy_latents": latents, "latent_mask": np.ones((1, length), np.int64), "encoder_outputs": hidden, "attention_mask": mask}
            latents = denoiser.run(None, {**given, "timestep": np.full(1, at, np.float32), "num_inference_steps": np.full(1, steps, np.float32)})[0]
        waveform = decoder.run(None, {"latents": latents})[0]
        cases.append(case(text, language, voice, steps, speed, seed, waveform[0, : min(int(np.ceil(durations[0])), waveform.shape[1])]))
    return cases


def main():
    for folder in (OWN, OTHER):
        shutil.rmtree(folder, ignore_errors=True)
    assert all(unicodedata.normalize("NFKD", each) == each for each in PLAIN if each not in "«»¡¿")
    for folder, letters, make, cases in [(OWN, PLAIN + JAMO + CYRILLIC, own_layout, own_cases), (OTHER, PLAIN + JAMO, other_layout, other_cases)]:
        torch.manual_seed(5)
        count = len(letters) + 1
        make(letters, (Durations(count, DP[0] * DP[1]), Text(count, TTL[0] * TTL[1]), Step(TTL[0] * TTL[1]), Sound()))
        (folder / "cases.json").write_text(json.dumps(cases(), ensure_ascii=False) + "\n", encoding="utf-8")
        print(folder.name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
