"""What Python's transformers says with the weights of forecourt/demo-llama: greedy answers to held-out questions.

Run in an environment with requirements.txt: `python test/reference/demo_llama.py`. Writes demo-llama.json beside this file.
"""

import json
import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "models/demo/recipe"))

import llama  # noqa: E402
from common import DEMO  # noqa: E402

CONVERSATIONS = 80
CHECKED_LOGITS = 8


torch.set_num_threads(1)


def main():
    model, tokenizer = llama.read_back(DEMO / "llama")
    written = []
    for messages, tools, kinds in llama.cases(CONVERSATIONS, llama.SEED + 1):
        turns = iter(kinds)
        for at, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            text = tokenizer.apply_chat_template(messages[:at], tools=tools, tokenize=False, add_generation_prompt=True)
            ids = tokenizer.encode(text, add_special_tokens=False)
            given = torch.tensor([ids])
            with torch.no_grad():
                made = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=160, do_sample=False, pad_token_id=tokenizer.pad_token_id)
                logits = model(given).logits[0, -1] if len(written) < CHECKED_LOGITS else None
            new = made[0, len(ids):].tolist()
            case = {"kind": next(turns), "messages": messages[:at], "tools": tools, "wanted": message["content"], "ids": ids if logits is not None else None, "new": new, "said": tokenizer.decode(new, skip_special_tokens=True)}
            if logits is not None:
                case["logits"] = [round(v, 4) for v in logits.tolist()]
            written.append({k: v for k, v in case.items() if v is not None})
    (HERE / "demo-llama.json").write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in written) + "\n]\n", encoding="utf-8")
    right = sum(c["said"] == c["wanted"] for c in written)
    print(f"{len(written)} questions, {100 * right / len(written):.1f} % answered right")


if __name__ == "__main__":
    main()
