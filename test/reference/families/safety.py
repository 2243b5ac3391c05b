"""The safety checker of Stable Diffusion 1 (a tiny one that finds half of the pictures unsafe), and the autoencoder's tiled
decoding. Only what differs from sd/ is written."""

import diffusers
import numpy as np
import torch
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessorPil

import record
import stable_diffusion
import tiny

SIDE = 32


def checker():
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8, "projection_dim": 16}
    made = tiny.lively(StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision, text_config={"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1}, projection_dim=16)))
    made.concept_embeds.data.normal_()
    made.special_care_embeds.data.normal_()
    return made


def threshold(made, extractor, pictures):
    """So that half of these pictures are found: at the middle of what each is nearest to."""
    seen = extractor(pictures, return_tensors="pt").pixel_values
    embeds = made.visual_projection(made.vision_model(seen)[1])
    cosines = torch.nn.functional.normalize(embeds) @ torch.nn.functional.normalize(made.concept_embeds).T
    made.special_care_embeds_weights.data.fill_(2.0)
    nearest = cosines.max(1).values.sort().values
    made.concept_embeds_weights.data.fill_(float((nearest[len(nearest) // 2 - 1] + nearest[len(nearest) // 2]) / 2))


@torch.no_grad()
def main():
    folder = tiny.empty("sd-safety")
    tokenizer, models = tiny.clip_tokenizer(folder / "tokenizer", "<|endoftext|>"), stable_diffusion.parts()
    torch.manual_seed(18)
    made = checker()
    extractor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    tiny.write_json(folder / "feature_extractor/preprocessor_config.json", {"size": {"shortest_edge": SIDE}, "crop_size": SIDE})
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableDiffusionPipeline"})
    pndm = diffusers.PNDMScheduler.from_config(stable_diffusion.PNDM)
    draw = lambda pipeline: pipeline(prompt=record.PROMPT, num_inference_steps=2, guidance_scale=3.0, num_images_per_prompt=6, height=64, width=64,
                                     generator=[torch.Generator().manual_seed(100 + i) for i in range(6)])
    plain = draw(stable_diffusion.assemble(diffusers.StableDiffusionPipeline, models, tokenizer, pndm)).images
    threshold(made, extractor, plain)
    tiny.export(folder / "safety_checker/model.onnx", made, lambda m, seen, images: m.forward_onnx(seen, images.clone()), (torch.randn(2, 3, SIDE, SIDE), torch.rand(2, 8, 8, 3)),
                {"clip_input": ("batch", None, None, None), "images": ("batch", "height", "width", None)}, {"out_images": ("batch", "height", "width", None), "has_nsfw_concepts": ("batch",)})
    checked = draw(diffusers.StableDiffusionPipeline(**models, tokenizer=tokenizer, scheduler=pndm, safety_checker=made, feature_extractor=extractor))
    black = [bool(np.asarray(image).max() == 0) for image in checked.images]
    assert black == checked.nsfw_content_detected and 0 < sum(black) < 6, black
    for i, image in enumerate(checked.images):
        image.save(folder / f"image-{i + 1}.png")
    tiny.write_json(folder / "cases.json", {"prompt": record.PROMPT, "steps": 2, "guidance": 3.0, "seed": 100, "width": 64, "height": 64, "has_nsfw_concepts": checked.nsfw_content_detected})
    print(checked.nsfw_content_detected)

    vae = models["vae"]
    latents = torch.randn(1, 4, 21, 30, generator=torch.Generator().manual_seed(1)) * 0.18215 * 3
    vae.enable_tiling()
    assert vae.tile_latent_min_size == 8
    image = vae.decode(latents / 0.18215, return_dict=False)[0]
    pixels = ((image[0] / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy().astype(np.uint8)
    folder = tiny.empty("sd-tiles")
    Image.fromarray(pixels).save(folder / "tiled.png")
    latents.numpy().astype("<f4").tofile(folder / "latents.bin")
    print(pixels.shape, pixels.std())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
