"""A tiny random-weight MusicGen in the layout of transformers.js, mono and stereo, and what Python's transformers composes with it.

Run in an environment with ../requirements.txt: `python musicgen.py`. Writes musicgen/ (all of the mono model) and musicgen-stereo/
(only what is otherwise in the stereo one), each with cases.json: token ids of prompts, codes (greedy ones, and drawn ones by
the generator of sample.ts), some samples of the sound. The merged
decoder is as optimum writes it: one graph, `use_cache_branch` chooses, and the branch with a cache gives no keys of the text.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import nn
from transformers import EncodecConfig, MusicgenConfig, MusicgenForConditionalGeneration, T5Config
from transformers.cache_utils import DynamicCache, EncoderDecoderCache
from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

sys.path += [str(Path(__file__).resolve().parent.parent / name) for name in ("language", "families")]
import tiny  # noqa: E402
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent
PROMPTS = ["a cat and a big red square", "the small star"]
CODES, WIDTH, HEADS, LAYERS = 64, 16, 2, 2
COMMON = dict(opset_version=17, dynamo=False)


class TextEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.text_encoder

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


class Decoder(nn.Module):
    """One branch: `past` is empty in the one without a cache."""

    def __init__(self, model, cached):
        super().__init__()
        self.model, self.cached = model, cached

    def forward(self, input_ids, encoder_attention_mask, encoder_hidden_states, *past):
        states = self.model.enc_to_dec_proj(encoder_hidden_states) * encoder_attention_mask[..., None]
        own, text = DynamicCache(), DynamicCache()
        for layer in range(len(past) // 4):
            own.update(*past[4 * layer : 4 * layer + 2], layer)
            text.update(*past[4 * layer + 2 : 4 * layer + 4], layer)
        cache = EncoderDecoderCache(own, text)
        out = self.model.decoder(input_ids=input_ids, encoder_hidden_states=states, encoder_attention_mask=encoder_attention_mask, cache=cache, use_cache=True)
        kept = []
        for one, other in zip(own.layers, text.layers):
            kept += [one.keys, one.values] + ([] if self.cached else [other.keys, other.values])
        return out.logits, *kept


class Codec(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.codec = model.audio_encoder

    def forward(self, audio_codes):
        return self.codec.decode(audio_codes, [None]).audio_values


def cache_names(prefix, cached=False):
    return [f"{prefix}.{layer}.{side}.{kind}" for layer in range(LAYERS) for side in (["decoder"] if cached else ["decoder", "encoder"]) for kind in ("key", "value")]


def branch(model, cached, path):
    books = model.decoder.config.num_codebooks
    names = ["input_ids", "encoder_attention_mask", "encoder_hidden_states"]
    text = 5
    args = [torch.ones(2 * books, 1 if cached else 2, dtype=torch.long), torch.tensor([[1] * text, [1] * (text - 1) + [0]]), torch.randn(2, text, model.text_encoder.config.hidden_size)]
    axes = {"input_ids": {0: "rows", 1: "new"}, "encoder_attention_mask": {0: "batch", 1: "text"}, "encoder_hidden_states": {0: "batch", 1: "text"}, "logits": {0: "rows", 1: "new"}}
    if cached:
        for name in cache_names("past_key_values"):
            names.append(name)
            args.append(torch.randn(2, HEADS, 3 if "decoder" in name else text, WIDTH // HEADS))
            axes[name] = {0: "batch", 2: "past" if "decoder" in name else "text"}
    outputs = ["logits", *cache_names("present", cached)]
    axes |= {name: {0: "batch", 2: "total" if "decoder" in name else "text"} for name in outputs[1:]}
    with torch.no_grad():
        torch.onnx.export(Decoder(model, cached).eval(), tuple(args), str(path), input_names=names, output_names=outputs, dynamic_axes=axes, **COMMON)
    graph = onnx.load(str(path)).graph
    path.unlink()
    return graph


def renamed(graph, prefix, kept):
    """Everything inside gets names of its own; inputs keep theirs, which stand for those of the graph around."""
    name_of = lambda name: name if name in kept or name == "" else f"{prefix}{name}"
    for node in graph.node:
        node.input[:], node.output[:] = [name_of(n) for n in node.input], [name_of(n) for n in node.output]
        node.name, node.doc_string = "", ""
    for weight in graph.initializer:
        weight.name = name_of(weight.name)
    return name_of


def merged(model, folder):
    first, later = (branch(model, cached, folder / "part.onnx") for cached in (False, True))
    inputs = list(later.input)
    kept = {each.name for each in inputs}
    order = ["logits", *cache_names("present")]
    branches = []
    for prefix, graph in (("a", first), ("b", later)):
        name_of = renamed(graph, prefix, kept)
        has = {each.name for each in graph.output}
        nodes, outputs = list(graph.node), []
        for name in order:
            if name not in has:  # optimum's dummies
                nodes.append(helper.make_node("Constant", [], [name_of(name)], value=helper.make_tensor("", TensorProto.FLOAT, [0, HEADS, 1, WIDTH // HEADS], [])))
            outputs.append(helper.make_empty_tensor_value_info(name_of(name)))
            outputs[-1].type.tensor_type.elem_type = TensorProto.FLOAT
        branches.append(helper.make_graph(nodes, prefix, [], outputs, initializer=list(graph.initializer)))
    choose = helper.make_node("If", ["use_cache_branch"], order, then_branch=branches[1], else_branch=branches[0])
    flag = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    whole = helper.make_graph([choose], "merged", [*inputs, flag], list(first.output))
    made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", COMMON["opset_version"])], ir_version=9)
    onnx.checker.check_model(made)
    onnx.save(made, str(folder / "decoder_model_merged.onnx"))


MULTINOMIAL = torch.multinomial


def chosen(sampling, frames, channels):
    """generate's settings; where it draws, it is made to draw as sample.ts does: of the likeliest first, a number of 53 bits for each code that counts."""
    torch.multinomial = MULTINOMIAL
    if sampling is None:
        return dict(do_sample=False)
    words = np.random.RandomState(sampling["seed"])
    word = lambda: int(words.randint(0, 2**32, dtype=np.uint64))
    step = iter(range(10**6))

    def draw(probs, num_samples):
        at = next(step)
        tokens = torch.zeros(len(probs), 1, dtype=torch.long)
        for row, shares in enumerate(probs.double().numpy()):
            if not 0 <= at - row // channels < frames:
                continue
            left = (((word() & 0x1FFFFF) << 32) + word()) * 2.0**-53
            order = sorted(np.flatnonzero(shares), key=lambda i: (-shares[i], i))
            for token in order:
                left -= shares[token] / shares.sum()
                if left < 0:
                    break
            tokens[row] = int(token)
        return tokens

    torch.multinomial = draw
    return dict(do_sample=True, **{k: v for k, v in sampling.items() if k != "seed"})


