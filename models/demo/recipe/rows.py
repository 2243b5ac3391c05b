"""Conversations and lists of talk.py as rows of ids: each a pair of the ids and which of them a model shall say itself."""

import torch

import talk

CONTEXT = 512  # the longest row, in ids


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


def batch(encode, rng, size, drills):
    """Conversations as ids; `drills` is the share of those that only look up."""
    rows = []
    while len(rows) < size:
        messages, tools, _ = talk.drill(rng) if rng.random() < drills else talk.conversation(rng)
        ids, mine = encode(messages, tools)
        if len(ids) <= CONTEXT:
            rows.append((ids, mine))
    return rows


def tensors(rows, pad):
    """ids and targets (-100: not the assistant's), padded to the longest."""
    length = max(len(ids) for ids, _ in rows)
    given = torch.full((len(rows), length), pad)
    wanted = torch.full((len(rows), length), -100)
    for i, (ids, mine) in enumerate(rows):
        given[i, : len(ids)] = torch.tensor(ids)
        wanted[i, : len(ids)] = torch.where(torch.tensor(mine) == 1, torch.tensor(ids), -100)
    return given, wanted


def list_rows(make, size, count, encode, rng):
    """`size` lists of `count` things that `make` makes."""
    rows = []
    for _ in range(size):
        parts = [(encode.ids(text), asked) for text, asked in make(rng, count)]
        rows.append(([i for ids, _ in parts for i in ids], [int(asked) for ids, asked in parts for _ in ids]))
    return rows


def message_rows(make, size, encode, rng):
    """Step after step's conversations that `make` makes, those of a step about as long."""
    while True:
        rows = [encode(*make(rng)[:2]) for _ in range(size * 4)]
        rows = sorted((row for row in rows if len(row[0]) <= CONTEXT), key=lambda row: len(row[0]))
        groups = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(groups)
        yield from groups
