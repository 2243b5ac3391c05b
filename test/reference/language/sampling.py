"""What transformers' logits processors leave of random scores: sampling.json, for test/engine/generation/logits.test.ts."""

import json
from pathlib import Path

import torch
from transformers import LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

CASES = [
    {},
    {"temperature": 0.7},
    {"top_k": 5},
    {"top_p": 0.8},
    {"top_p": 0.3, "temperature": 1.7},
    {"min_p": 0.1},
    {"top_k": 12, "top_p": 0.9, "min_p": 0.05, "temperature": 1.3},
    {"repetition_penalty": 1.5},
    {"repetition_penalty": 0.8, "temperature": 0.5, "top_k": 20, "top_p": 0.95},
]


def record(case, scores, said):
    processors = LogitsProcessorList()
    if "repetition_penalty" in case:
        processors.append(RepetitionPenaltyLogitsProcessor(case["repetition_penalty"]))
    if "temperature" in case:
        processors.append(TemperatureLogitsWarper(case["temperature"]))
    if "top_k" in case:
        processors.append(TopKLogitsWarper(case["top_k"]))
    if "top_p" in case:
        processors.append(TopPLogitsWarper(case["top_p"]))
    if "min_p" in case:
        processors.append(MinPLogitsWarper(case["min_p"]))
    left = processors(torch.tensor([said]), scores[None].clone())[0]
    return {"options": case, "said": said, "scores": scores.tolist(), "shares": torch.softmax(left.double(), -1).tolist()}


torch.manual_seed(7)
records = [record(case, torch.randn(40) * 2.5, torch.randint(0, 40, (12,)).tolist()) for case in CASES]
(Path(__file__).resolve().parent / "sampling.json").write_text(json.dumps(records) + "\n")
