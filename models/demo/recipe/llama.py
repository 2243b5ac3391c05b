"""Stage "llama": a language model of the world of talk.py in LLaMA's layout, from nothing.

python3 models/demo/recipe/llama.py train|export|grade [--seconds N]. Training goes on from its last checkpoint.
"""

import argparse
import json
import math
import random
import sys
import time

import torch
import torch.nn.functional as F
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

import talk
from common import DEMO, WORK, clean, log, save_state

SEED = 7
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CALLS = ["<tool_call>", "</tool_call>"]
VOCABULARY = 1024
CONTEXT = 512
# Qwen's way to cut words: digits one by one.
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BATCH = 24
RATE = 2e-3


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


class Encoder:
    """Conversations as ids, and which of them are the assistant's. Every part ends at a special token or a line, so parts can be encoded alone."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.known = {}

    def ids(self, text):
        if len(text) > 24:
            return self.tokenizer.encode(text, add_special_tokens=False)
        if text not in self.known:
            self.known[text] = self.tokenizer.encode(text, add_special_tokens=False)
        return self.known[text]

    def __call__(self, messages, tools):
        text = self.tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
        ids, mine = [], []
        for at, turn in enumerate(text.split("<|im_start|>")):
            if at == 0:
                continue
            role, content = turn.split("\n", 1)
            head = self.ids(f"<|im_start|>{role}\n")
            body = self.ids(content[: -len("<|im_end|>\n")]) + self.ids("<|im_end|>")
            ids += head + body + self.ids("\n")
            mine += [0] * len(head) + [int(role == "assistant")] * len(body) + [0]
        return ids, mine


def batch(encode, rng, size):
    """ids and targets (-100: not the assistant's), padded to the longest; conversations of like length go together."""
    rows = []
    while len(rows) < size:
        messages, tools, _ = talk.conversation(rng)
        ids, mine = encode(messages, tools)
        if len(ids) <= CONTEXT:
            rows.append((ids, mine))
    return rows


def tensors(rows, pad):
    length = max(len(ids) for ids, _ in rows)
    given = torch.full((len(rows), length), pad)
    wanted = torch.full((len(rows), length), -100)
    for i, (ids, mine) in enumerate(rows):
        given[i, : len(ids)] = torch.tensor(ids)
        wanted[i, : len(ids)] = torch.where(torch.tensor(mine) == 1, torch.tensor(ids), -100)
    return given, wanted


def rate(share):
    return RATE * min(1, share / 0.02) * (0.5 + 0.5 * math.cos(math.pi * share)) + 2e-5


def train(seconds, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    tokenizer = load_tokenizer()
    encode = Encoder(tokenizer)
    model = LlamaForCausalLM(config(tokenizer))
    log(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(tokenizer)} entries")
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.05)
    path, spent, steps = WORK / "llama.pt", 0.0, 0
    if path.exists():
        state = torch.load(path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        spent, steps = state["spent"], state["steps"]
    rng = random.Random(SEED + steps)
    body = torch.compile(model.model, dynamic=True)
    begun, saved, losses = time.time() - spent, time.time(), []
    while (spent := time.time() - begun) < seconds:
        rows = sorted(batch(encode, rng, BATCH * 4), key=lambda row: len(row[0]))
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


def load(tokenizer):
    model = LlamaForCausalLM(config(tokenizer))
    model.load_state_dict(clean(torch.load(WORK / "llama.pt")["model"]))
    return model.eval()


@torch.no_grad()
def answer(model, tokenizer, messages, tools, most=160):
    text = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)
    given = torch.tensor([tokenizer.encode(text, add_special_tokens=False)])
    made = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=most, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    return tokenizer.decode(made[0, given.shape[1] :], skip_special_tokens=True)


def cases(count, seed):
    """Held-out questions: their scene has a combination of colour, shape and ground that training never has."""
    rng = random.Random(seed + 100_000)
    for _ in range(count):
        yield talk.conversation(rng, held_out=True)


def score(model, tokenizer, count, seed, failures=None):
    """Share of answers that are right word for word, and right and asked by kind. The assistant's earlier turns are as they should have been."""
    model.eval()
    kinds = {}
    for messages, tools, asked in cases(count, seed):
        turn = 0
        for at, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            said = answer(model, tokenizer, messages[:at], tools)
            right, all_of_it = kinds.get(asked[turn], (0, 0))
            kinds[asked[turn]] = (right + (said == message["content"]), all_of_it + 1)
            if failures is not None and said != message["content"]:
                failures.append((messages[:at], message["content"], said))
            turn += 1
    return sum(r for r, _ in kinds.values()) / sum(n for _, n in kinds.values()), kinds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["train"])
    parser.add_argument("--seconds", type=float, default=3000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    train(given.seconds, given.threads)


if __name__ == "__main__":
    sys.exit(main())
