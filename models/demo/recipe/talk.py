"""What demo-llama learns: conversations about the small world of the demo models.

Everything is drawn from a random.Random that the caller seeds. A conversation is a list of messages; only the assistant's
count for the loss. Every question has exactly one right answer, so that grading is by equality of text.
"""

import hashlib
import json

import world

PLACES = {"left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom", "centre": "in the centre"}
CORNERS = {"circle": "no", "square": "four", "triangle": "three", "diamond": "four", "star": "ten", "heart": "one", "cross": "twelve", "ring": "no"}
MIXED = {("red", "yellow"): "orange", ("yellow", "blue"): "green", ("red", "blue"): "purple", ("red", "white"): "pink", ("green", "blue"): "cyan"}
NUMBERS = ["no", "one", "two", "three", "four", "five", "six"]
OPPOSITES = {"left": "right", "right": "left", "top": "bottom", "bottom": "top", "big": "small", "small": "big", "black": "white", "white": "black"}

SYSTEM = ["You are a helpful assistant.", "Answer briefly.", "You are Forecourt's demo model.", "You talk about coloured shapes.", "Be kind."]
HELLO = ["Hello", "Hi", "Hello!", "Hi there", "Hey", "Good morning", "Good evening", "hello", "hi"]
WHO = ["Who are you?", "What are you?", "What is your name?", "who are you", "Tell me about yourself.", "What can you do?", "Introduce yourself."]
THANKS = ["Thanks", "Thank you", "Thank you!", "thanks a lot", "Great, thanks", "Very good"]
BYE = ["Bye", "Goodbye", "See you", "Bye bye"]
I_AM = "I am demo-llama, a very small language model. I know coloured shapes on coloured grounds, and nothing else."
DECLINE = "I do not know. I only know coloured shapes on coloured grounds."
STRANGE = [
    "president", "weather", "capital", "river", "film", "song", "war", "recipe", "cat", "dog", "computer", "planet", "king", "book", "train", "ocean", "mountain",
    "doctor", "bread", "football", "money", "physics", "history", "python", "car", "city", "france", "germany", "china", "japan", "india", "music", "poem", "joke",
    "price", "stock", "election", "language", "school", "animal", "tree", "flower", "moon", "sun", "coffee", "tea", "cake", "horse", "bird", "fish", "phone",
]
STRANGE_FORMS = [
    "What is the {a} of {b}?", "Who is the {a} of {b}?", "Tell me about the {a}.", "What is a {a}?", "Where is the {a}?", "Write a {a} about {b}.", "How old is the {a}?",
    "Why is the {a} like a {b}?", "When was the {a}?", "Explain {a} and {b}.", "How do I make a {a}?", "What do you think of the {a}?", "How much is a {a}?", "Is the {a} good?",
    "What is {n} times {m}?", "What is {n} plus {m}?", "Translate {a} into {b}.",
]


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def is_held_out(things, ground):
    """5 % of all scenes are kept from training, whole: of any part of them it has seen others."""
    words = " ".join(sorted(f"{noun(t)} {t.position}" for t in things))
    return int.from_bytes(hashlib.sha256(f"{words} {ground}".encode()).digest()[:4], "big") % 20 == 0


def draw(rng, most=3, held_out=False):
    """Things with different shapes at different places; `held_out`: of those that training never has."""
    while True:
        ground = rng.choice(world.COLOUR_NAMES)
        others = [c for c in world.COLOUR_NAMES if c != ground]
        count = rng.choice([1, 2, 2, 3][: most + 1])
        places = rng.sample(world.POSITIONS, count)
        shapes = rng.sample(world.SHAPES, count)
        things = [world.Thing(rng.choice(others), s, rng.choice(world.SIZES), p) for s, p in zip(shapes, places)]
        if is_held_out(things, ground) == held_out:
            return world.Scene(things, ground, held_out)


def noun(t):
    return f"{t.size} {t.colour} {t.shape}"


def told(scene, rng):
    """The scene in words."""
    ground = rng.choice(["ground", "background"])
    things = list(scene.things)
    style = rng.randrange(4)
    if style == 0:
        parts = [f"{article(noun(t))} {PLACES[t.position]}" for t in things]
        return f"There is {join(parts)}, on {article(scene.ground)} {ground}."
    if style == 1:
        parts = [f"{article(noun(t))} {PLACES[t.position]}" for t in things]
        return f"On {article(scene.ground)} {ground} there is {join(parts)}."
    if style == 2:
        said = " ".join(f"{PLACES[t.position].capitalize()} is {article(noun(t))}." for t in things)
        return f"{said} The {ground} is {scene.ground}."
    parts = [f"{article(noun(t))} {PLACES[t.position]}" for t in things]
    return f"A picture of {join(parts)}, {scene.ground} {ground}."


