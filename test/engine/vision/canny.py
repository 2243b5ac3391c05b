"""What OpenCV finds in the pictures of ../../reference/families, as rows of bits: `pip install opencv-python-headless`, then
`python test/engine/vision/canny.py`."""

import base64
import json
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
PICTURES = {"astronaut": HERE.parent / "onnx/astronaut.jpg"} | {p: HERE.parents[1] / f"reference/families/{p}.png" for p in ("picture", "reference-1", "mask")}

cases = []
for name, path in PICTURES.items():
    picture = cv2.imread(str(path))
    if name == "astronaut":  # JPEG decoders differ in last bits
        cv2.imwrite(str(HERE / "astronaut.png"), cv2.resize(picture, (96, 96), interpolation=cv2.INTER_AREA))
        picture = cv2.imread(str(HERE / "astronaut.png"))
        path = HERE / "astronaut.png"
    for low, high in ((100, 200), (50, 80), (30, 300)):
        edges = cv2.Canny(picture[:, :, ::-1].copy(), low, high)
        cases.append({"picture": str(path.relative_to(HERE.parents[1])), "low": low, "high": high, "edges": int((edges > 0).sum()), "bits": base64.b64encode(np.packbits(edges > 0).tobytes()).decode()})
(HERE / "canny.json").write_text(json.dumps(cases, indent=1) + "\n")
