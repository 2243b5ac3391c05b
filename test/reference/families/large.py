"""The families with several text encoders: Stable Diffusion XL, Stable Diffusion 3, FLUX.1 dev and schnell.

    python test/reference/families/large.py [sdxl] [sd3] [flux]
"""

import sys

import diffusers
import torch

import record
import tiny
from record import NEGATIVE, PROMPT

EULER = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1, "timestep_spacing": "leading"}
BOTH = {"negative": NEGATIVE, "negative_prompt": NEGATIVE}


def sdxl_parts():
    torch.manual_seed(21)
    return {
        "text_encoder": tiny.clip_text(projection=False), "text_encoder_2": tiny.clip_text(projection=True), "vae": tiny.autoencoder(4, 0.13025),
        "unet": tiny.unet(cross_attention_dim=2 * tiny.WIDTH, addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=tiny.WIDTH + 48),
    }


def sdxl_tokenizers(folder):
    return {"tokenizer": tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), "tokenizer_2": tiny.clip_tokenizer(folder / "tokenizer_2", "!")}


def sdxl():
    folder = tiny.empty("sdxl")
    models, tokenizers = sdxl_parts(), sdxl_tokenizers(folder)
    scheduler = diffusers.EulerDiscreteScheduler.from_config(EULER)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True})
    record.scheduler_json(folder, scheduler)
    for name in ("text_encoder", "text_encoder_2"):
        tiny.export_clip(folder / name, models[name], hidden_states=True)
    tiny.export_unet(folder / "unet", models["unet"], [("text_embeds", ("batch_size", None), torch.randn(2, tiny.WIDTH)), ("time_ids", ("batch_size", None), torch.full((2, 6), 32.0))])
    tiny.export_vae(folder, models["vae"])
    recorder = record.Recorder(folder, {"prompt": tokenizers["tokenizer"](PROMPT).input_ids, "negative": tokenizers["tokenizer"](NEGATIVE).input_ids})
    assemble = lambda kind: kind(**models, **tokenizers, scheduler=scheduler, add_watermarker=False)
    text = assemble(diffusers.StableDiffusionXLPipeline)
    recorder.run("text", text, steps=4, seed=31, guidance=6.0, count=2, **BOTH)
    recorder.run("text-empty-negative", text, steps=3, seed=32, guidance=6.0)
    recorder.run("text-no-guidance", text, steps=2, seed=33, guidance=1.0)
    recorder.run("text-clip-skip", text, steps=3, seed=34, guidance=6.0, given={"clip_skip": 1}, **{"clip_skip": 1}, **BOTH)
    recorder.run("image", assemble(diffusers.StableDiffusionXLImg2ImgPipeline), task="image-to-image", steps=6, seed=35, guidance=6.0, strength=0.6, count=2, **BOTH)
    recorder.run("inpaint", assemble(diffusers.StableDiffusionXLInpaintPipeline), task="inpaint", steps=5, seed=36, guidance=6.0, strength=0.8, **BOTH)
    recorder.finish()


def transformer_args(config, length, width):
    return torch.randn(2, length, width), torch.randn(2, config.pooled_projection_dim)


def sd3():
    folder = tiny.empty("sd3")
    torch.manual_seed(22)
    tokenizers = {
        "tokenizer": tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), "tokenizer_2": tiny.clip_tokenizer(folder / "tokenizer_2", "!"),
        "tokenizer_3": tiny.t5_tokenizer(folder / "tokenizer_3", 512),
    }
    wide = 3 * tiny.WIDTH
    transformer = tiny.lively(diffusers.SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=16, out_channels=16, num_layers=2, attention_head_dim=8, num_attention_heads=2, joint_attention_dim=wide, caption_projection_dim=16,
        pooled_projection_dim=2 * tiny.WIDTH, pos_embed_max_size=16, qk_norm="rms_norm", dual_attention_layers=(0,)))
    models = {"text_encoder": tiny.clip_text(projection=True), "text_encoder_2": tiny.clip_text(projection=True), "text_encoder_3": tiny.t5_encoder(wide),
              "vae": tiny.autoencoder(16, 1.5305, 0.0609, quant=False), "transformer": transformer}
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusion3Pipeline"})
    record.scheduler_json(folder, scheduler)
    for name in ("text_encoder", "text_encoder_2"):
        tiny.export_clip(folder / name, models[name], hidden_states=True)
    tiny.export_t5(folder / "text_encoder_3", models["text_encoder_3"])
    run = lambda m, x, states, pooled, timestep: m(x, states, pooled, timestep, return_dict=False)[0]
    states, pooled = transformer_args(transformer.config, 333, wide)
    tiny.export(folder / "transformer/model.onnx", transformer, run, (torch.randn(2, 16, 8, 12), states, pooled, torch.tensor([500.0])),
                {"hidden_states": tiny.MAP, "encoder_hidden_states": tiny.STATES, "pooled_projections": ("batch_size", None), "timestep": ("step",)}, {"out_hidden_states": tiny.MAP})
    tiny.write_json(folder / "transformer/config.json", tiny.config_of(transformer))
    tiny.export_vae(folder, models["vae"])
    recorder = record.Recorder(folder, {"t5": tokenizers["tokenizer_3"](PROMPT).input_ids})
    text = diffusers.StableDiffusion3Pipeline(**models, **tokenizers, scheduler=scheduler)
    recorder.run("text", text, steps=4, seed=41, guidance=5.0, count=2, **BOTH)
    recorder.run("text-no-guidance", text, steps=3, seed=42, guidance=1.0)
    image = diffusers.StableDiffusion3Img2ImgPipeline(**models, **tokenizers, scheduler=scheduler)
    recorder.run("image", image, task="image-to-image", steps=5, seed=43, guidance=5.0, strength=0.7, height=record.HEIGHT, width=record.WIDTH, **BOTH)
    recorder.finish()


