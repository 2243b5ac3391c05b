"""What transformers keeps of many proposals that are known by a formula: discs around a grid of points, with a score each. The tiny networks of
sam.py find one thing in a picture; here many remain, and doubles, unsteady ones and those that are badly scored go.

Run in an environment with ../requirements.txt and torchvision: `python sam_discs.py`.
"""

import numpy as np
import torch
from transformers import SamImageProcessor

from common import HERE, write_json

WIDTH, HEIGHT, GRID, PROPOSALS = 150, 110, 4, 3
LEAST_SCORE, LEAST_STABILITY, OVERLAP = 0.6, 0.6, 0.7


def main():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    masks, scores = [], []
    for i in range(GRID * GRID):
        across, down = (i % GRID + 0.5) / GRID * WIDTH, (i // GRID + 0.5) / GRID * HEIGHT
        away = np.sqrt((x - across) ** 2 + (y - down) ** 2)
        for k in range(PROPOSALS):
            masks.append(5 + (i * 7 + k * 4) % 23 - away)
            scores.append(0.5 + ((i * PROPOSALS + k) * 19 % (GRID * GRID * PROPOSALS)) / 96)
    shape = (GRID * GRID, PROPOSALS)
    logits = torch.tensor(np.array(masks), dtype=torch.float32).reshape(*shape, HEIGHT, WIDTH)
    scores = torch.tensor(scores, dtype=torch.float32).reshape(shape)
    processor = SamImageProcessor()
    kept, scores, boxes = processor.filter_masks(logits, scores, (HEIGHT, WIDTH), [0, 0, WIDTH, HEIGHT], LEAST_SCORE, LEAST_STABILITY)
    considered = len(kept)
    found, scores, _, boxes = processor.post_process_for_mask_generation(kept, scores, boxes, OVERLAP)
    write_json(HERE / "sam/discs.json", {
        "considered": considered,
        "scores": [round(float(each), 6) for each in scores],
        "boxes": boxes.int().tolist(),
        "areas": [int(np.asarray(mask).sum()) for mask in found],
    })
    print(GRID * GRID * PROPOSALS, considered, len(found))


if __name__ == "__main__":
    main()
