"""Tiny random-weight SigLIPs in the layouts of transformers.js, both towers in one graph and in one each, and what Python says of them.

Run where make.py runs: `python siglip.py`. Each folder gets its configs, tokenizer.json, graphs and cases.json (token ids, embeddings,
logits, probabilities). `siglip` has the first generation's words (sentencepiece, lower case, no punctuation), `siglip2` the second's at a
fixed resolution (Gemma's, whose tokenizer.json does not say that texts were in lower case).
"""

import json
import shutil
import string

import torch
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import AutoTokenizer, Siglip2Tokenizer, SiglipConfig, SiglipImageProcessorPil, SiglipModel

from make import HERE, TEXT, export, numbers, unigram, write_json

LENGTH, SIZE = 64, 20
TEXTS = ["a red circle", "This is a photo of The RED Circle, on a blue ground!", "naïve Café — 12345 世界", "  two  spaces\tand\nlines ", "a green star " * 30]
PICTURES = ["red-circle-on-blue.png", "purple-heart-on-white.png", "not-square.png"]


def sentencepiece(folder):
    """What transformers.js' conversion makes of SiglipTokenizer: its cleaning as steps of the normalizer."""
    core, _ = unigram()
    core.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(Regex("[" + "".join("\\" + c for c in string.punctuation) + "]"), ""), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    core.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    core.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)])
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True, "model_max_length": LENGTH, "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"})
    return AutoTokenizer.from_pretrained(folder)


def gemma(folder):
    """Byte pairs over letters with ▁ for spaces and <0xNN> for what is no letter; an end token after each text."""
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trained = Tokenizer(models.BPE(byte_fallback=True))
    trained.normalizer, trained.pre_tokenizer = normalizers.Replace(" ", "▁"), pre_tokenizers.Split("▁", "merged_with_next")
    trained.train_from_iterator([t.replace("世界", "") for t in TEXT], trainers.BpeTrainer(vocab_size=160, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    entries = [*special, *(f"<0x{i:02X}>" for i in range(256)), *sorted(model["vocab"], key=model["vocab"].get)]
    core = Tokenizer(models.BPE({entry: i for i, entry in enumerate(entries)}, [tuple(pair) for pair in model["merges"]], byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    core.normalizer, core.pre_tokenizer = normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous")
    core.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    core.post_processor = processors.TemplateProcessing(single="$A <eos>", pair="$A <eos> $B <eos>", special_tokens=[("<eos>", 1)])
    core.save(str(folder / "tokenizer.json"))
    marks = {f"{name}_token": f"<{name}>" for name in ("bos", "eos", "pad", "unk")}
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "GemmaTokenizer", "add_bos_token": False, "add_eos_token": True, "padding_side": "right", "model_max_length": 10**30, **marks})
    return Siglip2Tokenizer.from_pretrained(folder)


class Tower(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, given):
        out = self.model(given)
        return out.last_hidden_state, out.pooler_output


class Both(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values):
        out = self.model(input_ids=input_ids, pixel_values=pixel_values)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds


def make(folder, words_of, resample):
    folder.mkdir(parents=True)
    words = words_of(folder)
    pixels = {"image_processor_type": "SiglipImageProcessor", "do_resize": True, "size": {"height": SIZE, "width": SIZE}, "resample": resample, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    write_json(folder / "preprocessor_config.json", pixels)
    # As on the Hub, which leaves out what has its default: the length of 64 among it.
    write_json(folder / "config.json", {"model_type": "siglip", "architectures": ["SiglipModel"], "text_config": {"model_type": "siglip_text_model"}, "vision_config": {"model_type": "siglip_vision_model", "image_size": SIZE, "hidden_size": 16}})
    towers = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2)
    config = SiglipConfig(text_config=dict(**towers, vocab_size=len(words), max_position_embeddings=LENGTH, projection_size=16), vision_config=dict(**towers, image_size=SIZE, patch_size=10), attn_implementation="eager")
    model = SiglipModel(config).eval()
    for weights in model.parameters():
        nn.init.normal_(weights, std=0.5)
    nn.init.constant_(model.logit_scale, 3.0)
    nn.init.constant_(model.logit_bias, 5.0)
    given = words(TEXTS, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids
    processor = SiglipImageProcessorPil(**{k: v for k, v in pixels.items() if k != "image_processor_type"})
    shown = processor([Image.open(HERE.parent / "demo-clip" / n).convert("RGB") for n in PICTURES], return_tensors="pt").pixel_values
    sizes = {"input_ids": {0: "text_batch", 1: "sequence"}, "pixel_values": {0: "image_batch", 2: "height", 3: "width"}}
    results = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
    own = ["last_hidden_state", "pooler_output"]
    for name, tower, port, example in [("text", model.text_model, "input_ids", given), ("vision", model.vision_model, "pixel_values", shown)]:
        export(Tower(tower), (example,), folder / f"onnx/{name}_model.onnx", [port], own, {port: sizes[port]} | {each: {0: "batch"} for each in own})
    export(Both(model), (given, shown), folder / "onnx/model.onnx", ["input_ids", "pixel_values"], results, sizes | {results[0]: {0: "image_batch", 1: "text_batch"}, results[1]: {0: "text_batch", 1: "image_batch"}, results[2]: {0: "text_batch"}, results[3]: {0: "image_batch"}})
    with torch.no_grad():
        out = model(input_ids=given, pixel_values=shown)
        return {
            "texts": TEXTS, "ids": [words(t).input_ids for t in TEXTS], "text_embeds": numbers(model.text_model(given).pooler_output),
            "pictures": PICTURES, "image_embeds": numbers(model.vision_model(shown).pooler_output),
            "logits": numbers(out.logits_per_image), "probabilities": numbers(torch.sigmoid(out.logits_per_image)),
        }


if __name__ == "__main__":
    for name, words_of, resample in [("siglip", sentencepiece, 3), ("siglip2", gemma, 2)]:
        torch.manual_seed(sum(map(ord, name)))
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "cases.json").write_text(json.dumps(make(folder, words_of, resample), ensure_ascii=False) + "\n", encoding="utf-8")
        print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")
