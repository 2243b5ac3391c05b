"""The small world of the demo models: scenes, their pictures and their captions.

A scene is one or two coloured shapes on a coloured ground. Everything is drawn from a random.Random that the
caller seeds, so that a training run can be repeated.
"""

import hashlib
import math
import random
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

SIZE = 128  # pixels, width and height

COLOURS = {
    "red": (220, 38, 38),
    "orange": (249, 130, 20),
    "yellow": (250, 215, 50),
    "green": (40, 160, 70),
    "cyan": (50, 200, 215),
    "blue": (40, 70, 200),
    "purple": (130, 50, 165),
    "pink": (248, 150, 190),
    "white": (248, 248, 248),
    "black": (22, 22, 22),
}
COLOUR_NAMES = list(COLOURS)
SHAPES = ["circle", "square", "triangle", "diamond", "star", "heart", "cross", "ring"]
SIZES = ["big", "small"]
POSITIONS = ["left", "right", "top", "bottom", "centre"]
PALETTE = torch.tensor([COLOURS[c] for c in COLOUR_NAMES], dtype=torch.float32)

# Places are multiples of 16 pixels, two cells of the latents and one of the UNet's inner level: what is learnt of a
# shape at one place holds at all of them.
RADIUS = {"big": 27.0, "small": 17.0}
CENTRE = {"left": (32, 64), "right": (96, 64), "top": (64, 32), "bottom": (64, 96), "centre": (64, 64)}
BIG_EXTENT = 41  # pixels: no small thing is wider or higher, every big one is
OPPOSITE = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}


@dataclass
class Thing:
    colour: str
    shape: str
    size: str
    position: str
    x: float = 0.0
    y: float = 0.0
    radius: float = 0.0


@dataclass
class Scene:
    things: list
    ground: str
    held_out: bool = field(default=False)


def _hash(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def combination_held_out(colour, shape, ground):
    """About 8 % of the (colour, shape, ground) triples never occur in training."""
    return _hash(f"{colour}/{shape}/{ground}") % 12 == 0


def caption_held_out(caption):
    """5 % of the captions, word for word, never occur in training."""
    return _hash(caption.lower().strip()) % 20 == 0


def place(thing):
    thing.x, thing.y = CENTRE[thing.position]
    thing.radius = RADIUS[thing.size]
    return thing


def draw_scene(rng, two=0.25):
    """One scene, without regard to what is held out."""
    ground = rng.choice(COLOUR_NAMES)
    others = [c for c in COLOUR_NAMES if c != ground]
    if rng.random() < two:
        first = rng.choice(list(OPPOSITE))
        places = [first, OPPOSITE[first]]
    else:
        places = [rng.choice(POSITIONS)]
    things = [place(Thing(rng.choice(others), rng.choice(SHAPES), rng.choice(SIZES), p)) for p in places]
    held = any(combination_held_out(t.colour, t.shape, ground) for t in things)
    return Scene(things, ground, held)


def training_scene(rng, two=0.25):
    while True:
        scene = draw_scene(rng, two)
        if not scene.held_out:
            return scene


# ---------------------------------------------------------------------------------------------------- pictures


def _polygon(points):
    return np.array(points, dtype=np.float64)


def _regular(n, radius, start):
    return [(radius * math.cos(start + 2 * math.pi * i / n), radius * math.sin(start + 2 * math.pi * i / n)) for i in range(n)]


def _outline(shape):
    """The outline within a circle of about radius 1; y points down, as in a picture."""
    up = -math.pi / 2
    if shape == "square":
        a = 0.84
        return _polygon([(-a, -a), (a, -a), (a, a), (-a, a)])
    if shape == "triangle":
        return _polygon([(x * 1.12, y * 1.12 + 0.18) for x, y in _regular(3, 1.0, up)])
    if shape == "diamond":
        return _polygon([(0, -1.08), (0.8, 0), (0, 1.08), (-0.8, 0)])
    if shape == "star":
        outer, inner = _regular(5, 1.1, up), _regular(5, 0.48, up + math.pi / 5)
        return _polygon([p for pair in zip(outer, inner) for p in pair])
    if shape == "cross":
        a, b = 1.0, 0.34
        return _polygon([(-b, -a), (b, -a), (b, -b), (a, -b), (a, b), (b, b), (b, a), (-b, a), (-b, b), (-a, b), (-a, -b), (-b, -b)])
    if shape == "heart":
        points = []
        for i in range(120):
            t = 2 * math.pi * i / 120
            x = 16 * math.sin(t) ** 3
            y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
            points.append((x / 16.5, -(y + 2.5) / 16.5))
        return _polygon(points)
    raise ValueError(shape)


def _distance_table(shape, half=4.6, n=368):
    """Signed distance to the shape of radius 1 on an n x n grid over [-half, half]; negative inside."""
    axis = (np.arange(n) + 0.5) / n * 2 * half - half
    x, y = np.meshgrid(axis, axis)
    if shape == "circle":
        return np.hypot(x, y) - 0.95
    if shape == "ring":
        return np.abs(np.hypot(x, y) - 0.76) - 0.235
    points = _outline(shape)
    best = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, 0)):
        ex, ey = bx - ax, by - ay
        t = np.clip(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey), 0, 1)
        best = np.minimum(best, np.hypot(x - ax - t * ex, y - ay - t * ey))
        crosses = (ay > y) != (by > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < ax + (y - ay) * ex / np.where(ey == 0, 1e-12, ey))
    return np.where(inside, -best, best)


