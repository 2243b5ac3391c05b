"""Makes the demo models from nothing: python3 models/demo/recipe/train.py

Stages: tokenizer, vae, text, latents, unet, refine, polish,
vision, grader, export. A stage whose output exists in the work
folder (FORECOURT_DEMO_WORK, default .cache beside this file) is skipped; --from STAGE does that stage and all
later ones anew. Training stages run for a given time; --scale 0.1 gives every one a tenth of it.
"""

import argparse
import time

import torch

import clip
import export
import grade
import tokenizer
import unet
import vae
from common import DEMO, WORK, log

SEED = 1
SECONDS = {"vae": 900, "text": 240, "unet": 2700, "refine": 2100, "polish": 600, "vision": 420, "grader": 20}
SCENES = 20000
STAGES = ["tokenizer", "vae", "text", "latents", "unet", "refine", "polish", "vision", "grader", "export"]
OUTPUT = {"tokenizer": "tokenizer/vocab.json", "vae": "vae.pt", "text": "text.pt", "latents": "latents.pt", "unet": "unet.pt", "refine": "unet-final.pt", "polish": "vae-final.pt", "vision": "clip.pt", "grader": "grader.pt"}


def run(stage, scale):
    words = WORK / "tokenizer"
    seconds = SECONDS.get(stage, 0) * scale
    if stage == "tokenizer":
        tokenizer.train(words, SEED)
    elif stage == "vae":
        vae.train(WORK / "vae.pt", seconds, SEED)
    elif stage == "text":
        clip.train_text(WORK / "text.pt", tokenizer.load(words), seconds, SEED)
    elif stage == "latents":
        unet.make_latents(WORK / "latents.pt", vae.load(WORK / "vae.pt"), int(SCENES * min(1, scale)), SEED)
    elif stage == "unet":
        unet.train(WORK / "unet.pt", WORK / "latents.pt", WORK / "text.pt", words, seconds, SEED)
    elif stage == "refine":
        unet.train(WORK / "unet-final.pt", WORK / "latents.pt", WORK / "text.pt", words, seconds, SEED + 1, first=WORK / "unet.pt", lr=4e-4)
    elif stage == "polish":
        vae.polish(WORK / "vae-final.pt", WORK / "vae.pt", seconds, SEED + 2)
    elif stage == "vision":
        clip.train_vision(WORK / "clip.pt", WORK / "text.pt", tokenizer.load(words), seconds, SEED)
    elif stage == "grader":
        grade.train(WORK / "grader.pt", seconds, SEED)
    elif stage == "export":
        t = tokenizer.load(words)
        pictures = WORK / "vae-final.pt" if (WORK / "vae-final.pt").exists() else WORK / "vae.pt"
        weights = next(WORK / f for f in ("unet-final.pt", "unet-final.part", "unet.pt", "unet.part") if (WORK / f).exists())
        export.diffusion(DEMO / "diffusion", words, clip.load_text(WORK / "text.pt", t), unet.load(weights), vae.load(pictures))
        if (WORK / "clip.pt").exists():
            export.contrastive(DEMO / "clip", words, clip.load(WORK / "clip.pt", t))
        for name in ("diffusion", "clip"):
            log(f"{name}: {export.total(DEMO / name) / 1e6:.2f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="first", choices=STAGES)
    parser.add_argument("--only", choices=STAGES)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    WORK.mkdir(parents=True, exist_ok=True)
    redo = bool(args.only)
    for stage in STAGES if not args.only else [args.only]:
        redo = redo or stage == args.first
        if not redo and stage in OUTPUT and (WORK / OUTPUT[stage]).exists():
            log(f"{stage}: there already")
            continue
        start = time.time()
        log(f"{stage}: begins")
        run(stage, args.scale)
        log(f"{stage}: {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
