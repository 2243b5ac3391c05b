"""A tiny random-weight CLAP in the layout of transformers.js, what Python's transformers hears with it, and its features at CLAP's own size.

Run in an environment with ../requirements.txt: `python clap.py`. Writes clap/: configs, tokenizer.json, both towers in one graph and in one each,
sound.wav, cases.json; and clap-fused/: the tower for sounds of a model with fusion, with what is otherwise for it. Where transformers crops at random, it is made to take the middle.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

sys.path.append(str(Path(__file__).resolve().parent.parent / "embedding"))
from make import TEXT, export, numbers, save_config, save_words, write_json  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "clap"
RATE = 8000
TEXTS = ["a dog", "red circle on the ground", "Où est le château?", "the sound of water, and of bread that is baked for forty minutes"]
LENGTHS = [2400, 5000, 8000, 20800]

np.random.randint = lambda low, high: (low + high - 1) // 2
np.random.choice = lambda among: among[len(among) // 2]


def words():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=330, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return tokenizer, dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")


def sound():
    t = np.arange(LENGTHS[-1]) / RATE
    rng = np.random.default_rng(5)
    swept = np.sin(2 * np.pi * (200 * t + 300 * t**2)) * np.exp(-((t % 0.7) * 3))
    return 0.4 * swept + 0.05 * rng.normal(size=len(t)) * (t % 0.5 < 0.2)


def mask_of(mask, length):
    """Written out, as the exporter cannot trace transformers' own."""
    return torch.where(mask[:, None, None, :] != 0, 0.0, torch.finfo(torch.float32).min).expand(-1, 1, length, -1)


class Whole(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, input_features, attention_mask):
        out = self.model(input_ids=input_ids, input_features=input_features, attention_mask=mask_of(attention_mask, input_ids.shape[1]))
        return out.logits_per_audio, out.logits_per_text, out.text_embeds, out.audio_embeds