_TABLES = None
_HALF = 4.6


def _tables():
    global _TABLES
    if _TABLES is None:
        _TABLES = torch.tensor(np.stack([_distance_table(s) for s in SHAPES]), dtype=torch.float32)[:, None]
    return _TABLES


def coverage(shapes, x, y, radius, size=SIZE, angle=None):
    """Anti-aliased coverage [b,1,size,size] of one shape per row; shapes are indices, the rest tensors in pixels."""
    axis = torch.arange(size, dtype=torch.float32) + 0.5
    gx = (axis[None, None, :] - x[:, None, None]) / radius[:, None, None]
    gy = (axis[None, :, None] - y[:, None, None]) / radius[:, None, None]
    gx, gy = torch.broadcast_tensors(gx, gy)
    if angle is not None:
        c, s = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
        gx, gy = gx * c + gy * s, gy * c - gx * s
    grid = torch.stack([gx, gy], -1) / _HALF
    far = F.grid_sample(_tables()[shapes], grid, align_corners=False, padding_mode="border")
    return (0.5 - far * radius[:, None, None, None]).clamp(0, 1)


def render(scenes, size=SIZE):
    """Pictures [b,3,size,size] in [-1,1]."""
    scale = size / SIZE
    picture = torch.stack([PALETTE[COLOUR_NAMES.index(s.ground)] for s in scenes])[:, :, None, None].expand(-1, 3, size, size).clone()
    for i in range(2):
        rows = [r for r, s in enumerate(scenes) if len(s.things) > i]
        if not rows:
            continue
        things = [scenes[r].things[i] for r in rows]
        cover = coverage(
            torch.tensor([SHAPES.index(t.shape) for t in things]),
            torch.tensor([t.x for t in things]) * scale,
            torch.tensor([t.y for t in things]) * scale,
            torch.tensor([t.radius for t in things]) * scale,
            size,
        )
        ink = torch.stack([PALETTE[COLOUR_NAMES.index(t.colour)] for t in things])[:, :, None, None]
        picture[rows] = picture[rows] * (1 - cover) + ink * cover
    return picture / 127.5 - 1


def wild(generator, count, size):
    """Pictures for the VAE alone: any colours, gradients, any angle, one to four shapes, [b,3,size,size]."""
    u = lambda *s: torch.rand(*s, generator=generator)
    a, b, c = u(count, 3, 1, 1), u(count, 3, 1, 1), u(count, 1, 1, 1)
    flat = (u(count, 1, 1, 1) < 0.5).float()
    ramp = torch.linspace(0, 1, size)
    ramp = c * ramp[None, None, :, None] + (1 - c) * ramp[None, None, None, :]
    picture = a * flat + (1 - flat) * (a + (b - a) * ramp)
    for i in range(4):
        cover = coverage(
            torch.randint(0, len(SHAPES), (count,), generator=generator),
            u(count) * size, u(count) * size, 8 + u(count) * 26, size, u(count) * 6.2832,
        ) * (u(count, 1, 1, 1) < (1.0, 0.5, 0.3, 0.2)[i])
        picture = picture * (1 - cover) + u(count, 3, 1, 1) * cover
    return picture * 2 - 1


# ---------------------------------------------------------------------------------------------------- captions

