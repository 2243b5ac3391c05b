"""A tiny SmolVLM (Idefics3) of random weights in the layout of transformers.js, and what Python's transformers says with it.

Run in an environment with ../requirements.txt: `python smolvlm.py`. Pictures go through the processor of Pillow.
"""

import json
import shutil

import torch
from torch import nn
from transformers import AutoTokenizer, Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from common import HERE, QWEN_WORDS, TEXT, answers_of, byte_level, export_language, finish, save, write_json

FOLDER = HERE / "smolvlm"
SPECIAL = [
    *["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>", "<global-img>"],
    *[f"<row_{row + 1}_col_{column + 1}>" for row in range(6) for column in range(6)],
]
TEMPLATE = """<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{ line['text'] }}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>
{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"""


class Tower(nn.Module):
    """Pictures of the tower's own size, without padding: [1, pictures, 3, height, width] to one row of vectors each."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values, pixel_attention_mask):
        vision = self.model.vision_model
        flat = pixel_values.flatten(0, 1)
        patches = vision.embeddings.patch_embedding(flat).flatten(2).transpose(1, 2)
        hidden = patches + vision.embeddings.position_embedding.weight[None]
        # The mask is an input of the exports; it hides nothing here.
        hidden = hidden + (pixel_attention_mask.flatten(0, 1).to(hidden.dtype).mean(dim=(1, 2)) - 1)[:, None, None]
        for layer in vision.encoder.layers:
            hidden = layer(hidden, None)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return self.model.connector(vision.post_layernorm(hidden))


def make():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    core = byte_level(SPECIAL, QWEN_WORDS, merges=60)
    core.save(str(FOLDER / "tokenizer.json"))
    words = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<end_of_utterance>", "pad_token": "<|im_end|>", "clean_up_tokenization_spaces": False, "model_max_length": 512}
    write_json(FOLDER / "tokenizer_config.json", words)
    (FOLDER / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}) + "\n")
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    edges = {"size": {"longest_edge": 96}, "max_image_size": {"longest_edge": 32}}
    pictures = {**edges, "do_convert_rgb": True, "do_resize": True, "resample": 1, "do_image_splitting": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_pad": True}
    write_json(FOLDER / "preprocessor_config.json", {"image_processor_type": "Idefics3ImageProcessor", **pictures})
    write_json(FOLDER / "processor_config.json", {"processor_class": "Idefics3Processor", "image_seq_len": 4})
    processor = Idefics3Processor(Idefics3ImageProcessorPil(**pictures), tokenizer, image_seq_len=4, chat_template=TEMPLATE)
    image, end = core.token_to_id("<image>"), core.token_to_id("<end_of_utterance>")
    ids = dict(bos_token_id=core.token_to_id("<|im_start|>"), eos_token_id=end, pad_token_id=core.token_to_id("<|im_end|>"))
    torch.manual_seed(11)
    config = Idefics3Config(
        vision_config=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8, initializer_range=0.25),
        text_config=dict(model_type="llama", vocab_size=core.get_vocab_size(), **TEXT, **ids),
        image_token_id=image, scale_factor=2, pad_token_id=ids["pad_token_id"], tie_word_embeddings=False,
    )
    config._attn_implementation = "eager"
    model = Idefics3ForConditionalGeneration._from_config(config, attn_implementation="eager").eval().float()
    for name, weight in model.named_parameters():
        if "norm" not in name and "bias" not in name:
            nn.init.normal_(weight, std=0.25)
    model.generation_config.update(**ids)
    write_json(FOLDER / "config.json", {k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")})
    write_json(FOLDER / "generation_config.json", {"do_sample": False, **ids})

    features = lambda given: model.model.get_image_features(given["pixel_values"], given["pixel_attention_mask"]).pooler_output[0]
    answers = answers_of(model, processor, features, {"do_image_splitting": False})
    tower = Tower(model.model)
    axes = {"pixel_values": {1: "num_images"}, "pixel_attention_mask": {1: "num_images"}, "image_features": {0: "num_images"}}
    save(tower, FOLDER / "onnx/vision_encoder.onnx", (torch.randn(1, 2, 3, 32, 32), torch.ones(1, 2, 32, 32, dtype=torch.bool)), ["pixel_values", "pixel_attention_mask"], ["image_features"], axes)
    export_language(FOLDER, model.model.text_model, model.lm_head)
    finish(FOLDER, answers)


if __name__ == "__main__":
    make()
