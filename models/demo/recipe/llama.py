"""Stage "llama": a language model of the world of talk.py in LLaMA's layout, from nothing.

python3 models/demo/recipe/llama.py [train] [drill] [lookup] [export] [grade]. Training goes on from its last checkpoint.

Finding what was said of one of several things is not learnt from conversations alone: train and drill leave it at chance. So
lookup starts anew from its barest form, a list of coloured things, and comes back to conversations step by step.
"""

import argparse
import json
import math
import random
import shutil
import sys
import time

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import nn
from transformers import AutoTokenizer, DynamicCache, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import talk
from common import DEMO, WORK, clean, log, save_state
from rows import CONTEXT, Encoder, batch, list_rows, message_rows, tensors

SEED = 7
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CALLS = ["<tool_call>", "</tool_call>"]
VOCABULARY = 1024
# Qwen's way to cut words: digits one by one.
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BATCH = 24
RATE = 2e-3
STAGES = ["train", "drill", "lookup", "export", "grade"]
SECONDS = {"train": 2750, "drill": 1800}
# Stage lookup: steps, the rate at their begin and end, and of every hundred steps how many have the lessons of ROWS.
LOOKUP = [
    (1500, (1e-3, 1e-3), (100, 0, 0, 0)),
    (600, (1e-3, 1e-3), (15, 60, 25, 0)),
    (800, (1e-3, 1e-3), (5, 25, 10, 60)),
    (700, (1e-3, 1e-3), (0, 25, 25, 50)),
    (800, (1e-3, 1e-3), (0, 45, 40, 15)),
    (1000, (1e-3, 6e-4), (0, 50, 40, 10)),
    (1000, (6e-4, 2e-5), (0, 40, 60, 0)),
]
LONGEST_LIST, LIST_KNOWN = 6, 0.93
ROWS = {talk.colours_of: 16, talk.interview: 6, talk.conversation: 10, talk.list_of: 16}


def words_folder():
    return WORK / "llama-tokenizer"


def texts(count, rng):
    for _ in range(count):
        messages, tools, _ = talk.conversation(rng)
        yield from (m["content"] for m in messages)
        if tools:
            yield json.dumps(tools[0])


def train_tokenizer():
    rng = random.Random(SEED)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    size = VOCABULARY - len(SPECIAL) - len(CALLS)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts(20000, rng), trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False))
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in CALLS])
    whole = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", model_max_length=CONTEXT, clean_up_tokenization_spaces=False)
    whole.chat_template = talk.TEMPLATE
    whole.save_pretrained(words_folder())


def load_tokenizer():
    if not (words_folder() / "tokenizer.json").exists():
        train_tokenizer()
    return AutoTokenizer.from_pretrained(words_folder())


def config(tokenizer):
    return LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=384, num_hidden_layers=5, num_attention_heads=4, num_key_value_heads=2, head_dim=32,
        max_position_embeddings=CONTEXT, rope_theta=10000.0, tie_word_embeddings=True, bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )


def rate(share):
    return RATE * min(1, share / 0.02) * (0.5 + 0.5 * math.cos(math.pi * share)) + 2e-5


def train(path, seconds, threads, drills=0.0, first=None):
    """Goes on from `path` where that exists, else from the weights of `first`."""
    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer()
    encode = Encoder(tokenizer)
    model = LlamaForCausalLM(config(tokenizer))
    log(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(tokenizer)} entries")
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05)
    spent, steps = 0.0, 0
    if first and not path.exists():
        model.load_state_dict(torch.load(first)["model"])
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        spent, steps = state["spent"], state["steps"]
    rng = random.Random(SEED + steps)
    body = torch.compile(model.model, dynamic=True)
    begun, saved, losses = time.time() - spent, time.time(), []
    while (spent := time.time() - begun) < seconds:
        rows = sorted(batch(encode, rng, BATCH * 4, drills), key=lambda row: len(row[0]))
        groups = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
        rng.shuffle(groups)
        for group in groups:
            given, wanted = tensors(group, tokenizer.pad_token_id)
            for each in optimizer.param_groups:
                each["lr"] = rate(min(1, (time.time() - begun) / seconds))
            hidden = body(input_ids=given).last_hidden_state[:, :-1]
            chosen = wanted[:, 1:] != -100
            loss = F.cross_entropy(model.lm_head(hidden[chosen]), wanted[:, 1:][chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            steps += 1
            losses.append(loss.item())
        if steps % 100 == 0:
            log(f"{spent:.0f} s, step {steps}, loss {sum(losses) / len(losses):.4f}")
            losses = []
        if time.time() - saved > 240:
            save_state(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "spent": spent, "steps": steps})
            saved = time.time()
    save_state(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "spent": spent, "steps": steps})


