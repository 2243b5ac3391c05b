"""Tiny random-weight models of each diffusion family, and their graphs with the names that optimum's export gives."""

import json
import shutil
from pathlib import Path
from unittest import mock

import onnx
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch import nn

HERE = Path(__file__).resolve().parent
WIDTH = 16  # of every text encoder
TEXT_LAYERS = 3


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def config_of(model):
    return {k: v for k, v in model.config.items() if not k.startswith("_")}


# tokenizers


def clip_tokenizer(folder, pad):
    """514 entries: bytes, bytes at a word's end, start and end. Real repositories pad with the end token or with "!" (id 0)."""
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(c) for c in [*codes, *(256 + i for i in range(68))]]
    entries = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "vocab.json", {entry: i for i, entry in enumerate(entries)})
    (folder / "merges.txt").write_text("#version: 0.2\n")
    write_json(folder / "tokenizer_config.json", {"model_max_length": 77, "pad_token": pad, "tokenizer_class": "CLIPTokenizer"})
    from transformers import CLIPTokenizer

    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77, pad_token=pad)


CORPUS = ["a big red circle on a blue background", "two small green stars at the left of a yellow square", "a photo of an astronaut riding a horse on mars, best quality"]


def t5_tokenizer(folder, length):
    """A unigram tokenizer in T5's arrangement: metaspace words, </s> at the end, pad id 0."""
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    core.train_from_iterator(CORPUS * 4, trainers.UnigramTrainer(vocab_size=120, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>"))
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", core.token_to_id("</s>"))])
    folder.mkdir(parents=True, exist_ok=True)
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"model_max_length": length, "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "tokenizer_class": "T5Tokenizer"})
    return PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=length)


# models


def lively(model):
    """Default weights barely let a prompt through; larger ones do, so that a wrong prompt is seen in the numbers."""
    for name, parameter in model.named_parameters():
        if name.endswith(".weight") and parameter.dim() > 1:
            parameter.data *= 1.6
    return model.eval()


def clip_text(projection):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(vocab_size=514, hidden_size=WIDTH, intermediate_size=32, num_hidden_layers=TEXT_LAYERS, num_attention_heads=2, projection_dim=WIDTH,
                            bos_token_id=512, eos_token_id=513, pad_token_id=513, attn_implementation="eager")
    return lively((CLIPTextModelWithProjection if projection else CLIPTextModel)(config))


def t5_encoder(width=WIDTH):
    from transformers import T5Config, T5EncoderModel

    config = T5Config(vocab_size=128, d_model=width, d_kv=8, d_ff=32, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu", dropout_rate=0.0)
    return lively(T5EncoderModel(config))


def autoencoder(channels, scaling, shift=None, quant=True):
    from diffusers import AutoencoderKL

    vae = AutoencoderKL(in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3, block_out_channels=(8, 8, 8),
                        layers_per_block=1, latent_channels=channels, norm_num_groups=4, sample_size=32, scaling_factor=scaling, shift_factor=shift, mid_block_add_attention=False,
                        use_quant_conv=quant, use_post_quant_conv=quant, force_upcast=False)
    lively(vae)
    vae.decoder.conv_out.weight.data *= 1.5
    return vae


def unet(in_channels=4, **more):
    from diffusers import UNet2DConditionModel

    return lively(UNet2DConditionModel(sample_size=8, in_channels=in_channels, out_channels=4, layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4,
                                       down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), attention_head_dim=2,
                                       **{"cross_attention_dim": WIDTH, **more}))


# graphs


class Graph(nn.Module):
    """A model behind one function, since the exporter wants a module."""

    def __init__(self, model, function):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *args):
        return self.function(self.model, *args)


def rms_norm(x, _shape, weight=None, eps=None):
    """What torch's own operator computes, which opset 17 lacks."""
    normed = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + (torch.finfo(x.dtype).eps if eps is None else eps))
    return normed if weight is None else normed * weight


def unflatten(x, dim, sizes):
    """torch's own is traced with the sizes of the example for all dimensions."""
    at = dim % x.dim()
    return x.reshape(*x.shape[:at], *sizes, *x.shape[at + 1:])