def join(parts):
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def as_prompt(scene):
    """In the words that demo-diffusion knows; it draws two things at most."""
    return f"{' and '.join(f'{article(noun(t))} {PLACES[t.position]}' for t in scene.things[:2])} on {article(scene.ground)} background"


def as_json(scene):
    things = [{"shape": t.shape, "colour": t.colour, "size": t.size, "place": t.position} for t in scene.things]
    return json.dumps({"things": things, "ground": scene.ground})


def one_of(things, key):
    """Things that are the only one with their value."""
    values = [getattr(t, key) for t in things]
    return [t for t in things if values.count(getattr(t, key)) == 1]


def questions(scene, rng):
    """Kinds of question that this scene allows -> (question, answer)."""
    things = scene.things
    t = rng.choice(things)
    color = rng.choice(["colour", "colour", "color"])
    ground = rng.choice(["ground", "background"])
    asks = {
        "colour": (rng.choice([f"What {color} is the {t.shape}?", f"Which {color} does the {t.shape} have?", f"And the {t.shape}, what {color} is it?", f"what is the {color} of the {t.shape}"]), f"The {t.shape} is {t.colour}."),
        "place": (rng.choice([f"Where is the {t.shape}?", f"Where can I see the {t.shape}?", f"where is the {t.shape}"]), f"The {t.shape} is {PLACES[t.position]}."),
        "size": (rng.choice([f"How big is the {t.shape}?", f"What size is the {t.shape}?", f"Is the {t.shape} big or small?"]), f"The {t.shape} is {t.size}."),
        "at": (rng.choice([f"What is {PLACES[t.position]}?", f"Which shape is {PLACES[t.position]}?", f"What do you see {PLACES[t.position]}?"]), f"{article(noun(t)).capitalize()} is {PLACES[t.position]}."),
        "count": (rng.choice(["How many things are there?", "How many shapes do you see?", "Count the shapes."]), f"There {'is' if len(things) == 1 else 'are'} {NUMBERS[len(things)]} {'shape' if len(things) == 1 else 'shapes'}."),
        "ground": (rng.choice([f"What {color} is the {ground}?", f"Which {color} does the {ground} have?", f"And the {ground}?"]), f"The ground is {scene.ground}."),
        "is it": is_it(t, rng),
        "exists": exists(things, rng),
        "prompt": (rng.choice(["Write a prompt for this picture.", "How would I ask for this picture?", "Make a prompt of it."]), as_prompt(scene)),
        "json": (rng.choice(["Give it as JSON.", "Say it in JSON.", "As JSON, please.", "Describe the scene as JSON."]), as_json(scene)),
        "add": add(things, rng),
        "absent": absent(things, rng),
    }
    for name, key in (("which colour", "colour"), ("which size", "size")):
        known = one_of(things, key)
        if known and len(things) > 1:
            k = rng.choice(known)
            value = getattr(k, key)
            asks[name] = (rng.choice([f"Which shape is {value}?", f"What is {value}?", f"Name the {value} shape."]), f"The {k.shape} is {value}.")
    if len(things) > 1:
        a, b = rng.sample(things, 2)
        asks["bigger"] = (rng.choice([f"Which is bigger, the {a.shape} or the {b.shape}?", f"Is the {a.shape} or the {b.shape} bigger?"]), f"The {a.shape if a.size == 'big' else b.shape} is bigger." if a.size != b.size else f"Both are {a.size}.")
        asks["same"] = (rng.choice([f"Do the {a.shape} and the {b.shape} have the same {color}?", f"Are the {a.shape} and the {b.shape} of the same {color}?"]), f"Yes, both are {a.colour}." if a.colour == b.colour else f"No, the {a.shape} is {a.colour} and the {b.shape} is {b.colour}.")
    return asks


def is_it(t, rng):
    key, values = rng.choice([("colour", world.COLOUR_NAMES), ("size", world.SIZES), ("position", world.POSITIONS)])
    true = getattr(t, key)
    said = true if rng.random() < 0.5 else rng.choice([v for v in values if v != true])
    words = (lambda v: PLACES[v]) if key == "position" else (lambda v: v)
    answer = f"Yes, the {t.shape} is {words(true)}." if said == true else f"No, the {t.shape} is {words(true)}."
    return f"Is the {t.shape} {words(said)}?", answer


def exists(things, rng):
    shape = rng.choice(things).shape if rng.random() < 0.5 else rng.choice(world.SHAPES)
    there = any(t.shape == shape for t in things)
    return rng.choice([f"Is there a {shape}?", f"Do you see a {shape}?", f"Can you see a {shape}?"]), f"Yes, there is a {shape}." if there else f"No, there is no {shape}."


