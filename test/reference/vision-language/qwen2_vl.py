"""A tiny Qwen2-VL of random weights in the layout of transformers.js, and what Python's transformers says with them.

Run in an environment with ../requirements.txt: `python qwen2_vl.py`. Pictures go through the processor of Pillow.
"""

import json
import shutil

import torch
from torch import nn
from transformers import AutoTokenizer, Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil, smart_resize
from transformers.models.qwen2_vl.modeling_qwen2_vl import apply_rotary_pos_emb_vision

from common import HERE, QWEN_WORDS, TEXT, answers_of, byte_level, export_language, finish, save, write_json

FOLDER = HERE / "qwen2-vl"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
TEMPLATE = """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}<|im_end|>
{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}<|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
SIZES = [(60, 44), (3000, 4000), (10, 1200), (7, 9), (480, 640), (1001, 333), (28, 28), (42, 70)]


class Tower(nn.Module):
    """One picture: patches of a grid, those that are merged side by side, to a row of merged vectors."""

    def __init__(self, visual):
        super().__init__()
        self.visual = visual

    def forward(self, pixel_values, image_grid_thw):
        visual, merge = self.visual, self.visual.spatial_merge_size
        hidden = visual.patch_embed(pixel_values)
        rows, columns = image_grid_thw[0, 1], image_grid_thw[0, 2]
        at = torch.arange(hidden.shape[0])
        # Row after row of merged squares, and in each row after row.
        block, inner = torch.div(at, merge * merge, rounding_mode="floor"), at % (merge * merge)
        across = torch.div(columns, merge, rounding_mode="floor")
        row = torch.div(block, across, rounding_mode="floor") * merge + torch.div(inner, merge, rounding_mode="floor")
        column = (block % across) * merge + inner % merge
        places = torch.stack([row, column], dim=-1)
        cos, sin = visual.rotary_pos_emb(hidden, places)
        for each in visual.blocks:
            hidden = hidden + self.attend(each.attn, each.norm1(hidden), cos, sin)
            hidden = hidden + each.mlp(each.norm2(hidden))
        return visual.merger(hidden)

    def attend(self, attn, hidden, cos, sin):
        count = hidden.shape[0]
        query, key, value = attn.qkv(hidden).reshape(count, 3, attn.num_heads, -1).permute(1, 0, 2, 3).unbind(0)
        query, key = apply_rotary_pos_emb_vision(query, key, cos, sin)
        query, key, value = (each.transpose(0, 1) for each in (query, key, value))
        weights = torch.softmax(query @ key.transpose(1, 2) * attn.scaling, dim=-1)
        return attn.proj((weights @ value).transpose(0, 1).reshape(count, -1))


def make():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    core = byte_level(SPECIAL, QWEN_WORDS, merges=60)
    core.save(str(FOLDER / "tokenizer.json"))
    words = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "clean_up_tokenization_spaces": False, "model_max_length": 512, "chat_template": TEMPLATE}
    write_json(FOLDER / "tokenizer_config.json", words)
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    edges = {"min_pixels": 16 * 16 * 12, "max_pixels": 16 * 16 * 30}
    pictures = {"do_convert_rgb": True, "do_resize": True, "resample": 3, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "patch_size": 8, "temporal_patch_size": 2, "merge_size": 2}
    write_json(FOLDER / "preprocessor_config.json", {"image_processor_type": "Qwen2VLImageProcessor", **edges, **pictures})
    processor = Qwen2VLProcessor(image_processor=Qwen2VLImageProcessorPil(**edges, **pictures), tokenizer=tokenizer, video_processor=video_processor(), chat_template=TEMPLATE)
    token = core.token_to_id
    ids = dict(bos_token_id=token("<|endoftext|>"), eos_token_id=[token("<|im_end|>"), token("<|endoftext|>")], pad_token_id=token("<|endoftext|>"))
    torch.manual_seed(12)
    text = dict(vocab_size=core.get_vocab_size(), rope_parameters={"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}, **TEXT, **ids)
    config = Qwen2VLConfig(
        vision_config=dict(depth=2, embed_dim=32, hidden_size=32, num_heads=2, mlp_ratio=2, patch_size=8, spatial_merge_size=2, temporal_patch_size=2, initializer_range=0.25),
        text_config=text,
        image_token_id=token("<|image_pad|>"), video_token_id=token("<|video_pad|>"), vision_start_token_id=token("<|vision_start|>"), vision_end_token_id=token("<|vision_end|>"), tie_word_embeddings=False,
    )
    model = Qwen2VLForConditionalGeneration._from_config(config, attn_implementation="eager").eval().float()
    for name, weight in model.named_parameters():
        if "norm" not in name and "ln_q" not in name and "bias" not in name:
            nn.init.normal_(weight, std=0.25 if "patch_embed" not in name else 0.05)
    model.generation_config.update(**ids)
    write_json(FOLDER / "config.json", {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    write_json(FOLDER / "generation_config.json", {"do_sample": False, **ids})

    features = lambda given: torch.cat(list(model.model.get_image_features(given["pixel_values"], given["image_grid_thw"]).pooler_output))
    # Low detail bounds pictures to 512 * 512 pixels; the ones here are smaller.
    answers = answers_of(model, processor, features, {})
    axes = {"pixel_values": {0: "num_patches"}, "image_features": {0: "num_vectors"}}
    save(Tower(model.model.visual), FOLDER / "onnx/vision_encoder.onnx", (torch.randn(24, 3 * 2 * 64), torch.tensor([[1, 4, 6]])), ["pixel_values", "image_grid_thw"], ["image_features"], axes)
    export_language(FOLDER, model.model.language_model, model.lm_head, places=3)
    sizes = [[height, width, most, *smart_resize(height, width, 28, 4 * 28 * 28, most)] for height, width in SIZES for most in (1280 * 28 * 28, 512 * 512)]
    finish(FOLDER, answers, sizes=sizes)


def video_processor():
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor

    return Qwen2VLVideoProcessor()


if __name__ == "__main__":
    make()
