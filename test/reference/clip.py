"""What Python transformers makes of models/demo/clip: writes test/reference/demo-clip.json and demo-clip/*.png.

    python3 test/reference/clip.py

CLIPModel runs with the torch weights read back out of the exported graph (rebuild.py) and transformers' own
CLIPImageProcessor and CLIPTokenizer.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from PIL import Image

import rebuild

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(rebuild.DEMO / "recipe"))
CAPTIONS = ["a big red circle in the middle of a blue background", "a small green star on yellow", "a purple heart", "two things: a white square on the left and a black ring on the right", "a dog", ""]


def pictures(folder):
    """Six pictures of the world, one with a right shape and none of the colours, one that is not square."""
    import world

    folder.mkdir(exist_ok=True)
    make = lambda ground, *things: world.Scene([world.place(world.Thing(*t)) for t in things], ground)
    scenes = [make("blue", ("red", "circle", "big", "centre")), make("yellow", ("green", "star", "small", "left")), make("white", ("purple", "heart", "big", "top")),
              make("orange", ("white", "square", "big", "left"), ("black", "ring", "small", "right"))]
    names = ["red-circle-on-blue.png", "small-green-star-on-yellow.png", "purple-heart-on-white.png", "white-square-and-black-ring.png"]
    for name, x in zip(names, world.render(scenes)):
        Image.fromarray(((x + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()).save(folder / name)
    wide = Image.open(folder / names[0]).resize((160, 100), Image.Resampling.BICUBIC)
    wide.save(folder / "not-square.png")
    return [*names, "not-square.png"]


@torch.no_grad()
def main():
    torch.set_num_threads(2)
    names = pictures(HERE / "demo-clip")
    config = json.loads((rebuild.DEMO / "clip/preprocessor_config.json").read_text())
    # transformers 5 has two of them; the one on PIL is the one whose resampling sharp and transformers.js follow most nearly
    kind = getattr(transformers, "CLIPImageProcessorPil", transformers.CLIPImageProcessor)
    processor = kind(**{k: v for k, v in config.items() if k != "image_processor_type"})
    tokenizer = transformers.CLIPTokenizer.from_pretrained(str(rebuild.DEMO / "clip"))
    model = rebuild.clip()
    pixels = processor([Image.open(HERE / "demo-clip" / n).convert("RGB") for n in names], return_tensors="pt").pixel_values
    words = tokenizer(CAPTIONS, padding=True, truncation=True, max_length=77, return_tensors="pt")
    out = model(input_ids=words.input_ids, attention_mask=words.attention_mask, pixel_values=pixels)
    numbers = lambda x: [[round(float(v), 7) for v in row] for row in x]
    result = {
        "about": {"made_with": f"transformers {transformers.__version__}, torch {torch.__version__}, {type(processor).__name__}", "pixel_values": "first eight of channel 0, row 20, of each picture"},
        "captions": CAPTIONS, "input_ids": words.input_ids.tolist(), "attention_mask": words.attention_mask.tolist(), "pictures": [f"demo-clip/{n}" for n in names],
        "pixel_values": {"shape": list(pixels.shape), "sample": numbers(pixels[:, 0, 20, :8]), "sum": [round(float(p.double().sum()), 4) for p in pixels]},
        "text_embeds": numbers(out.text_embeds), "image_embeds": numbers(out.image_embeds), "logits_per_image": numbers(out.logits_per_image),
    }
    (HERE / "demo-clip.json").write_text(json.dumps(result) + "\n")
    print(out.logits_per_image.round(decimals=2))


if __name__ == "__main__":
    main()
