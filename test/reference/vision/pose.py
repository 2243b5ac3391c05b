"""ViTPose of random weights in transformers.js' layout, and the points of people that transformers' processor reads from its heat maps;
graphs that give YOLO's pose for any picture, with known people, boxes as YOLOX does, and SimCC of known points; skeletons,
faces and hands as ControlNets' annotators draw them by OpenCV.

Run in an environment with ../requirements.txt and opencv-python-headless: `python pose.py`.
"""

import cv2
import numpy as np
import torch
from PIL import Image
from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation
from transformers.models.vitpose.image_processing_vitpose import VitPoseImageProcessor

from common import HERE, export, picture, save_picture, write_json

OUT = HERE / "pose"
SIZE = {"height": 64, "width": 48}
SETTINGS = {"do_affine_transform": True, "do_normalize": True, "do_rescale": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "normalize_factor": 200.0, "rescale_factor": 1 / 255, "size": SIZE}
# Upper left corner and size: within, reaching beyond the edges, wide.
BOXES = [[30, 12, 48, 80], [90, -10, 70, 90], [0, 0, 150, 110]]


def vit_pose(experts):
    plus = {"num_experts": experts, "part_features": 4} if experts > 1 else {}
    backbone = VitPoseBackboneConfig(image_size=[SIZE["height"], SIZE["width"]], patch_size=[16, 16], hidden_size=16, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, out_indices=[2], **plus)
    return VitPoseForPoseEstimation(VitPoseConfig(backbone_config=backbone, num_labels=17, use_simple_decoder=True, scale_factor=4))


