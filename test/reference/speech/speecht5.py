"""A tiny random-weight SpeechT5 in the layout of transformers.js and optimum, and what Python's transformers says with it.

Run in an environment with ../requirements.txt: `python speecht5.py`. Writes speecht5/ with the graphs, two voices and
cases.json. The pre-net's dropout, which Python and the exports draw anew at each step also at inference, is left out on both
sides: the rest is the same each time. Nothing else of the model is changed.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import DynamicCache, SpeechT5Config, SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5HifiGanConfig
from transformers.cache_utils import EncoderDecoderCache
from transformers.models.speecht5 import modeling_speecht5

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent / "speecht5"
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
LETTERS = "▁etaoinhsrdlumcwfgypb,.vkxj'!qz?"
TEXTS = ["Hello there.", "It's a small, small world!", "why"]
VOICES = ["clear", "warm"]
# Bias of what says that the answer ends here: one of the texts ends by itself in both voices, the others at the longest.
STOP = -9.7


def make_tokenizer():
    vocab = [*SPECIAL, *LETTERS]
    core = Tokenizer(models.WordLevel({entry: i for i, entry in enumerate(vocab)}, unk_token="<unk>"))
    core.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    core.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A $B </s>", special_tokens=[("</s>", 2)])
    return core


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        mask = torch.ones_like(input_ids)
        return self.model.speecht5.encoder(input_values=input_ids, attention_mask=mask).last_hidden_state, mask


class Decoder(nn.Module):
    """One step; `past` has keys and values of the decoder and of the encoder for each layer, or is empty at the first step."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, output_sequence, speaker_embeddings, encoder_outputs, encoder_attention_mask, *past):
        own, heard = DynamicCache(), DynamicCache()
        cache = EncoderDecoderCache(own, heard)
        for layer in range(len(past) // 4):
            own.update(past[4 * layer], past[4 * layer + 1], layer)
            heard.update(past[4 * layer + 2], past[4 * layer + 3], layer)
            cache.is_updated[layer] = True
        hidden = self.model.speecht5.decoder.prenet(output_sequence, speaker_embeddings)
        out = self.model.speecht5.decoder.wrapped_decoder(hidden_states=hidden[:, -1:], encoder_hidden_states=encoder_outputs, encoder_attention_mask=encoder_attention_mask, cache=cache, use_cache=True)
        last = out.last_hidden_state[0, -1]
        net, config = self.model.speech_decoder_postnet, self.model.config
        spectrum = net.feat_out(last).view(config.reduction_factor, config.num_mel_bins)
        sequence = torch.cat((output_sequence, spectrum[-1].view(1, 1, config.num_mel_bins)), dim=1)
        kept = [t for a, b in zip(own.layers, heard.layers) for t in ((a.keys, a.values, b.keys, b.values) if not past else (a.keys, a.values))]
        return sequence, spectrum, torch.sigmoid(net.prob_out(last)), *kept


class Vocoder(nn.Module):
    def __init__(self, model, vocoder):
        super().__init__()
        self.model, self.vocoder = model, vocoder

    def forward(self, spectrogram):
        return self.vocoder(self.model.speech_decoder_postnet.postnet(spectrogram[None])[0])


def branch(path, name):
    """A graph as a subgraph: its numbers and inputs become those of the graph around it."""
    graph = onnx.load(str(path)).graph
    short = {}
    kept = {each.name for each in graph.input}
    rename = lambda each: each if each in kept or each == "" else short.setdefault(each, f"{name}{len(short)}")
    for node in graph.node:
        node.input[:], node.output[:] = [rename(n) for n in node.input], [rename(n) for n in node.output]
        node.name, node.doc_string = "", ""
    for weight in graph.initializer:
        weight.name = rename(weight.name)
    return graph, {each.name: rename(each.name) for each in graph.output}


def merge(first, later, into, layers, heads, width):
    """As optimum merges decoders: one graph for both steps, chosen by use_cache_branch; later steps give empty keys of the encoder."""
    (a, a_out), (b, b_out) = branch(first, "a"), branch(later, "b")
    names = [each.name for each in a.output]
    empty = [numpy_helper.from_array(np.zeros((0, heads, 1, width), np.float32), "nothing")]
    dummies = []
    for name in names:
        if name not in b_out:
            b_out[name] = f"b_{name}"
            dummies.append(helper.make_node("Identity", ["nothing"], [b_out[name]]))
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    body = lambda nodes, outs, name: helper.make_graph(nodes, name, [], [value(outs[each]) for each in names])
    node = helper.make_node("If", ["use_cache_branch"], names, then_branch=body([*b.node, *dummies], b_out, "later"), else_branch=body(list(a.node), a_out, "first"))
    inputs = [*a.input, *(each for each in b.input if each.name not in {own.name for own in a.input})]
    graph = helper.make_graph([node], "decoder", [*inputs, helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])], [value(each) for each in names], [*a.initializer, *b.initializer, *empty])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(into))


