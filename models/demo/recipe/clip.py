"""Stages "text" and "vision": CLIPModel. Its text tower is also the text encoder of the diffusion model.

The text tower is trained first and alone, on telling the whole scene from the caption; then it is frozen, and
the vision tower and the two projections are trained contrastively.
"""

import math
import random
import time

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPTextModel

import world
from common import log, save_state

IMAGE = 64


def config(vocabulary):
    text = {
        "vocab_size": vocabulary, "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 3, "num_attention_heads": 4,
        "max_position_embeddings": 77, "hidden_act": "quick_gelu", "projection_dim": 128,
        "bos_token_id": vocabulary - 2, "eos_token_id": vocabulary - 1, "pad_token_id": vocabulary - 1,
    }
    vision = {
        "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 4, "num_attention_heads": 4, "image_size": IMAGE, "patch_size": 8,
        "hidden_act": "quick_gelu", "projection_dim": 128,
    }
    return CLIPConfig(text_config=text, vision_config=vision, projection_dim=128)


class Heads(nn.Module):
    """Linear readers of the scene's attributes; used in training only."""

    def __init__(self, width):
        super().__init__()
        self.out = nn.Linear(width, sum(n for _, n in world.HEADS))

    def loss(self, x, wanted):
        parts = self.out(x).split([n for _, n in world.HEADS], -1)
        return sum(F.cross_entropy(p, wanted[:, i]) for i, p in enumerate(parts)) / len(parts)

    def accuracy(self, x, wanted):
        parts = self.out(x).split([n for _, n in world.HEADS], -1)
        return torch.stack([(p.argmax(-1) == wanted[:, i]).float().mean() for i, p in enumerate(parts)])


def text_batch(rng, tokenizer, count):
    pairs = [world.training_caption(world.training_scene(rng, 0.35), rng) for _ in range(count)]
    ids = tokenizer([p[0] for p in pairs]).input_ids
    ends = torch.tensor([min(len(i), 77) - 1 for i in ids])
    width = 77 if rng.random() < 0.12 else min(77, max(map(len, ids)) + rng.randint(0, 6))
    eos = tokenizer.eos_token_id
    rows = [i[:77] if len(i) <= 77 else [*i[:76], eos] for i in ids]
    rows = torch.tensor([i + [eos] * (width - len(i)) for i in rows])
    return rows, ends, torch.tensor([world.labels(p[1]) for p in pairs])


def train_text(path, tokenizer, seconds, seed, steps=10**9, batch=128, lr=1.5e-3):
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = CLIPTextModel(config(len(tokenizer)).text_config)
    end_head, any_head = Heads(128), Heads(128)
    parameters = [*model.parameters(), *end_head.parameters(), *any_head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=0.01)
    start, step, mean = time.time(), 0, None
    while True:
        done = (time.time() - start) / seconds
        if done >= 1 or step >= steps:
            break
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        ids, ends, wanted = text_batch(rng, tokenizer, batch)
        rows = torch.arange(batch)
        hidden = model(ids).last_hidden_state
        later = (ends + (torch.rand(batch) * (ids.shape[1] - ends)).long()).clamp(max=ids.shape[1] - 1)
        loss = end_head.loss(hidden[rows, ends], wanted) + 0.5 * any_head.loss(hidden[rows, later], wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            log(f"text step {step} loss {mean:.4f} {time.time() - start:.0f} s")
    with torch.no_grad():
        ids, ends, wanted = text_batch(rng, tokenizer, 1000)
        right = end_head.accuracy(model(ids).last_hidden_state[torch.arange(1000), ends], wanted)
    log("text accuracy per head", {h: round(r.item(), 3) for (h, _), r in zip(world.HEADS, right)})
    save_state(path, {"model": model.state_dict(), "heads": end_head.state_dict(), "steps": step})


def load_text(path, tokenizer):
    model = CLIPTextModel(config(len(tokenizer)).text_config).eval()
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return model


MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]