def lookup(path, first, threads):
    """The steps of LOOKUP, each part from a seed of its own, from the weights of `first`; goes on from the last part that `path` has whole.

    Lists get longer, from three things on, whenever most of the last hundred of them were answered right."""
    torch.set_num_threads(threads)
    tokenizer = load_tokenizer()
    encode = Encoder(tokenizer)
    model = LlamaForCausalLM(config(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=LOOKUP[0][1][0], betas=(0.9, 0.98), weight_decay=0.02)
    done, longest = 0, 3
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done, longest = state["done"], state["longest"]
    else:
        model.load_state_dict(torch.load(first)["model"])
    for part in range(done, len(LOOKUP)):
        steps, (rate_from, rate_to), shares = LOOKUP[part]
        rng = random.Random(SEED + 1000 * (part + 1))
        seen = {lesson: [] for lesson in ROWS}
        told = {lesson: message_rows(lesson, ROWS[lesson], encode, rng) for lesson in (talk.interview, talk.conversation)}
        for step in range(1, steps + 1):
            lesson = rng.choices(list(ROWS), shares)[0]
            if lesson == talk.colours_of:
                rows = list_rows(lesson, ROWS[lesson], longest, encode, rng)
            else:
                rows = list_rows(lesson, ROWS[lesson], rng.randrange(2, 6), encode, rng) if lesson == talk.list_of else next(told[lesson])
            given, wanted = tensors(rows, tokenizer.pad_token_id)
            for each in optimizer.param_groups:
                each["lr"] = (rate_from + (rate_to - rate_from) * step / steps) * (min(1, step / 100) if part == 0 else 1)
            chosen = wanted[:, 1:] != -100
            scores = model.lm_head(model.model(input_ids=given).last_hidden_state[:, :-1][chosen])
            loss = F.cross_entropy(scores, wanted[:, 1:][chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen[lesson].append((scores.argmax(-1) == wanted[:, 1:][chosen]).float().mean().item())
            if len(seen[talk.colours_of]) == 100:
                right = sum(seen[talk.colours_of]) / 100
                log(f"{longest} things: {right:.3f}")
                longest = min(LONGEST_LIST, longest + (right > LIST_KNOWN))
                seen[talk.colours_of] = []
            if step % 100 == 0:
                log(f"part {part}, step {step}", *(f"{lesson.__name__} {1 - sum(values) / len(values):.4f} wrong" for lesson, values in seen.items() if values and lesson != talk.colours_of))
                seen |= {lesson: [] for lesson in ROWS if lesson != talk.colours_of}
        save_state(path, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "done": part + 1, "longest": longest})


def load(tokenizer):
    model = LlamaForCausalLM(config(tokenizer))
    model.load_state_dict(clean(torch.load(WORK / "llama-final.pt")["model"]))
    return model.eval()


class Decoder(nn.Module):
    """Names and masks of optimum's export: a mask over past and new tokens, keys and values of each layer in and out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids, *past):
        cache = DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        new, total = input_ids.shape[1], attention_mask.shape[1]
        row = (torch.arange(new) + past[0].shape[2])[None, None, :, None]
        seen = (torch.arange(total)[None, None, None] <= row) & (attention_mask[:, None, None, :] != 0)
        mask = torch.where(seen, 0.0, torch.finfo(torch.float32).min)
        hidden = self.model.model(input_ids=input_ids, attention_mask=mask, position_ids=position_ids, past_key_values=cache, use_cache=True).last_hidden_state
        return self.model.lm_head(hidden), *(t for layer in cache.layers for t in (layer.keys, layer.values))


def export(folder):
    """In the layout of transformers.js. Weights keep their names of transformers, so that they can be read back."""
    tokenizer = load_tokenizer()
    settings = config(tokenizer)
    settings._attn_implementation = "eager"
    model = LlamaForCausalLM(settings)
    model.load_state_dict(load(tokenizer).state_dict())
    model.eval()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(words_folder() / name, folder / name)
    written = json.loads((folder / "tokenizer_config.json").read_text())
    written["chat_template"] = talk.TEMPLATE
    write_json(folder / "tokenizer_config.json", written)
    write_json(folder / "config.json", {k: v for k, v in settings.to_dict().items() if not k.startswith("_")})
    write_json(folder / "generation_config.json", {"do_sample": False, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id})
    names = ["input_ids", "attention_mask", "position_ids"]
    args = [torch.ones(2, 4, dtype=torch.long), torch.ones(2, 7, dtype=torch.long), torch.arange(3, 7)[None].repeat(2, 1)]
    axes = {"input_ids": {0: "batch_size", 1: "sequence_length"}, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}}
    axes |= {"position_ids": axes["input_ids"], "logits": axes["input_ids"]}
    outputs = ["logits"]
    for layer in range(settings.num_hidden_layers):
        for kind in ("key", "value"):
            names.append(f"past_key_values.{layer}.{kind}")
            outputs.append(f"present.{layer}.{kind}")
            args.append(torch.randn(2, settings.num_key_value_heads, 3, settings.head_dim))
            axes[names[-1]] = {0: "batch_size", 2: "past_sequence_length"}
            axes[outputs[-1]] = {0: "batch_size", 2: "total_sequence_length"}
    path = folder / "onnx" / "model.onnx"
    with torch.no_grad():
        torch.onnx.export(Decoder(model), tuple(args), str(path), input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False, do_constant_folding=False)
    log(f"llama: {sum(f.stat().st_size for f in folder.rglob('*') if f.is_file()) / 1e6:.2f} MB")


def read_back(folder):
    """The model that the exported graph holds, and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = LlamaForCausalLM(LlamaConfig.from_pretrained(folder))
    graph = onnx.load(str(folder / "onnx" / "model.onnx")).graph
    weights = {w.name.removeprefix("model.") if w.name.startswith("model.model.") else w.name: numpy_helper.to_array(w) for w in graph.initializer}
    state = {name: torch.from_numpy(weights[name].copy()) for name in model.state_dict() if name in weights}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, missing
    model.tie_weights()
    return model.eval(), tokenizer


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@torch.no_grad()
def answer(model, tokenizer, messages, tools, most=160):
    text = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)
    given = torch.tensor([tokenizer.encode(text, add_special_tokens=False)])
    made = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=most, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    return tokenizer.decode(made[0, given.shape[1] :], skip_special_tokens=True)


def cases(count, seed):
    """Held-out questions: about scenes that training never has."""
    rng = random.Random(seed + 100_000)
    for _ in range(count):
        yield talk.conversation(rng, held_out=True)


@torch.no_grad()
def score(model, tokenizer, count, seed, failures=None):
    """Share of answers that are right word for word, and right and asked by kind. The assistant's earlier turns are as they should have been.

    Greedy decoding says the right answer if and only if each of its tokens is the likeliest after those before it: one pass grades a
    whole conversation."""
    model.eval()
    encode = Encoder(tokenizer)
    kinds = {}
    for messages, tools, asked in cases(count, seed):
        ids, mine = encode(messages, tools)
        given = torch.tensor(ids)
        likeliest = model(given[None]).logits[0].argmax(-1)
        begins = [i for i in range(1, len(ids)) if mine[i] and not mine[i - 1]]
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        for kind, begin, turn in zip(asked, begins, turns, strict=True):
            end = begin + mine[begin:].index(0)
            right = torch.equal(likeliest[begin - 1 : end - 1], given[begin:end])
            before, all_of_it = kinds.get(kind, (0, 0))
            kinds[kind] = (before + right, all_of_it + 1)
            if failures is not None and not right:
                failures.append((messages[:turn], tools, messages[turn]["content"]))
    return sum(r for r, _ in kinds.values()) / sum(n for _, n in kinds.values()), kinds


def grade(count):
    model, tokenizer = read_back(DEMO / "llama")
    failures = []
    share, kinds = score(model, tokenizer, count, SEED, failures)
    for kind, (right, asked) in sorted(kinds.items()):
        log(f"{kind:14} {right} of {asked}")
    for before, tools, wanted in failures[:8]:
        log(f"{before[-1]['content']!r}: wanted {wanted!r}, said {answer(model, tokenizer, before, tools)!r}")
    log(f"right word for word: {100 * share:.1f} % of {sum(n for _, n in kinds.values())} held-out questions")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=STAGES, nargs="*", default=STAGES)
    parser.add_argument("--scale", type=float, default=1.0, help="of the time that stages of training take")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--count", type=int, default=1500, help="of held-out conversations")
    given = parser.parse_args()
    if "train" in given.what:
        train(WORK / "llama.pt", SECONDS["train"] * given.scale, given.threads)
    if "drill" in given.what:
        train(WORK / "llama-drill.pt", SECONDS["drill"] * given.scale, given.threads, drills=0.8, first=WORK / "llama.pt")
    if "lookup" in given.what:
        lookup(WORK / "llama-final.pt", WORK / "llama-drill.pt", given.threads)
    if "export" in given.what:
        export(DEMO / "llama")
    if "grade" in given.what:
        grade(given.count)


if __name__ == "__main__":
    sys.exit(main())
