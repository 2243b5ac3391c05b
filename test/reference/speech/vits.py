"""A tiny random-weight VITS in the layout of transformers.js, and what Python's transformers says with it.

Run in an environment with ../requirements.txt: `python vits.py`. Writes vits/ and vits-speakers/, which has three voices, with
the model and cases.json. Noise is off in their configuration: the sound is the same each time.
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

HERE = Path(__file__).resolve().parent
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

    def forward(self, input_ids, attention_mask, speaker_id=None):
        return self.model(input_ids, attention_mask, speaker_id=speaker_id).waveform


def make(folder, speakers, said):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    core = make_tokenizer()
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "VitsTokenizer", "pad_token": "_", "unk_token": "_", "clean_up_tokenization_spaces": False, "model_max_length": 1024})
    torch.manual_seed(3)
    several = {"num_speakers": speakers, "speaker_embedding_size": 8} if speakers > 1 else {}
    config = VitsConfig(
        vocab_size=len(LETTERS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=32, flow_size=16, spectrogram_bins=33, depth_separable_num_layers=1,
        prior_encoder_num_flows=2, prior_encoder_num_wavenet_layers=1, posterior_encoder_num_wavenet_layers=1, use_stochastic_duration_prediction=False, duration_predictor_filter_channels=16,
        upsample_initial_channel=32, upsample_rates=[8, 8], upsample_kernel_sizes=[16, 16], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]],
        noise_scale=0.0, noise_scale_duration=0.0, sampling_rate=16000, initializer_range=0.3, **several,
    )
    model = VitsModel(config).eval()
    write_json(folder / "config.json", {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    cases = []
    for text, voice in said:
        ids = core.encode(text).ids
        chosen = {} if voice is None else {"speaker_id": voice}
        with torch.no_grad():
            waveform = model(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long), **chosen).waveform[0]
        named = {} if voice is None else {"voice": str(voice)}
        cases.append({"text": text, **named, "ids": ids, "length": len(waveform), "samples": [round(float(v), 6) for v in waveform[::37]]})
    (folder / "cases.json").write_text(json.dumps(cases) + "\n", encoding="utf-8")
    (folder / "onnx").mkdir()
    path = folder / "onnx" / "model.onnx"
    example = torch.tensor([cases[1]["ids"]])
    given = {"input_ids": example, "attention_mask": torch.ones_like(example), **({"speaker_id": torch.tensor([1])} if speakers > 1 else {})}
    axes = {"input_ids": {0: "batch", 1: "letters"}, "attention_mask": {0: "batch", 1: "letters"}, "waveform": {0: "batch", 1: "samples"}}
    with torch.no_grad():
        torch.onnx.export(Speaker(model), tuple(given.values()), str(path), input_names=list(given), output_names=["waveform"], dynamic_axes=axes, opset_version=17, dynamo=False)
    slim(path)
    print([(c["text"], c["length"], max(map(abs, c["samples"]))) for c in cases], path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    make(HERE / "vits", 1, [(text, None) for text in TEXTS])
    make(HERE / "vits-speakers", 3, [(TEXTS[0], 0), (TEXTS[0], 2), (TEXTS[1], 1)])
