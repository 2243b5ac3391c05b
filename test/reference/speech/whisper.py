"""A tiny random-weight Whisper in the layout of transformers.js, and what Python's transformers hears with it.

Run in an environment with ../requirements.txt: `python whisper.py SOUND` where SOUND is silero-vad's test.wav (16 kHz, one
channel). Writes whisper/ with the model and cases.json: languages, token ids and timestamps of stretches of the sound.
"""

import json
import shutil
import sys
import wave
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent / "whisper"
LANGUAGES = ["en", "zh", "de", "fr"]
MARKS = ["<|endoftext|>", "<|startoftranscript|>", *[f"<|{code}|>" for code in LANGUAGES], "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
TEXT = ["And so, my fellow Americans: ask not what your country can do for you. Ask what you can do!", "Il était une fois - naïve café, 12 345."]


def make_tokenizer():
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    core.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    core.add_tokens([AddedToken(f"<|{i * 0.02:.2f}|>", special=False, normalized=False) for i in range(1501)])
    return core


class Decoder(nn.Module):
    """Keys and values of what was said come in and go out; those of the sound are computed anew each time."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, encoder_hidden_states, *past):
        cache = DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        new, before = input_ids.shape[1], past[0].shape[2]
        positions = (torch.arange(new) + before)[None]
        seen = torch.arange(before + new)[None, :] <= (torch.arange(new) + before)[:, None]
        mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)[None, None]
        out = self.model.model.decoder(
            input_ids=input_ids, attention_mask=mask, encoder_hidden_states=encoder_hidden_states, position_ids=positions,
            past_key_values=EncoderDecoderCache(cache, DynamicCache()), use_cache=True, output_attentions=True,
        )
        logits = self.model.proj_out(out.last_hidden_state)
        return logits, *(t for layer in cache.layers for t in (layer.keys, layer.values)), *out.cross_attentions


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.encoder

    def forward(self, input_features):
        return self.encoder(input_features).last_hidden_state


def export(model):
    config, folder = model.config, HERE / "onnx"
    folder.mkdir(parents=True)
    width = config.d_model // config.decoder_attention_heads
    names, outputs, args = ["input_ids", "encoder_hidden_states"], ["logits"], [torch.ones(1, 4, dtype=torch.long), torch.randn(1, 1500, config.d_model)]
    axes = {"input_ids": {0: "batch", 1: "new"}, "encoder_hidden_states": {0: "batch", 1: "heard"}, "logits": {0: "batch", 1: "new"}}
    for layer in range(config.decoder_layers):
        for kind in ("key", "value"):
            names.append(f"past_key_values.{layer}.decoder.{kind}")
            outputs.append(f"present.{layer}.decoder.{kind}")
            args.append(torch.randn(1, config.decoder_attention_heads, 3, width))
            axes[names[-1]], axes[outputs[-1]] = {0: "batch", 2: "past"}, {0: "batch", 2: "total"}
    for layer in range(config.decoder_layers):
        outputs.append(f"cross_attentions.{layer}")
        axes[outputs[-1]] = {0: "batch", 2: "new", 3: "heard"}
    common = dict(opset_version=17, dynamo=False)
    with torch.no_grad():
        torch.onnx.export(Encoder(model), (torch.randn(1, config.num_mel_bins, 3000),), str(folder / "encoder_model.onnx"), input_names=["input_features"], output_names=["last_hidden_state"], dynamic_axes={"input_features": {0: "batch"}, "last_hidden_state": {0: "batch"}}, **common)
        torch.onnx.export(Decoder(model), tuple(args), str(folder / "decoder_model_merged.onnx"), input_names=names, output_names=outputs, dynamic_axes=axes, **common)
    for path in folder.glob("*.onnx"):
        slim(path)


def listen(model, extractor, tokenizer, sound, **options):
    given = extractor(sound, sampling_rate=16000, return_tensors="pt", return_attention_mask=True)
    out = model.generate(given.input_features, attention_mask=given.attention_mask, return_timestamps=True, return_segments=True, do_sample=False, num_beams=1, **options)
    segments = []
    for segment in out["segments"][0]:
        each = {"start": float(segment["start"]), "end": float(segment["end"]), "ids": segment["tokens"].tolist()}
        if "token_timestamps" in segment:
            each["times"] = [round(float(t), 2) for t in segment["token_timestamps"]]
        each["text"] = tokenizer.decode([i for i in each["ids"] if i < model.generation_config.no_timestamps_token_id], skip_special_tokens=True)
        segments.append(each)
    return segments


def main():
    with wave.open(sys.argv[1]) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16).astype(np.float32) / 2**15
    shutil.rmtree(HERE, ignore_errors=True)
    core = make_tokenizer()
    HERE.mkdir()
    core.save(str(HERE / "tokenizer.json"))
    id_of = core.token_to_id
    write_json(HERE / "tokenizer_config.json", {"tokenizer_class": "WhisperTokenizer", "bos_token": MARKS[0], "eos_token": MARKS[0], "unk_token": MARKS[0], "pad_token": MARKS[0], "clean_up_tokenization_spaces": False, "model_max_length": 1024, "add_prefix_space": False})
    extractor = WhisperFeatureExtractor(feature_size=80)
    extractor.save_pretrained(HERE)
    given = json.loads((HERE / "preprocessor_config.json").read_text())
    given.pop("mel_filters", None)
    write_json(HERE / "preprocessor_config.json", {**given, "processor_class": "WhisperProcessor"})
    tokenizer = WhisperTokenizer(tokenizer_object=core)
    torch.manual_seed(7)
    eos = id_of("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=core.get_vocab_size(), d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_target_positions=64, init_std=0.6, bos_token_id=eos, eos_token_id=eos, pad_token_id=eos, decoder_start_token_id=id_of("<|startoftranscript|>"), begin_suppress_tokens=[220, eos], suppress_tokens=[],
    )
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration._from_config(config, attn_implementation="eager").eval()
    settings = dict(
        bos_token_id=eos, eos_token_id=eos, pad_token_id=eos, decoder_start_token_id=config.decoder_start_token_id, begin_suppress_tokens=[220, eos], suppress_tokens=[id_of("<|startoflm|>")],
        max_length=64, is_multilingual=True, lang_to_id={f"<|{code}|>": id_of(f"<|{code}|>") for code in LANGUAGES}, task_to_id={"transcribe": id_of("<|transcribe|>"), "translate": id_of("<|translate|>")},
        no_timestamps_token_id=id_of("<|notimestamps|>"), prev_sot_token_id=id_of("<|startofprev|>"), max_initial_timestamp_index=50, return_timestamps=False, alignment_heads=[[0, 1], [1, 2]],
    )
    model.generation_config = GenerationConfig(**settings)
    write_json(HERE / "config.json", {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    write_json(HERE / "generation_config.json", settings)
    export(model)
    cases = []
    for start, end, options in [(0, 30, {"task": "transcribe"}), (5, 15, {"task": "transcribe"}), (20, 31, {"language": "de"}), (40, 60, {"language": "fr", "task": "translate"})]:
        piece = sound[start * 16000 : end * 16000]
        features = extractor(piece, sampling_rate=16000, return_tensors="pt").input_features
        with torch.no_grad():
            language = model.detect_language(features)[0].item()
            segments = listen(model, extractor, tokenizer, piece, return_token_timestamps=True, **options)
        cases.append({"start": start, "end": end, **options, "detected": tokenizer.decode([language])[2:-2], "features": [round(float(v), 5) for v in features[0, :, ::500].flatten()], "segments": segments})
    (HERE / "cases.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")
    print(sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file()) // 1000, "kB")
    for case in cases:
        print(case["start"], case["detected"], [(s["start"], s["end"], len(s["ids"]), s["text"][:30]) for s in case["segments"]][:8])


if __name__ == "__main__":
    main()