def export(model, vocoder):
    config, folder = model.config, HERE / "onnx"
    folder.mkdir(parents=True)
    heads, width, mel = config.decoder_attention_heads, config.hidden_size // config.decoder_attention_heads, config.num_mel_bins
    common = dict(opset_version=17, dynamo=False)
    kinds = [f"{layer}.{part}.{kind}" for layer in range(config.decoder_layers) for part in ("decoder", "encoder") for kind in ("key", "value")]
    names = ["output_sequence", "speaker_embeddings", "encoder_hidden_states", "encoder_attention_mask"]
    outs = ["output_sequence_out", "spectrum", "prob"]
    given = (torch.randn(1, 3, mel), torch.randn(1, config.speaker_embedding_dim), torch.randn(1, 9, config.hidden_size), torch.ones(1, 9, dtype=torch.long))
    axes = {"output_sequence": {1: "told"}, "encoder_hidden_states": {1: "read"}, "encoder_attention_mask": {1: "read"}}
    past = [torch.randn(1, heads, 2 if ".decoder." in kind else 9, width) for kind in kinds]
    axes |= {f"past_key_values.{kind}": {2: "past" if ".decoder." in kind else "read"} for kind in kinds}
    with torch.no_grad():
        torch.onnx.export(Encoder(model), (torch.ones(1, 9, dtype=torch.long),), str(folder / "encoder_model.onnx"), input_names=["input_ids"], output_names=["encoder_outputs", "encoder_attention_mask"], dynamic_axes={"input_ids": {1: "read"}}, **common)
        torch.onnx.export(Decoder(model), given, str(folder / "first.onnx"), input_names=names, output_names=[*outs, *(f"present.{kind}" for kind in kinds)], dynamic_axes=axes, **common)
        later = [f"present.{kind}" for kind in kinds if ".decoder." in kind]
        torch.onnx.export(Decoder(model), (*given, *past), str(folder / "later.onnx"), input_names=[*names, *(f"past_key_values.{kind}" for kind in kinds)], output_names=[*outs, *later], dynamic_axes=axes, **common)
        torch.onnx.export(Vocoder(model, vocoder), (torch.randn(7, mel),), str(folder / "decoder_postnet_and_vocoder.onnx"), input_names=["spectrogram"], output_names=["waveform"], dynamic_axes={"spectrogram": {0: "frames"}, "waveform": {0: "samples"}}, **common)
    merge(folder / "first.onnx", folder / "later.onnx", folder / "decoder_model_merged.onnx", config.decoder_layers, heads, width)
    for name in ("first", "later"):
        (folder / f"{name}.onnx").unlink()
    slim(folder / "encoder_model.onnx")
    slim(folder / "decoder_postnet_and_vocoder.onnx")


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "voices").mkdir(parents=True)
    core = make_tokenizer()
    core.save(str(HERE / "tokenizer.json"))
    write_json(HERE / "tokenizer_config.json", {"tokenizer_class": "SpeechT5Tokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "clean_up_tokenization_spaces": False, "model_max_length": 600})
    torch.manual_seed(11)
    config = SpeechT5Config(
        vocab_size=core.get_vocab_size(), hidden_size=16, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, encoder_max_relative_position=8,
        num_mel_bins=8, reduction_factor=2, speaker_embedding_dim=12, speech_decoder_prenet_units=16, speech_decoder_postnet_layers=2, speech_decoder_postnet_units=8, max_speech_positions=400, max_text_positions=200, initializer_range=0.3,
    )
    model = SpeechT5ForTextToSpeech(config).eval()
    with torch.no_grad():
        model.speech_decoder_postnet.prob_out.weight.mul_(4)
        model.speech_decoder_postnet.prob_out.bias.fill_(STOP)
    vocoder = SpeechT5HifiGan(SpeechT5HifiGanConfig(model_in_dim=8, upsample_initial_channel=16, upsample_rates=[4, 4], upsample_kernel_sizes=[8, 8], resblock_kernel_sizes=[3], resblock_dilation_sizes=[[1, 3]], initializer_range=0.2)).eval()
    type(model.speecht5.decoder.prenet)._consistent_dropout = lambda self, embeds, p: embeds
    settings = {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")}
    write_json(HERE / "config.json", settings)
    voices = {name: torch.randn(1, 12) for name in VOICES}
    voices["clear"].numpy().tofile(HERE / "voices" / "clear.bin")
    np.save(HERE / "voices" / "warm.npy", voices["warm"].numpy()[0])
    cases = []
    for text in TEXTS:
        for name, voice in voices.items():
            ids = core.encode(text).ids
            with torch.no_grad():
                spectrogram = model.generate_speech(torch.tensor([ids]), voice)
                waveform = vocoder(spectrogram)
            cases.append({"text": text, "voice": name, "ids": ids, "frames": len(spectrogram), "spectrogram": [round(float(v), 6) for v in spectrogram.flatten()[::7]], "length": len(waveform), "samples": [round(float(v), 6) for v in waveform[::5]]})
    (HERE / "cases.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")
    modeling_speecht5.create_causal_mask = lambda **_: None
    modeling_speecht5.create_bidirectional_mask = lambda **given: (1.0 - given["attention_mask"].float())[:, None, None, :] * -1e9 if "encoder_hidden_states" in given else None
    export(model, vocoder)
    print(sum(f.stat().st_size for f in HERE.rglob("*") if f.is_file()) // 1000, "kB")
    print([(c["text"], c["voice"], c["frames"], c["length"], max(map(abs, c["samples"]))) for c in cases])


if __name__ == "__main__":
    main()
