"""Stable Diffusion 1 and what is built like it: text to image, image to image, inpainting with 4 and 9 channels, LCM."""

import diffusers
import torch

import record
import tiny
from record import NEGATIVE, PROMPT

SD = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
PNDM = {**SD, "skip_prk_steps": True, "set_alpha_to_one": False}
CHOICES = {
    "ddim": ("DDIMScheduler", {**SD, "clip_sample": False, "set_alpha_to_one": False}),
    "euler": ("EulerDiscreteScheduler", SD),
    "euler-a": ("EulerAncestralDiscreteScheduler", SD),
    "dpm-karras": ("DPMSolverMultistepScheduler", {**SD, "use_karras_sigmas": True}),
    "dpm-sde": ("DPMSolverMultistepScheduler", {**SD, "algorithm_type": "sde-dpmsolver++"}),
    "lcm": ("LCMScheduler", {**SD, "steps_offset": 0}),
}


def parts():
    torch.manual_seed(11)
    return {"text_encoder": tiny.clip_text(projection=False), "vae": tiny.autoencoder(4, 0.18215), "unet": tiny.unet()}


def assemble(kind, models, tokenizer, scheduler):
    return kind(**models, tokenizer=tokenizer, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def choice(name):
    kind, config = CHOICES[name]
    scheduler = getattr(diffusers, kind).from_config(config)
    return scheduler, {"_class_name": kind, **record.settings(scheduler)}


def main():
    folder = tiny.empty("sd")
    tokenizer, models = tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), parts()
    pndm = diffusers.PNDMScheduler.from_config(PNDM)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    record.scheduler_json(folder, pndm)
    tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=False)
    tiny.export_unet(folder / "unet", models["unet"])
    tiny.export_vae(folder, models["vae"])
    recorder = record.Recorder(folder, {"prompt": tokenizer(PROMPT).input_ids, "negative": tokenizer(NEGATIVE).input_ids})
    both = {"negative": NEGATIVE, "negative_prompt": NEGATIVE, "guidance": 7.5}
    recorder.run("text-pndm", assemble(diffusers.StableDiffusionPipeline, models, tokenizer, pndm), steps=5, seed=3, count=2, **both)
    image = lambda scheduler: assemble(diffusers.StableDiffusionImg2ImgPipeline, models, tokenizer, scheduler)
    recorder.run("image-pndm", image(pndm), task="image-to-image", steps=6, seed=4, strength=0.75, count=2, **both)
    recorder.run("image-pndm-strong", image(pndm), task="image-to-image", steps=5, seed=4, strength=0.95, **both)
    for name in CHOICES:
        scheduler, config = choice(name)
        recorder.run(f"image-{name}", image(scheduler), task="image-to-image", steps=6, seed=5, strength=0.6, scheduler=config, **both)
    inpaint = lambda scheduler: assemble(diffusers.StableDiffusionInpaintPipeline, models, tokenizer, scheduler)
    recorder.run("inpaint-pndm-full", inpaint(pndm), task="inpaint", steps=4, seed=6, strength=1.0, **both)
    recorder.run("inpaint-pndm", inpaint(pndm), task="inpaint", steps=5, seed=6, strength=0.7, count=2, **both)
    for name in ("euler", "dpm-karras"):
        scheduler, config = choice(name)
        recorder.run(f"inpaint-{name}", inpaint(scheduler), task="inpaint", steps=5, seed=7, strength=0.8, scheduler=config, **both)
    recorder.finish()
    inpainting(tokenizer, models, pndm, both)
    consistency(tokenizer, models)


def inpainting(tokenizer, models, pndm, both):
    """Only what differs from sd/ is written: the tests read the rest there."""
    folder = tiny.empty("sd-inpaint")
    torch.manual_seed(12)
    models = models | {"unet": tiny.unet(in_channels=9)}
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionInpaintPipeline"})
    tiny.export_unet(folder / "unet", models["unet"])
    recorder = record.Recorder(folder, {})
    pipeline = assemble(diffusers.StableDiffusionInpaintPipeline, models, tokenizer, pndm)
    recorder.run("inpaint-full", pipeline, task="inpaint", steps=4, seed=8, strength=1.0, count=2, **both)
    recorder.run("inpaint-part", pipeline, task="inpaint", steps=5, seed=9, strength=0.7, **both)
    recorder.finish()


def consistency(tokenizer, models):
    folder = tiny.empty("lcm")
    torch.manual_seed(13)
    models = models | {"unet": tiny.unet(time_cond_proj_dim=256)}
    scheduler = diffusers.LCMScheduler.from_config({**SD, "steps_offset": 0, "original_inference_steps": 50, "clip_sample": False, "timestep_scaling": 10.0})
    tiny.write_json(folder / "model_index.json", {"_class_name": "LatentConsistencyModelPipeline"})
    record.scheduler_json(folder, scheduler)
    tiny.export_unet(folder / "unet", models["unet"], [("timestep_cond", ("batch_size", None), torch.randn(2, 256))])
    recorder = record.Recorder(folder, {})
    text = assemble(diffusers.LatentConsistencyModelPipeline, models, tokenizer, scheduler)
    recorder.run("text", text, steps=4, seed=10, guidance=8.5, count=2)
    image = assemble(diffusers.LatentConsistencyModelImg2ImgPipeline, models, tokenizer, scheduler)
    recorder.run("image", image, task="image-to-image", steps=4, seed=10, guidance=8.5, strength=0.6)
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    record.write_inputs()
    main()