def spread(model, seed):
    """Heat maps with hills, some of them nowhere above 0."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 1.6 / max(1, parameter[0].numel()) ** 0.5)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)


class HeatMaps(torch.nn.Module):
    def __init__(self, model, experts):
        super().__init__()
        self.model, self.experts = model, experts

    def forward(self, pixel_values, dataset_index=None):
        return self.model(pixel_values=pixel_values, **({"dataset_index": dataset_index} if self.experts > 1 else {})).heatmaps


def top_down(image):
    cases = {}
    for name, experts, seed in [("vitpose", 1, 5), ("vitpose-plus", 3, 6)]:
        model = vit_pose(experts)
        spread(model, seed)
        model.eval()
        processor = VitPoseImageProcessor(**SETTINGS)
        values = processor(image, boxes=[BOXES], return_tensors="pt")["pixel_values"]
        index = {"dataset_index": torch.zeros(len(BOXES), dtype=torch.int64)} if experts > 1 else {}
        with torch.no_grad():
            outputs = model(pixel_values=values, **index)
        (found,) = processor.post_process_pose_estimation(outputs, boxes=[BOXES])
        cases[name] = {
            "boxes": BOXES,
            "people": [[{"x": x, "y": y, "score": score} for (x, y), score in zip(each["keypoints"].tolist(), each["scores"].tolist())] for each in found],
        }
        inputs = {"pixel_values": ["batch", None, None, None]} | ({"dataset_index": ["batch"]} if index else {})
        args = (values[:1],) + tuple(each[:1] for each in index.values())
        export(HeatMaps(model, experts), args, OUT / name / "onnx/model.onnx", inputs, {"heatmaps": ["batch", None, None, None]})
        write_json(OUT / name / "config.json", {"model_type": "vitpose", "architectures": ["VitPoseForPoseEstimation"]})
        write_json(OUT / name / "preprocessor_config.json", SETTINGS | {"image_processor_type": "VitPoseImageProcessor"})
    return cases


EDGE = 64
# Middle from the middle of what is white, size, score; all in pixels of the graph. The second is the first again, the fourth unlikely, the
# last reaches beyond the picture.
FOUND = [(0, 0, 20, 30, 0.9), (1, 0, 20, 30, 0.8), (-25, 10, 10, 12, 0.6), (-10, -4, 6, 6, 0.2), (-40, 0, 30, 20, 0.5)]


class YoloPose(torch.nn.Module):
    """People around the middle of all that is white."""

    def __init__(self, suppressed):
        super().__init__()
        self.suppressed = suppressed
        kept = [FOUND[0], *FOUND[2:]] if suppressed else FOUND
        self.register_buffer("found", torch.tensor(kept))
        steps = torch.arange(17, dtype=torch.float32)
        self.register_buffer("steps", torch.stack([0.5 * steps - 4, 0.25 * steps - 6, 0.04 * steps + 0.2], -1))

    def forward(self, images):
        white = (images.amin(1)[0] > 0.9).float()
        xs, ys = (torch.arange(edge, dtype=torch.float32) + 0.5 for edge in (images.shape[3], images.shape[2]))
        middle = torch.stack([(white * xs).sum(), (white * ys[:, None]).sum()]) / white.sum()
        centres = self.found[:, :2] + middle
        sizes, scores = self.found[:, 2:4], self.found[:, 4:]
        places = centres[:, None] + self.steps[None, :, :2]
        points = torch.cat([places, self.steps[None, :, 2:].expand(len(self.found), 17, 1)], -1).flatten(1)
        if self.suppressed:
            return torch.cat([centres - sizes / 2, centres + sizes / 2, scores, torch.zeros_like(scores), points], -1)[None]
        return torch.cat([centres, sizes, scores, points], -1).T[None]


def letterboxed(image, width, height):
    """As Ultralytics' predictor does, but resized by Pillow."""
    scale = min(width / image.width, height / image.height)
    size = (round(image.width * scale), round(image.height * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    seen = Image.new("RGB", (width, height), (114, 114, 114))
    seen.paste(image.resize(size, Image.Resampling.BILINEAR), (left, top))

    def back(x, y):
        return min(max((x - left) * image.width / size[0], 0), image.width), min(max((y - top) * image.height / size[1], 0), image.height)

    return torch.from_numpy(np.array(seen, dtype=np.float32).transpose(2, 0, 1)[None] / 255), back


def people_of(values, back):
    people = []
    for x1, y1, x2, y2, score, _, *points in YoloPose(True)(values)[0].tolist():
        if score > 0.3:
            at = [(*back(x, y), score) for x, y, score in zip(points[0::3], points[1::3], points[2::3])]
            people.append({"corners": [*back(x1, y1), *back(x2, y2)], "score": score, "points": [dict(zip(("x", "y", "score"), each)) for each in at]})
    return {"people": people}


def one_pass(image):
    square = letterboxed(image, EDGE, EDGE)
    for name, suppressed in [("yolo", False), ("yolo-suppressed", True)]:
        export(YoloPose(suppressed), square[:1], OUT / name / "onnx/model.onnx", {"images": [None] * 4}, {"output0": [None] * 3})
        write_json(OUT / name / "config.json", {"model_type": "yolov8"})
    # Of free size: the longer edge 640, the shorter up to whole strides of 32.
    free = letterboxed(image, 640, 480)
    export(YoloPose(False), free[:1], OUT / "yolo-free/onnx/model.onnx", {"images": ["batch", None, "height", "width"]}, {"output0": ["batch", None, "places"]})
    return {"yolo": people_of(*square), "yolo-suppressed": people_of(*square), "yolo-free": people_of(*free)}


# Of YOLOX' grids of 8, 4 and 2 cells: cell, middle in it and logarithm of the size in cells, objectness, share of people. None: as sure
# as the picture is blue. The second lies on the first, the third is not of a person, the last reaches beyond the picture.
CELLS = [(0 * 64 + 3 * 8 + 4, 0.5, 0.25, 1.0, 1.5, None, 0.9), (64 + 1 * 4 + 2, 0.1, 0.6, 0.4, 0.8, 0.5, 0.8), (10, 0.5, 0.5, 1.2, 1.2, 0.9, 0.1), (64 + 16 + 0, 0.2, 0.3, 0.3, 0.0, 0.7, 0.9)]


class Yolox(torch.nn.Module):
    def __init__(self):
        super().__init__()
        raw = torch.zeros(64 + 16 + 4, 85)
        self.blue = torch.zeros(84, 85)
        for cell, *box, objectness, share in CELLS:
            raw[cell, :4], raw[cell, 5], raw[cell, 6] = torch.tensor(box), share, 0.95 if share < 0.3 else 0.1
            raw[cell, 4] = objectness or 0
            self.blue[cell, 4] = 1 if objectness is None else 0
        self.register_buffer("raw", raw)

    def forward(self, images):
        return (self.raw + self.blue * images[0, 0].mean() / 255)[None]


def people_by_yolox(image):
    """As YOLOX' ONNX demo does, but resized by Pillow and without its suppression."""
    scale = min(EDGE / image.width, EDGE / image.height)
    size = (round(image.width * scale), round(image.height * scale))
    seen = Image.new("RGB", (EDGE, EDGE), (114, 114, 114))
    seen.paste(image.resize(size, Image.Resampling.BILINEAR), (0, 0))
    values = torch.from_numpy(np.array(seen, dtype=np.float32)[..., ::-1].transpose(2, 0, 1)[None].copy())
    model = Yolox()
    rows = model(values)[0].numpy()
    export(model, (values,), OUT / "yolox/onnx/model.onnx", {"images": [None] * 4}, {"output": [None] * 3})
    found = []
    for cell in (CELLS[0][0], CELLS[3][0]):
        first, stride, columns = (0, 8, 8) if cell < 64 else (64, 16, 4) if cell < 80 else (80, 32, 2)
        place = np.array([(cell - first) % columns, (cell - first) // columns])
        middle, half = (rows[cell, :2] + place) * stride, np.exp(rows[cell, 2:4]) * stride / 2
        shares = np.array([image.width / size[0], image.height / size[1]])
        low, high = (np.clip(each * shares, 0, [image.width, image.height]) for each in (middle - half, middle + half))
        found.append({"corners": [*map(float, low), *map(float, high)], "score": float(rows[cell, 4] * rows[cell, 5])})
    return {"yolox": sorted(found, key=lambda each: -each["score"])}


WHOLE = {"width": 48, "height": 64}
# Within the picture, with a part of the white bar; and beyond its edges.
WHOLE_BOXES = [[70, 5, 60, 60], [60, -30, 110, 90]]


class Simcc(torch.nn.Module):
    """133 points around the middle of all that is white, each somewhat less sure."""

    def __init__(self):
        super().__init__()
        points = torch.arange(133, dtype=torch.float32)
        self.register_buffer("xs", (torch.arange(WHOLE["width"], dtype=torch.float32))[None, :].expand(WHOLE["height"], -1).contiguous())
        self.register_buffer("ys", (torch.arange(WHOLE["height"], dtype=torch.float32))[:, None].expand(-1, WHOLE["width"]).contiguous())
        self.register_buffer("across", torch.arange(2 * WHOLE["width"], dtype=torch.float32)[None])
        self.register_buffer("down", torch.arange(2 * WHOLE["height"], dtype=torch.float32)[None])
        self.register_buffer("offsets", torch.stack([10 * torch.sin(points), 8 * torch.cos(2 * points)], -1))
        self.register_buffer("sure", (1 - points / 150)[:, None])

    def forward(self, input):
        white = (input.amin(1)[0] > 1.9).float()
        x, y = (white * self.xs).sum() / white.sum(), (white * self.ys).sum() / white.sum()
        x, y = (2 * x + self.offsets[:, :1]).round(), (2 * y + self.offsets[:, 1:]).round()
        return (self.sure * torch.exp(-((self.across - x) ** 2) / 72))[None], (self.sure.sqrt() * torch.exp(-((self.down - y) ** 2) / 72))[None]


def whole_body(image):
    """As mmpose's TopdownAffine and SimCCLabel do, by OpenCV."""
    model, size = Simcc(), np.array([WHOLE["width"], WHOLE["height"]])
    people = []
    for x, y, w, h in WHOLE_BOXES:
        centre, scale = np.array([x + w / 2, y + h / 2]), np.array([w, h]) * 1.25
        ratio = size[0] / size[1]
        scale = np.array([scale[0], scale[0] / ratio]) if scale[0] > scale[1] * ratio else np.array([scale[1] * ratio, scale[1]])
        warp = np.array([[size[0] / scale[0], 0, 0], [0, size[1] / scale[1], 0]])
        warp[:, 2] = size / 2 - warp[:, :2] @ centre
        seen = cv2.warpAffine(np.array(image), warp, tuple(int(each) for each in size), flags=cv2.INTER_LINEAR)
        values = (seen.astype(np.float32) - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]
        tensor = torch.from_numpy(values.transpose(2, 0, 1)[None]).float()
        across, down = (each[0].numpy() for each in model(tensor))
        places = np.stack([across.argmax(-1), down.argmax(-1)], -1) / 2 / size * scale + centre - scale / 2
        scores = np.minimum(across.max(-1), down.max(-1))
        people.append([dict(zip(("x", "y", "score"), (*map(float, place), float(score)))) for place, score in zip(places, scores)])
    export(model, (tensor,), OUT / "simcc/onnx/model.onnx", {"input": ["batch", None, None, None]}, {"simcc_x": ["batch", None, None], "simcc_y": ["batch", None, None]})
    return {"simcc": {"boxes": WHOLE_BOXES, "people": people}}


# Two people, the second without a right arm (points of 0.1) and so without a neck.
STANDING = [(300, 90), (312, 78), (288, 78), (328, 86), (272, 86), (350, 160), (250, 160), (400, 240), (215, 245), (430, 320), (190, 330), (332, 320), (268, 320), (345, 410), (250, 405), (350, 490), (240, 495)]
LIMBS = [(1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17)]
RING = [(255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)]


def joints_of(points):
    """OpenPose's 18 of COCO's 17; None for what is not seen."""
    sure = [np.array(place) if score > 0.3 else None for *place, score in points]
    neck = None if sure[5] is None or sure[6] is None else (sure[5] + sure[6]) / 2
    return [sure[0], neck] + [sure[i] for i in (6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)]


def skeletons():
    """By OpenCV, at the size at which the annotators draw."""
    people = [[(x, y, 0.9) for x, y in STANDING], [(x * 0.5 + 380, y * 0.5 + 20, 0.1 if i in (6, 8, 10) else 0.8) for i, (x, y) in enumerate(STANDING)]]
    canvas = np.zeros((512, 640, 3), np.uint8)
    bodies = [joints_of(points) for points in people]
    for (a, b), colour in zip(LIMBS, RING):
        for joints in bodies:
            if joints[a] is None or joints[b] is None:
                continue
            middle, (dx, dy) = (joints[a] + joints[b]) / 2, joints[b] - joints[a]
            outline = cv2.ellipse2Poly((int(middle[0]), int(middle[1])), (int(np.hypot(dx, dy) / 2), 4), int(np.degrees(np.arctan2(dy, dx))), 0, 360, 1)
            cv2.fillConvexPoly(canvas, outline, colour)
    canvas = (canvas * 0.6).astype(np.uint8)
    for i, colour in enumerate(RING):
        for joints in bodies:
            if joints[i] is not None:
                cv2.circle(canvas, (int(joints[i][0]), int(joints[i][1])), 4, colour, thickness=-1)
    save_picture(Image.fromarray(canvas), OUT / "skeletons.png")
    listed = [[dict(zip(("x", "y", "score"), each)) for each in points] for points in people]
    return {"skeletons": listed} | face_and_hands()


def face_and_hands():
    """By OpenCV; the right hand's little finger is not seen."""
    turns = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    face = [(320 + 90 * np.cos(t), 130 + 100 * np.sin(t), 0.9) for t in turns]
    hands = []
    for middle, little in ((480, 0.9), (140, 0.1)):
        hands += [(middle, 460, 0.9)] + [(middle + (finger - 2) * (12 + 9 * joint), 430 - 38 * joint, little if finger == 4 else 0.9) for finger in range(5) for joint in range(4)]
    canvas = np.zeros((512, 640, 3), np.uint8)
    for hand in (hands[:21], hands[21:]):
        for i in range(20):
            a, b = (0 if i % 4 == 0 else i), i + 1
            if hand[a][2] > 0.3 and hand[b][2] > 0.3:
                hue = np.uint8([[[round(i / 20 * 180), 255, 255]]])
                colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
                cv2.line(canvas, tuple(int(each) for each in hand[a][:2]), tuple(int(each) for each in hand[b][:2]), colour, thickness=2)
        for x, y, score in hand:
            if score > 0.3:
                cv2.circle(canvas, (int(x), int(y)), 4, (0, 0, 255), thickness=-1)
    for x, y, _ in face:
        cv2.circle(canvas, (int(x), int(y)), 3, (255, 255, 255), thickness=-1)
    save_picture(Image.fromarray(canvas), OUT / "face-and-hands.png")
    points = [(0, 0, 0)] * 23 + face + hands
    return {"face-and-hands": [dict(zip(("x", "y", "score"), map(float, each))) for each in points]}


def main():
    image = picture()
    cases = top_down(image) | one_pass(image) | people_by_yolox(image) | whole_body(image) | skeletons()
    write_json(OUT / "cases.json", cases)
    for name in ("vitpose", "vitpose-plus"):
        for person in cases[name]["people"]:
            print(name, [f"{p['x']:.1f},{p['y']:.1f}:{p['score']:.2f}" for p in person])
    print(cases["yolo"]["people"][0]["corners"], len(cases["yolo"]["people"]))


if __name__ == "__main__":
    main()
