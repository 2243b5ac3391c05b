"""Stage "grader", and the quality report: python3 models/demo/recipe/grade.py

Pictures come from the exported ONNX graphs of models/demo/diffusion through onnxruntime, with the repository's own
scheduler_config.json. They are graded by pixels (ground, colour, position, size, number of things) and by a small
separate classifier of outlines (shape), which has an extra class "no shape at all".
"""

import argparse
import json
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import nn

import world
from common import DEMO, WORK, log, save_state

CROP = 32
STEPS, GUIDANCE = 20, 3.0
PALETTE = world.PALETTE.numpy()

# ----------------------------------------------------------------------------------------------- seeing by pixels


def nearest_colour(rgb):
    return world.COLOUR_NAMES[int(((PALETTE - rgb) ** 2).sum(1).argmin())]


def things_of(picture):
    """uint8 [h,w,3] -> (ground name, [{colour, position, size, crop}], biggest first)."""
    p = picture.astype(np.float32)
    ring = np.concatenate([p[:2].reshape(-1, 3), p[-2:].reshape(-1, 3), p[:, :2].reshape(-1, 3), p[:, -2:].reshape(-1, 3)])
    ground = np.median(ring, 0)
    far = np.sqrt(((p - ground) ** 2).sum(-1))
    parts, n = ndimage.label(far > 42)
    found = []
    for i in range(1, n + 1):
        part = parts == i
        if part.sum() < 40:
            continue
        inner = ndimage.binary_erosion(part)
        colour = np.median(p[inner if inner.sum() > 20 else part], 0)
        whole = ndimage.binary_fill_holes(part)
        cy, cx = ndimage.center_of_mass(whole)
        # the outline: how much of the way from ground to ink, within this part and its rim
        axis = colour - ground
        ink = np.clip(((p - ground) @ axis) / (axis @ axis), 0, 1) * ndimage.binary_dilation(part, iterations=2)
        rows, cols = np.where(part)
        extent = max(np.ptp(rows), np.ptp(cols)) + 1
        position = min(world.POSITIONS, key=lambda q: (world.CENTRE[q][0] - cx) ** 2 + (world.CENTRE[q][1] - cy) ** 2)
        found.append({
            "colour": nearest_colour(colour), "position": position, "size": "big" if extent > world.BIG_EXTENT else "small", "area": int(part.sum()),
            "crop": crop(torch.tensor(ink, dtype=torch.float32)[None, None], (rows.min() + rows.max() + 1) / 2, (cols.min() + cols.max() + 1) / 2, extent)[0],
        })
    found.sort(key=lambda t: -t["area"])
    return nearest_colour(ground), found


def crop(mask, cy, cx, extent):
    """The square around a thing, with a margin, at CROP x CROP."""
    size = mask.shape[-1]
    axis = (torch.arange(CROP) + 0.5) / CROP * 2 - 1
    half = extent * 0.6
    grid = torch.stack(torch.meshgrid(axis * half + cy, axis * half + cx, indexing="ij")[::-1], -1) / size * 2 - 1
    return F.grid_sample(mask, grid[None].float(), align_corners=False)


# ------------------------------------------------------------------------------------------ the outline classifier

CLASSES = [*world.SHAPES, "none"]


def classifier():
    return nn.Sequential(
        nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(48, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 16, 64), nn.ReLU(), nn.Linear(64, len(CLASSES)),
    )


