"""instructor, which makes objects of what OpenAI's client answers, unmodified, against the box."""
from typing import Literal

import instructor
import openai
from pydantic import BaseModel
from rows import KEY, MODEL, QUESTION, URL, failure, main, shows


class Found(BaseModel):
    shape: Literal["circle", "star"]


client = openai.OpenAI(base_url=URL, api_key=KEY, max_retries=0)
asked = {"messages": [{"role": "user", "content": QUESTION}], "response_model": Found, "max_retries": 0}


def answer(mode, **more):
    given = {"model": MODEL, "temperature": 0, "max_tokens": 300, **asked, **more}
    return instructor.from_openai(client, mode=mode).chat.completions.create(**given)


@shows("chat-tools")
def by_tools():
    assert answer(instructor.Mode.TOOLS).shape in ("circle", "star")


@shows("chat-schema")
def by_schema():
    assert answer(instructor.Mode.JSON_SCHEMA).shape in ("circle", "star")


@shows("chat-tools-stream")
def in_parts():
    made = instructor.from_openai(client, mode=instructor.Mode.TOOLS).chat.completions.create_partial(
        **{**asked, "model": MODEL, "temperature": 0, "max_tokens": 300}
    )
    assert list(made)[-1].shape in ("circle", "star")


@shows("error-unknown")
def errors():
    error = failure(lambda: answer(instructor.Mode.TOOLS, model="gpt-4o"))
    assert "model_not_found" in str(error)


main()