def absent(things, rng):
    shape = rng.choice([s for s in world.SHAPES if all(t.shape != s for t in things)])
    return rng.choice([f"What colour is the {shape}?", f"Where is the {shape}?", f"How big is the {shape}?"]), f"There is no {shape}."


def add(things, rng):
    shape, colour = rng.choice(world.SHAPES), rng.choice(world.COLOUR_NAMES)
    more = rng.randrange(1, 4)
    total = NUMBERS[len(things) + more]
    what = article(f"{colour} {shape}") if more == 1 else f"{NUMBERS[more]} {colour} {shape}s"
    return rng.choice([f"If I add {what}, how many shapes are there?", f"And with {what} more, how many shapes is that?"]), f"Then there are {total} shapes."


def general(rng):
    """A question about no scene -> (kind, question, answer)."""
    shape = rng.choice(world.SHAPES)
    (a, b), mixed = rng.choice(list(MIXED.items()))
    if rng.random() < 0.5:
        a, b = b, a
    word = rng.choice(list(OPPOSITES))
    x, y = rng.sample(STRANGE, 2)
    strange = rng.choice(STRANGE_FORMS).format(a=x, b=y, n=rng.randrange(2, 100), m=rng.randrange(2, 100))
    return rng.choice([
        ("hello", rng.choice(HELLO), "Hello! Ask me about coloured shapes."),
        ("who", rng.choice(WHO), I_AM),
        ("who", rng.choice(WHO), I_AM),
        ("thanks", rng.choice(THANKS), "You are welcome."),
        ("bye", rng.choice(BYE), "Goodbye!"),
        ("corners", rng.choice([f"How many corners does a {shape} have?", f"How many corners has a {shape}?"]), f"A {shape} has {CORNERS[shape]} {'corner' if CORNERS[shape] == 'one' else 'corners'}."),
        ("mix", rng.choice([f"What do {a} and {b} make?", f"What do I get when I mix {a} and {b}?", f"Mix {a} and {b}."]), f"{a.capitalize()} and {b} make {mixed}."),
        ("opposite", f"What is the opposite of {word}?", f"The opposite of {word} is {OPPOSITES[word]}."),
        ("colours", rng.choice(["Which colours do you know?", "What colors do you know?", "List the colours."]), f"I know {join(world.COLOUR_NAMES)}."),
        ("shapes", rng.choice(["Which shapes do you know?", "What shapes do you know?", "List the shapes."]), f"I know {join(world.SHAPES)}."),
        ("strange", strange, DECLINE),
        ("strange", strange, DECLINE),
        ("strange", strange, DECLINE),
    ])


TOOL_NAMES = ["draw", "paint", "make_picture", "generate_image", "create_image", "show", "render", "draw_picture", "picture"]
FIELDS = ["prompt", "text", "description", "caption", "scene"]
ORDERS = ["Draw {}.", "Please draw {}.", "Show me {}.", "Paint {}.", "I want a picture of {}.", "Can you draw {}?", "draw {}", "Make a picture of {}."]


def tool(rng):
    name, field = rng.choice(TOOL_NAMES), rng.choice(FIELDS)
    words = rng.choice(["Draws a picture", "Makes a picture", "Paints what it is told", "Generates an image", "Draws"])
    parameters = {"type": "object", "properties": {field: {"type": "string"}}, "required": [field]}
    return name, field, {"type": "function", "function": {"name": name, "description": words, "parameters": parameters}}


def wanted(scene, rng):
    """What somebody asks to be drawn: not always everything of a scene."""
    size, place, ground = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.6
    words = lambda t: article(f"{t.size + ' ' if size else ''}{t.colour} {t.shape}") + (f" {PLACES[t.position]}" if place else "")
    return " and ".join(map(words, scene.things[:2])) + (f" on {article(scene.ground)} background" if ground else "")


def tool_call(name, field, text):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': {field: text}})}\n</tool_call>"


