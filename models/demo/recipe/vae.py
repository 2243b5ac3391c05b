"""Stage "vae": AutoencoderKL, 128x128x3 <-> 16x16x4."""

import dataclasses
import math
import random
import time

import torch
import torch.nn.functional as F
from torch import nn
from diffusers import AutoencoderKL

import workers
import world
from common import log, save_state


@torch.no_grad()
def start_near_identity(model):
    """A start at which colours pass straight through averaging and nearest-neighbour scaling; four times fewer steps to the same loss."""
    for name, conv in model.named_modules():
        if not isinstance(conv, nn.Conv2d):
            continue
        if name.endswith("conv2"):
            conv.weight *= 0.1
        elif "sampler" in name or "shortcut" in name:
            out, into, k = conv.weight.shape[0], conv.weight.shape[1], conv.weight.shape[-1]
            conv.weight *= 0.3
            for j in range(max(out, into)):
                if "downsampler" in name:
                    conv.weight[j % out, j % into, :2, :2] += 0.25 * min(1, out / into)
                else:
                    conv.weight[j % out, j % into, k // 2, k // 2] += 1.0 if "upsampler" in name else min(1, out / into)
        elif name.endswith(("conv_in", "conv_out", "quant_conv")):
            conv.weight *= 1.7
        if name.endswith("conv2") or "sampler" in name or "shortcut" in name:
            conv.bias.zero_()
    model.quant_conv.weight[4:] *= 0.1
    model.quant_conv.bias[4:] = -5.0
    return model


def build():
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, sample_size=world.SIZE,
        block_out_channels=(16, 32, 64, 64), layers_per_block=1, norm_num_groups=1,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        mid_block_add_attention=False, scaling_factor=1.0,
    )


def pictures(rng, generator, count, size, wild=4):
    """Scenes of the world and one in four (or eight) wild; size < 128 gives windows at multiples of a latent cell."""
    n = count - count // wild
    scenes = world.render([world.training_scene(rng, 0.6) for _ in range(n)])
    # any colour is as good as another here: flip and permute channels of some
    scenes = scenes[:, torch.randperm(3, generator=generator)] if rng.random() < 1.2 / wild else scenes
    if size < world.SIZE:
        y, x = (rng.randrange(0, world.SIZE - size + 1, 8) for _ in range(2))
        scenes = scenes[:, :, y : y + size, x : x + size]
    return torch.cat([scenes, world.wild(generator, count - n, size)])


def look_alikes(rng, generator, count, size):
    """pictures(), and the same with other shapes of the same colours and sizes at the same places."""
    scenes = [world.training_scene(rng, 0.4) for _ in range(count - 1)]
    others = [world.Scene([dataclasses.replace(t, shape=rng.choice(world.SHAPES)) for t in s.things], s.ground) for s in scenes]
    pair = [world.render(s) for s in (scenes, others)]
    if size < world.SIZE:
        y, x = (rng.randrange(0, world.SIZE - size + 1, 8) for _ in range(2))
        pair = [p[:, :, y : y + size, x : x + size] for p in pair]
    wild = world.wild(generator, 1, size)
    return [torch.cat([p, wild]) for p in pair]


def edge_weight(x, edges):
    """1, and 1 + edges where colours meet."""
    edge = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
    return 1 + edges * (edge.amax(1, keepdim=True) > 0.1).float()


def loss_of(model, x, kl_weight, generator, edges=3):
    moments = model.encode(x).latent_dist
    z = moments.mean + moments.std * torch.randn(moments.mean.shape, generator=generator)
    d = (model.decode(z).sample.float() - x).abs()
    recon = (edge_weight(x, edges) * (d + 0.5 * d * d)).mean()
    mean, logvar = moments.mean.float(), moments.logvar.float()
    kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
    return recon + kl_weight * kl, d.mean()


def train(path, seconds, seed, lr=2e-3):
    """Windows of 64 pixels for 70 % of the time, whole pictures for the rest."""
    workers.spawn(_train, path, seconds, seed, lr)


