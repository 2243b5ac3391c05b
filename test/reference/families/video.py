"""Videos: ModelScope's text-to-video and Stable Video Diffusion, tiny and with random weights."""

import sys

import diffusers
import numpy as np
import torch
from PIL import Image

import record
import stable_diffusion
import tiny
from record import NEGATIVE, PROMPT

FRAMES = 4


class Recorder:
    """As record.py's, of frames; those of a video are one picture, stacked from top to bottom."""

    def __init__(self, folder):
        self.folder, self.cases, self.latents, self.at = folder, [], [], 0

    @torch.no_grad()
    def run(self, name, pipeline, *, seed, given=None, **call):
        pipeline.set_progress_bar_config(disable=True)
        kept = []

        def keep(_pipeline, _step, _timestep, state):
            kept.append(state["latents"].detach().clone().float())
            return {}

        steps = [] if isinstance(pipeline, diffusers.TextToVideoSDPipeline) else {"callback_on_step_end": keep}
        if steps == []:
            steps = {"callback": lambda _step, _timestep, latents: kept.append(latents.detach().clone().float()), "callback_steps": 1}
        frames = pipeline(generator=torch.Generator().manual_seed(seed), width=record.WIDTH, height=record.HEIGHT, output_type="np", **steps, **call).frames[0]
        pixels = (np.asarray(frames) * 255).round().astype(np.uint8)
        Image.fromarray(pixels.reshape(-1, *pixels.shape[2:])).save(self.folder / f"{name}.png")
        stack = torch.stack(kept).numpy().astype("<f4")
        self.latents.append(stack)
        self.cases.append({"name": name, "seed": seed, "width": record.WIDTH, "height": record.HEIGHT, "frames": len(pixels), **(given or {}), "latents": {"at": self.at, "shape": list(stack.shape)}})
        self.at += stack.size
        print(f"{self.folder.name}/{name}: {len(kept)} steps, latents up to {np.abs(stack).max():.2f}, pixels spread {pixels.astype(float).std():.1f}")

    def finish(self):
        tiny.write_json(self.folder / "cases.json", {"cases": self.cases})
        np.concatenate([each.ravel() for each in self.latents]).tofile(self.folder / "latents.bin")


