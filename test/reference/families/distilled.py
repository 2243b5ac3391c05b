"""Stable Diffusion 2 (v-prediction, prompts padded with "!") and models distilled into few steps: SD-Turbo, SDXL-Turbo and
SDXL-Lightning. The graphs are those of sd/ and sdxl/, of which they differ in what their files say."""

import diffusers
import torch

import large
import record
import stable_diffusion
import tiny
from record import NEGATIVE

BETAS = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
# scheduler_config.json of stabilityai's repositories and of Lightning's model card.
VELOCITY = {**BETAS, "prediction_type": "v_prediction", "clip_sample": False, "set_alpha_to_one": False}
TRAILING = {**BETAS, "timestep_spacing": "trailing"}
BOTH = {"negative": NEGATIVE, "negative_prompt": NEGATIVE}


def begin(name, kind, scheduler):
    folder = tiny.empty(name)
    tiny.write_json(folder / "model_index.json", {"_class_name": kind, **({"force_zeros_for_empty_prompt": True} if "XL" in kind else {})})
    record.scheduler_json(folder, scheduler)
    return folder


def second():
    scheduler = diffusers.DDIMScheduler.from_config(VELOCITY)
    folder = begin("sd-2", "StableDiffusionPipeline", scheduler)
    tokenizer = tiny.clip_tokenizer(folder / "tokenizer", "!")
    models = stable_diffusion.parts()
    assemble = lambda kind, scheduler: stable_diffusion.assemble(kind, models, tokenizer, scheduler)
    recorder = record.Recorder(folder, {})
    recorder.run("text", assemble(diffusers.StableDiffusionPipeline, scheduler), steps=4, seed=101, guidance=7.5, count=2, **BOTH)
    recorder.run("image", assemble(diffusers.StableDiffusionImg2ImgPipeline, scheduler), task="image-to-image", steps=5, seed=102, guidance=7.5, strength=0.7, **BOTH)
    recorder.run("inpaint", assemble(diffusers.StableDiffusionInpaintPipeline, scheduler), task="inpaint", steps=4, seed=103, guidance=7.5, strength=0.8, **BOTH)
    for name, kind, config in (("euler", diffusers.EulerDiscreteScheduler, {}), ("dpm-karras", diffusers.DPMSolverMultistepScheduler, {"use_karras_sigmas": True})):
        other = kind.from_config({**BETAS, "prediction_type": "v_prediction", **config})
        recorder.run(f"text-{name}", assemble(diffusers.StableDiffusionPipeline, other), steps=4, seed=104, guidance=7.5,
                     scheduler={"_class_name": type(other).__name__, **record.settings(other)}, **BOTH)
    recorder.finish()


def turbo():
    scheduler = diffusers.EulerDiscreteScheduler.from_config(TRAILING)
    folder = begin("sd-turbo", "StableDiffusionPipeline", scheduler)
    tokenizer = tiny.clip_tokenizer(folder / "tokenizer", "!")
    models = stable_diffusion.parts()
    recorder = record.Recorder(folder, {})
    text = stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, scheduler)
    for steps in (1, 2, 4):
        recorder.run(f"text-{steps}", text, steps=steps, seed=105, guidance=0.0)
    image = stable_diffusion.assemble(diffusers.StableDiffusionImg2ImgPipeline, models, tokenizer, scheduler)
    recorder.run("image", image, task="image-to-image", steps=2, seed=106, guidance=0.0, strength=0.5, count=2)
    recorder.finish()


def xl(name, scheduler, counts):
    folder = begin(name, "StableDiffusionXLPipeline", scheduler)
    assemble = lambda kind: kind(**large.sdxl_parts(), **large.sdxl_tokenizers(tiny.HERE / "sdxl"), scheduler=scheduler, add_watermarker=False)
    recorder = record.Recorder(folder, {})
    for steps in counts:
        recorder.run(f"text-{steps}", assemble(diffusers.StableDiffusionXLPipeline), steps=steps, seed=107, guidance=0.0, count=2 if steps == counts[0] else 1)
    recorder.run("image", assemble(diffusers.StableDiffusionXLImg2ImgPipeline), task="image-to-image", steps=4, seed=108, guidance=0.0, strength=0.5)
    recorder.run("inpaint", assemble(diffusers.StableDiffusionXLInpaintPipeline), task="inpaint", steps=4, seed=109, guidance=0.0, strength=0.75)
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    second()
    turbo()
    xl("sdxl-turbo", diffusers.EulerAncestralDiscreteScheduler.from_config(TRAILING), (1, 4))
    xl("sdxl-lightning", diffusers.EulerDiscreteScheduler.from_config(TRAILING), (2, 4, 8))
