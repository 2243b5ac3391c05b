"""What tiny vision-language models of all families share: tokenizer, decoder over embeddings, and the answers that Python gives."""

import json
import sys
from pathlib import Path

import onnx
import torch
from PIL import Image
from torch import nn
from transformers import DynamicCache

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "language"))
from make import QWEN_WORDS, byte_level, slim, write_json  # noqa: E402

PICTURES = {name: HERE.parent / name for name in ["families/picture.png", "families/reference-2.png", "demo-clip/not-square.png"]}
TEXT = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.25, max_position_embeddings=512)


def picture(name):
    return {"type": "image", "image": name}


def text(said):
    return {"type": "text", "text": said}


CONVERSATIONS = [
    [{"role": "user", "content": [picture("families/picture.png"), text("What colour is the circle?")]}],
    [{"role": "user", "content": [text("Which is larger?"), picture("families/reference-2.png"), picture("demo-clip/not-square.png")]}],
    [{"role": "user", "content": [text("Hello there!")]}],
    [
        {"role": "system", "content": [text("You are brief.")]},
        {"role": "user", "content": [picture("families/picture.png"), text("naïve 世界")]},
        {"role": "assistant", "content": [text("How are you?")]},
        {"role": "user", "content": [text("And this?"), picture("families/reference-2.png"), text("thanks")]},
    ],
]


def images_of(messages):
    return [Image.open(PICTURES[part["image"]]).convert("RGB") for message in messages for part in message["content"] if part["type"] == "image"]


class Decoder(nn.Module):
    """The names of transformers.js' exports: embeddings in, scores and one key and value a layer out."""

    def __init__(self, text_model, head, places):
        super().__init__()
        self.text_model, self.head, self.places = text_model, head, places

    def forward(self, inputs_embeds, attention_mask, position_ids, *given):
        cache = DynamicCache()
        for layer in range(len(given) // 2):
            cache.update(given[2 * layer], given[2 * layer + 1], layer)
        new, total, past = inputs_embeds.shape[1], attention_mask.shape[1], given[0].shape[2]
        column = torch.arange(total)[None, None, None]
        row = (torch.arange(new) + past)[None, None, :, None]
        mask = torch.where((column <= row) & (attention_mask[:, None, None, :] != 0), 0.0, torch.finfo(torch.float32).min)
        if self.places > 1:
            mask = {"full_attention": mask}
        hidden = self.text_model(inputs_embeds=inputs_embeds, attention_mask=mask, position_ids=position_ids, past_key_values=cache, use_cache=True).last_hidden_state
        return self.head(hidden), *(t for layer in cache.layers for t in (layer.keys, layer.values))


def save(module, path, args, names, outputs, axes):
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        torch.onnx.export(module.eval(), args, str(path), input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    slim(path)


def export_language(folder, text_model, head, places=1):
    config = text_model.config
    heads, width, past = config.num_key_value_heads, config.hidden_size // config.num_attention_heads, 3
    names, outputs = ["inputs_embeds", "attention_mask", "position_ids"], ["logits"]
    at = torch.arange(past, past + 4)[None].repeat(2, 1)
    args = [torch.randn(2, 4, config.hidden_size), torch.ones(2, past + 4, dtype=torch.long), at if places == 1 else at[None].repeat(places, 1, 1)]
    axes = {"inputs_embeds": {0: "batch_size", 1: "sequence_length"}, "attention_mask": {0: "batch_size", 1: "total_sequence_length"}, "logits": {0: "batch_size", 1: "sequence_length"}}
    axes["position_ids"] = {0: "batch_size", 1: "sequence_length"} if places == 1 else {1: "batch_size", 2: "sequence_length"}
    for layer in range(config.num_hidden_layers):
        for kind in ("key", "value"):
            names.append(f"past_key_values.{layer}.{kind}")
            outputs.append(f"present.{layer}.{kind}")
            args.append(torch.randn(2, heads, past, width))
            axes[names[-1]] = {0: "batch_size", 2: "past_sequence_length"}
            axes[outputs[-1]] = {0: "batch_size", 2: "total_sequence_length"}
    save(Decoder(text_model, head, places), folder / "onnx/decoder_model_merged.onnx", tuple(args), names, outputs, axes)
    ids = {"input_ids": {0: "batch_size", 1: "sequence_length"}, "inputs_embeds": {0: "batch_size", 1: "sequence_length"}}
    save(text_model.embed_tokens, folder / "onnx/embed_tokens.onnx", (torch.ones(2, 4, dtype=torch.long),), ["input_ids"], ["inputs_embeds"], ids)


def answers_of(model, processor, features, low):
    """Greedy answers, scores of the first token, and what the vision tower says of the first picture. `low`: for detail "low"."""
    answers = []
    for messages, detail in [*((messages, "auto") for messages in CONVERSATIONS), (CONVERSATIONS[1], "low")]:
        images = images_of(messages)
        prompt = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        given = processor(text=prompt, images=images or None, return_tensors="pt", **(low if detail == "low" else {}))
        with torch.no_grad():
            full = model.generate(**given, do_sample=False, max_new_tokens=20)
            logits = model(**given).logits[0, -1]
        ids = given["input_ids"][0].tolist()
        new = full[0, len(ids):].tolist()
        said = processor.tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        answer = {"messages": messages, "detail": detail, "ids": ids, "new": new, "text": said, "logits": [round(v, 5) for v in logits.tolist()]}
        if images:
            with torch.no_grad():
                answer["features"] = [round(v, 4) for v in features(given).flatten()[:256].tolist()]
        answers.append(answer)
    return answers


def finish(folder, answers, **more):
    (folder / "cases.json").write_text(json.dumps({"answers": answers, **more}, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in folder.rglob("*.onnx"):
        onnx.checker.check_model(str(path))
    print(folder.name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1000, "kB", [(len(a["ids"]), len(a["new"])) for a in answers])
