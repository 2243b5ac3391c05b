"""Tiny random-weight models that embed and rerank, in the layout of transformers.js, and what Python says of them.

Run in an environment with ../requirements.txt and sentencepiece 0.2.3: `python make.py [family...]`. Each family's folder gets its
configs, tokenizer.json, graphs and cases.json (token ids, embeddings, scores). Pooling, prompts, dimensions and scores follow
sentence-transformers' Pooling, Normalize, `encode(truncate_dim=...)` and CrossEncoder.
"""

import io
import json
import shutil
import sys
from pathlib import Path

import onnx
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import (
    AutoTokenizer, BertConfig, BertForSequenceClassification, BertModel, CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig,
    CLIPVisionModelWithProjection, DynamicCache, Qwen3Config, Qwen3Model, XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaModel,
)

HERE = Path(__file__).resolve().parent
TEXT = [
    "What is the capital of France? Paris is the capital and largest city of France.",
    "How do I bake bread? Mix flour, water, salt and yeast; let it rise and bake it for forty minutes.",
    "The red circle lies on a blue ground, left of the green star. Where is the square?",
    "Les étoiles sont vertes, naïve café, 世界 is the world — 12345 numbers and words.",
    "A query and a passage, a document and a question: retrieve relevant passages that answer it.",
]
QUERY = "What is the capital of France?"
TEXTS = [
    QUERY, "Paris is the capital and largest city of France, on the river Seine.", "bake BREAD", "naïve Café ÉTOILES 世界 — 12345", "  two  spaces\tand\nlines ",
    "[SEP] <s> <mask> no special", "a", "don't ﬁnd ＡＢＣ x\u00a0y \u00bd e\u0301t e\u0301 ½", "🙂 star",
]
DOCUMENTS = [TEXTS[1], "How do I bake bread? Mix flour, water, salt and yeast.", "the red circle", "世界", "France " * 12]
PROMPTS = {"query": "query: ", "document": "passage: "}
MAX = 64


def wordpiece():
    """BERT's, uncased."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(TEXT, trainers.WordPieceTrainer(vocab_size=180, special_tokens=special, show_progress=False))
    marks = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=marks)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, dict(model_input_names=["input_ids", "token_type_ids", "attention_mask"], cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]")


def unigram():
    """XLM-RoBERTa's: sentencepiece's characters map (a small one of its own) and pieces with a score."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    rules = ["FF21\t41", "FF22\t42", "FB01\t66 69", "A0\t20", "9\t20", "A\t20", "BD\t31 2044 32", "65 301\tE9", "65 301 74\t45 54", "2014\t2D 2D", "200B\t"]
    table = HERE / "rules.tsv"
    table.write_text("\n".join(rules) + "\n")
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXT), model_writer=trained, vocab_size=95, normalization_rule_tsv=str(table), character_coverage=1.0, minloglevel=2, add_dummy_prefix=True)
    table.unlink()
    proto = sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue())
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = [(piece.piece, piece.score) for piece in proto.pieces if piece.type == 1]
    tokenizer = Tokenizer(models.Unigram([*special, *pieces, ("<mask>", 0.0)], unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False, lstrip=t == "<mask>") for t in ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]])
    return tokenizer, dict(bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>")


def bytepairs():
    """Qwen3-Embedding's: an end token after each text."""
    words = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(words), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=340, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in ["<|endoftext|>", "<|im_end|>"]])
    end = ("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="$A <|endoftext|>", pair="$A $B <|endoftext|>", special_tokens=[end])])
    return tokenizer, dict(eos_token="<|im_end|>", pad_token="<|endoftext|>")


SIZE = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.3)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def save_words(folder, core, special, max_length=MAX):
    folder.mkdir(parents=True)
    core.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_length, **special})
    return AutoTokenizer.from_pretrained(folder)


def save_config(folder, config, architecture):
    settings = {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")}
    write_json(folder / "config.json", {**settings, "architectures": [architecture]})


def mask_of(attention_mask):
    """What BERT makes of a mask of two dimensions; written out, as the exporter cannot trace transformers' own."""
    return torch.where(attention_mask[:, None, None, :] != 0, 0.0, torch.finfo(torch.float32).min)


class Encoder(nn.Module):
    def __init__(self, model, has_types, output):
        super().__init__()
        self.model, self.has_types, self.output = model, has_types, output

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        types = dict(token_type_ids=token_type_ids) if self.has_types else {}
        return getattr(self.model(input_ids=input_ids, attention_mask=mask_of(attention_mask).expand(-1, 1, input_ids.shape[1], -1), **types), self.output)


def export_encoder(model, path, has_types, output):
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if has_types else [])]
    args = tuple(torch.ones(2, 5, dtype=torch.long) * (name != "token_type_ids") * (4 if name == "input_ids" else 1) for name in names)
    axes = {name: {0: "batch_size", 1: "sequence_length"} for name in names} | {output: {0: "batch_size", **({1: "sequence_length"} if output == "last_hidden_state" else {})}}
    export(Encoder(model, has_types, output), args, path, names, [output], axes)


