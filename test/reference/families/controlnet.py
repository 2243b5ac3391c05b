"""ControlNet: a UNet that takes residuals and the net that gives them, for Stable Diffusion 1 and XL. Only what differs from
sd/ and sdxl/ is written: the tests read the rest there."""

import diffusers
import torch

import large
import record
import stable_diffusion
import tiny
from record import NEGATIVE

BOTH = {"negative": NEGATIVE, "negative_prompt": NEGATIVE}


def control_picture():
    return record.references()[0].resize((record.WIDTH, record.HEIGHT), diffusers.utils.PIL_INTERPOLATION["lanczos"])


def net(unet):
    """Its last convolutions begin at zero; ones that were trained do not."""
    made = tiny.lively(diffusers.ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8)))
    for layer in [*made.controlnet_down_blocks, made.controlnet_mid_block, made.controlnet_cond_embedding.conv_out]:
        torch.nn.init.normal_(layer.weight, std=0.5)
    return made


def export(folder, unet, controlnet, extra=()):
    """`extra`: further inputs of both graphs as (name, dims, example). The residuals' names are those of common exports."""
    names = [name for name, _, _ in extra]
    added = lambda rest: {"added_cond_kwargs": dict(zip(names, rest))} if names else {}
    states = torch.randn(2, 77, unet.config.cross_attention_dim)
    sample, timestep, picture = torch.randn(2, 4, 8, 12), torch.tensor(500.0), torch.rand(2, 3, 32, 48)
    further = {name: dims for name, dims, _ in extra}
    examples = [example for _, _, example in extra]

    def look(m, x, t, s, c, *rest):
        down, mid = m(x, t, s, c, conditioning_scale=1.0, return_dict=False, **added(rest))
        return (*down, mid)

    with torch.no_grad():
        residuals = look(controlnet, sample, timestep, states, picture, *examples)
    outs = [f"down_block_res_samples.{i}" for i in range(len(residuals) - 1)] + ["mid_block_res_sample"]
    inputs = {"sample": tiny.MAP, "timestep": (), "encoder_hidden_states": tiny.STATES}
    tiny.export(folder / "controlnet/model.onnx", controlnet, look, (sample, timestep, states, picture, *examples),
                inputs | {"controlnet_cond": ("batch_size", None, "pixel_height", "pixel_width")} | further, {name: ("batch_size", None, f"h{i}", f"w{i}") for i, name in enumerate(outs)})

    def draw(m, x, t, s, *rest):
        down = rest[len(names):-1]
        return m(x, t, s, down_block_additional_residuals=down, mid_block_additional_residual=rest[-1], return_dict=False, **added(rest[:len(names)]))[0]

    ins = [f"down_block_additional_residuals.{i}" for i in range(len(residuals) - 1)] + ["mid_block_additional_residual"]
    tiny.export(folder / "unet/model.onnx", unet, draw, (sample, timestep, states, *examples, *residuals),
                inputs | further | {name: ("batch_size", None, f"h{i}", f"w{i}") for i, name in enumerate(ins)}, {"out_sample": tiny.MAP})
    tiny.write_json(folder / "unet/config.json", tiny.config_of(unet))


def sd():
    folder = tiny.empty("sd-control")
    tokenizer, models = tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    torch.manual_seed(15)
    controlnet = net(models["unet"])
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionControlNetPipeline"})
    export(folder, models["unet"], controlnet)
    scheduler = diffusers.PNDMScheduler.from_config(stable_diffusion.PNDM)
    assemble = lambda kind, scheduler: kind(**models, controlnet=controlnet, tokenizer=tokenizer, scheduler=scheduler, safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    text = assemble(diffusers.StableDiffusionControlNetPipeline, scheduler)
    recorder = record.Recorder(folder, {})
    record_text(recorder, text, 7.5)
    recorder.run("image", assemble(diffusers.StableDiffusionControlNetImg2ImgPipeline, scheduler), task="image-to-image", steps=5, seed=84, guidance=7.5, strength=0.7,
                 given={"control": {"picture": "reference-1.png", "scale": 0.7, "span": [0, 1]}}, control_image=control_picture(), controlnet_conditioning_scale=0.7, **BOTH)
    recorder.run("inpaint", assemble(diffusers.StableDiffusionControlNetInpaintPipeline, scheduler), task="inpaint", steps=5, seed=85, guidance=7.5, strength=0.7,
                 given={"control": {"picture": "reference-1.png", "scale": 0.7, "span": [0, 1]}}, control_image=control_picture(), controlnet_conditioning_scale=0.7, **BOTH)
    recorder.finish()


def sdxl():
    folder = tiny.empty("sdxl-control")
    models, tokenizers = large.sdxl_parts(), large.sdxl_tokenizers(folder)
    torch.manual_seed(16)
    controlnet = net(models["unet"])
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionXLControlNetPipeline", "force_zeros_for_empty_prompt": True})
    export(folder, models["unet"], controlnet, [("text_embeds", ("batch_size", None), torch.randn(2, tiny.WIDTH)), ("time_ids", ("batch_size", None), torch.full((2, 6), 32.0))])
    scheduler = diffusers.EulerDiscreteScheduler.from_config(large.EULER)
    recorder = record.Recorder(folder, {})
    record_text(recorder, diffusers.StableDiffusionXLControlNetPipeline(**models, **tokenizers, controlnet=controlnet, scheduler=scheduler, add_watermarker=False), 6.0)
    recorder.finish()


def record_text(recorder, pipeline, guidance):
    for name, scale, span, more in (("full", 1.0, (0.0, 1.0), {"count": 2}), ("half", 0.5, (0.0, 1.0), {}), ("begin-and-end", 1.5, (0.3, 0.8), {}), ("no-guidance", 1.0, (0.0, 1.0), {"unguided": True})):
        unguided = more.pop("unguided", False)
        both = {} if unguided else BOTH
        recorder.run(name, pipeline, steps=4, seed=81, guidance=1.0 if unguided else guidance, given={"control": {"picture": "reference-1.png", "scale": scale, "span": list(span)}},
                     image=control_picture(), controlnet_conditioning_scale=scale, control_guidance_start=span[0], control_guidance_end=span[1], **more, **both)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sd()
    sdxl()