def outlines(generator, count):
    """Crops of shapes and of things that are none: unions of two shapes, shapes with a bite, smooth blobs."""
    u = lambda n: torch.rand(n, generator=generator)
    kinds = torch.randint(0, len(world.SHAPES), (count,), generator=generator)
    other = u(count) < 0.2
    radius = torch.where(u(count) < 0.5, 16.0, 28.0) * (0.85 + 0.3 * u(count))
    x, y = 48 + 4 * u(count), 48 + 4 * u(count)
    mask = world.coverage(kinds, x, y, radius, 100)
    second = world.coverage((kinds + 1 + torch.randint(0, 7, (count,), generator=generator)) % 8, x + (u(count) - 0.5) * radius, y + (u(count) - 0.5) * radius, radius * (0.5 + 0.5 * u(count)), 100)
    how = torch.randint(0, 3, (count,), generator=generator)[:, None, None, None]
    blob = F.interpolate(torch.rand(count, 1, 6, 6, generator=generator), 100, mode="bicubic", align_corners=False)
    near = world.coverage(torch.zeros(count, dtype=torch.long), x, y, radius, 100)
    blob = ((blob - 0.45) * 12).clamp(0, 1) * near
    spoilt = torch.where(how == 0, torch.maximum(mask, second), torch.where(how == 1, mask * (1 - second), blob))
    mask = torch.where(other[:, None, None, None], spoilt, mask)
    out = torch.zeros(count, 1, CROP, CROP)
    for i in range(count):
        m = mask[i]
        if i % 2:
            m = F.avg_pool2d(m[None], 3, 1, 1)[0]
        rows, cols = torch.where(m[0] > 0.4)
        if len(rows) < 30:
            other[i] = True
            continue
        extent = max(rows.max() - rows.min(), cols.max() - cols.min()).item() + 1
        out[i] = crop(m[None], (rows.min() + rows.max() + 1).item() / 2, (cols.min() + cols.max() + 1).item() / 2, extent * (0.94 + 0.12 * u(1).item()))[0]
    out = (out + 0.04 * torch.randn(out.shape, generator=generator)).clamp(0, 1)
    return out, torch.where(other, torch.tensor(len(world.SHAPES)), kinds)


