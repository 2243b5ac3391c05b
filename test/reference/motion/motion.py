"""Bodies in space and their movement: rotations by SciPy, the 1€ filter by its authors' package; graphs of random weights in the shapes of
MediaPipe's detector and pose, one of known points in RTMW3D's, and two of random motion, each with what NumPy reads from them.

Run in an environment with ../requirements.txt and OneEuroFilter==0.2.1: `python motion.py`.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from OneEuroFilter import OneEuroFilter
from PIL import Image
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation, Slerp

sys.path.append(str(Path(__file__).resolve().parents[1] / "vision"))
from common import export, picture, save_picture, write_json  # noqa: E402

HERE = Path(__file__).resolve().parent


def rotations():
    rng = np.random.default_rng(7)
    some = Rotation.random(12, random_state=rng)
    # Around the place where the angles have no single answer: the second of them a quarter turn.
    steep = Rotation.from_euler("ZXY", [[30, 90, 0], [-50, -90, 0], [20, 89.99, 40], [170, -89.9, -100]], degrees=True)
    every = Rotation.concatenate([some, steep])
    six = rng.normal(size=(8, 6))
    first = six[:, :3] / np.linalg.norm(six[:, :3], axis=1, keepdims=True)
    second = six[:, 3:] - (first * six[:, 3:]).sum(1, keepdims=True) * first
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    columns = np.stack([first, second, np.cross(first, second)], axis=-1)
    vectors = rng.normal(size=(len(every), 3))
    halfway = [Slerp([0, 1], Rotation.concatenate([a, b]))([0.3])[0].as_quat().tolist() for a, b in zip(some[:-1], some[1:])]
    # SciPy warns of the steep ones and gives one of their answers; only the rotation itself is compared there.
    return {
        "quaternions": every.as_quat().tolist(),
        "anglesZXY": some.as_euler("ZXY").tolist(),
        "vectors": vectors.tolist(),
        "rotated": every.apply(vectors).tolist(),
        "products": [(a * b).as_quat().tolist() for a, b in zip(some[:-1], some[1:])],
        "slerp": halfway,
        "six": six.tolist(),
        "ofSix": Rotation.from_matrix(columns).as_quat().tolist(),
    }


def one_euro():
    rng = np.random.default_rng(3)
    values = np.concatenate([np.zeros(10), np.linspace(0, 1, 8), np.ones(12)]) + rng.normal(0, 0.02, 30)
    cases = []
    for fps, cutoff, beta in [(30, 0.1, 40.0), (25, 1.0, 0.0), (60, 0.5, 3.0)]:
        one = OneEuroFilter(freq=fps, mincutoff=cutoff, beta=beta)
        cases.append({"fps": fps, "minCutoff": cutoff, "beta": beta, "values": values.tolist(), "smooth": [one(v) for v in values]})
    return cases


class Person(torch.nn.Module):
    """MediaPipe's detector: colours in planes, -1 to 1; per cell and box middle, size and four points, in pixels."""

    def __init__(self):
        super().__init__()
        self.see = torch.nn.Conv2d(3, 8, 8, stride=8)
        self.read = torch.nn.ModuleList([torch.nn.Conv2d(8, each * 13, 1) for each in (2, 2, 6)])

    def forward(self, input_1):
        seen = torch.tanh(self.see(input_1) * 3)
        rows = []
        for pool, each, read in zip((1, 2, 4), (2, 2, 6), self.read):
            found = read(torch.nn.functional.avg_pool2d(seen, pool))
            rows.append(found.permute(0, 2, 3, 1).reshape(1, -1, 13))
        found = torch.cat(rows, 1)
        boxes = found[:, :, :12] * 30
        middle, size = boxes[:, :, :2] / 4, boxes[:, :, 2:4].abs() + 40
        return torch.cat([middle, size, boxes[:, :, 4:]], -1), found[:, :, 12:] * 6 - 2


class Pose(torch.nn.Module):
    """MediaPipe's pose: colours in pixels, 0 to 1; sure of someone where it is not dark."""

    def __init__(self):
        super().__init__()
        self.see = torch.nn.Conv2d(3, 6, 16, stride=16)
        self.points = torch.nn.Linear(96, 195)
        self.world = torch.nn.Linear(96, 117)

    def forward(self, input_1):
        seen = torch.tanh(self.see(input_1.permute(0, 3, 1, 2)) * 2)
        seen = torch.nn.functional.avg_pool2d(seen, 4).flatten(1)
        # Shaped before: a plain Linear's weights would be renamed by the exporter.
        points = self.points(seen).reshape(1, 39, 5) * torch.tensor([60.0, 60, 60, 3, 3]) + torch.tensor([128.0, 128, 0, 1, 1])
        score = torch.sigmoid(60 * (input_1.mean(dim=(1, 2, 3)) - 0.02))[:, None]
        # Warm where the picture is blue, and cold where it is not.
        mask, heat = input_1[:, :, :, :1], (input_1[:, ::4, ::4, 2:] * 12 - 6).expand(1, 64, 64, 39)
        return points.flatten(1), score, mask, heat, self.world(seen) * 0.5