def make(folder, channels, tokenizer):
    torch.manual_seed(11)
    text = T5Config(vocab_size=128, d_model=24, d_kv=8, d_ff=32, num_layers=2, num_heads=2, dropout_rate=0.0)
    sound = EncodecConfig(
        target_bandwidths=[2.2], sampling_rate=32000, audio_channels=1, normalize=False, chunk_length_s=None, hidden_size=8, num_filters=2, num_residual_layers=1,
        upsampling_ratios=[8, 5, 4, 4], norm_type="weight_norm", codebook_size=CODES, codebook_dim=8, num_lstm_layers=1, use_causal_conv=False,
    )
    decoder = MusicgenDecoderConfig(
        vocab_size=CODES, max_position_embeddings=64, num_hidden_layers=LAYERS, ffn_dim=32, num_attention_heads=HEADS, hidden_size=WIDTH, dropout=0.0, attention_dropout=0.0,
        activation_dropout=0.0, initializer_factor=0.7, num_codebooks=4 * channels, audio_channels=channels, pad_token_id=CODES, bos_token_id=CODES, decoder_start_token_id=CODES,
    )
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=sound.to_dict(), decoder=decoder.to_dict())
    model = MusicgenForConditionalGeneration._from_config(config, attn_implementation="eager").eval()
    # Seeded anew: text encoder and codec are the same in both models.
    torch.manual_seed(12)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and not name.startswith("audio_encoder"):
                weight.normal_(0, 0.5)
        # EnCodec begins with empty codebooks and a quiet decoder.
        torch.manual_seed(13)
        for layer in model.audio_encoder.quantizer.layers:
            layer.codebook.embed.normal_(0, 2)
        for name, weight in model.audio_encoder.decoder.named_parameters():
            if weight.dim() > 1:  # original0: lengths of the rows of original1
                weight.normal_(0, 1.5 if name.endswith("original0") else 0.3)
    settings = dict(bos_token_id=CODES, pad_token_id=CODES, decoder_start_token_id=CODES, guidance_scale=3.0, max_length=64)
    for name, value in settings.items():
        setattr(model.generation_config, name, value)
    (folder / "onnx").mkdir(parents=True)
    write_json(folder / "config.json", {"model_type": "musicgen", "architectures": ["MusicgenForConditionalGeneration"], **{part: {k: v for k, v in json.loads(c.to_json_string(use_diff=False)).items() if not k.startswith("_")} for part, c in (("text_encoder", text), ("audio_encoder", sound), ("decoder", decoder))}})
    write_json(folder / "generation_config.json", settings)
    with torch.no_grad():
        merged(model, folder / "onnx")
        ids = torch.ones(2, 5, dtype=torch.long)
        names = {"input_ids": {0: "batch", 1: "text"}, "attention_mask": {0: "batch", 1: "text"}, "last_hidden_state": {0: "batch", 1: "text"}}
        torch.onnx.export(TextEncoder(model), (ids, ids), str(folder / "onnx/text_encoder.onnx"), input_names=["input_ids", "attention_mask"], output_names=["last_hidden_state"], dynamic_axes=names, **COMMON)
        torch.onnx.export(Codec(model), (torch.ones(1, 1, 4, 9, dtype=torch.long),), str(folder / "onnx/encodec_decode.onnx"), input_names=["audio_codes"], output_names=["audio_values"], dynamic_axes={"audio_codes": {1: "batch", 3: "frames"}, "audio_values": {0: "batch", 2: "samples"}}, **COMMON)
    for path in (folder / "onnx").glob("*.onnx"):
        if "merged" not in path.name:
            slim(path)
    cases = []
    drawn = dict(temperature=1.3, top_k=20, top_p=0.9)
    for prompt, guidance, frames, sampling in [(PROMPTS[0], 3.0, 30, None), (PROMPTS[0], 1.0, 12, None), (PROMPTS[1], 5.5, 21, None), (PROMPTS[1], 3.0, 24, {"seed": 5, **drawn}), (PROMPTS[0], 1.0, 18, {"seed": 6, **drawn, "top_k": 0})]:
        given = tokenizer([prompt], return_tensors="pt")
        codes = []
        decode = model.audio_encoder.decode
        model.audio_encoder.decode = lambda given, *rest, **more: (codes.append(given), decode(given, *rest, **more))[1]
        with torch.no_grad():
            sound_values = model.generate(input_ids=given.input_ids, attention_mask=given.attention_mask, guidance_scale=guidance, max_new_tokens=frames + 3, **chosen(sampling, frames, channels))
        model.audio_encoder.decode = decode
        # Of each channel [1, 1, codebooks, frames]; the generated ones lie left, right, left, right...
        books = torch.stack([c[0, 0] for c in codes], dim=1).reshape(4 * channels, -1)
        assert books.shape[1] == frames and sound_values.shape == (1, channels, frames * 640), (books.shape, sound_values.shape)
        print(prompt, guidance, "different codes:", books.unique().numel(), "loudest:", float(sound_values.abs().max()), "deviation:", float(sound_values[..., 1280:-1280].std()))
        cases.append({
            "prompt": prompt, "guidance": guidance, **({"sampling": sampling} if sampling else {}), "ids": given.input_ids[0].tolist(), "codes": books.tolist(), "length": frames * 640,
            "samples": [[round(float(v), 6) for v in channel[::37]] for channel in sound_values[0]],
        })
    (folder / "cases.json").write_text(json.dumps(cases) + "\n")


def main():
    tokenizer = None
    for name, channels in (("musicgen", 1), ("musicgen-stereo", 2)):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        tokenizer = tokenizer or tiny.t5_tokenizer(folder, 512)
        make(folder, channels, tokenizer)
        if channels == 2:
            for path in [folder / "onnx/text_encoder.onnx", folder / "onnx/encodec_decode.onnx"]:
                assert path.read_bytes() == (HERE / "musicgen" / path.relative_to(folder)).read_bytes(), path
                path.unlink()
        print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    main()