def train(path, seconds, seed):
    torch.manual_seed(seed + 100)
    generator = torch.Generator().manual_seed(seed + 100)
    model = classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    start, step, mean = time.time(), 0, 2.0
    while (done := (time.time() - start) / seconds) < 1:
        for g in optimizer.param_groups:
            g["lr"] = 2e-3 * (1.02 - done)
        x, wanted = outlines(generator, 64)
        loss = F.cross_entropy(model(x), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step, mean = step + 1, 0.98 * mean + 0.02 * loss.item()
    log(f"grader {step} steps, loss {mean:.4f}")
    save_state(path, model.state_dict())
    log("grader on rendered pictures", on_rendered(load(path)))


def load(path=None):
    model = classifier().eval()
    model.load_state_dict(torch.load(path or WORK / "grader.pt", weights_only=True))
    return model


@torch.no_grad()
def see(picture, model):
    ground, found = things_of(picture)
    for t in found:
        t["shape"] = CLASSES[int(model(t["crop"][None]).argmax())]
    return ground, found


# -------------------------------------------------------------------------------------------------------- grading


def main_of(said, found):
    """Which of the things seen is the one that the caption names first, and which the second."""
    if not found:
        return None, None
    if len(said) == 1:
        return found[0], None
    pairs = [(a, b) for a in found[:3] for b in found[:3] if a is not b] or [(found[0], None)]
    score = lambda s, t: 0 if t is None else sum(w * (t[f] == s[f]) for f, w in (("position", 4), ("colour", 2), ("shape", 1)) if s[f] != world.NONE)
    return max(pairs, key=lambda p: score(said[0], p[0]) + score(said[1], p[1]))


class Tally(dict):
    def add(self, name, right):
        n, ok = self.get(name, (0, 0))
        self[name] = (n + 1, ok + bool(right))

    def table(self):
        return {k: {"cases": n, "right": f"{100 * ok / n:.1f} %"} for k, (n, ok) in self.items()}


def grade_one(tally, picture, spec, model):
    ground, found = see(picture, model)
    first, second = main_of(spec["things"], found)
    wrong = []
    for which, thing, said in zip(("", "second "), (first, second), spec["things"]):
        for f in ("colour", "shape", "position", "size"):
            if said[f] != world.NONE:
                right = thing is not None and thing[f] == said[f]
                tally.add(which + f, right)
                if not right:
                    wrong.append(f"{which}{f}: {thing and thing[f]}")
    if spec["ground"] != world.NONE:
        tally.add("ground", ground == spec["ground"])
        if ground != spec["ground"]:
            wrong.append(f"ground: {ground}")
    tally.add("number of things", len(found) == len(spec["things"]))
    if len(found) != len(spec["things"]):
        wrong.append(f"{len(found)} things")
    return wrong


def to_bytes(x):
    """[b,3,h,w] in [-1,1] -> uint8 [b,h,w,3] as diffusers does it."""
    return (np.clip(x / 2 + 0.5, 0, 1) * 255).round().astype(np.uint8).transpose(0, 2, 3, 1)


def on_rendered(model, count=1000, seed=9):
    """The graders' own accuracy, on pictures drawn by the renderer."""
    rng, tally = random.Random(seed), Tally()
    for _ in range(count):
        scene = world.draw_scene(rng)
        spec = {"ground": scene.ground, "things": [{"colour": t.colour, "shape": t.shape, "size": t.size, "position": t.position} for t in scene.things]}
        grade_one(tally, to_bytes(world.render([scene]).numpy())[0], spec, model)
    return tally.table()


class Pipeline:
    """Text to image through the exported graphs, as the appliance does it."""

    def __init__(self, folder=DEMO / "diffusion", threads=2, scheduler=None, **changes):
        import diffusers
        import onnxruntime
        from transformers import CLIPTokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = lambda part: onnxruntime.InferenceSession(str(folder / part / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.text, self.unet, self.decoder = session("text_encoder"), session("unet"), session("vae_decoder")
        self.tokenizer = CLIPTokenizer.from_pretrained(str(folder / "tokenizer"))
        config = json.loads((folder / "scheduler/scheduler_config.json").read_text())
        self.scheduler = getattr(diffusers, scheduler or config["_class_name"]).from_config({**config, **changes})
        self.factor = json.loads((folder / "vae_decoder/config.json").read_text())["scaling_factor"]

    def __call__(self, prompts, steps, guidance, generator):
        ids = lambda texts: np.array(self.tokenizer(texts, padding="max_length", truncation=True, max_length=77).input_ids, dtype=np.int64)
        context = np.concatenate([self.text.run(["last_hidden_state"], {"input_ids": ids(t)})[0] for t in ([""] * len(prompts), list(prompts))])
        self.scheduler.set_timesteps(steps)
        x = torch.randn(len(prompts), 4, 16, 16, generator=generator) * self.scheduler.init_noise_sigma
        for t in self.scheduler.timesteps:
            both = self.scheduler.scale_model_input(torch.cat([x, x]), t)
            out = self.unet.run(None, {"sample": both.numpy(), "timestep": np.array(float(t), dtype=np.float32), "encoder_hidden_states": context})[0]
            none, with_text = torch.from_numpy(out).chunk(2)
            x = self.scheduler.step(none + guidance * (with_text - none), t, x).prev_sample
        return to_bytes(self.decoder.run(None, {"latent_sample": (x / self.factor).numpy()})[0])


def grade(pipeline, cases, model, steps=STEPS, guidance=GUIDANCE, seed=7, batch=20):
    generator, tally, failures, pictures = torch.Generator().manual_seed(seed), Tally(), [], []
    for i in range(0, len(cases), batch):
        some = cases[i : i + batch]
        for (text, spec), picture in zip(some, pipeline([c[0] for c in some], steps, guidance, generator)):
            wrong = grade_one(tally, picture, spec, model)
            pictures.append(picture)
            if wrong:
                failures.append((text, wrong))
    return tally, failures, pictures


def short_cases(count, seed):
    """What most people type: "red circle", "a blue star"."""
    rng, cases = random.Random(seed), []
    for _ in range(count):
        c, s = rng.choice(world.COLOUR_NAMES), rng.choice(world.SHAPES)
        spec = {"ground": world.NONE, "things": [{"colour": c, "shape": s, "size": world.NONE, "position": world.NONE}]}
        cases.append((rng.choice([f"{c} {s}", f"a {c} {s}", f"a photo of a {c} {s}"]), spec))
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--guidance", type=float, default=GUIDANCE)
    parser.add_argument("--scheduler")
    parser.add_argument("--spacing")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--short", action="store_true", help="short prompts in place of the held-out captions")
    parser.add_argument("--rendered", action="store_true", help="also the graders' own accuracy on 1,000 rendered pictures")
    parser.add_argument("--failures", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    if not (WORK / "grader.pt").exists():
        train(WORK / "grader.pt", 20, 1)
    model = load()
    if args.rendered:
        log("rendered pictures", json.dumps(on_rendered(model)))
    pipeline = Pipeline(scheduler=args.scheduler, **({"timestep_spacing": args.spacing} if args.spacing else {}))
    cases = short_cases(args.count, 12) if args.short else world.test_cases(args.count, 11)
    start = time.time()
    tally, failures, _ = grade(pipeline, cases, model, args.steps, args.guidance, args.seed)
    log(f"{args.count} pictures, {args.steps} steps, guidance {args.guidance}, {args.scheduler or 'the default scheduler'}, {time.time() - start:.0f} s")
    for name, row in tally.table().items():
        print(f"  {name:20} {row['cases']:4} {row['right']:>8}")
    if args.failures:
        for text, wrong in failures:
            print("  -", text, wrong)


if __name__ == "__main__":
    main()