def seeded(model, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 1.5 / max(1, parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.3)
    return model.eval()


def anchors():
    grids = [(8, 2), (16, 2), (32, 6)]
    return np.concatenate([[((x + 0.5) * s, (y + 0.5) * s)] * k for s, k in grids for y in range(224 // s) for x in range(224 // s)])


def square_around(middle, end):
    dx, dy = end - middle
    turn = np.pi / 2 - np.arctan2(-dy, dx)
    return {"x": middle[0], "y": middle[1], "size": 2 * np.hypot(dx, dy) * 1.25, "angle": (turn + np.pi) % (2 * np.pi) - np.pi}


def turned(square, points):
    """From shares of the square to pixels of the picture."""
    away = (np.asarray(points) - 0.5) * square["size"]
    cos, sin = np.cos(square["angle"]), np.sin(square["angle"])
    return away @ np.array([[cos, sin], [-sin, cos]]) + [square["x"], square["y"]]


def seen_in(image, square, edge=256):
    """As OpenCV's warpPerspective, by which MediaPipe does it: pixels are places, in 32nds, and colours whole steps."""
    grid = np.stack(np.meshgrid(np.arange(edge), np.arange(edge)), -1).reshape(-1, 2) / edge
    at = np.round(turned(square, grid) * 32) / 32
    values = np.array(image, np.float64)
    # Beyond the edge all is black, also half a pixel away from it.
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)))
    planes = [map_coordinates(padded[..., c], [at[:, 1] + 1, at[:, 0] + 1], order=1, mode="constant", cval=0, prefilter=False) for c in range(3)]
    return (np.round(np.stack(planes, -1)) / 255).reshape(1, edge, edge, 3).astype(np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def refined(places, heat):
    """MediaPipe's RefineLandmarksFromHeatmap, with a kernel of 7 cells."""
    better = places.copy()
    for point, (column, row) in enumerate((places * 64).astype(int)):
        if min(column, row) < 0 or max(column, row) > 63 or (places[point] < 0).any():
            continue
        rows, columns = np.arange(max(0, row - 3), min(64, row + 4)), np.arange(max(0, column - 3), min(64, column + 4))
        warm = heat[rows[:, None], columns, point]
        if warm.max() >= 0.5:
            better[point] = [(warm * columns).sum() / warm.sum() / 64, (warm * rows[:, None]).sum() / warm.sum() / 64]
    return better


def mediapipe(frames):
    person, pose = seeded(Person(), 11), seeded(Pose(), 12)
    example = torch.zeros(1, 3, 224, 224)
    export(person, (example,), HERE / "pose/detector/onnx/model.onnx", {"input_1": [None] * 4}, {"Identity": [None] * 3, "Identity_1": [None] * 3})
    outputs = {"Identity": [None] * 2, "Identity_1": [None] * 2, "Identity_2": [None] * 4, "Identity_3": [None] * 4, "Identity_4": [None] * 2}
    export(pose, (torch.zeros(1, 256, 256, 3),), HERE / "pose/onnx/model.onnx", {"input_1": [None] * 4}, outputs)

    def detect(image):
        whole = {"x": image.width / 2, "y": image.height / 2, "size": max(image.size), "angle": 0}
        values = seen_in(image, whole, 224) * 2 - 1
        with torch.no_grad():
            boxes, scores = (each[0].numpy() for each in person(torch.from_numpy(values.transpose(0, 3, 1, 2).copy())))
        scores = sigmoid(scores[:, 0])
        best = int(scores.argmax())
        if scores[best] < 0.5:
            return None
        middles = boxes[:, :2] + anchors()
        low, high = middles - boxes[:, 2:4] / 2, middles + boxes[:, 2:4] / 2
        shared = np.clip(np.minimum(high, high[best]) - np.maximum(low, low[best]), 0, None).prod(1)
        areas = (high - low).prod(1)
        same = (shared / (areas + areas[best] - shared) > 0.3) & (scores >= 0.5)
        # All that lie on the best, weighed by their scores.
        points = boxes[:, 4:8].reshape(-1, 2, 2) + anchors()[:, None]
        points = (points[same] * scores[same, None, None]).sum(0) / scores[same].sum()
        print(f"{same.sum()} of {(scores >= 0.5).sum()} boxes are one")
        return square_around(*turned(whole, points / 224))

    def read(image, square):
        with torch.no_grad():
            points, score, _, heat, world = (each[0].numpy() for each in pose(torch.from_numpy(seen_in(image, square))))
        points, world = points.reshape(39, 5), world.reshape(39, 3)[:33]
        pixels = turned(square, refined(points[:, :2].astype(np.float64) / 256, sigmoid(heat.astype(np.float64))))
        cos, sin = np.cos(square["angle"]), np.sin(square["angle"])
        upright = np.stack([world[:, 0] * cos - world[:, 1] * sin, -(world[:, 0] * sin + world[:, 1] * cos), -world[:, 2]], -1)
        spread = lambda p: np.sqrt(((p - p.mean(0)) ** 2).sum())
        body = {"places": upright.tolist(), "scores": sigmoid(points[:33, 3]).tolist(), "score": float(score[0])}
        body |= {"hips": pixels[33].tolist(), "pixelsPerMetre": float(spread(pixels[:33]) / spread(upright[:, :2]))}
        return body, pixels[33:35]

    class Steady:
        """MediaPipe's filter of the two points: of the speed of raw places, in sizes of the person."""

        def __init__(self):
            self.raw = None

        def __call__(self, ends, dt=0.1):
            alpha = lambda cutoff: 1 / (1 + 1 / (2 * np.pi * cutoff * dt))
            if self.raw is None:
                self.smooth, self.speed = ends, np.zeros_like(ends)
            else:
                moved = (ends - self.raw) / (2 * np.hypot(*(ends[1] - ends[0]))) / dt
                self.speed = self.speed + alpha(1) * (moved - self.speed)
                self.smooth = self.smooth + alpha(0.01 + 10 * np.abs(self.speed)) * (ends - self.smooth)
            self.raw = ends
            return square_around(*self.smooth)

    bodies, squares, following, steady = [], [], None, Steady()
    for image in frames:
        square = following or detect(image)
        body, ends = read(image, square) if square else (None, None)
        if body is None or body["score"] < 0.5:
            body, following, steady = None, None, Steady()
        else:
            following = steady(ends)
        bodies.append(body)
        squares.append(square)
    return {"bodies": bodies, "squares": squares}


SEEN = {"width": 48, "height": 64}


class WholeBody(torch.nn.Module):
    """133 points around the middle of all that is white, each at a depth of its own."""

    def __init__(self):
        super().__init__()
        points = torch.arange(133, dtype=torch.float32)
        columns, rows = torch.arange(SEEN["width"], dtype=torch.float32), torch.arange(SEEN["height"], dtype=torch.float32)
        self.register_buffer("xs", columns[None, :].expand(SEEN["height"], -1).contiguous())
        self.register_buffer("ys", rows[:, None].expand(-1, SEEN["width"]).contiguous())
        self.register_buffer("across", torch.arange(2 * SEEN["width"], dtype=torch.float32)[None])
        self.register_buffer("down", torch.arange(2 * SEEN["height"], dtype=torch.float32)[None])
        self.register_buffer("offsets", torch.stack([14 * torch.sin(points), 18 * torch.cos(2 * points), 6 * torch.sin(3 * points)], -1))
        self.register_buffer("sure", (1 - points / 190)[:, None])

    def forward(self, input):
        white = (input.amin(1)[0] > 1.9).float()
        # Nobody is where nothing is white.
        there = (white.sum() > 0).float()
        x, y = (white * self.xs).sum() / white.sum().clamp(1), (white * self.ys).sum() / white.sum().clamp(1)
        centres = [(2 * x + self.offsets[:, :1]).round(), (2 * y + self.offsets[:, 1:2]).round(), (48 + self.offsets[:, 2:]).round()]
        hill = lambda places, centre: torch.exp(-((places - centre) ** 2) / 72)
        return (there * self.sure * hill(self.across, centres[0]))[None], (there * self.sure.sqrt() * hill(self.down, centres[1]))[None], hill(self.across, centres[2])[None]


SHARES = [("shoulder", "elbow", 0.186), ("elbow", "wrist", 0.146), ("shoulder", "hip", 0.288), ("hip", "knee", 0.245), ("knee", "ankle", 0.246)]
COCO = {"left_shoulder": 5, "right_shoulder": 6, "left_elbow": 7, "right_elbow": 8, "left_wrist": 9, "right_wrist": 10, "left_hip": 11, "right_hip": 12, "left_knee": 13, "right_knee": 14, "left_ankle": 15, "right_ankle": 16}


def frame_of(box):
    x, y, w, h = box
    ratio = SEEN["width"] / SEEN["height"]
    fw, fh = max(w, h * ratio) * 1.25, max(h, w / ratio) * 1.25
    return x + (w - fw) / 2, y + (h - fh) / 2, fw, fh


def whole_body(frames, height):
    """As mmpose's SimCC3DLabel reads it; metres by the limbs that lie across the view."""
    model = WholeBody().eval()
    names = ["output", "output_1", "output_2"]  # as an exporter may name them
    export(model, (torch.zeros(1, 3, SEEN["height"], SEEN["width"]),), HERE / "whole-body/onnx/model.onnx", {"input": [None] * 4}, {name: [None] * 3 for name in names})

    def read(image, box):
        fx, fy, fw, fh = frame_of(box)
        columns, rows = np.meshgrid(np.arange(SEEN["width"]), np.arange(SEEN["height"]))
        at = [fy + rows.ravel() * fh / SEEN["height"], fx + columns.ravel() * fw / SEEN["width"]]
        values = np.array(image, np.float64)
        planes = [map_coordinates(values[..., c], at, order=1, mode="constant", cval=0, prefilter=False) for c in range(3)]
        inside = (at[0] >= 0) & (at[0] <= image.height - 1) & (at[1] >= 0) & (at[1] <= image.width - 1)
        seen = np.floor(np.stack(planes, 0) * inside + 0.5).reshape(3, SEEN["height"], SEEN["width"])
        tensor = (seen - np.array([123.675, 116.28, 103.53])[:, None, None]) / np.array([58.395, 57.12, 57.375])[:, None, None]
        with torch.no_grad():
            across, down, depth = (each[0].numpy() for each in model(torch.from_numpy(tensor[None]).float()))
        x = fx + across.argmax(-1) / (2 * SEEN["width"]) * fw
        y = fy + down.argmax(-1) / (2 * SEEN["height"]) * fh
        z = (depth.argmax(-1) / 2 / (SEEN["width"] / 2) - 1) * 2.1744869
        return np.stack([x, y, z], -1), np.minimum(across.max(-1), down.max(-1))

    bodies, following = [], None
    for image in frames:
        body = box = None
        for box in [following, [0, 0, image.width, image.height]]:
            if box is None:
                continue
            points, scores = read(image, box)
            if scores[:17].mean() < 0.5:
                continue
            measured = []
            for side in ("left", "right"):
                for a, b, share in SHARES:
                    dx, dy, dz = points[COCO[f"{side}_{b}"]] - points[COCO[f"{side}_{a}"]]
                    if np.hypot(dx, dy) > 1:
                        measured.append((np.hypot(dx, dy), dz, share * height))
            lying = [(p, z, s) for p, z, s in measured if z * z < s * s / 2]
            metre = 1 / (np.median([np.sqrt(s * s - z * z) / p for p, z, s in lying]) if lying else np.median([s / p for p, _, s in measured]))
            hips = (points[11] + points[12]) / 2
            places = (points - hips) * [1 / metre, -1 / metre, -1]
            body = {"places": places.tolist(), "scores": scores.tolist(), "score": float(scores[:17].mean()), "hips": hips[:2].tolist(), "pixelsPerMetre": float(metre)}
            sure = points[scores > 0.3, :2]
            following = [*sure.min(0), *(sure.max(0) - sure.min(0))]
            break
        if body is None:
            following = None
        bodies.append(body)
    return bodies


WORDS, LATENT, FRAMES, JOINTS = ["walk", "run", "wave", "sit"], 8, 6, 22
PARENTS = [-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20]


class Clip(torch.nn.Module):
    """Random turns of joints, as six numbers or as place, quaternion and size."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers = numbers
        self.say = torch.nn.Linear(len(WORDS) + LATENT, FRAMES * JOINTS * (6 if numbers == 6 else 4))

    def forward(self, tokens, seed):
        said = self.say(torch.cat([tokens, seed], -1))
        if self.numbers == 6:
            return said.reshape(1, FRAMES, JOINTS * 6)
        turns = torch.nn.functional.normalize(said.reshape(1, FRAMES, JOINTS, 4), dim=-1)
        return torch.cat([torch.zeros_like(turns[..., :3]), turns, torch.ones_like(turns[..., :3])], -1).reshape(1, FRAMES, JOINTS * 10)


def clips():
    """The local turns that SciPy makes of the graphs' for the noise that torch draws."""
    cases = {}
    for name, numbers, frame in [("clip-six", 6, "world"), ("clip-ten", 10, None)]:
        model = seeded(Clip(numbers), 20 + numbers)
        tokens = torch.zeros(1, len(WORDS))
        tokens[0, 1] = 1
        noise = torch.randn(LATENT, generator=torch.Generator().manual_seed(5))[None] * 0.5
        export(model, (tokens, noise), HERE / name / "onnx/model.onnx", {"tokens": [None] * 2, "seed": [None] * 2}, {"motion": [None] * 3})
        write_json(HERE / name / "vocab.json", {"vocab": WORDS, "Z": LATENT, "T": FRAMES, "C": JOINTS * numbers, "J": JOINTS, "fps": 30} | ({"frame": frame} if frame else {}))
        with torch.no_grad():
            motion = model(tokens, noise)[0].numpy().astype(np.float64).reshape(FRAMES, JOINTS, numbers)
        if numbers == 6:
            first = motion[..., :3] / np.linalg.norm(motion[..., :3], axis=-1, keepdims=True)
            second = motion[..., 3:] - (first * motion[..., 3:]).sum(-1, keepdims=True) * first
            second /= np.linalg.norm(second, axis=-1, keepdims=True)
            turns = Rotation.from_matrix(np.stack([first, second, np.cross(first, second)], -1).reshape(-1, 3, 3)).as_quat().reshape(FRAMES, JOINTS, 4)
        else:
            turns = motion[..., 3:7]
        local = [[(Rotation.from_quat(row[p]).inv() if frame and p >= 0 else Rotation.identity()) * Rotation.from_quat(row[j]) for j, p in enumerate(PARENTS)] for row in turns]
        cases[name] = {"seed": 5, "prompt": "Someone is running.", "rotations": [[each.as_quat().tolist() for each in row] for row in local]}
    return cases


def films():
    """Pictures that move, as Pillow writes them, and all frames of each below each other, as it reads them; half transparent colours it
    mixes otherwise than the specification of APNG."""
    rng = np.random.default_rng(9)
    frames = []
    for i in range(5):
        frame = np.zeros((24, 32, 4), np.uint8)
        frame[2 + 3 * i : 12 + 2 * i, 4 * i : 4 * i + 12] = [*rng.integers(0, 256, 3), 255]
        frames.append(Image.fromarray(frame))
    kinds = {
        # Each way to lie on what is there and to leave it.
        "film.png": {"disposal": [0, 1, 2, 0, 1], "blend": [0, 1, 1, 0, 1], "duration": [40, 80, 40, 0, 120]},
        "film.webp": {"lossless": True, "duration": 40},
        "film.gif": {"disposal": 2, "duration": [40, 0, 200, 40, 40]},
    }
    for name, how in kinds.items():
        frames[0].save(HERE / "films" / name, save_all=True, append_images=frames[1:], **how)
        read = Image.open(HERE / "films" / name)
        seen = []
        for at in range(read.n_frames):
            read.seek(at)
            seen.append(np.array(read.convert("RGBA")))
        save_picture(Image.fromarray(np.concatenate(seen)), HERE / "films" / f"{name}-frames.png")


def main():
    """Four frames: someone, the same a little further and brighter, darkness, someone again."""
    first = picture(width=120, height=160, seed=1)
    later = Image.fromarray(np.roll(np.clip(np.array(first, np.float64) * 1.05, 0, 255).astype(np.uint8), (3, 5), (0, 1)))
    frames = [first, later, Image.new("RGB", first.size), first]
    for i, frame in enumerate(frames):
        save_picture(frame, HERE / f"frames/{i}.png")
    (HERE / "films").mkdir(exist_ok=True)
    films()
    write_json(HERE / "rotations.json", rotations())
    write_json(HERE / "one-euro.json", one_euro())
    order = [0, 1, 0, 1, 2, 3]
    shown = [frames[at] for at in order]
    cases = {"order": order, "pose": mediapipe(shown), "whole-body": {"height": 1.8, "bodies": whole_body(shown, 1.8)}} | clips()
    write_json(HERE / "cases.json", cases)
    for name in ("pose", "whole-body"):
        print(name, [each and (round(each["score"], 3), [round(v, 1) for v in each["hips"]], round(each["pixelsPerMetre"], 1)) for each in cases[name]["bodies"]])


if __name__ == "__main__":
    main()
