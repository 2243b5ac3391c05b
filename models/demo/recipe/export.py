"""Stage "export": the two repositories, as diffusers + optimum and as transformers.js write them."""

import json
import shutil

import torch
from torch import nn

import clip
import unet as unet_module
from common import log

DIFFUSERS = "0.42.1"
SCHEDULER_CLASS = "DDIMScheduler"


def _write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def graph(module, args, path, inputs, outputs, axes):
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(module.eval(), args, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    log(f"{path.parent.name}/{path.name} {path.stat().st_size / 1e6:.2f} MB")


class TextEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        out = self.model(input_ids)
        return out.last_hidden_state, out.pooler_output


class Unet(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.model(sample, timestep, encoder_hidden_states, return_dict=False)[0]


class VaeEncoder(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, sample):
        return self.vae.quant_conv(self.vae.encoder(sample))


class VaeDecoder(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent_sample):
        return self.vae.decoder(self.vae.post_quant_conv(latent_sample))


class Clip(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values, attention_mask):
        out = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds


def eager(model):
    model.set_attn_implementation("eager")
    return model


def diffusion(folder, tokenizer_folder, text, unet, vae):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tokenizer_folder, folder / "tokenizer")
    _write(folder / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": DIFFUSERS, "feature_extractor": [None, None], "image_encoder": [None, None],
        "requires_safety_checker": False, "safety_checker": [None, None], "scheduler": ["diffusers", SCHEDULER_CLASS],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
    })
    _write(folder / "scheduler/scheduler_config.json", {"_class_name": SCHEDULER_CLASS, "_diffusers_version": DIFFUSERS, "trained_betas": None, **unet_module.SCHEDULER})
    config = {"architectures": ["CLIPTextModel"], **text.config.to_dict()}
    for key in ("_name_or_path", "dtype"):
        config.pop(key, None)
    _write(folder / "text_encoder/config.json", {**config, "architectures": ["CLIPTextModel"], "model_type": "clip_text_model"})
    for part, model in (("unet", unet), ("vae_encoder", vae), ("vae_decoder", vae)):
        config = {k: v for k, v in model.config.items() if k != "_use_default_values"}
        _write(folder / part / "config.json", {"_class_name": type(model).__name__, "_diffusers_version": DIFFUSERS, **{k: v for k, v in config.items() if not k.startswith("_")}})
    graph(TextEncoder(eager(text)), (torch.ones(2, 77, dtype=torch.long),), folder / "text_encoder/model.onnx",
          ["input_ids"], ["last_hidden_state", "pooler_output"],
          {"input_ids": {0: "batch_size", 1: "sequence_length"}, "last_hidden_state": {0: "batch_size", 1: "sequence_length"}, "pooler_output": {0: "batch_size"}})
    hw = {0: "batch_size", 2: "height", 3: "width"}
    graph(Unet(unet), (torch.randn(2, 4, 16, 16), torch.tensor(500.0), torch.randn(2, 77, 128)), folder / "unet/model.onnx",
          ["sample", "timestep", "encoder_hidden_states"], ["out_sample"],
          {"sample": hw, "encoder_hidden_states": {0: "batch_size", 1: "sequence_length"}, "out_sample": hw})
    big = {0: "batch_size", 2: "latent_height", 3: "latent_width"}
    graph(VaeEncoder(vae), (torch.randn(2, 3, 128, 128),), folder / "vae_encoder/model.onnx", ["sample"], ["latent_parameters"], {"sample": hw, "latent_parameters": big})
    graph(VaeDecoder(vae), (torch.randn(2, 4, 16, 16),), folder / "vae_decoder/model.onnx", ["latent_sample"], ["sample"], {"latent_sample": big, "sample": hw})


def contrastive(folder, tokenizer_folder, model):
    from transformers import CLIPTokenizer

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for f in tokenizer_folder.iterdir():
        shutil.copy(f, folder / f.name)
    CLIPTokenizer.from_pretrained(str(tokenizer_folder)).backend_tokenizer.save(str(folder / "tokenizer.json"))
    config = model.config.to_dict()
    for c in (config, config["text_config"], config["vision_config"]):
        for key in ("_name_or_path", "dtype"):
            c.pop(key, None)
    _write(folder / "config.json", {**config, "architectures": ["CLIPModel"], "model_type": "clip"})
    _write(folder / "preprocessor_config.json", {
        "crop_size": {"height": clip.IMAGE, "width": clip.IMAGE}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True, "do_rescale": True,
        "do_resize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_processor_type": "CLIPImageProcessor",
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": clip.IMAGE},
    })
    ids = torch.tensor([[5, 6, 7, len(model.text_model.get_input_embeddings().weight) - 1]] * 2)
    graph(Clip(eager(model)), (ids, torch.randn(3, 3, clip.IMAGE, clip.IMAGE), torch.ones_like(ids)), folder / "onnx/model.onnx",
          ["input_ids", "pixel_values", "attention_mask"], ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"],
          {"input_ids": {0: "text_batch_size", 1: "sequence_length"}, "attention_mask": {0: "text_batch_size", 1: "sequence_length"},
           "pixel_values": {0: "image_batch_size"}, "logits_per_image": {0: "image_batch_size", 1: "text_batch_size"},
           "logits_per_text": {0: "text_batch_size", 1: "image_batch_size"}, "text_embeds": {0: "text_batch_size"}, "image_embeds": {0: "image_batch_size"}})


def total(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
