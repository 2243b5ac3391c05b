"""Stage "tokenizer": a byte-level BPE with the CLIP tokenizer's conventions, trained on the captions and common English words."""

import collections
import json
import random
import re

import world

WORDS = """
the be to of and a in that have i it for not on with he as you do at this but his by from they we say her she or an will my one all would there their
what so up out if about who get which go me when make can like time no just him know take people into year your good some could them see other than then
now look only come its over think also back after use two how our work first well way even new want because any these give day most us is are was were
been has had did said made find here thing many give water long very word call down side may part place live where through much before right too mean old
same tell boy follow came want show form three small set put end does another large must big even such turn ask went men read need land different home
move try kind hand picture again change off play spell air away animal house point page letter mother answer found study still learn should world high
every near add food between own below country plant last school father keep tree never start city earth eye light thought head under story saw left few
while along might close something seem next hard open example begin life always those both paper together got group often run important until children
feet car mile night walk white sea began grow took river four carry state once book hear stop without second later miss idea enough eat face watch far
really almost let above girl sometimes mountain cut young talk soon list song being leave family body music color colour stand sun question fish area
mark dog horse bird problem complete room knew since ever piece told usually friends easy heard order red sure become top ship across today during short
better best however low hours black products happened whole measure remember early waves reached listen wind rock space covered fast several hold himself
toward five step morning passed vowel true hundred against pattern numeral table north slowly money map farm pulled draw voice power town fine drive
cat man woman person portrait landscape forest beach sky cloud night city street flower garden fantasy castle robot dragon art painting photo photograph
style oil watercolor sketch cartoon anime realistic cinematic detailed quality background foreground image render lighting soft dark bright colorful
beautiful cute lovely happy sad modern abstract geometric shape line round corner edge centre center middle upper lower bottom right above below
inside outside beside behind front between over under empty full simple plain clean sharp smooth blurry vintage retro logo symbol sign hexagon oval
rectangle pentagon arrow moon planet spiral wave dot stripe grey gray brown silver beige magenta lime olive maroon coral ivory lavender peach mint sky
hello please thanks create generate design poster card banner web user test demo model prompt text number letter code server gpu
""".split()


def byte_characters():
    """OpenAI's printable stand-in for every byte, in OpenAI's order."""
    codes = [*range(33, 127), *range(161, 173), *range(174, 256)]
    chars, extra = codes[:], 0
    for b in range(256):
        if b not in codes:
            codes.append(b)
            chars.append(256 + extra)
            extra += 1
    return dict(zip(codes, map(chr, chars)))


def word_counts(seed, captions=40000):
    rng = random.Random(seed)
    counts = collections.Counter()
    pattern = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]+")
    for _ in range(captions):
        text, _ = world.training_caption(world.training_scene(rng), rng)
        counts.update(w for w in pattern.findall(text))
    common = {w for w, n in counts.items() if n >= 20}  # leaves the junk words to their letters
    counts = collections.Counter({w: n for w, n in counts.items() if w in common})
    for w in WORDS:
        counts[w] += 25
    return counts


def learn(counts, merges):
    chars = byte_characters()
    words = {}
    for w, n in sorted(counts.items()):
        s = [chars[b] for b in w.encode()]
        s[-1] += "</w>"
        words[tuple(s)] = words.get(tuple(s), 0) + n
    learned = []
    for _ in range(merges):
        pairs = collections.Counter()
        for s, n in words.items():
            for p in zip(s, s[1:]):
                pairs[p] += n
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        learned.append(best)
        joined = {}
        for s, n in words.items():
            out, i = [], 0
            while i < len(s):
                if i + 1 < len(s) and (s[i], s[i + 1]) == best:
                    out.append(s[i] + s[i + 1])
                    i += 2
                else:
                    out.append(s[i])
                    i += 1
            joined[tuple(out)] = joined.get(tuple(out), 0) + n
        words = joined
    return learned


def train(folder, seed, merges=1000):
    learned = learn(word_counts(seed), merges)
    letters = list(byte_characters().values())
    entries = letters + [c + "</w>" for c in letters] + ["".join(m) for m in learned] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({e: i for i, e in enumerate(entries)}, ensure_ascii=False, separators=(",", ":")))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in learned))
    special = {
        "bos_token": {"content": "<|startoftext|>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
        "eos_token": {"content": "<|endoftext|>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
        "pad_token": "<|endoftext|>",
        "unk_token": {"content": "<|endoftext|>", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False},
    }
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    config = {
        "add_prefix_space": False, "bos_token": special["bos_token"], "clean_up_tokenization_spaces": True, "do_lower_case": True,
        "eos_token": special["eos_token"], "errors": "replace", "model_max_length": 77, "pad_token": "<|endoftext|>",
        "tokenizer_class": "CLIPTokenizer", "unk_token": special["unk_token"],
    }
    for k in ("bos_token", "eos_token", "unk_token"):
        config[k] = {"__type": "AddedToken", **special[k]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder):
    from transformers import CLIPTokenizer

    # not from_pretrained: only the two vocabulary files may decide
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text().split("\n")[1:] if line]
    tokenizer = CLIPTokenizer(vocab=json.loads((folder / "vocab.json").read_text()), merges=merges, model_max_length=77)
    return tokenizer