def scene_labels(scene):
    """The labels of a scene of which everything is said; the left or upper thing first, and the other way round."""
    things = [{"colour": t.colour, "shape": t.shape, "size": t.size, "position": t.position} for t in scene.things]
    things.sort(key=lambda t: t["position"] in ("right", "bottom"))
    return [world.labels({"ground": scene.ground, "things": order}) for order in (things, things[::-1])]


def fits(said, seen):
    """[captions, pictures]: nothing the caption says contradicts the picture."""
    either = [((said[:, None] == 1) | (said[:, None] == seen[None, :, k])).all(-1) for k in (0, 1)]
    return either[0] | either[1]


def contrastive(logits, compatible):
    """Both directions; a picture that fits another row's caption as well is no negative of it."""
    mask = compatible & ~torch.eye(len(logits), dtype=torch.bool)
    logits = logits.masked_fill(mask, -1e4)
    wanted = torch.arange(len(logits))
    return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2


def picture_text_batch(rng, tokenizer, count, test=False):
    scenes, captions, said = [], [], []
    for _ in range(count):
        scene = world.draw_scene(rng, 0.35)
        while scene.held_out != test:
            scene = world.draw_scene(rng, 0.35)
        text, spec = world.training_caption(scene, rng)
        scenes.append(scene)
        captions.append(text)
        said.append(world.labels(spec))
    pixels = ((world.render(scenes, IMAGE) + 1) / 2 - MEAN) / STD
    batch = tokenizer(captions, padding=True, truncation=True, max_length=77, return_tensors="pt")
    return pixels, batch.input_ids, torch.tensor(said), torch.tensor([scene_labels(s) for s in scenes])


def train_vision(path, text_path, tokenizer, seconds, seed, steps=10**9, batch=64, lr=1e-3):
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = CLIPModel(config(len(tokenizer)))
    model.text_model.load_state_dict(_text_tower(text_path, model))
    model.text_model.requires_grad_(False)
    head = Heads(128)
    parameters = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=0.01)
    start, step, mean = time.time(), 0, None
    while True:
        done = (time.time() - start) / seconds
        if done >= 1 or step >= steps:
            break
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        pixels, ids, said, seen = picture_text_batch(rng, tokenizer, batch)
        vision = model.vision_model(pixels).pooler_output
        with torch.no_grad():
            text = model.text_model(ids).pooler_output
        image_embeds = F.normalize(model.visual_projection(vision), dim=-1)
        text_embeds = F.normalize(model.text_projection(text), dim=-1)
        logits = text_embeds @ image_embeds.T * model.logit_scale.exp()
        loss = contrastive(logits, fits(said, seen)) + head.loss(vision, seen[:, 0])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        step += 1
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            log(f"vision step {step} loss {mean:.4f} {time.time() - start:.0f} s")
    log("vision", measure(model.eval(), tokenizer, seed + 1))
    save_state(path, model.state_dict())


@torch.no_grad()
def measure(model, tokenizer, seed, batches=10, batch=64):
    """On combinations never seen: how often the best of 64 pictures fits the caption, and the other way round."""
    rng, text_right, image_right = random.Random(seed), 0.0, 0.0
    for _ in range(batches):
        pixels, ids, said, seen = picture_text_batch(rng, tokenizer, batch, test=True)
        vision = F.normalize(model.visual_projection(model.vision_model(pixels).pooler_output), dim=-1)
        text = F.normalize(model.text_projection(model.text_model(ids).pooler_output), dim=-1)
        logits, ok = text @ vision.T, fits(said, seen)
        rows = torch.arange(batch)
        text_right += ok[rows, logits.argmax(1)].float().mean().item() / batches
        image_right += ok[logits.argmax(0), rows].float().mean().item() / batches
    return {"picture found for a caption": round(text_right, 3), "caption found for a picture": round(image_right, 3)}


def _text_tower(path, model):
    """The weights of CLIPTextModel under the names they have inside CLIPModel."""
    stored = torch.load(path, weights_only=True)["model"]
    wanted = model.text_model.state_dict().keys()
    return {k if k in wanted else k.removeprefix("text_model."): v for k, v in stored.items()}


def load(path, tokenizer):
    model = CLIPModel(config(len(tokenizer))).eval()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model