def modelscope():
    folder = tiny.empty("modelscope")
    tokenizer = tiny.clip_tokenizer(folder / "tokenizer", "!")
    torch.manual_seed(61)
    unet = tiny.lively(diffusers.UNet3DConditionModel(sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4, cross_attention_dim=tiny.WIDTH,
                                                      attention_head_dim=4, down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"), up_block_types=("UpBlock3D", "CrossAttnUpBlock3D")))
    # The convolutions along time end in zeros before they are trained.
    for name, parameter in unet.named_parameters():
        if "temp_convs" in name and "conv4.3.weight" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    models = {"unet": unet, "text_encoder": tiny.clip_text(projection=False), "vae": tiny.autoencoder(4, 0.18215)}
    ddim = diffusers.DDIMScheduler.from_config({**stable_diffusion.SD, "clip_sample": False, "set_alpha_to_one": False})
    tiny.write_json(folder / "model_index.json", {"_class_name": "TextToVideoSDPipeline"})
    record.scheduler_json(folder, ddim)
    tiny.export_clip(folder / "text_encoder", models["text_encoder"], hidden_states=False)
    run = lambda m, sample, timestep, states: m(sample, timestep, states, return_dict=False)[0]
    video = ("batch_size", None, None, "height", "width")
    tiny.export(folder / "unet/model.onnx", unet, run, (torch.randn(2, 4, FRAMES, 8, 12), torch.tensor(500.0), torch.randn(2, 77, tiny.WIDTH)),
                {"sample": video, "timestep": (), "encoder_hidden_states": tiny.STATES}, {"out_sample": video})
    tiny.write_json(folder / "unet/config.json", tiny.config_of(unet))
    tiny.export_vae(folder, models["vae"])
    recorder = Recorder(folder)
    assemble = lambda scheduler: diffusers.TextToVideoSDPipeline(**models, tokenizer=tokenizer, scheduler=scheduler)
    both = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "num_frames": FRAMES}
    told = {"prompt": PROMPT, "negative_prompt": NEGATIVE}
    recorder.run("guided", assemble(ddim), seed=61, num_inference_steps=5, guidance_scale=9.0, given={**told, "steps": 5, "guidance": 9}, **both)
    recorder.run("unguided", assemble(ddim), seed=62, num_inference_steps=3, guidance_scale=1.0, given={**told, "steps": 3, "guidance": 1}, **both)
    solver = diffusers.DPMSolverMultistepScheduler.from_config(stable_diffusion.SD)
    recorder.run("solver", assemble(solver), seed=63, num_inference_steps=4, guidance_scale=7.5,
                 given={**told, "steps": 4, "guidance": 7.5, "scheduler": {"_class_name": "DPMSolverMultistepScheduler", **record.settings(solver)}}, **both)
    recorder.finish()


def svd():
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    folder = tiny.empty("svd")
    torch.manual_seed(64)
    encoder = tiny.lively(CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_size=16, intermediate_size=32, projection_dim=tiny.WIDTH, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=32)))
    unet = tiny.lively(diffusers.UNetSpatioTemporalConditionModel(
        sample_size=8, in_channels=8, out_channels=4, block_out_channels=(32, 32), layers_per_block=1, cross_attention_dim=tiny.WIDTH, num_attention_heads=(2, 2), projection_class_embeddings_input_dim=48,
        addition_time_embed_dim=16, down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"), up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal")))
    vae = tiny.lively(diffusers.AutoencoderKLTemporalDecoder(block_out_channels=(32, 32, 32), in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * 3, latent_channels=4, layers_per_block=1, force_upcast=False))
    extractor = CLIPImageProcessor(crop_size=224, size=224)
    # scheduler_config.json of stabilityai/stable-video-diffusion-img2vid-xt.
    euler = diffusers.EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", interpolation_type="linear", num_train_timesteps=1000, prediction_type="v_prediction",
                                             sigma_max=700.0, sigma_min=0.002, steps_offset=1, timestep_spacing="leading", timestep_type="continuous", use_karras_sigmas=True)
    tiny.write_json(folder / "model_index.json", {"_class_name": "StableVideoDiffusionPipeline"})
    record.scheduler_json(folder, euler)
    (folder / "feature_extractor").mkdir()
    extractor.save_pretrained(folder / "feature_extractor")
    tiny.export(folder / "image_encoder/model.onnx", encoder, lambda m, x: m(x).image_embeds, (torch.randn(1, 3, 224, 224),), {"pixel_values": ("batch_size", None, None, None)}, {"image_embeds": ("batch_size", None)})
    video = ("batch_size", None, None, "height", "width")
    run = lambda m, sample, timestep, states, ids: m(sample, timestep, states, ids, return_dict=False)[0]
    tiny.export(folder / "unet/model.onnx", unet, run, (torch.randn(2, FRAMES, 8, 8, 12), torch.tensor(1.5), torch.randn(2, 1, tiny.WIDTH), torch.tensor([[6.0, 127.0, 0.02]] * 2)),
                {"sample": video, "timestep": (), "encoder_hidden_states": STATES_OF_ONE, "added_time_ids": ("batch_size", None)}, {"out_sample": video})
    tiny.write_json(folder / "unet/config.json", tiny.config_of(unet))
    tiny.export(folder / "vae_encoder/model.onnx", vae, lambda m, x: m.quant_conv(m.encoder(x)), (torch.randn(1, 3, 32, 48),), {"sample": tiny.MAP}, {"latent_parameters": ("batch_size", None, "h", "w")})
    tiny.export(folder / "vae_decoder/model.onnx", vae, lambda m, z: m.decode(z, num_frames=FRAMES).sample, (torch.randn(FRAMES, 4, 8, 12),), {"latent_sample": (None, None, "h", "w")}, {"sample": (None, None, "height", "width")})
    for part in ("vae_encoder", "vae_decoder"):
        tiny.write_json(folder / part / "config.json", tiny.config_of(vae))
    recorder = Recorder(folder)
    pipeline = diffusers.StableVideoDiffusionPipeline(image_encoder=encoder, unet=unet, vae=vae, scheduler=euler, feature_extractor=extractor)
    image = record.picture()
    image.save(folder / "picture.png")
    # Larger than what CLIP sees, along one side: it is blurred before it is made smaller.
    y, x = np.mgrid[0:210, 0:420]
    large = Image.fromarray(np.stack([127 + 120 * np.sin(x * y / 900), 255 * x / 419, np.where((x // 3 + y // 5) % 2 == 0, 30, 220)], -1).astype(np.uint8))
    large.save(folder / "wide-picture.png")
    for name, more, told in (
        ("guided", {}, {"least": 1, "most": 3, "fps": 7, "bucket": 127, "noise": 0.02}),
        ("moving", {"fps": 12, "motion_bucket_id": 40, "noise_aug_strength": 0.3}, {"least": 1, "most": 3, "fps": 12, "bucket": 40, "noise": 0.3}),
        ("large", {"image": large}, {"least": 1, "most": 3, "fps": 7, "bucket": 127, "noise": 0.02, "picture": "wide-picture.png"}),
        ("unguided", {"max_guidance_scale": 1.0}, {"least": 1, "most": 1, "fps": 7, "bucket": 127, "noise": 0.02}),
    ):
        recorder.run(name, pipeline, seed=65, num_frames=FRAMES, num_inference_steps=4, given={"picture": "picture.png", **told, "steps": 4}, **{"image": image, **more})
    recorder.finish()


STATES_OF_ONE = ("batch_size", None, None)

if __name__ == "__main__":
    torch.set_num_threads(1)
    for kind in sys.argv[1:] or ("modelscope", "svd"):
        {"modelscope": modelscope, "svd": svd}[kind]()