def export(path, model, function, args, inputs, outputs, node_names=False, opset=17):
    """`inputs` and `outputs`: name -> names of its dimensions, None = fixed. `node_names`: keep those of modules."""
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {i: dim for i, dim in enumerate(dims) if dim} for name, dims in (inputs | outputs).items()}
    with torch.no_grad(), mock.patch("torch.nn.functional.rms_norm", rms_norm), mock.patch("torch.Tensor.unflatten", unflatten):
        torch.onnx.export(Graph(model, function).eval(), args, str(path), input_names=list(inputs), output_names=list(outputs), dynamic_axes=axes, opset_version=opset, dynamo=False)
    slim(path, node_names)


def slim(path, node_names=False):
    """Short names for everything inside: the exporter's are longer than the weights of a tiny model."""
    model = onnx.load(str(path))
    kept = {x.name for x in [*model.graph.input, *model.graph.output]}
    short = {}

    def rename(name):
        if name == "" or name in kept:
            return name
        return short.setdefault(name, f"v{len(short)}")

    def visit(graph):
        for node in graph.node:
            node.name, node.doc_string = node.name if node_names else "", ""
            node.input[:] = [rename(n) for n in node.input]
            node.output[:] = [rename(n) for n in node.output]
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    visit(attribute.g)
        for each in graph.initializer:
            each.name = rename(each.name)
        for each in graph.output:
            each.name = rename(each.name)
        del graph.value_info[:]

    visit(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


IDS = {"input_ids": ("batch_size", "sequence_length")}
STATES = ("batch_size", "sequence_length", None)
MAP = ("batch_size", None, "height", "width")


def export_clip(folder, model, hidden_states, node_names=False, opset=17):
    pooled = "text_embeds" if hasattr(model, "text_projection") else "pooler_output"

    def run(m, ids):
        out = m(ids, output_hidden_states=True)
        return (getattr(out, pooled), out.last_hidden_state, *(out.hidden_states if hidden_states else ()))

    names = {pooled: ("batch_size", None), "last_hidden_state": STATES}
    if hidden_states:
        names |= {f"hidden_states.{i}": STATES for i in range(TEXT_LAYERS + 1)}
    export(folder / "model.onnx", model, run, (torch.ones(2, 77, dtype=torch.long),), IDS, names, node_names, opset)


def export_t5(folder, model):
    export(folder / "model.onnx", model, lambda m, ids: m(ids).last_hidden_state, (torch.ones(2, 32, dtype=torch.long),), IDS, {"last_hidden_state": STATES})


def export_vae(root, vae):
    channels = vae.config.latent_channels

    def encode(m, x):
        moments = m.encoder(x)
        return m.quant_conv(moments) if m.quant_conv is not None else moments

    def decode(m, z):
        return m.decoder(m.post_quant_conv(z) if m.post_quant_conv is not None else z)

    export(root / "vae_encoder/model.onnx", vae, encode, (torch.randn(2, 3, 32, 48),), {"sample": MAP}, {"latent_parameters": ("batch_size", None, "h", "w")})
    export(root / "vae_decoder/model.onnx", vae, decode, (torch.randn(2, channels, 8, 12),), {"latent_sample": ("batch_size", None, "h", "w")}, {"sample": MAP})
    for part in ("vae_encoder", "vae_decoder"):
        write_json(root / part / "config.json", config_of(vae))


def export_unet(folder, model, extra=(), node_names=False):
    """`extra`: further inputs as (name, dims, example), of them text_embeds and time_ids go to SDXL's added conditions."""
    names = [name for name, _, _ in extra]

    def run(m, sample, timestep, states, *rest):
        given = dict(zip(names, rest))
        added = {k: given[k] for k in ("text_embeds", "time_ids") if k in given}
        return m(sample, timestep, states, timestep_cond=given.get("timestep_cond"), added_cond_kwargs=added or None, return_dict=False)[0]

    inputs = {"sample": MAP, "timestep": (), "encoder_hidden_states": STATES} | {name: dims for name, dims, _ in extra}
    args = (torch.randn(2, model.config.in_channels, 8, 12), torch.tensor(500.0), torch.randn(2, 77, model.config.cross_attention_dim), *(example for _, _, example in extra))
    export(folder / "model.onnx", model, run, args, inputs, {"out_sample": MAP}, node_names)
    write_json(folder / "config.json", config_of(model))


def empty(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