def export(module, args, path, inputs, outputs, axes):
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(module.eval(), args, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    graph = onnx.load(str(path))
    kept = {each.name for each in [*graph.graph.input, *graph.graph.output]}
    short = {}
    rename = lambda name: name if name in kept or name == "" else short.setdefault(name, f"t{len(short)}")
    for node in graph.graph.node:
        node.input[:], node.output[:] = [rename(n) for n in node.input], [rename(n) for n in node.output]
        node.name, node.doc_string = "", ""
    for weight in graph.graph.initializer:
        weight.name = rename(weight.name)
    del graph.graph.value_info[:]
    onnx.save(graph, str(path))


numbers = lambda rows: [[round(float(v), 6) for v in row] for row in rows]


def pooled(hidden, mask, kind):
    """sentence_transformers.models.Pooling; rows padded on the right."""
    if kind == "cls":
        return hidden[:, 0]
    if kind == "last":
        return hidden[torch.arange(len(hidden)), mask.sum(1) - 1]
    weight = mask[..., None].float()
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)


def embeddings(model, tokenizer, texts, kinds):
    words = tokenizer(texts, padding=True, padding_side="right", truncation=True, max_length=MAX, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**words).last_hidden_state
    result = {kind: numbers(pooled(hidden, words.attention_mask, kind)) for kind in kinds}
    return {"texts": texts, "ids": [tokenizer(t).input_ids for t in texts], "embeddings": result}


def scores(model, tokenizer):
    pairs = [[QUERY, document] for document in DOCUMENTS]
    words = tokenizer(*zip(*pairs), padding=True, padding_side="right", truncation=True, max_length=MAX, return_tensors="pt")
    with torch.no_grad():
        logits = model(**words).logits[:, 0]
    whole = [tokenizer(*pair) for pair in pairs]
    cut = [[tokenizer(a, b, truncation=True, max_length=n).input_ids for n in (9, 12, 15, 20)] for a, b in [pairs[1], ["a", DOCUMENTS[4]], [DOCUMENTS[4], "a"]]]
    return {"query": QUERY, "documents": DOCUMENTS, "ids": [w.input_ids for w in whole], "types": [w.get("token_type_ids") for w in whole], "logits": [round(float(v), 6) for v in logits], "scores": [round(float(v), 6) for v in torch.sigmoid(logits)],
            "cut": {"pairs": [pairs[1], ["a", DOCUMENTS[4]], [DOCUMENTS[4], "a"]], "lengths": [9, 12, 15, 20], "ids": cut}}


