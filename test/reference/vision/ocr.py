"""A page to read, and what PaddleOCR's way of reading makes of it, by the package rapidocr-onnxruntime with PaddleOCR's own settings and
the trained graphs that lie beside the repository.

Run in an environment with rapidocr-onnxruntime 1.4.4 (and Pillow): `python ocr.py FOLDER_OF_THE_GRAPHS FONT_FOLDER`.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidocr_onnxruntime import RapidOCR

HERE = Path(__file__).resolve().parent


def page(fonts):
    """Lines of several sizes, one in white on dark, one that leans, one that runs down and one that runs up."""
    sheet = Image.new("RGB", (720, 480), (246, 244, 238))
    draw = ImageDraw.Draw(sheet)
    font = lambda size, name="DejaVuSans": ImageFont.truetype(str(fonts / f"{name}.ttf"), size)
    draw.text((40, 24), "Forecourt price list", fill=(20, 20, 30), font=font(40, "DejaVuSans-Bold"))
    draw.text((40, 96), "Regular   1.749", fill=(40, 40, 40), font=font(26))
    draw.text((40, 140), "Diesel    1.829", fill=(40, 40, 40), font=font(26, "DejaVuSerif"))
    draw.rectangle((36, 196, 330, 244), fill=(24, 60, 120))
    draw.text((48, 202), "Open 24 hours", fill=(255, 255, 255), font=font(30))
    draw.text((40, 430), "Receipt No. 3250-7", fill=(90, 20, 20), font=font(20, "DejaVuSansMono"))
    for text, angle, length, place in [("leaning letters", 12, 330, (330, 250)), ("SIDEWAYS", -90, 240, (640, 60)), ("UPWARDS", 90, 220, (580, 40))]:
        word = Image.new("L", (length, 60))
        ImageDraw.Draw(word).text((10, 8), text, fill=255, font=font(32))
        turned = word.rotate(angle, expand=True, resample=Image.BICUBIC)
        sheet.paste((30, 90, 40), place, turned)
    return sheet


def main(graphs, fonts):
    sheet = page(fonts)
    folder = HERE / "ocr"
    folder.mkdir(exist_ok=True)
    sheet.save(folder / "page.png", optimize=True)
    reader = RapidOCR(
        det_model_path=str(graphs / "en_PP-OCRv3_det_infer.onnx"), det_limit_side_len=960, det_limit_type="max", det_mean=[0.485, 0.456, 0.406],
        det_std=[0.229, 0.224, 0.225], det_thresh=0.3, det_box_thresh=0.6, det_unclip_ratio=1.5, det_use_dilation=False,
        rec_model_path=str(graphs / "en_number_mobile_v2.0_rec_infer.onnx"), rec_img_shape=[3, 32, 320], rec_keys_path=str(graphs / "en_dict.txt"), rec_batch_num=1,
    )
    # Without its border around small pictures and its check for text upside down, which are not PaddleOCR's defaults.
    read, _ = reader(np.asarray(sheet)[..., ::-1], use_cls=False)
    lines = [{"corners": np.round(np.array(corners), 1).tolist(), "text": text, "score": round(float(score), 4)} for corners, text, score in read]
    (folder / "cases.json").write_text(json.dumps(lines, indent=1) + "\n")
    print(*(f"{line['text']!r} {line['score']} {line['corners']}" for line in lines), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
