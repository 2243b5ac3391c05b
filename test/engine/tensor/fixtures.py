"""Writes random.json (torch's CPU generator) and resize.json (Pillow) beside this file.

    python test/engine/tensor/fixtures.py        (needs torch, pillow, numpy; seconds)
"""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

HERE = Path(__file__).parent


def short(values):
    return [float(f"{v:.8g}") for v in values]


def random_cases():
    """Three draws in a row from one generator: n numbers, n again, then 3; of long draws the first and last ones."""
    for seed in (0, 42, 2**32 - 1):
        for n in (1, 5, 15, 16, 17, 40, 1024):
            generator = torch.Generator().manual_seed(seed)
            first, second, third = (torch.randn(k, generator=generator).tolist() for k in (n, n, 3))
            yield {"seed": seed, "count": n, "head": short(first[:20]), "tail": short(first[-20:]), "next": short(second[:20]), "then": short(third)}


def resize_cases(picture):
    kernels = {"nearest": 0, "lanczos3": 1, "bilinear": 2, "bicubic": 3}
    for width, height in ((7, 5), (24, 24), (23, 6), (3, 30), (1, 1)):
        for name, number in kernels.items():
            resized = Image.fromarray(picture).resize((width, height), number)
            yield {"width": width, "height": height, "kernel": name, "data": np.asarray(resized).flatten().tolist()}


def write(name, content):
    (HERE / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write("random.json", list(random_cases()))
    picture = np.random.RandomState(0).randint(0, 256, (17, 23, 3), dtype=np.uint8)
    write("resize.json", {"width": 23, "height": 17, "data": picture.flatten().tolist(), "cases": list(resize_cases(picture))})