def _train(rank, path, seconds, seed, lr, batch=8, kl_weight=1e-3):
    torch.manual_seed(seed)  # the same first weights
    model = start_near_identity(build()).to(memory_format=torch.channels_last)
    generator, rng = torch.Generator().manual_seed(seed * 100 + rank), random.Random(seed * 100 + rank)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=1e-4)

    def loss(done):
        size, wild, edges = (64, 4, 3) if done < 0.4 else (64 if done < 0.7 else world.SIZE, 8, 6)
        x = pictures(rng, generator, batch, size, wild).contiguous(memory_format=torch.channels_last)
        return loss_of(model, x, kl_weight, generator, edges)

    _descend(rank, "vae", model.parameters(), optimizer, loss, seconds, lr)
    if rank:
        return
    model = model.to(memory_format=torch.contiguous_format).eval()
    with torch.no_grad():
        latents = []
        for _ in range(8):
            x = world.render([world.training_scene(rng) for _ in range(16)])
            latents.append(model.encode(x).latent_dist.mean)
        z = torch.cat(latents)
        l1 = (model.decode(z[-16:]).sample.clamp(-1, 1) - x).abs().mean() * 127.5
    log(f"vae latents mean {z.mean((0, 2, 3)).tolist()} std {z.std((0, 2, 3)).tolist()} all {z.std():.4f}; whole pictures l1 {l1:.2f}/255")
    save_state(path, {"model": model.state_dict(), "scaling_factor": 1 / z.std().item()})


def polish(path, first, seconds, seed, lr=1.2e-3):
    """The decoder alone, on latents that are off as those of the UNet are: noise, and a part of how the scene would be
    with other shapes. It learns to draw the nearest scene of its world. The encoder stays as it is."""
    workers.spawn(_polish, path, first, seconds, seed, lr)


def _polish(rank, path, first, seconds, seed, lr, batch=8, noise=0.35, part=0.42):
    torch.manual_seed(seed)
    generator, rng = torch.Generator().manual_seed(seed * 100 + rank), random.Random(seed * 100 + rank)
    stored = torch.load(first, weights_only=True)
    model = build().to(memory_format=torch.channels_last)
    model.load_state_dict(stored["model"])
    parameters = [*model.decoder.parameters(), *model.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=1e-4)

    def loss(done):
        x, other = look_alikes(rng, generator, batch, 64 if done < 0.6 else world.SIZE)
        with torch.no_grad():
            z, off = (model.encode(p.contiguous(memory_format=torch.channels_last)).latent_dist.mean for p in (x, other))
            u = lambda: torch.rand(batch, 1, 1, 1, generator=generator)
            z = z + part * u() * (off - z) + noise / stored["scaling_factor"] * u() ** 2 * torch.randn(z.shape, generator=generator)
        d = (model.decode(z).sample.float() - x).abs()
        return (edge_weight(x, 6) * (d + 0.5 * d * d)).mean(), d.mean()

    _descend(rank, "polish", parameters, optimizer, loss, seconds, lr)
    if rank == 0:
        model = model.to(memory_format=torch.contiguous_format).eval()
        save_state(path, {"model": model.state_dict(), "scaling_factor": stored["scaling_factor"]})


def _descend(rank, name, parameters, optimizer, loss_at, seconds, lr):
    """Steps for the given time; loss_at(done) gives the loss and the mean error. In bfloat16 but for the last tenth."""
    parameters = list(parameters)
    start, step, mean, done = time.time(), 0, None, 0.0
    while done < 0.9995:
        done = min(1.0, (time.time() - start) / seconds)
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=done < 0.9):
            loss, error = loss_at(done)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        mean = error.item() if mean is None else 0.98 * mean + 0.02 * error.item()
        done = workers.average(parameters, done) if step % workers.SYNC == 0 else min(done, 0.999)
        if rank == 0 and step % 200 == 0:
            log(f"{name} step {step} l1 {mean:.4f} {time.time() - start:.0f} s")


def load(path):
    state = torch.load(path, weights_only=True)
    model = build().eval()
    model.load_state_dict(state["model"])
    model.register_to_config(scaling_factor=round(state["scaling_factor"], 5))
    return model
