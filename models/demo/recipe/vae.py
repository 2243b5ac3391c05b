"""Stage "vae": AutoencoderKL, 128x128x3 <-> 16x16x4."""

import math
import random
import time

import torch
import torch.nn.functional as F
from torch import nn
from diffusers import AutoencoderKL

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
    """Scenes of the world and one in four (or eight) wild; size < 128 gives random windows."""
    n = count - count // wild
    scenes = world.render([world.training_scene(rng, 0.5) for _ in range(n)])
    # any colour is as good as another here: flip and permute channels of some
    scenes = scenes[:, torch.randperm(3, generator=generator)] if rng.random() < 1.2 / wild else scenes
    if size < world.SIZE:
        y, x = (rng.randrange(16, world.SIZE - size - 15) for _ in range(2))
        scenes = scenes[:, :, y : y + size, x : x + size]
    return torch.cat([scenes, world.wild(generator, count - n, size)])


def loss_of(model, x, kl_weight, generator, edges=3):
    moments = model.encode(x).latent_dist
    z = moments.mean + moments.std * torch.randn(moments.mean.shape, generator=generator)
    y = model.decode(z).sample
    edge = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
    weight = 1 + edges * (edge.amax(1, keepdim=True) > 0.1).float()
    d = (y - x).abs()
    recon = (weight * (d + 0.5 * d * d)).mean()
    kl = 0.5 * (moments.mean**2 + moments.var - 1 - moments.logvar).mean()
    return recon + kl_weight * kl, d.mean(), kl


def train(path, seconds, seed, first=None, steps=10**9, batch=8, lr=2e-3, kl_weight=1e-3):
    """Windows of 64 pixels for 78 % of the time, whole pictures for the rest. With first, the weights of an earlier
    run are trained on, with fewer wild pictures and more weight on edges."""
    torch.manual_seed(seed)
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    model = start_near_identity(build()).to(memory_format=torch.channels_last)
    wild, edges = (8, 6) if first else (4, 3)
    if first:
        model.load_state_dict(torch.load(first, weights_only=True)["model"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.98), weight_decay=1e-4)
    start, step, mean_l1 = time.time(), 0, None
    while True:
        done = (time.time() - start) / seconds
        if done >= 1 or step >= steps:
            break
        size, count = (64, batch) if done < 0.78 else (128, batch)
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * done))
        x = pictures(rng, generator, count, size, wild).contiguous(memory_format=torch.channels_last)
        loss, l1, kl = loss_of(model, x, kl_weight, generator, edges)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        mean_l1 = l1.item() if mean_l1 is None else 0.98 * mean_l1 + 0.02 * l1.item()
        if step % 100 == 0:
            log(f"vae step {step} size {size} l1 {mean_l1:.4f} kl {kl.item():.2f} {time.time() - start:.0f} s")
            save_state(path.with_suffix(".part"), model.state_dict())
    model = model.to(memory_format=torch.contiguous_format).eval()
    with torch.no_grad():
        latents = []
        for _ in range(8):
            x = world.render([world.training_scene(rng) for _ in range(16)])
            latents.append(model.encode(x).latent_dist.mean)
        z = torch.cat(latents)
        l1 = (model.decode(z[-16:]).sample.clamp(-1, 1) - x).abs().mean() * 127.5
    log(f"vae latents mean {z.mean((0, 2, 3)).tolist()} std {z.std((0, 2, 3)).tolist()} all {z.std():.4f}; whole pictures l1 {l1:.2f}/255, {step} steps")
    save_state(path, {"model": model.state_dict(), "scaling_factor": 1 / z.std().item()})


def polish(path, first, seconds, seed, steps=10**9, batch=8, lr=1.2e-3):
    """The decoder alone, on latents that are a little off, as those of the UNet are; the encoder stays as it is."""
    torch.manual_seed(seed)
    rng, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    stored = torch.load(first, weights_only=True)
    model = build().to(memory_format=torch.channels_last)
    model.load_state_dict(stored["model"])
    parameters = [*model.decoder.parameters(), *model.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.98), weight_decay=1e-4)
    start, step, mean = time.time(), 0, None
    while (done := (time.time() - start) / seconds) < 1 and step < steps:
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 50) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * done)))
        size, count = (64, batch) if done < 0.6 else (128, batch // 2)
        x = pictures(rng, generator, count, size, 8).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            z = model.encode(x).latent_dist.mean
            z = z + 0.06 / stored["scaling_factor"] * torch.rand(count, 1, 1, 1, generator=generator) * torch.randn(z.shape, generator=generator)
        d = (model.decode(z).sample - x).abs()
        edge = F.max_pool2d(x, 3, 1, 1) + F.max_pool2d(-x, 3, 1, 1)
        loss = ((1 + 6 * (edge.amax(1, keepdim=True) > 0.1).float()) * (d + 0.5 * d * d)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        mean = d.mean().item() if mean is None else 0.98 * mean + 0.02 * d.mean().item()
        if step % 100 == 0:
            log(f"polish step {step} size {size} l1 {mean:.4f} {time.time() - start:.0f} s")
    model = model.to(memory_format=torch.contiguous_format).eval()
    save_state(path, {"model": model.state_dict(), "scaling_factor": stored["scaling_factor"]})


def load(path):
    state = torch.load(path, weights_only=True)
    model = build().eval()
    model.load_state_dict(state["model"])
    model.register_to_config(scaling_factor=round(state["scaling_factor"], 5))
    return model
