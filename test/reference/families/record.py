"""Runs a pipeline of diffusers and keeps what it did: latents after every step, the picture, the ids of the prompts."""

import numpy as np
import torch
from PIL import Image

from tiny import HERE, write_json

WIDTH, HEIGHT = 48, 32
PROMPT, NEGATIVE = "a big red circle", "blurry stars"


def picture():
    """Not of the size that is drawn, so that resizing is compared too."""
    y, x = np.mgrid[0:44, 0:60]
    planes = [127 + 120 * np.sin(x / 7 + y / 11), 255 * x / 59, np.where((x // 8 + y // 8) % 2 == 0, 30, 220)]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def mask():
    """White where the picture is to be redrawn."""
    y, x = np.mgrid[0:44, 0:60]
    return Image.fromarray((np.hypot(x - 36, y - 18) < 14).astype(np.uint8) * 255)


def references():
    """Of sides that are no multiples of what models draw."""
    y, x = np.mgrid[0:75, 0:101]
    first = np.stack([255 * x / 100, 127 + 120 * np.cos(y / 9), np.where(np.hypot(x - 50, y - 40) < 20, 250, 40)], -1)
    y, x = np.mgrid[0:90, 0:66]
    second = np.stack([np.where((x // 12) % 2 == 0, 200, 20), 255 * y / 89, 127 + 120 * np.sin(x / 5)], -1)
    return [Image.fromarray(each.astype(np.uint8)) for each in (first, second)]


def write_inputs():
    picture().save(HERE / "picture.png")
    mask().save(HERE / "mask.png")


class Recorder:
    """Collects the cases of one family; `finish` writes cases.json and latents.bin beside the family's graphs."""

    def __init__(self, folder, ids):
        self.folder, self.ids, self.cases, self.latents, self.at = folder, ids, [], [], 0

    @torch.no_grad()
    def run(self, name, pipeline, *, task="text-to-image", steps, seed, guidance, prompt=PROMPT, negative="", count=1, seeds=False, strength=None, unpack=lambda x: x, scheduler=None, given=None, **call):
        """`seeds`: a generator for each picture; `given`: what our side is told besides what is recorded anyway;
        `call`: what diffusers is told besides."""
        pipeline.set_progress_bar_config(disable=True)
        kept = []

        def keep(_pipeline, _step, _timestep, state):
            kept.append(unpack(state["latents"]).detach().clone().float())
            return {}

        if task == "edit":
            call |= {"image": [Image.open(HERE / name) for name in given["references"]]}
        elif task == "text-to-image":
            call |= {"height": HEIGHT, "width": WIDTH}
        else:
            call |= {"image": picture().resize((WIDTH, HEIGHT), Image.LANCZOS), "strength": strength}
        if task == "inpaint":
            call |= {"mask_image": mask().resize((WIDTH, HEIGHT), Image.LANCZOS), "height": HEIGHT, "width": WIDTH}
        generator = [torch.Generator().manual_seed(seed + i) for i in range(count)] if seeds else torch.Generator().manual_seed(seed)
        if "prompt_embeds" not in call:
            call["prompt"] = prompt
        images = pipeline(num_inference_steps=steps, guidance_scale=guidance, num_images_per_prompt=count, generator=generator, callback_on_step_end=keep, **call).images
        stack = torch.stack(kept).numpy().astype("<f4")
        self.latents.append(stack)
        files = []
        for i, image in enumerate(images):
            files.append(f"{name}-{i + 1}.png")
            image.save(self.folder / files[-1])
        self.cases.append({
            "name": name, "task": task, "prompt": prompt, "negative_prompt": negative, "steps": steps, "seed": seed, "guidance": guidance, "count": count, "width": images[0].width, "height": images[0].height,
            **({"strength": strength} if strength is not None else {}), **({"scheduler": scheduler} if scheduler else {}), **({"seeds": True} if seeds else {}), **(given or {}),
            "latents": {"at": self.at, "shape": list(stack.shape)}, "images": files,
        })
        self.at += stack.size
        spread = np.stack([np.asarray(i, dtype=float) for i in images]).std()
        print(f"{self.folder.name}/{name}: {len(kept)} steps, latents up to {np.abs(stack).max():.2f}, pixels spread {spread:.1f}")

    def finish(self):
        write_json(self.folder / "cases.json", {"ids": self.ids, "cases": self.cases})
        np.concatenate([each.ravel() for each in self.latents]).tofile(self.folder / "latents.bin")


def settings(scheduler):
    """All of them, the class's defaults too: a case's scheduler replaces the repository's. JSON has no infinity."""
    return {k: v for k, v in scheduler.config.items() if not k.startswith("_") and v is not None and v != float("-inf")}


def scheduler_json(folder, scheduler):
    write_json(folder / "scheduler/scheduler_config.json", {"_class_name": type(scheduler).__name__, **settings(scheduler)})
