"""Stages "latents" and "unet": the conditional UNet on 16x16x4 latents, v-prediction, classifier-free guidance."""

import copy
import math
import pickle
import random
import time

import torch
from diffusers import UNet2DConditionModel

import workers
import world
from common import clean, log, save_state

SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
    "prediction_type": "v_prediction", "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "leading",
}


def build(channels=(64, 128), layers=1):
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, layers_per_block=layers, block_out_channels=channels, norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=128, attention_head_dim=4,
    )


@torch.no_grad()
def make_latents(path, vae, count, seed, batch=32):
    """Encode the training scenes once; scenes are kept beside, so that captions can be drawn anew at every step."""
    rng = random.Random(seed)
    scenes = [world.training_scene(rng, 0.35) for _ in range(count)]
    vae = vae.to(memory_format=torch.channels_last)
    out, start = [], time.time()
    for i in range(0, count, batch):
        x = world.render(scenes[i : i + batch]).contiguous(memory_format=torch.channels_last)
        out.append(vae.encode(x).latent_dist.mean.contiguous() * vae.config.scaling_factor)
        if i % (batch * 100) == 0:
            log(f"latents {i}/{count} {time.time() - start:.0f} s")
    save_state(path, {"latents": torch.cat(out), "scenes": pickle.dumps(scenes)})


def alphas():
    betas = torch.linspace(SCHEDULER["beta_start"], SCHEDULER["beta_end"], 1000, dtype=torch.float32)
    return torch.cumprod(1 - betas, 0)


def cells(scenes):
    """[n,1,16,16]: 1 in the latent cells that a thing or its rim touches."""
    out = torch.zeros(len(scenes), 1, 16, 16)
    for i in (0, 1):
        rows = [r for r, s in enumerate(scenes) if len(s.things) > i]
        t = [scenes[r].things[i] for r in rows]
        x, y, radius = (torch.tensor([getattr(v, f) for v in t]) / 8 for f in ("x", "y", "radius"))
        out[rows] = torch.maximum(out[rows], (world.coverage(torch.zeros(len(t), dtype=torch.long), x, y, radius * 1.15 + 0.7, 16) > 0).float())
    return out


def train(path, latents_path, text_path, words, seconds, seed, first=None, lr=8e-4):
    """The forward pass is in bfloat16: a third more pictures where the processor knows it. With first, training goes on
    from that checkpoint."""
    workers.spawn(_work, path, latents_path, text_path, words, seconds, seed, first, lr)


def _work(rank, path, latents_path, text_path, words, seconds, seed, first, lr, batch=24, save_every=120):
    import clip
    import tokenizer as tokenizers

    tokenizer = tokenizers.load(words)
    text_model = clip.load_text(text_path, tokenizer).requires_grad_(False)
    stored = torch.load(latents_path, weights_only=True)
    latents, scenes = stored["latents"], pickle.loads(stored["scenes"])
    torch.manual_seed(seed)  # the same first weights
    model = build().to(memory_format=torch.channels_last)
    if first:
        model.load_state_dict(torch.load(first, weights_only=True)["model"])
    ema = copy.deepcopy(model).eval().requires_grad_(False)
    torch.manual_seed(seed * 100 + rank)
    rng = random.Random(seed * 100 + rank)
    a_bar = alphas()
    # the things cover a tenth of a picture, and are what matters: their cells weigh more, but at the very end
    things = cells(scenes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    if rank == 0:
        log(f"unet {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(scenes)} scenes")
    start = saved = time.time()
    step, mean, order = 0, None, []
    while True:
        done = min(1.0, (time.time() - start) / seconds)
        if len(order) < batch:
            order = list(range(len(scenes)))
            rng.shuffle(order)
        rows, order = order[:batch], order[batch:]
        captions = ["" if rng.random() < 0.1 else world.training_caption(scenes[r], rng)[0] for r in rows]
        ids = torch.tensor(tokenizer(captions, padding="max_length", truncation=True, max_length=77).input_ids)
        with torch.no_grad():
            context = text_model(ids).last_hidden_state
        x0 = latents[rows]
        # stratified over the noise levels, half of them where form and place are decided
        u = (torch.arange(batch) + torch.rand(batch)) / batch
        u = torch.where(u < 0.5, 2 * u, 0.1 + 0.55 * (2 * u - 1))
        t = (u * 1000).long().clamp(max=999)
        a, s = a_bar[t].sqrt()[:, None, None, None], (1 - a_bar[t]).sqrt()[:, None, None, None]
        noise = torch.randn_like(x0)
        noisy = (a * x0 + s * noise).contiguous(memory_format=torch.channels_last)
        weight = 1 + 4 * min(1.0, 5 * (1 - done)) * things[rows]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            velocity = model(noisy, t, context, return_dict=False)[0]
        loss = (weight * (velocity.float() - (a * noise - s * x0)) ** 2).mean()
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        mean = loss.item() if mean is None else 0.99 * mean + 0.01 * loss.item()
        if step % workers.SYNC:
            continue
        done = workers.average(model.parameters(), done)
        decay = min(0.99, (1 + step / workers.SYNC) / (10 + step / workers.SYNC))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(model.parameters()), 1 - decay)
        if rank == 0 and step % 100 == 0:
            log(f"unet step {step} loss {mean:.4f} {time.time() - start:.0f} s")
        if rank == 0 and time.time() - saved > save_every:
            saved = time.time()
            save_state(path.with_suffix(".part"), {"model": clean(ema.state_dict()), "step": step})
        if done >= 0.9995:
            break
    if rank == 0:
        save_state(path, {"model": clean(ema.state_dict()), "step": step})
        log(f"unet done, {step} steps in each of {workers.WORKERS}, loss {mean:.4f}")


def load(path):
    model = build().eval()
    model.load_state_dict(torch.load(path, weights_only=True)["model"])
    return model
