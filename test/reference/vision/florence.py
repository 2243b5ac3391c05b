"""A tiny random-weight Florence-2 in the layout of transformers.js, and what Python's transformers reads with it.

Run in an environment with ../requirements.txt: `python florence.py`. Writes florence/ with the model and cases.json: prompts,
picture's pixels and features, greedy and beam-searched token ids, and what Florence2Processor makes of generated texts.
"""

import json
import random
import shutil
import sys
from pathlib import Path

import torch
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from transformers import Florence2Config, Florence2ForConditionalGeneration, Florence2Processor, GenerationConfig, PreTrainedTokenizerFast
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from merge import merge

sys.path.append(str(Path(__file__).resolve().parent.parent / "language"))
from make import slim, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent / "florence"
PICTURE = Path(__file__).resolve().parent.parent / "families" / "picture.png"
SIZE = 128
MARKS = ["<s>", "<pad>", "</s>", "<unk>"]
EXTRA = ["<od>", "</od>", "<ocr>", "</ocr>", "<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>", "</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>", "<sep>", "<region_cap>", "</region_cap>", "<region_to_desciption>", "</region_to_desciption>", "<proposal>", "</proposal>", "<poly>", "</poly>", "<and>"]
TEXT = ["What does the image describe? Locate the objects with category name in the image.", "A green car is parked in front of a yellow building, naïve café 12 345 — 世界."]
BANNED = ["it", "the image", "image", "the", "a"]  # of the real list; the program has it whole
OCR = r"(.+?)" + r"<loc_(\d+)>" * 8
PARSING = {"ocr": {"pattern": OCR, "area_threshold": 0.0}, "phrase_grounding": {"banned_grounding_tokens": BANNED}, **{kind: {} for kind in ["pure_text", "description_with_bboxes", "description_with_polygons", "polygons", "bboxes", "description_with_bboxes_or_polygons"]}}


def make_tokenizer():
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=300, special_tokens=MARKS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    core.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    core.add_tokens([AddedToken(token, special=False, normalized=True) for token in [*EXTRA, *(f"<loc_{i}>" for i in range(1000))]])
    core.add_special_tokens([AddedToken("<image>", special=True, normalized=False)])
    return core