def sentence_transformer(folder, pooling, prompts):
    """The files by which sentence-transformers knows a model."""
    kind = "sentence_transformers.models"
    write_json(folder / "modules.json", [{"idx": i, "name": str(i), "path": path, "type": f"{kind}.{name}"} for i, (path, name) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])])
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": SIZE["hidden_size"], "pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean", "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False, "pooling_mode_weightedmean_tokens": False, "pooling_mode_lasttoken": pooling == "last", "include_prompt": True})
    write_json(folder / "config_sentence_transformers.json", {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"})
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": MAX, "do_lower_case": False})


def one_label(config):
    given = {k: v for k, v in config.to_dict().items() if k not in ("id2label", "label2id", "num_labels")}
    return type(config)(**given, num_labels=1, attn_implementation="eager")


def bert(folder):
    tokenizer = save_words(folder, *wordpiece())
    config = BertConfig(**SIZE, vocab_size=len(tokenizer), max_position_embeddings=MAX, attn_implementation="eager")
    model = BertModel(config, add_pooling_layer=False).eval()
    ranker = BertForSequenceClassification(one_label(config)).eval()
    save_config(folder, config, "BertModel")
    sentence_transformer(folder, "mean", PROMPTS)
    export_encoder(model, folder / "onnx/model.onnx", True, "last_hidden_state")
    export_encoder(ranker, folder / "onnx/rerank.onnx", True, "logits")
    asked = embeddings(model, tokenizer, TEXTS, ["mean", "cls"])
    return {**asked, "queries": embeddings(model, tokenizer, [PROMPTS["query"] + t for t in TEXTS], ["mean"])["embeddings"], "rerank": scores(ranker, tokenizer)}


def xlm_roberta(folder):
    tokenizer = save_words(folder, *unigram())
    config = XLMRobertaConfig(**SIZE, vocab_size=len(tokenizer), max_position_embeddings=MAX + 2, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1, attn_implementation="eager")
    model = XLMRobertaModel(config, add_pooling_layer=False).eval()
    ranker = XLMRobertaForSequenceClassification(one_label(config)).eval()
    save_config(folder, config, "XLMRobertaModel")
    sentence_transformer(folder, "cls", {})
    export_encoder(model, folder / "onnx/model.onnx", False, "last_hidden_state")
    export_encoder(ranker, folder / "onnx/rerank.onnx", False, "logits")
    return {**embeddings(model, tokenizer, TEXTS, ["mean", "cls"]), "rerank": scores(ranker, tokenizer)}


class Cached(nn.Module):
    """A decoder's export without its head: keys and values go in and out, as optimum writes them."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids, *past):
        cache = DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        new, total, before = input_ids.shape[1], attention_mask.shape[1], past[0].shape[2]
        seen = (torch.arange(total)[None, None, None] <= (torch.arange(new) + before)[None, None, :, None]) & (attention_mask[:, None, None, :] != 0)
        mask = {"full_attention": torch.where(seen, 0.0, torch.finfo(torch.float32).min)}
        hidden = self.model(input_ids=input_ids, attention_mask=mask, position_ids=position_ids, past_key_values=cache, use_cache=True).last_hidden_state
        return hidden, *(t for layer in cache.layers for t in (layer.keys, layer.values))


def qwen3(folder):
    tokenizer = save_words(folder, *bytepairs())
    config = Qwen3Config(**SIZE, vocab_size=len(tokenizer), num_key_value_heads=2, head_dim=8, max_position_embeddings=MAX, attn_implementation="eager")
    model = Qwen3Model(config).eval()
    save_config(folder, config, "Qwen3ForCausalLM")
    sentence_transformer(folder, "last", {"query": "Instruct: Given a question, retrieve passages that answer it\nQuery:", "document": ""})
    past = [f"past_key_values.{layer}.{kind}" for layer in range(2) for kind in ("key", "value")]
    present = [name.replace("past_key_values", "present") for name in past]
    names, outputs = ["input_ids", "attention_mask", "position_ids", *past], ["last_hidden_state", *present]
    args = (torch.ones(2, 4, dtype=torch.long), torch.ones(2, 7, dtype=torch.long), torch.arange(3, 7)[None].repeat(2, 1), *(torch.randn(2, 2, 3, 8) for _ in past))
    lengths = {"attention_mask": "total_sequence_length"}
    axes = {n: {0: "batch_size", 1: lengths.get(n, "sequence_length")} for n in ("input_ids", "attention_mask", "position_ids", "last_hidden_state")} | {n: {0: "batch_size", 2: "past_sequence_length"} for n in past} | {n: {0: "batch_size", 2: "total_sequence_length"} for n in present}
    export(Cached(model), args, folder / "onnx/model.onnx", names, outputs, axes)
    return embeddings(model, tokenizer, TEXTS, ["last", "mean"])


def clip(folder):
    """Two towers in two graphs; words by the tokenizer of the tiny CLIP in test/engine/tiny."""
    folder.mkdir(parents=True)
    tiny = HERE.parents[1] / "engine/tiny/clip"
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(tiny / name, folder / name)
    size = 16
    write_json(folder / "preprocessor_config.json", {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": size}, "crop_size": {"height": size, "width": size}})
    start, end = 512, 513
    towers = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, projection_dim=12, attn_implementation="eager")
    text = CLIPTextModelWithProjection(CLIPTextConfig(**towers, vocab_size=514, max_position_embeddings=77, bos_token_id=start, eos_token_id=end, pad_token_id=end)).eval()
    vision = CLIPVisionModelWithProjection(CLIPVisionConfig(**towers, image_size=size, patch_size=8)).eval()
    for weights in [*text.parameters(), *vision.parameters()]:
        nn.init.normal_(weights, std=0.2)
    write_json(folder / "config.json", {"model_type": "clip", "architectures": ["CLIPModel"], "projection_dim": 12, "text_config": {"max_position_embeddings": 77}})
    ids = torch.full((3, 9), end)
    lengths = [4, 9, 6]
    for row, length in enumerate(lengths):
        ids[row, 0] = start
        ids[row, 1 : length - 1] = torch.randint(0, 500, (length - 2,))
    pixels = torch.rand(2, 3, size, size)

    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = text

        def forward(self, input_ids):
            return self.model(input_ids).text_embeds

    class Vision(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = vision

        def forward(self, pixel_values):
            return self.model(pixel_values).image_embeds

    export(Text(), (ids,), folder / "onnx/text_model.onnx", ["input_ids"], ["text_embeds"], {"input_ids": {0: "batch", 1: "sequence"}, "text_embeds": {0: "batch"}})
    export(Vision(), (pixels,), folder / "onnx/vision_model.onnx", ["pixel_values"], ["image_embeds"], {"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}})
    from PIL import Image
    from transformers import CLIPTokenizer
    import transformers

    words = CLIPTokenizer.from_pretrained(str(folder))
    texts = ["a red circle", "a", "two things: a white square on the left and a black ring"]
    given = words(texts, padding=True, return_tensors="pt")
    processor = getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor)(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    names = ["red-circle-on-blue.png", "not-square.png"]
    shown = processor([Image.open(HERE.parent / "demo-clip" / n).convert("RGB") for n in names], return_tensors="pt").pixel_values
    with torch.no_grad():
        return {"texts": texts, "ids": [words(t).input_ids for t in texts], "text_embeds": numbers(text(given.input_ids).text_embeds), "pictures": names, "image_embeds": numbers(vision(shown).image_embeds)}


FAMILIES = {"bert": bert, "xlm-roberta": xlm_roberta, "qwen3": qwen3, "clip": clip}

if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        torch.manual_seed(sum(map(ord, name)))
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "cases.json").write_text(json.dumps(FAMILIES[name](folder), ensure_ascii=False) + "\n", encoding="utf-8")
        print(name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")