_COLOUR_WORDS = {
    "red": ["scarlet", "crimson"], "orange": ["amber"], "yellow": ["golden", "gold"], "green": ["emerald"],
    "cyan": ["turquoise", "aqua", "teal"], "blue": ["navy"], "purple": ["violet"], "pink": ["rose"],
    "white": ["snow white"], "black": ["dark"],
}
_SHAPE_WORDS = {
    "circle": ["disc", "disk", "ball", "dot"], "square": ["box"], "triangle": ["pyramid"],
    "diamond": ["rhombus"], "star": ["five-pointed star"], "heart": ["love heart"],
    "cross": ["plus", "plus sign"], "ring": ["donut", "hoop"],
}
_SIZE_WORDS = {"big": ["big", "big", "large", "large", "huge", "giant"], "small": ["small", "small", "little", "tiny", "mini"]}
_POSITION_WORDS = {
    "left": ["on the left", "on the left", "at the left", "on the left side", "to the left", "near the left edge"],
    "right": ["on the right", "on the right", "at the right", "on the right side", "to the right", "near the right edge"],
    "top": ["at the top", "at the top", "near the top", "on top", "in the upper part", "near the top edge"],
    "bottom": ["at the bottom", "at the bottom", "near the bottom", "on the bottom", "in the lower part", "near the bottom edge"],
    "centre": ["in the middle", "in the centre", "in the center", "in the middle", "at the centre", "at the center"],
}
_SHORT_POSITION = {"left": ["left", "left side"], "right": ["right", "right side"], "top": ["top"], "bottom": ["bottom"], "centre": ["centre", "center", "middle", "centered"]}
_PREFIX = ["a photo of", "a picture of", "picture of", "an image of", "please draw", "draw", "draw me", "show me", "make", "paint", "a painting of",
           "a drawing of", "i want", "generate", "render", "create", "there is", "imagine", "photo of", "can you draw", "a simple picture of", "an icon of", "a beautiful"]
_SUFFIX = ["highly detailed", "4k", "digital art", "flat design", "please", "vector art", "best quality", "minimalist", "trending", "simple", "8k", "masterpiece", "icon", "sharp", "clean", "nice"]

NONE = "-"


def _pick(rng, name, words, rare=0.08):
    return rng.choice(words[name]) if rng.random() < rare else name


def _noun(rng, t, sizes, colours, shapes, article=True):
    words = []
    shape = _pick(rng, t.shape, _SHAPE_WORDS) if shapes else rng.choice(["shape", "thing", "object"])
    size = rng.choice(_SIZE_WORDS[t.size]) if sizes else ""
    colour = _pick(rng, t.colour, _COLOUR_WORDS) if colours else ""
    if size and colour and rng.random() < 0.1:
        size, colour = colour, size
    words = [w for w in (size, colour, shape) if w]
    if colours and shapes and rng.random() < 0.03:
        words = [w for w in (size, shape, rng.choice(["that is", "in", "colored", ""]), colour) if w]
    phrase = " ".join(words)
    if article:
        phrase = f"{rng.choice(['an' if phrase[0] in 'aeiou' else 'a'] * 6 + ['the', 'one'])} {phrase}"
    return phrase


def _ground(rng, colour):
    g = _pick(rng, colour, _COLOUR_WORDS, 0.04)
    return rng.choice([f"on a {g} background", f"on a {g} background", f"on {g}", f"on a {g} ground", f"over a {g} background", f"against {g}",
                       f"against a {g} background", f"with a {g} background", f"on {g} background", f"in front of a {g} wall"])


def _junk(rng):
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9)))