class Decoder(nn.Module):
    """Without a past: reads what the picture says into keys and values. With one: takes those that it is given."""

    def __init__(self, model):
        super().__init__()
        self.decoder, self.head = model.model.language_model.decoder, model.lm_head

    def forward(self, encoder_attention_mask, encoder_hidden_states, inputs_embeds, *past):
        own, cross = DynamicCache(), DynamicCache()
        for layer in range(len(past) // 4):
            own.update(past[4 * layer], past[4 * layer + 1], layer)
            cross.update(past[4 * layer + 2], past[4 * layer + 3], layer)
        cache = EncoderDecoderCache(own, cross)
        new = inputs_embeds.shape[1]
        before = past[0].shape[2] if past else 0
        hidden = inputs_embeds + self.decoder.embed_positions(None, position_ids=torch.arange(new) + before)
        hidden = self.decoder.layernorm_embedding(hidden)
        low = torch.finfo(torch.float32).min
        seen = torch.arange(before + new)[None, :] <= (torch.arange(new) + before)[:, None]
        mask = torch.where(seen, 0.0, low)[None, None]
        there = torch.where(encoder_attention_mask[:, None, None, :] != 0, 0.0, low)
        for each in self.decoder.layers:
            hidden = each(hidden, mask, encoder_hidden_states, encoder_attention_mask=there, cache=cache, use_cache=True)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        kept = [(own.layers[i], cross.layers[i]) for i in range(len(self.decoder.layers))]
        return self.head(hidden), *(t for a, b in kept for t in ((a.keys, a.values) if past else (a.keys, a.values, b.keys, b.values)))


class Encoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.encoder = model.model.language_model.encoder

    def forward(self, attention_mask, inputs_embeds):
        hidden = self.encoder.layernorm_embedding(inputs_embeds + self.encoder.embed_positions(None, position_ids=torch.arange(inputs_embeds.shape[1])))
        mask = torch.where(attention_mask[:, None, None, :] != 0, 0.0, torch.finfo(torch.float32).min)
        for each in self.encoder.layers:
            hidden = each(hidden, mask)
            hidden = hidden[0] if isinstance(hidden, tuple) else hidden
        return hidden


class Vision(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model.model

    def forward(self, pixel_values):
        return self.model.multi_modal_projector(self.model.vision_tower(pixel_values).last_hidden_state)


def export(model):
    config, folder = model.config.text_config, HERE / "onnx"
    folder.mkdir(parents=True)
    common = dict(opset_version=17, dynamo=False)
    width = config.d_model // config.decoder_attention_heads
    mask, states, embeds = torch.ones(2, 9, dtype=torch.long), torch.randn(2, 9, config.d_model), torch.randn(2, 3, config.d_model)
    with torch.no_grad():
        torch.onnx.export(model.get_input_embeddings(), (torch.ones(1, 4, dtype=torch.long),), str(folder / "embed_tokens.onnx"), input_names=["input_ids"], output_names=["inputs_embeds"], dynamic_axes={"input_ids": {0: "batch_size", 1: "sequence_length"}, "inputs_embeds": {0: "batch_size", 1: "sequence_length"}}, **common)
        torch.onnx.export(Vision(model).eval(), (torch.randn(1, 3, SIZE, SIZE),), str(folder / "vision_encoder.onnx"), input_names=["pixel_values"], output_names=["image_features"], dynamic_axes={"pixel_values": {0: "batch_size"}, "image_features": {0: "batch_size"}}, **common)
        torch.onnx.export(Encoder(model).eval(), (mask, states), str(folder / "encoder_model.onnx"), input_names=["attention_mask", "inputs_embeds"], output_names=["last_hidden_state"], dynamic_axes={name: {0: "batch_size", 1: "encoder_sequence_length"} for name in ["attention_mask", "inputs_embeds", "last_hidden_state"]}, **common)
        names = ["encoder_attention_mask", "encoder_hidden_states", "inputs_embeds"]
        axes = {"encoder_attention_mask": {0: "batch_size", 1: "encoder_sequence_length"}, "encoder_hidden_states": {0: "batch_size", 1: "encoder_sequence_length"}, "inputs_embeds": {0: "batch_size", 1: "decoder_sequence_length"}, "logits": {0: "batch_size", 1: "decoder_sequence_length"}}
        kinds = ["decoder.key", "decoder.value", "encoder.key", "encoder.value"]
        layers = range(config.decoder_layers)
        past_names = [f"past_key_values.{layer}.{kind}" for layer in layers for kind in kinds]
        outputs = ["logits", *(f"present.{layer}.{kind}" for layer in layers for kind in kinds)]
        past = [torch.randn(2, config.decoder_attention_heads, 9 if "encoder" in name else 4, width) for name in past_names]
        for name in [*past_names, *outputs[1:]]:
            axes[name] = {0: "batch_size", 2: "encoder_sequence_length" if "encoder" in name else "past_decoder_sequence_length"}
        first, next_ = folder / "first.onnx", folder / "next.onnx"
        torch.onnx.export(Decoder(model).eval(), (mask, states, embeds), str(first), input_names=names, output_names=outputs, dynamic_axes={name: axis for name, axis in axes.items() if name not in past_names}, **common)
        torch.onnx.export(Decoder(model).eval(), (mask, states, embeds, *past), str(next_), input_names=[*names, *past_names], output_names=[name for name in outputs if "encoder" not in name], dynamic_axes=axes, **common)
    for path in folder.glob("*.onnx"):
        slim(path)
    merge(first, next_, folder / "decoder_model_merged.onnx")
    first.unlink()
    next_.unlink()


TASKS = {
    "<CAPTION>": "", "<DETAILED_CAPTION>": "", "<MORE_DETAILED_CAPTION>": "", "<OCR>": "", "<OCR_WITH_REGION>": "", "<OD>": "", "<DENSE_REGION_CAPTION>": "", "<REGION_PROPOSAL>": "",
    "<CAPTION_TO_PHRASE_GROUNDING>": "A green car in front of a building.", "<REFERRING_EXPRESSION_SEGMENTATION>": "a green car", "<OPEN_VOCABULARY_DETECTION>": "a green car",
    "<REGION_TO_SEGMENTATION>": "<loc_1><loc_20><loc_300><loc_999>", "<REGION_TO_CATEGORY>": "<loc_1><loc_20><loc_300><loc_999>", "<REGION_TO_DESCRIPTION>": "<loc_1><loc_20><loc_300><loc_999>", "<REGION_TO_OCR>": "<loc_1><loc_20><loc_300><loc_999>",
}
LOC = lambda *bins: "".join(f"<loc_{b}>" for b in bins)
TEXTS = [
    "</s><s>A green car parked in front of a yellow building.</s>",
    f"</s><s>car{LOC(54, 375, 906, 707)}door{LOC(710, 276, 908, 537)}wheel{LOC(708, 531, 906, 704, 147, 563, 311, 700)}</s>",
    f"</s><s>{LOC(54, 375, 906, 707, 710, 276, 908, 537)}</s>",
    f"</s><s>A green car{LOC(54, 375, 906, 707)} parked next to trees{LOC(10, 20, 200, 300, 400, 100, 600, 500)}</s>",
    f"</s><s>image{LOC(0, 0, 999, 999)}a dog{LOC(100, 200, 300, 400)}the{LOC(1, 2, 3, 4)}it {LOC(1, 2, 3)}cat{LOC(5, 6, 7, 8, 9)}</s>",
    f"</s><s>EXIT{LOC(1, 2, 3, 4, 5, 6, 7, 8)}Main street{LOC(500, 2, 600, 4, 600, 106, 500, 108)} 12{LOC(1, 2, 3, 4, 5)}</s>",
    f"</s><s>{LOC(280, 372, 290, 360, 310, 355, 330, 351, 12)}<sep>{LOC(1, 2, 3, 4, 5, 6)}</s>",
    f"</s><s>a car<poly>{LOC(280, 372, 290, 360, 310, 355)}</poly><poly>{LOC(10, 20, 30, 40, 50, 60)}<sep>{LOC(70, 80, 90, 100, 110, 120)}</poly>a dog<poly>{LOC(1, 2, 3, 4, 5, 6)}</poly></s>",
    f"</s><s>café{LOC(1, 2, 3, 4)} {LOC(9, 9, 9, 9)}<od>x{LOC(7, 7, 8, 8)}</s>",
    "</s><s></s>",
    "</s><s><loc_3><loc_4></s>",
]


def random_text(rng):
    pieces = [*(LOC(*(rng.randrange(1000) for _ in range(rng.randrange(1, 10)))) for _ in range(4)), "a car", " tree", "it", "naïve", "\n", "<sep>", "<poly>", "</poly>", "<od>", "</od>", " ", "12"]
    return "</s><s>" + "".join(rng.choice(pieces) for _ in range(rng.randrange(2, 14))) + "</s>"


def plain(value):
    return json.loads(json.dumps(value))


def main():
    torch.manual_seed(7)
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    core = make_tokenizer()
    core.save(str(HERE / "tokenizer.json"), pretty=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(HERE / "tokenizer.json"), bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>", extra_special_tokens={"image_token": "<image>"})
    write_json(HERE / "tokenizer_config.json", {"tokenizer_class": "BartTokenizer", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "model_max_length": 1024, "clean_up_tokenization_spaces": False})
    images = CLIPImageProcessorPil(size={"height": SIZE, "width": SIZE}, do_center_crop=False, crop_size={"height": SIZE, "width": SIZE}, resample=3, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    images.image_seq_length = (SIZE // 32) ** 2 + 1
    processor = Florence2Processor(images, tokenizer, post_processor_config=PARSING)
    given = images.to_dict()
    kept = ["do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std", "image_seq_length"]
    write_json(HERE / "preprocessor_config.json", {**{k: given[k] for k in kept if k in given}, "image_processor_type": "CLIPImageProcessor", "processor_class": "Florence2Processor"})
    text = dict(vocab_size=core.get_vocab_size(), d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=128, init_std=0.6, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_bos_token_id=None, forced_eos_token_id=None)
    vision = dict(depths=[1, 1, 1, 1], embed_dim=[8, 8, 16, 16], num_heads=[1, 1, 2, 2], num_groups=[1, 1, 2, 2], window_size=4, projection_dim=16, initializer_range=0.1)
    config = Florence2Config(text_config={"model_type": "bart", **text}, vision_config=vision, image_token_id=core.token_to_id("<image>"), is_encoder_decoder=True)
    config._attn_implementation = "eager"
    model = Florence2ForConditionalGeneration._from_config(config, attn_implementation="eager").eval().float()
    generation = dict(bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, forced_bos_token_id=0, forced_eos_token_id=2, no_repeat_ngram_size=3, num_beams=3, early_stopping=True)
    model.generation_config = GenerationConfig(**generation)
    with torch.no_grad():
        # Some answers are to end by themselves.
        model.get_input_embeddings().weight[2] *= 3
    write_json(HERE / "generation_config.json", generation)
    shown = json.loads(config.to_json_string(use_diff=False))
    strip = lambda each: {k: strip(v) if isinstance(v, dict) else v for k, v in each.items() if not k.startswith("_")}
    write_json(HERE / "config.json", strip(shown))
    export(model)
    model.eval()

    picture = Image.open(PICTURE).convert("RGB")
    answers = []
    for task, more in TASKS.items():
        inputs = processor(text=task + more, images=picture, return_tensors="pt")
        each = {"task": task, "input": more, "prompt": inputs["input_ids"][0, images.image_seq_length:].tolist()}
        for name, options in {"beams": {}, "greedy": {"num_beams": 1, "early_stopping": False}, "free": {"early_stopping": False, "length_penalty": 0.5}}.items():
            with torch.no_grad():
                each[name] = model.generate(**inputs, max_new_tokens=40, do_sample=False, **options)[0].tolist()
        said = tokenizer.decode(each["beams"], skip_special_tokens=False)
        each["text"] = said
        each["parsed"] = plain(processor.post_process_generation(said, task=task, image_size=picture.size)[task])
        answers.append(each)
    with torch.no_grad():
        features = model.get_image_features(inputs["pixel_values"]).pooler_output[0]
    rng = random.Random(3)
    parsed = []
    for said in [*TEXTS, *(random_text(rng) for _ in range(24))]:
        for task in TASKS:
            parsed.append([said, task, plain(processor.post_process_generation(said, task=task, image_size=(640, 427))[task])])
    cases = {"answers": answers, "features": [round(v, 5) for v in features.flatten().tolist()], "size": [640, 427], "banned": BANNED, "parsed": parsed}
    (HERE / "cases.json").write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")
    for each in answers:
        print(each["task"], len(each["beams"]), len(each["greedy"]), len(each["free"]), each["text"][:80])
    print({f.name: f.stat().st_size // 1000 for f in HERE.rglob("*") if f.is_file()})


if __name__ == "__main__":
    main()
