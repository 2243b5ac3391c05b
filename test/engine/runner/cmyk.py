"""Writes cmyk.jpg, squares in printing inks without a profile, and cmyk.json, what Pillow makes of each in RGB: cmyk.py"""
import json
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).parent
SIDE = 16
INKS = [
    (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255),
    (255, 255, 0, 0), (0, 0, 0, 0), (128, 64, 32, 0), (30, 120, 200, 60),
]

picture = Image.new("CMYK", (SIDE * len(INKS), SIDE))
for at, ink in enumerate(INKS):
    picture.paste(ink, (at * SIDE, 0, (at + 1) * SIDE, SIDE))
picture.save(FOLDER / "cmyk.jpg", quality=95, subsampling=0)

read = Image.open(FOLDER / "cmyk.jpg").convert("RGB")
colours = [list(read.getpixel((at * SIDE + SIDE // 2, SIDE // 2))) for at in range(len(INKS))]
(FOLDER / "cmyk.json").write_text(json.dumps({"side": SIDE, "colours": colours}) + "\n")
