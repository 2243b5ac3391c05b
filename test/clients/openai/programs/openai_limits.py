"""OpenAI's own Python package under limits; prints how many questions of the limited key were answered, and a refusal."""
import json
import sys

import openai

base_url, rate_key, budget_key, model = sys.argv[1:5]
asked = {"model": model, "messages": [{"role": "user", "content": "What colour is the circle?"}], "max_tokens": 4}

limited = openai.OpenAI(base_url=base_url, api_key=rate_key, max_retries=2)
answered = [limited.chat.completions.create(**asked) for _ in range(2)]
paid = openai.OpenAI(base_url=base_url, api_key=budget_key, max_retries=5)
paid.chat.completions.create(**asked)
refused = None
try:
    paid.chat.completions.create(**asked)
except openai.APIStatusError as error:
    refused = [type(error).__name__, error.status_code, error.code]
print(json.dumps({"answered": len(answered), "refused": refused}))
