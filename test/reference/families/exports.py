"""The same models in other exports than sd/ and flux-dev/: of half precision inside and at the borders, and of one row at a time.
Only what differs is written."""

import diffusers
import onnx
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

import large
import record
import stable_diffusion
import tiny
from record import NEGATIVE


def halved(path):
    model = OnnxModel(convert_float_to_float16(onnx.load(str(path)), keep_io_types=False))
    model.topological_sort()
    onnx.save(model.model, str(path))
    tiny.slim(path)


def half():
    """The weights are rounded here too; what lies between the layers is rounded by the graphs alone."""
    folder = tiny.empty("sd-half")
    tokenizer, models = tiny.clip_tokenizer(tiny.HERE / "sd/tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    for model in models.values():
        model.half().float()
    scheduler = diffusers.EulerDiscreteScheduler.from_config(stable_diffusion.SD)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    record.scheduler_json(folder, scheduler)
    tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=False)
    tiny.export_unet(folder / "unet", models["unet"])
    tiny.export_vae(folder, models["vae"])
    for path in folder.glob("*/model.onnx"):
        halved(path)
    both = {"negative": NEGATIVE, "negative_prompt": NEGATIVE, "guidance": 4.0}
    assemble = lambda kind: stable_diffusion.assemble(kind, models, tokenizer, scheduler)
    recorder = record.Recorder(folder, {})
    recorder.run("text", assemble(diffusers.StableDiffusionPipeline), steps=4, seed=111, count=2, **both)
    recorder.run("image", assemble(diffusers.StableDiffusionImg2ImgPipeline), task="image-to-image", steps=4, seed=112, strength=0.7, **both)
    recorder.run("inpaint", assemble(diffusers.StableDiffusionInpaintPipeline), task="inpaint", steps=4, seed=113, strength=0.7, **both)
    recorder.finish()


def single():
    """flux-dev's models again, whose transformer draws one picture at a time."""
    folder = tiny.empty("flux-single")
    models, tokenizers = large.flux_parts(folder, guided=True)
    large.export_flux(folder / "transformer", models["transformer"], 512, rows=1)
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**large.FLUX_SHIFT)
    recorder = record.Recorder(folder, {})
    text = diffusers.FluxPipeline(**models, **tokenizers, scheduler=scheduler)
    unpack = lambda x: diffusers.FluxPipeline._unpack_latents(x, record.HEIGHT, record.WIDTH, text.vae_scale_factor)
    recorder.run("text", text, steps=3, seed=114, count=3, guidance=3.5, unpack=unpack, max_sequence_length=512)
    recorder.finish()


if __name__ == "__main__":
    torch.set_num_threads(1)
    half()
    single()
