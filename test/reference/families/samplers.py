"""Samplers that a request may choose besides those in sd/: TCD, UniPC, DDIM with noise, and UniPC along the flow of FLUX.
No graphs are written: the tests read those of sd/ and flux-dev/."""

import json

import diffusers

import large
import record
import stable_diffusion
import tiny
from record import NEGATIVE

UNIPC = "UniPCMultistepScheduler"
NOISE = {
    "tcd": ("TCDScheduler", {}, {"eta": 0.3}),
    "ddim": ("DDIMScheduler", {"clip_sample": False}, {"eta": 0.7}),
    "unipc": (UNIPC, {}, {}),
    "unipc-karras": (UNIPC, {"use_karras_sigmas": True}, {}),
}


def noise():
    folder = tiny.empty("sd-samplers")
    tokenizer, models = tiny.clip_tokenizer(tiny.HERE / "sd/tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    recorder = record.Recorder(folder, {})
    own = {k: v for k, v in json.loads((tiny.HERE / "sd/scheduler/scheduler_config.json").read_text()).items() if not k.startswith("_")}
    both = {"negative": NEGATIVE, "negative_prompt": NEGATIVE, "guidance": 7.5}
    for name, (kind, changes, told) in NOISE.items():
        scheduler = getattr(diffusers, kind).from_config({**own, **changes})
        assemble = lambda pipeline: stable_diffusion.assemble(pipeline, models, tokenizer, scheduler)
        more = {"scheduler": {"_class_name": kind, **changes, **told}, **told, **both}
        recorder.run(f"text-{name}", assemble(diffusers.StableDiffusionPipeline), steps=4, seed=121, **more)
        recorder.run(f"image-{name}", assemble(diffusers.StableDiffusionImg2ImgPipeline), task="image-to-image", steps=6, seed=122, strength=0.6, **more)
    recorder.finish()


def unipc_of(config):
    return diffusers.UniPCMultistepScheduler.from_config({**config, "use_flow_sigmas": True, "prediction_type": "flow_prediction", "flow_shift": config["shift"]})


def flows():
    folder = tiny.empty("flux-samplers")
    models, tokenizers = large.flux_parts(folder, guided=True)
    tiny.write_json(folder / "model_index.json", {"_class_name": "FluxPipeline"})
    recorder = record.Recorder(folder, {})
    pipeline = diffusers.FluxPipeline(**models, **tokenizers, scheduler=unipc_of(large.FLUX_SHIFT))
    unpack = lambda x: diffusers.FluxPipeline._unpack_latents(x, record.HEIGHT, record.WIDTH, pipeline.vae_scale_factor)
    recorder.run("text-unipc", pipeline, steps=5, seed=123, guidance=3.5, unpack=unpack, max_sequence_length=512, scheduler={"_class_name": UNIPC})
    recorder.finish()


if __name__ == "__main__":
    noise()
    flows()
