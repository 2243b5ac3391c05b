"""Small things every stage uses."""

import os
import time
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
DEMO = HERE.parent
WORK = Path(os.environ.get("FORECOURT_DEMO_WORK", HERE / ".cache"))  # checkpoints; not part of the repository


def log(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


def save_state(path, state):
    """Write beside, then rename: a killed run never leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    torch.save(state, beside)
    beside.replace(path)


def clean(state):
    return {k.replace("_orig_mod.", ""): v for k, v in state.items()}
