"""Tiny random-weight language models of several families in the layout of transformers.js, and what Python says of them.

Run in an environment with ../requirements.txt: `python make.py [family...]`. Each family's folder gets config.json,
generation_config.json, tokenizer.json, tokenizer_config.json, onnx/model.onnx and cases.json (renderings of its chat template,
token ids, greedy answers, logits of the first step).
"""

import json
import shutil
import sys
from pathlib import Path

import onnx
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, DynamicCache

import templates
from grouped import export_grouped

HERE = Path(__file__).resolve().parent
BYTES = [f"<0x{i:02X}>" for i in range(256)]
TEXT = [
    "You are a helpful assistant. What colour is the circle? The circle is red and the square is blue.",
    "Hello there! How are you today? I am fine, thank you. The weather in Paris is sunny and warm.",
    'Call a function with JSON like {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}} please.',
    "Les étoiles sont vertes, 世界 is the world, naïve café — 12345 numbers and newlines\n\nfollow here.",
]
LLAMA3_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN_WORDS = LLAMA3_WORDS.replace(r"\p{N}{1,3}", r"\p{N}")


def byte_level(special, words, merges=120):
    """Byte pairs over bytes written as letters: LLaMA 3, Qwen, SmolLM, Phi-4."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(words), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    return tokenizer


def metaspace(special, prefix, merges=120):
    """Byte pairs over letters with ▁ for spaces and <0xNN> for what is no letter: LLaMA 2, Phi-3 (a ▁ before all text), Gemma."""
    trained = Tokenizer(models.BPE(byte_fallback=True))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trained.train_from_iterator([t.replace("世界", "") for t in TEXT], trainers.BpeTrainer(vocab_size=60 + merges, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    entries = [*special, *BYTES, *sorted(model["vocab"], key=model["vocab"].get)]
    vocab = {entry: i for i, entry in enumerate(entries)}
    merged = [tuple(m) for m in model["merges"]]
    unknown = "<unk>"
    tokenizer = Tokenizer(models.BPE(vocab, merged, byte_fallback=True, unk_token=unknown, fuse_unk=True))
    replace = normalizers.Replace(" ", "▁")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace]) if prefix else replace
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefix else steps)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    return tokenizer


def begins(tokenizer, token):
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, tokenizer.token_to_id(token))])
    return tokenizer


SIZE = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, initializer_range=0.25, max_position_embeddings=1024)
LLAMA3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>"]
CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>", "</tool_call>"]
GEMMA = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"]
PHI = ["<unk>", "<s>", "</s>", "<|endoftext|>", "<|assistant|>", "<|system|>", "<|user|>", "<|end|>"]

FAMILIES = {
    "llama": dict(
        config=dict(model_type="llama", num_key_value_heads=2, rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 128}, tie_word_embeddings=True),
        tokenizer=lambda: begins(byte_level(LLAMA3, LLAMA3_WORDS), "<|begin_of_text|>"),
        template=templates.LLAMA, bos="<|begin_of_text|>", eos=["<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"], pad="<|end_of_text|>",
    ),
    "qwen2": dict(
        config=dict(model_type="qwen2", num_key_value_heads=2, tie_word_embeddings=True),
        tokenizer=lambda: byte_level(CHATML, QWEN_WORDS),
        template=templates.CHATML, bos=None, eos=["<|im_end|>", "<|endoftext|>"], pad="<|endoftext|>",
    ),
    "qwen3": dict(
        config=dict(model_type="qwen3", num_key_value_heads=2, head_dim=16, tie_word_embeddings=True),
        tokenizer=lambda: byte_level(CHATML, QWEN_WORDS),
        template=templates.CHATML, bos=None, eos=["<|im_end|>", "<|endoftext|>"], pad="<|endoftext|>", logits_to_keep=True,
    ),
    "gemma2": dict(
        config=dict(model_type="gemma2", num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=16, sliding_window=16, tie_word_embeddings=False, final_logit_softcapping=30.0, attn_logit_softcapping=50.0),
        tokenizer=lambda: begins(metaspace(GEMMA, prefix=False), "<bos>"),
        template=templates.GEMMA2, bos="<bos>", eos=["<eos>", "<end_of_turn>"], pad="<pad>",
    ),
    "gemma3": dict(
        config=dict(model_type="gemma3_text", tie_word_embeddings=False, num_key_value_heads=1, head_dim=16, query_pre_attn_scalar=16, sliding_window=16, layer_types=["sliding_attention", "full_attention"]),
        tokenizer=lambda: begins(metaspace(GEMMA, prefix=False), "<bos>"),
        template=templates.GEMMA3, bos="<bos>", eos=["<eos>", "<end_of_turn>"], pad="<pad>",
    ),
    "phi3": dict(
        config=dict(model_type="phi3", num_key_value_heads=4, sliding_window=None),
        tokenizer=lambda: metaspace(PHI, prefix=True),
        template=templates.PHI3, bos="<s>", eos=["<|end|>", "<|endoftext|>"], pad="<|endoftext|>",
    ),
    "phi": dict(
        config=dict(model_type="phi", num_key_value_heads=4, partial_rotary_factor=0.5),
        tokenizer=lambda: byte_level(["<|endoftext|>"], LLAMA3_WORDS),
        template=None, bos="<|endoftext|>", eos=["<|endoftext|>"], pad="<|endoftext|>",
    ),
    "grouped-attention": dict(
        config=dict(model_type="llama", num_key_value_heads=2, hidden_size=64, tie_word_embeddings=False),
        tokenizer=lambda: byte_level(CHATML, QWEN_WORDS, merges=40),
        template=templates.CHATML, bos=None, eos=["<|im_end|>"], pad="<|endoftext|>", grouped=True,
    ),
    "without-positions": dict(
        config=dict(model_type="llama", num_key_value_heads=4, tie_word_embeddings=True),
        tokenizer=lambda: byte_level(CHATML, QWEN_WORDS, merges=40),
        template=templates.CHATML, bos=None, eos=["<|im_end|>"], pad="<|endoftext|>", position_ids=False,
    ),
}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


class Decoder(nn.Module):
    """The names and masks of optimum's export: a 2-D mask over past and new tokens, one key and value a layer."""

    def __init__(self, model, position_ids, logits_to_keep):
        super().__init__()
        self.model, self.position_ids, self.logits_to_keep = model, position_ids, logits_to_keep

    def forward(self, *given):
        given = list(given)
        input_ids, attention_mask = given.pop(0), given.pop(0)
        positions = given.pop(0) if self.position_ids else None
        keep = given.pop(0) if self.logits_to_keep else None
        cache = DynamicCache()
        for layer in range(len(given) // 2):
            cache.update(given[2 * layer], given[2 * layer + 1], layer)
        new, total = input_ids.shape[1], attention_mask.shape[1]
        past = given[0].shape[2]
        if positions is None:
            positions = torch.arange(new)[None] + past
        column = torch.arange(total)[None, None, None]
        row = (torch.arange(new) + past)[None, None, :, None]
        seen = (column <= row) & (attention_mask[:, None, None, :] != 0)
        low = torch.finfo(torch.float32).min
        mask = torch.where(seen, 0.0, low)
        config = self.model.config
        kinds = set(getattr(config, "layer_types", None) or [])
        if "sliding_attention" in kinds:
            mask = {"full_attention": mask, "sliding_attention": torch.where(seen & (row - column < config.sliding_window), 0.0, low)}
        elif config.model_type in ("qwen2", "qwen3"):
            mask = {"full_attention": mask}
        hidden = self.model.model(input_ids=input_ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True).last_hidden_state
        if keep is not None:
            hidden = hidden[:, -keep:, :]
        logits = self.model.lm_head(hidden)
        cap = getattr(config, "final_logit_softcapping", None)
        if cap:
            logits = torch.tanh(logits / cap) * cap
        return logits, *(t for layer in cache.layers for t in (layer.keys, layer.values))


def export(model, path, position_ids, logits_to_keep):
    config = model.config
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    past = 3
    names, args, axes = ["input_ids", "attention_mask"], [torch.ones(2, 4, dtype=torch.long), torch.ones(2, past + 4, dtype=torch.long)], {}
    axes = {"input_ids": {0: "batch_size", 1: "sequence_length"}, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}, "logits": {0: "batch_size", 1: "sequence_length"}}
    if position_ids:
        names.append("position_ids")
        args.append(torch.arange(past, past + 4)[None].repeat(2, 1))
        axes["position_ids"] = {0: "batch_size", 1: "sequence_length"}
    if logits_to_keep:
        names.append("num_logits_to_keep")
        args.append(torch.tensor(1))
    outputs = ["logits"]
    for layer in range(config.num_hidden_layers):
        for kind in ("key", "value"):
            names.append(f"past_key_values.{layer}.{kind}")
            outputs.append(f"present.{layer}.{kind}")
            args.append(torch.randn(2, heads, past, width))
            axes[names[-1]] = {0: "batch_size", 2: "past_sequence_length"}
            axes[outputs[-1]] = {0: "batch_size", 2: "total_sequence_length"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(Decoder(model, position_ids, logits_to_keep).eval(), tuple(args), str(path), input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    slim(path)


def slim(path):
    """Short names for everything inside."""
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


TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}}}]
CONVERSATIONS = {
    "one": [{"role": "user", "content": "What colour is the circle?"}],
    "turns": [{"role": "user", "content": "Hello there!"}, {"role": "assistant", "content": "  How are you? "}, {"role": "user", "content": "naïve 世界 — fine\n\nthanks"}],
    "system": [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Hello"}],
    "tools": [{"role": "user", "content": "Weather in Paris?"}],
    "tool-turns": [
        {"role": "user", "content": "Weather in Paris?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    ],
}
TEXTS = ["Hello there! How are you?", "  two  spaces and\n\nlines\t", "naïve café 世界 — 12345", "<b>no special</b> {\"name\": 1}", "🙂🙃", "don't you're it'S", ""]


def cases_of(model, tokenizer):
    renderings, answers = [], []
    for name, messages in CONVERSATIONS.items():
        tools = TOOLS if name.startswith("tool") else None
        if tokenizer.chat_template is None:
            continue
        try:
            text = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, tokenize=False)
        except Exception as error:
            renderings.append({"name": name, "messages": messages, "tools": tools, "error": str(error)})
            continue
        renderings.append({"name": name, "messages": messages, "tools": tools, "text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]})
        if name in ("one", "turns", "system"):
            answers.append(answer_of(model, tokenizer, renderings[-1]["ids"], {"messages": messages}))
    for text in TEXTS[:2]:
        answers.append(answer_of(model, tokenizer, tokenizer(text)["input_ids"], {"prompt": text, "raw": True}))
    texts = [{"text": t, "ids": tokenizer(t)["input_ids"], "bare": tokenizer(t, add_special_tokens=False)["input_ids"]} for t in TEXTS]
    decoded = [{"ids": c["bare"], "text": tokenizer.decode(c["bare"], skip_special_tokens=True, clean_up_tokenization_spaces=False)} for c in texts]
    return {"renderings": renderings, "answers": answers, "texts": texts, "decoded": decoded}


def answer_of(model, tokenizer, ids, asked):
    given = torch.tensor([ids])
    with torch.no_grad():
        full = model.generate(given, attention_mask=torch.ones_like(given), do_sample=False, max_new_tokens=24)
        logits = model(given).logits[0, -1]
    new = full[0, len(ids):].tolist()
    text = tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return {**asked, "ids": ids, "new": new, "text": text, "logits": [round(v, 5) for v in logits.tolist()]}


def make(name):
    family = FAMILIES[name]
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    core = family["tokenizer"]()
    folder.mkdir()
    core.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": family["eos"][0], "pad_token": family["pad"], "clean_up_tokenization_spaces": False, "model_max_length": 1024}
    if family["bos"]:
        config["bos_token"] = family["bos"]
    if family["template"]:
        config["chat_template"] = family["template"]
    write_json(folder / "tokenizer_config.json", config)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    eos = [core.token_to_id(t) for t in family["eos"]]
    ids = dict(bos_token_id=core.token_to_id(family["bos"]) if family["bos"] else None, eos_token_id=eos, pad_token_id=core.token_to_id(family["pad"]))
    torch.manual_seed(sum(map(ord, name)))
    given = {**SIZE, **family["config"], **ids, "vocab_size": core.get_vocab_size()}
    settings = AutoConfig.for_model(given.pop("model_type"), **given)
    settings._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(settings, attn_implementation="eager").eval().float()
    model.generation_config.update(**ids)
    write_json(folder / "config.json", {k: v for k, v in json.loads(settings.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    write_json(folder / "generation_config.json", {"do_sample": False, **ids})
    (folder / "cases.json").write_text(json.dumps(cases_of(model, tokenizer), ensure_ascii=False) + "\n", encoding="utf-8")
    if family.get("grouped"):
        export_grouped(model, folder / "onnx" / "model.onnx")
    else:
        export(model, folder / "onnx" / "model.onnx", family.get("position_ids", True), family.get("logits_to_keep", False))
    print(name, core.get_vocab_size(), "tokens", sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB")


if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        make(name)
