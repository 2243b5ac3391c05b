"""OpenAI's agents for Python (openai-agents), unmodified, by both of OpenAI's APIs against the box."""
import asyncio
from typing import Literal

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from agents import set_tracing_disabled
from openai import AsyncOpenAI, NotFoundError
from rows import KEY, MODEL, QUESTION, URL, failure, main, shows

# Traces would go to OpenAI.
set_tracing_disabled(True)
found = []


@function_tool
def find(kind: Literal["circle", "star"]) -> str:
    """Finds"""
    found.append(kind)
    return "red"


def agent(kind, name="forecourt/demo-llama", tools=(), **settings):
    client = AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0)
    chosen = ModelSettings(**{"temperature": 0, "max_tokens": 100, **settings})
    model = kind(model=name, openai_client=client)
    return Agent(name="box", model=model, tools=list(tools), model_settings=chosen, tool_use_behavior="stop_on_first_tool")


async def streamed(asked):
    run = Runner.run_streamed(asked, QUESTION)
    text = ""
    async for event in run.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            text += event.data.delta
    return text


@shows("chat", "chat-stream", "responses", "responses-stream")
def answers():
    said = set()
    for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
        said.add(Runner.run_sync(agent(kind), QUESTION).final_output)
        said.add(asyncio.run(streamed(agent(kind))))
    assert len(said) == 1 and said != {""}


@shows("chat-tools", "responses-tools")
def tools():
    for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
        before = len(found)
        calling = agent(kind, MODEL, [find], max_tokens=300, tool_choice="required", presence_penalty=2)
        result = Runner.run_sync(calling, QUESTION, max_turns=3)
        assert len(found) > before and result.final_output == "red"
        assert [each.type for each in result.new_items][:2] == ["tool_call_item", "tool_call_output_item"]


@shows("error-unknown")
def errors():
    for kind in (OpenAIChatCompletionsModel, OpenAIResponsesModel):
        assert isinstance(failure(lambda: Runner.run_sync(agent(kind, "gpt-4o"), QUESTION)), NotFoundError)


main()