FLUX_SHIFT = {"use_dynamic_shifting": True, "shift": 3.0, "base_shift": 0.5, "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096}


def flux_parts(folder, guided):
    torch.manual_seed(23)
    tokenizers = {"tokenizer": tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), "tokenizer_2": tiny.t5_tokenizer(folder / "tokenizer_2", 512)}
    models = {"text_encoder": tiny.clip_text(projection=False), "text_encoder_2": tiny.t5_encoder(), "vae": tiny.autoencoder(16, 0.3611, 0.1159, quant=False)}
    models["transformer"] = tiny.lively(diffusers.FluxTransformer2DModel(
        patch_size=1, in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2, joint_attention_dim=tiny.WIDTH, pooled_projection_dim=tiny.WIDTH,
        guidance_embeds=guided, axes_dims_rope=(4, 2, 2)))
    return models, tokenizers


def flux():
    for name, guided in (("flux-dev", True), ("flux-schnell", False)):
        folder = tiny.empty(name)
        length = 512 if guided else 256
        models, tokenizers = flux_parts(folder, guided)
        transformer = models["transformer"]
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler(**(FLUX_SHIFT if guided else {"shift": 1.0}))
        tiny.write_json(folder / "model_index.json", {"_class_name": "FluxPipeline"})
        record.scheduler_json(folder, scheduler)
        export_flux(folder / "transformer", transformer, length)
        text = diffusers.FluxPipeline(**models, **tokenizers, scheduler=scheduler)
        scale = text.vae_scale_factor
        unpack = lambda x: diffusers.FluxPipeline._unpack_latents(x, record.HEIGHT, record.WIDTH, scale)
        more = {"unpack": unpack, "max_sequence_length": length, "guidance": 3.5}
        if guided:
            tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=False)
            tiny.export_t5(folder / "text_encoder_2", models["text_encoder_2"])
            tiny.export_vae(folder, models["vae"])
        recorder = record.Recorder(folder, {"t5": tokenizers["tokenizer_2"](PROMPT).input_ids})
        recorder.run("text", text, steps=4, seed=51, count=2, **more)
        image = diffusers.FluxImg2ImgPipeline(**models, **tokenizers, scheduler=scheduler)
        if guided:
            recorder.run("image", image, task="image-to-image", steps=5, seed=52, strength=0.75, count=2, height=record.HEIGHT, width=record.WIDTH, **more)
            part = diffusers.FluxInpaintPipeline(**models, **tokenizers, scheduler=scheduler)
            recorder.run("inpaint", part, task="inpaint", steps=5, seed=53, strength=0.8, count=2, **more)
            recorder.run("inpaint-full", part, task="inpaint", steps=3, seed=54, strength=1.0, **more)
        recorder.finish()



def export_flux(folder, transformer, length, rows=None, node_names=False):
    """`rows`: how many the graph is bound to; none = any number."""
    names = ["hidden_states", "encoder_hidden_states", "pooled_projections", "timestep", "img_ids", "txt_ids", "guidance"]

    def run(m, *args):
        return m(**dict(zip(names, args)), return_dict=False)[0]

    count, batch = rows or 2, None if rows else "batch_size"
    states, pooled = torch.randn(count, length, tiny.WIDTH), torch.randn(count, transformer.config.pooled_projection_dim)
    ids = torch.stack(torch.meshgrid(torch.zeros(1), torch.arange(4.0), torch.arange(6.0), indexing="ij"), -1).reshape(24, 3)
    args = [torch.randn(count, 24, 64), states, pooled, torch.full((count,), 0.5), ids, torch.zeros(length, 3)]
    axes = {"hidden_states": (batch, "packed", None), "encoder_hidden_states": (batch, "sequence_length", None), "pooled_projections": (batch, None), "timestep": (batch,),
            "img_ids": ("packed", None), "txt_ids": ("sequence_length", None)}
    if transformer.config.guidance_embeds:
        args.append(torch.full((count,), 3.5))
        axes["guidance"] = (batch,)
    tiny.export(folder / "model.onnx", transformer, run, tuple(args), axes, {"out_hidden_states": (batch, "packed", None)}, node_names)
    tiny.write_json(folder / "config.json", tiny.config_of(transformer))


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ["sdxl", "sd3", "flux"]:
        {"sdxl": sdxl, "sd3": sd3, "flux": flux}[name]()
