"""models/demo/contact-sheet.png: 64 pictures of the exported graphs with their captions: python3 models/demo/recipe/sheet.py

The first 16 are prompts a user would type, the other 48 are the first held-out captions of the quality report;
every picture is the first one made, none is chosen.
"""

import textwrap

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import grade
import world
from common import DEMO, log

TYPED = [
    "red circle", "a blue star", "yellow heart", "green square on white", "a big red circle in the middle of a blue background", "on yellow, a small green star at the left",
    "purple ground with a tiny white triangle near the top", "a red square on the left and a small blue star on the right", "a photo of a pink diamond, highly detailed", "black ring",
    "Please draw an orange cross on a black background!", "a white circle above a red square", "cyan triangle at the bottom", "a huge purple heart, cyan background", "a tiny black star in the center of orange", "a cat",
]


def main():
    torch.set_num_threads(2)
    prompts = TYPED + [text for text, _ in world.test_cases(64 - len(TYPED), 11)]
    pipeline, generator = grade.Pipeline(), torch.Generator().manual_seed(3)
    pictures = np.concatenate([pipeline(prompts[i : i + 16], grade.STEPS, grade.GUIDANCE, generator) for i in range(0, 64, 16)])
    width, height, font = 144, 186, ImageFont.load_default(10)
    sheet = Image.new("RGB", (8 * width + 8, 8 * height + 8), (236, 236, 236))
    draw = ImageDraw.Draw(sheet)
    for i, (prompt, picture) in enumerate(zip(prompts, pictures)):
        x, y = 12 + i % 8 * width, 8 + i // 8 * height
        sheet.paste(Image.fromarray(picture), (x, y))
        for k, line in enumerate(textwrap.wrap(prompt, 26)[:4]):
            draw.text((x, y + 130 + 11 * k), line, fill=(20, 20, 20), font=font)
    path = DEMO / "contact-sheet.png"
    sheet.quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)
    log(path.name, f"{path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