def caption(scene, rng):
    """A caption and what it says: {"ground": name or "-", "things": [{"colour","shape","size","position"}]}."""
    g = scene.ground
    things = list(scene.things)
    say_ground = rng.random() < 0.6
    if len(things) == 1:
        t = things[0]
        style = rng.random()
        sizes, place = rng.random() < 0.5, rng.random() < 0.6
        colours, shapes = rng.random() < 0.96, rng.random() < 0.98
        if style < 0.2:  # what most people type
            say_ground = rng.random() < 0.35
            place = rng.random() < 0.2
            sizes = rng.random() < 0.3
        noun = _noun(rng, t, sizes, colours, shapes, rng.random() < 0.75)
        where = rng.choice(_POSITION_WORDS[t.position]) if place else ""
        ground = _ground(rng, g) if say_ground else ""
        gn = _pick(rng, g, _COLOUR_WORDS, 0.04)
        forms = [f"{noun} {where} {ground}", f"{noun} {ground} {where}"]
        if place:
            forms += [f"{where}, {noun} {ground}", f"{noun}, {rng.choice(_SHORT_POSITION[t.position])} {', ' + ground if ground else ''}"]
            if ground:
                forms += [f"{noun} {where} of a {gn} background", f"{where} {noun} {ground}", f"{ground}, {noun} {where}", f"{gn} background with {noun} {where}"]
        if ground:
            forms += [f"{ground}, {noun} {where}", f"{gn} ground with {noun} {where}", f"{gn} background, {noun} {where}", f"{noun} {where}, {gn} background"]
        text = rng.choice(forms)
        said = [(t, colours, shapes, sizes, place)]
    else:
        if rng.random() < 0.5:
            things.reverse()
        a, b = things
        sizes = [rng.random() < 0.4, rng.random() < 0.4]
        na, nb = _noun(rng, a, sizes[0], True, True), _noun(rng, b, sizes[1], True, True)
        ground = _ground(rng, g) if say_ground else ""
        gn = _pick(rng, g, _COLOUR_WORDS, 0.04)
        place = rng.random() < 0.75
        if place:
            pa, pb = rng.choice(_POSITION_WORDS[a.position]), rng.choice(_POSITION_WORDS[b.position])
            forms = [f"{na} {pa} and {nb} {pb}", f"{na} {pa}, {nb} {pb}", f"{na} {pa} with {nb} {pb}", f"{pa} {na}, {pb} {nb}"]
            relation = {"left": ["to the left of", "left of"], "right": ["to the right of", "right of"], "top": ["above", "over"], "bottom": ["below", "under"]}
            forms += [f"{na} {rng.choice(relation[a.position])} {nb}"] * 2
        else:
            forms = [f"{na} and {nb}", f"{na} next to {nb}" if a.position in ("left", "right") else f"{na} and {nb}", f"{na} with {nb}", f"{na}, {nb}"]
        text = rng.choice(forms)
        if ground:
            text = rng.choice([f"{text} {ground}", f"{ground}, {text}", f"{gn} background with {text}", f"{text}, {gn} background"])
        said = [(a, True, True, sizes[0], place), (b, True, True, sizes[1], place)]
    if rng.random() < 0.18:
        text = f"{rng.choice(_PREFIX)} {text}"
    if rng.random() < 0.12:
        text = f"{text}, {rng.choice(_SUFFIX)}" if rng.random() < 0.7 else f"{text} {rng.choice(_SUFFIX)}"
    words = text.split()
    if rng.random() < 0.05:
        words.insert(rng.choice([0, len(words)]), _junk(rng))
    text = " ".join(words).replace(" ,", ",")
    if rng.random() < 0.04:
        text += rng.choice([".", "!", "..."])
    spec = {
        "ground": g if say_ground else NONE,
        "things": [{"colour": t.colour if c else NONE, "shape": t.shape if s else NONE, "size": t.size if z else NONE, "position": t.position if p else NONE}
                   for t, c, s, z, p in said],
    }
    return text, spec


def training_caption(scene, rng):
    while True:
        text, spec = caption(scene, rng)
        if not caption_held_out(text):
            return text, spec


def test_cases(count, seed):
    """Held-out (caption, spec) pairs: the combination of colour, shape and ground and the caption's words are both unseen."""
    rng = random.Random(seed)
    cases, seen = [], set()
    while len(cases) < count:
        scene = draw_scene(rng)
        if not scene.held_out:
            continue
        text, spec = caption(scene, rng)
        if caption_held_out(text) and text not in seen and spec["things"][0]["colour"] != NONE and spec["things"][0]["shape"] != NONE:
            seen.add(text)
            cases.append((text, spec))
    return cases


# ------------------------------------------------------------------------------- labels of the auxiliary heads

FIELDS = {"colour": COLOUR_NAMES, "shape": SHAPES, "size": SIZES, "position": POSITIONS}
HEADS = [(f"{f}{i}", len(v) + 2) for i in (0, 1) for f, v in FIELDS.items()] + [("ground", len(COLOUR_NAMES) + 2)]


def labels(spec):
    """One class index per head: 0 = no such thing, 1 = not said, 2.. = value."""
    out = []
    for i in (0, 1):
        for f, values in FIELDS.items():
            if i >= len(spec["things"]):
                out.append(0)
            else:
                v = spec["things"][i][f]
                out.append(1 if v == NONE else 2 + values.index(v))
    out.append(1 if spec["ground"] == NONE else 2 + COLOUR_NAMES.index(spec["ground"]))
    return out