class Text(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model.text_projection(self.model.text_model(input_ids=input_ids, attention_mask=mask_of(attention_mask, input_ids.shape[1])).pooler_output)


class FusedAudio(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_features, is_longer):
        return self.model.audio_projection(self.model.audio_model(input_features=input_features, is_longer=is_longer).pooler_output)


class Audio(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_features):
        return self.model.audio_projection(self.model.audio_model(input_features=input_features).pooler_output)


def features_at_size(samples):
    cases = []
    for truncation in ("rand_trunc", "fusion"):
        extractor = ClapFeatureExtractor(truncation=truncation)
        for padding, times in (("repeatpad", 1), ("repeat", 1), ("pad", 1), ("repeatpad", 26)):
            values = extractor(np.tile(samples, times).astype(np.float32), sampling_rate=48000, padding=padding, return_tensors="np")["input_features"]
            flat = values.reshape(-1)
            cases.append({"truncation": truncation, "padding": padding, "times": times, "shape": list(values.shape), "values": [round(float(v), 4) for v in flat[::877]]})
    return cases


def settle(model):
    """Weights that tell sounds apart."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.3)
        model.audio_model.audio_encoder.batch_norm.running_mean.fill_(-30)
        model.audio_model.audio_encoder.batch_norm.running_var.fill_(400)


def fused(text, audio, extractor, samples):
    folder = FOLDER.parent / "clap-fused"
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(4)
    config = ClapConfig(text_config=text, audio_config={**audio, "num_mel_bins": 64, "spec_size": 128, "enable_fusion": True, "fusion_type": "aff_2d"}, projection_dim=16)
    model = ClapModel._from_config(config, attn_implementation="eager").eval()
    settle(model)
    extractor = ClapFeatureExtractor(**{**extractor, "feature_size": 64, "truncation": "fusion"})  # it shortens to 64 bands, whatever is said
    write_json(folder / "preprocessor_config.json", {k: v for k, v in extractor.to_dict().items() if not k.startswith("_")})
    heard = [extractor(samples[:length], sampling_rate=RATE, return_tensors="pt") for length in LENGTHS]
    tower = FusedAudio(model)
    with torch.no_grad():
        embeds = [tower(each["input_features"].float(), each["is_longer"])[0] for each in heard]
    row = {0: "batch"}
    export(tower, (heard[0]["input_features"].float(), heard[0]["is_longer"]), folder / "onnx/audio_model.onnx", ["input_features", "is_longer"], ["audio_embeds"], {"input_features": row, "is_longer": row, "audio_embeds": row})
    (folder / "cases.json").write_text(json.dumps({"audio_embeds": numbers(embeds)}) + "\n")


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    torch.manual_seed(3)
    tokenizer = save_words(FOLDER, *words(), max_length=64)
    text = dict(vocab_size=len(tokenizer), hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=66, type_vocab_size=1, initializer_factor=1.0, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    audio = dict(window_size=4, num_mel_bins=16, spec_size=64, patch_size=4, patch_stride=[4, 4], hidden_size=16, patch_embeds_hidden_size=8, depths=[2, 2], num_attention_heads=[2, 2], num_hidden_layers=2, aff_block_r=2, enable_fusion=False, fusion_type=None, projection_dim=16)
    config = ClapConfig(text_config=text, audio_config=audio, projection_dim=16)
    config._attn_implementation = "eager"
    model = ClapModel._from_config(config, attn_implementation="eager").eval()
    settle(model)
    save_config(FOLDER, config, "ClapModel")
    settings = dict(feature_size=16, sampling_rate=RATE, hop_length=80, max_length_s=1, fft_window_size=256, frequency_min=50, frequency_max=3500, truncation="rand_trunc", padding="repeatpad")
    extractor = ClapFeatureExtractor(**settings)
    write_json(FOLDER / "preprocessor_config.json", {k: v for k, v in extractor.to_dict().items() if not k.startswith("_")})
    samples = sound()
    soundfile.write(FOLDER / "sound.wav", samples, RATE, subtype="PCM_16")
    samples = soundfile.read(FOLDER / "sound.wav")[0]
    fused(text, audio, settings, samples)
    given = tokenizer(TEXTS, padding=True, return_tensors="pt")
    heard = [extractor(samples[:length], sampling_rate=RATE, return_tensors="pt")["input_features"].float() for length in LENGTHS]
    with torch.no_grad():
        out = model(input_ids=given.input_ids, attention_mask=given.attention_mask, input_features=torch.cat(heard))
        embeds = Audio(model)(torch.cat(heard)), model.text_projection(model.text_model(input_ids=given.input_ids, attention_mask=given.attention_mask).pooler_output)
    print("spread of logits:", out.logits_per_audio.std(0).tolist(), out.logits_per_audio.std(1).tolist())
    row = {0: "batch"}
    ids = {"input_ids": {0: "texts", 1: "length"}, "attention_mask": {0: "texts", 1: "length"}}
    tokens = given.input_ids[:2], given.attention_mask[:2]
    export(Whole(model), (tokens[0], heard[0], tokens[1]), FOLDER / "onnx/model.onnx", ["input_ids", "input_features", "attention_mask"], ["logits_per_audio", "logits_per_text", "text_embeds", "audio_embeds"], {**ids, "input_features": row, "text_embeds": {0: "texts"}, "audio_embeds": row})
    export(Text(model), tokens, FOLDER / "onnx/text_model.onnx", ["input_ids", "attention_mask"], ["text_embeds"], {**ids, "text_embeds": {0: "texts"}})
    export(Audio(model), (heard[0],), FOLDER / "onnx/audio_model.onnx", ["input_features"], ["audio_embeds"], {"input_features": row, "audio_embeds": row})
    cases = {
        "texts": TEXTS, "ids": [tokenizer(each).input_ids for each in TEXTS], "lengths": LENGTHS,
        "features": [[round(float(v), 4) for v in each.reshape(-1)[::7]] for each in heard],
        "logits": numbers(out.logits_per_audio), "audio_embeds": numbers(embeds[0]), "text_embeds": numbers(embeds[1]),
        "at_size": features_at_size(samples),
    }
    (FOLDER / "cases.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(sum(f.stat().st_size for f in FOLDER.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
