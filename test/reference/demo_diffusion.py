"""What Python diffusers makes of models/demo/diffusion: writes test/reference/demo-diffusion/.

    python3 test/reference/demo_diffusion.py

StableDiffusionPipeline runs with the torch weights read back out of the exported graphs (rebuild.py), on given
initial noise. cases.json names, for each case, the prompt, token ids, samples of the embeddings, scheduler config,
timesteps, guidance, and the files:
  noise-*.bin    float32 little-endian [1,4,16,16], unit normal; the pipeline multiplies it by init_noise_sigma
  latents-*.bin  float32 little-endian [steps,1,4,16,16], the latents after every step (after the call of the scheduler)
  image-*.png    the final picture, 8-bit RGB
"""

import json
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image

import rebuild

OUT = Path(__file__).resolve().parent / "demo-diffusion"
NEUTRAL = {"num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear", "prediction_type": "v_prediction", "steps_offset": 1}
CASES = [
    # id, prompt, negative prompt, scheduler class (None: the repository's own), changes, steps, guidance, keep every step
    ("default", "a big red circle in the middle of a blue background", "", None, {}, None, None, True),
    ("ddim-20", "on yellow, a small green star at the left", "", "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "timestep_spacing": "leading"}, 20, 4.0, True),
    ("pndm-20", "purple ground with a tiny white triangle near the top", "", "PNDMScheduler", {"skip_prk_steps": True, "set_alpha_to_one": False, "timestep_spacing": "leading"}, 20, 4.0, True),
    ("euler-20", "a red square on the left and a small blue star on the right", "", "EulerDiscreteScheduler", {"timestep_spacing": "linspace"}, 20, 4.0, True),
    ("euler-leading-10", "a photo of a black heart", "circle", "EulerDiscreteScheduler", {"timestep_spacing": "leading"}, 10, 5.0, False),
    ("euler-trailing-10", "yellow ring on green", "", "EulerDiscreteScheduler", {"timestep_spacing": "trailing"}, 10, 4.0, False),
    ("ddim-trailing-10-no-guidance", "pink cross", "", "DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": False, "timestep_spacing": "trailing"}, 10, 1.0, False),
]
STEPS, GUIDANCE = 20, 3.0  # the default of the repository, for the case "default"


def sample_of(x):
    flat = x.double().flatten()
    return {"shape": list(x.shape), "first": [float(v) for v in x.flatten()[:8]], "last": [float(v) for v in x.flatten()[-8:]], "sum": flat.sum().item(), "sum_of_squares": (flat**2).sum().item()}


@torch.no_grad()
def main():
    torch.set_num_threads(2)
    OUT.mkdir(parents=True, exist_ok=True)
    for f in OUT.iterdir():
        f.unlink()
    demo = rebuild.DEMO / "diffusion"
    tokenizer = transformers.CLIPTokenizer.from_pretrained(str(demo / "tokenizer"))
    own = json.loads((demo / "scheduler/scheduler_config.json").read_text())
    text, unet, vae = rebuild.text_encoder(), rebuild.unet(), rebuild.vae()
    generator, cases = torch.Generator().manual_seed(2026), []
    for name, prompt, negative, kind, changes, steps, guidance, keep in CASES:
        steps, guidance = steps or STEPS, guidance or GUIDANCE
        kind_config = own if kind is None else {**NEUTRAL, **changes}
        scheduler = getattr(diffusers, kind or own["_class_name"]).from_config(kind_config)
        pipeline = diffusers.StableDiffusionPipeline(
            vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
        pipeline.set_progress_bar_config(disable=True)
        noise = torch.randn(1, 4, 16, 16, generator=generator)
        latents = []
        picture = pipeline(prompt, negative_prompt=negative, num_inference_steps=steps, guidance_scale=guidance, latents=noise.clone(), width=128, height=128,
                           callback_on_step_end=lambda p, i, t, k: latents.append(k["latents"].clone()) or k).images[0]
        ids = tokenizer([prompt, negative], padding="max_length", truncation=True, max_length=77).input_ids
        embeddings = text(torch.tensor(ids)).last_hidden_state
        noise.numpy().astype("<f4").tofile(OUT / f"noise-{name}.bin")
        if keep:
            torch.stack(latents).numpy().astype("<f4").tofile(OUT / f"latents-{name}.bin")
        picture.save(OUT / f"image-{name}.png")
        public = {k: v for k, v in scheduler.config.items() if not k.startswith("_")}
        cases.append({
            "id": name, "prompt": prompt, "negative_prompt": negative, "prompt_ids": ids[0], "negative_ids": ids[1],
            "prompt_embeds": sample_of(embeddings[:1]), "negative_prompt_embeds": sample_of(embeddings[1:]),
            "scheduler": {"_class_name": type(scheduler).__name__, **public}, "own_scheduler": kind is None,
            "timesteps": [float(t) for t in scheduler.timesteps], "init_noise_sigma": float(scheduler.init_noise_sigma),
            "steps": steps, "guidance": guidance, "calls": len(latents), "final_latents": sample_of(latents[-1]),
            "noise": f"noise-{name}.bin", "latents": f"latents-{name}.bin" if keep else None, "image": f"image-{name}.png",
        })
        print(name, "->", np.asarray(picture).mean((0, 1)).round(1), len(latents), "calls")
    about = {"made_with": {"diffusers": diffusers.__version__, "transformers": transformers.__version__, "torch": torch.__version__}, "device": "CPU, float32",
             "scaling_factor": vae.config.scaling_factor, "tolerance": "latents 1e-4 relative to their largest value; picture 2/255"}
    (OUT / "cases.json").write_text(json.dumps({"about": about, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