def conversation(rng, held_out=False):
    """Messages, tools and the kinds of what is asked, in the order of the assistant's answers."""
    style = rng.random()
    messages, kinds = [], []
    if rng.random() < 0.3:
        messages.append({"role": "system", "content": rng.choice(SYSTEM)})

    def say(kind, question, answer):
        messages.extend([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
        kinds.append(kind)

    if style < 0.14:
        name, field, declared = tool(rng)
        if rng.random() < 0.25:
            say(*general(rng))
        else:
            prompt = wanted(draw(rng, 2, held_out), rng)
            say("tool", rng.choice(ORDERS).format(prompt), tool_call(name, field, prompt))
            if rng.random() < 0.5:
                messages.append({"role": "tool", "content": json.dumps({"url": "".join(rng.choice("abcdef0123456789") for _ in range(6)) + ".png"})})
                messages.append({"role": "assistant", "content": "Here is your picture."})
                kinds.append("shown")
        return messages, [declared], kinds
    if style < 0.34:
        for _ in range(rng.randrange(1, 4)):
            say(*general(rng))
        return messages, None, kinds
    scene = draw(rng, 3, held_out)
    asks = questions(scene, rng)
    names = rng.sample(list(asks), min(len(asks), rng.choice([1, 1, 2, 3, 4])))
    first = True
    for name in names:
        question, answer = asks[name]
        say(name, f"{told(scene, rng)} {question}" if first else question, answer)
        first = False
        if rng.random() < 0.1:
            say(*general(rng))
    return messages, None, kinds


LOOKED_UP = ["colour", "place", "size", "at", "is it", "which colour", "which size", "bigger", "exists", "absent", "same", "count"]
STATED = ["colour", "colour", "place", "place", "size", "at", "at", "is it", "which colour", "which colour", "which size", "bigger", "same", "same"]


def drill(rng):
    """One question about a scene whose answer stands in it, now and then two: what is learnt last."""
    scene = draw(rng)
    asks = questions(scene, rng)
    names = rng.sample([name for name in LOOKED_UP if name in asks], rng.choice([1, 1, 2]))
    messages = []
    for at, name in enumerate(names):
        question, answer = asks[name]
        messages += [{"role": "user", "content": f"{told(scene, rng)} {question}" if at == 0 else question}, {"role": "assistant", "content": answer}]
    return messages, None, names


def colours_of(rng, count):
    """The barest looking up: `count` things of a colour each, then which colour some of them have -> (text, whether it is an answer)s.

    The same thing may be asked for twice: were each asked for once, the last colour could be found by leaving out."""
    shapes = rng.sample(world.SHAPES, count)
    colours = [rng.choice(world.COLOUR_NAMES) for _ in shapes]
    parts = [(text, False) for shape, colour in zip(shapes, colours) for text in (" a", f" {colour}", f" {shape}")] + [(".", False)]
    for _ in range(count + 1):
        at = rng.randrange(count)
        parts += [(" The", False), (f" {shapes[at]}", False), (" is", False), (f" {colours[at]}", True), (".", False)]
    return parts


def list_of(rng, count):
    """Things that all have a colour or all a place, which is asked for by the shape, or the shape by it. At most five."""
    shapes = rng.sample(world.SHAPES, count)
    if rng.random() < 0.4:
        values = rng.sample(world.COLOUR_NAMES, count)
        said = [f" a {value} {shape}," for shape, value in zip(shapes, values)]
    else:
        values = [PLACES[position] for position in rng.sample(world.POSITIONS, count)]
        first = rng.random() < 0.4
        said = [f" {value.capitalize()} is a {shape}." if first else f" a {shape} {value}," for shape, value in zip(shapes, values)]
    parts = [(text, False) for text in said]
    by_shape = rng.random() < 0.5
    for _ in range(count + 1):
        at = rng.randrange(count)
        shape, value = f" {shapes[at]}", f" {values[at]}"
        parts += [(f" The{shape} is", False), (value, True), (".", False)] if by_shape else [(f" What is{value}?", False), (" The", False), (shape, True), (".", False)]
    return parts


def interview(rng, asked=5):
    """A scene of several things and many questions whose answers stand in it: each conversation teaches to look up several times."""
    scene = draw(rng)
    while len(scene.things) == 1:
        scene = draw(rng)
    messages, kinds = [], []
    while len(kinds) < asked:
        asks = questions(scene, rng)
        name = rng.choice([name for name in STATED if name in asks])
        question, answer = asks[name]
        messages += [{"role": "user", "content": question if kinds else f"{told(scene, rng)} {question}"}, {"role": "assistant", "content": answer}]
        kinds.append(name)
    return messages, None, kinds


TEMPLATE = """{%- if tools %}
{{- '<|im_start|>system\\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n' }}{%- endif %}
{{- 'Tools:' }}
{%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role != 'system' or not loop.first %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.content %}{{- message.content }}{%- endif %}
{%- if message.tool_calls %}
{%- for call in message.tool_calls %}
{%- if not loop.first or message.content %}{{- '\\n' }}{%- endif %}
{{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
{%- if call.function.arguments is string %}{{- call.function.arguments }}{%- else %}{{- call.function.arguments | tojson }}{%- endif %}
{{- '}\\n</tool_call>' }}
{%- endfor %}
{%- endif %}
{{- '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
