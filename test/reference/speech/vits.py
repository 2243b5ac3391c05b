"""A tiny random-weight VITS in the layout of transformers.js, and what Python's transformers says with it.

Run in an environment with ../requirements.txt: `python vits.py`. Writes vits/ with the model and cases.json. Noise is off in
its configuration: the sound is the same each time.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from torch import nn
from transformers import VitsConfig, VitsModel

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent / "vits"
LETTERS = "_ abcdefghijklmnopqrstuvwxyz'"
TEXTS = ["hello there", "It's a small, small world", "zzz"]


def make_tokenizer():
    core = Tokenizer(models.WordLevel({letter: i for i, letter in enumerate(LETTERS)}, unk_token="_"))
    core.normalizer = normalizers.Sequence([
        normalizers.Lowercase(),
        normalizers.Replace(Regex(f"[^{LETTERS[1:]}]"), ""),
        normalizers.Strip(),
        normalizers.Replace(Regex("(?=.)|(?<!^)$"), "_"),
    ])
    core.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    return core


class Speaker(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask).waveform


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    core = make_tokenizer()
    core.save(str(HERE / "tokenizer.json"))
    write_json(HERE / "tokenizer_config.json", {"tokenizer_class": "VitsTokenizer", "pad_token": "_", "unk_token": "_", "clean_up_tokenization_spaces": False, "model_max_length": 1024})
    torch.manual_seed(3)
    config = VitsConfig(
        vocab_size=len(LETTERS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32, flow_size=16, spectrogram_bins=33, depth_separable_num_layers=1,
        prior_encoder_num_flows=2, prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1, use_stochastic_duration_prediction=False, duration_predictor_filter_channels=16,
        upsample_initial_channel=32, upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        noise_scale=0.0, noise_scale_duration=0.0, sampling_rate=16000, initializer_range=0.3,
    )
    model = VitsModel(config).eval()
    write_json(HERE / "config.json", {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    cases = []
    for text in TEXTS:
        ids = core.encode(text).ids
        with torch.no_grad():
            waveform = model(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)).waveform[0]
        cases.append({"text": text, "ids": ids, "length": len(waveform), "samples": [round(float(v), 6) for v in waveform[::37]]})
    (HERE / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    (HERE / "onnx").mkdir()
    path = HERE / "onnx" / "model.onnx"
    example = torch.tensor([cases[1]["ids"]])
    axes = {"input_ids": {0: "batch", 1: "letters"}, "attention_mask": {0: "batch", 1: "letters"}, "waveform": {0: "batch", 1: "samples"}}
    with torch.no_grad():
        torch.onnx.export(Speaker(model), (example, torch.ones_like(example)), str(path), input_names=["input_ids", "attention_mask"], output_names=["waveform"], dynamic_axes=axes, opset_version=17, dynamo=False)
    slim(path)
    print([(c["text"], c["length"], max(map(abs, c["samples"]))) for c in cases], path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
