"""OpenAI's own Python package against the box given by its arguments; prints what it saw as JSON."""
import io
import json
import sys

import openai

base_url, key, model = sys.argv[1:4]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
asked = {"model": model, "messages": [{"role": "user", "content": "What colour is the circle?"}], "temperature": 0, "max_tokens": 12}
seen = {}

seen["models"] = [each.id for each in client.models.list()]
whole = client.chat.completions.create(**asked)
seen["text"] = whole.choices[0].message.content
seen["finish"] = whole.choices[0].finish_reason
stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
chunks = list(stream)
seen["streamed"] = "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)
seen["tokens"] = chunks[-1].usage.completion_tokens

shape = {
    "type": "object",
    "properties": {"shape": {"type": "string", "enum": ["circle", "star"]}},
    "required": ["shape"],
    "additionalProperties": False,
}
schema = {"type": "json_schema", "json_schema": {"name": "shape", "schema": shape, "strict": True}}
kept = client.chat.completions.create(**{**asked, "max_tokens": 100}, response_format=schema)
seen["kept"] = json.loads(kept.choices[0].message.content)
tool = {"type": "function", "function": {"name": "find", "parameters": shape}}
called = client.chat.completions.create(**{**asked, "max_tokens": 100}, tools=[tool], tool_choice="required")
seen["called"] = json.loads(called.choices[0].message.tool_calls[0].function.arguments)

response = client.responses.create(model=model, input="What colour is the circle?", temperature=0, max_output_tokens=12)
seen["response"] = response.output_text
with client.responses.stream(
    model=model, input="What colour is the circle?", temperature=0, max_output_tokens=12
) as events:
    seen["events"] = "".join(each.delta for each in events if each.type == "response.output_text.delta")

vectors = client.embeddings.create(model="test/embed", input=["red", "blue"])
seen["vectors"] = [len(each.embedding) for each in vectors.data]
picture = client.images.generate(
    model="test/text-to-image", prompt="a red circle", response_format="b64_json", extra_body={"seed": 7}
)
seen["picture"] = picture.data[0].b64_json[:11]
sound = client.audio.speech.create(model="test/speak", voice="default", input="the circle", response_format="wav")
seen["sound"] = sound.content[:4].decode()
heard = client.audio.transcriptions.create(model="test/transcribe", file=("a.wav", io.BytesIO(sound.content)), language="en")
seen["heard"] = isinstance(heard.text, str)


def failure(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.param]
    return None


seen["errors"] = [
    failure(lambda: client.chat.completions.create(**{**asked, "model": "gpt-4o"})),
    failure(lambda: client.chat.completions.create(**{**asked, "temperature": 9})),
    failure(lambda: client.with_options(api_key="nobody:nothing").models.list()),
]
print(json.dumps(seen))
