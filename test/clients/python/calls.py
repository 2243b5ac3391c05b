"""A program of a user: fal's Python client, unmodified. Prints what it saw as JSON.

REST_URL and CDN_URL, if set, are put into the client (it has no other way to be told); everything else is environment.
WEBHOOK_URL, if set, is told the end of a request.
"""

import asyncio
import json
import os
import sys
import tempfile
import urllib.request

import fal_client
import fal_client.client

ECHO = "test/echo/idle"

for name in ("REST_URL", "CDN_URL"):
    if os.environ.get(name):
        setattr(fal_client.client, name, os.environ[name])


def read(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def subscribe():
    logs = []

    def note(update):
        for line in getattr(update, "logs", None) or []:
            if line["message"] not in logs:
                logs.append(line["message"])

    arguments = {"prompt": "subscribed", "steps": 3, "step_ms": 50}
    data = fal_client.subscribe(ECHO, arguments, with_logs=True, on_queue_update=note)
    return {"data": data, "logs": logs}


def submit():
    handle = fal_client.submit(ECHO, {"prompt": "submitted", "steps": 2, "step_ms": 5})
    return {"data": handle.get(), "status": type(handle.status()).__name__}


def cancel():
    handle = fal_client.submit(ECHO, {"prompt": "long", "steps": 1000, "step_ms": 50})
    handle.cancel()
    try:
        handle.get()
    except fal_client.client.FalClientHTTPError as error:
        return error.status_code


def error_of(call):
    try:
        call()
    except fal_client.client.FalClientHTTPError as error:
        return {"status": error.status_code, "type": error.error_type}


def start_timeout():
    """A start that comes too late: another request has the model."""
    first = fal_client.submit(ECHO, {"prompt": "first", "steps": 1000, "step_ms": 50})
    while not isinstance(first.status(), fal_client.InProgress):
        pass
    failure = error_of(lambda: fal_client.run(ECHO, {"prompt": "second"}, start_timeout=1.5))
    first.cancel()
    return failure


def unknown_model():
    return error_of(lambda: fal_client.run("test/nothing", {"prompt": "x"}))["status"]


def wrong_key():
    client = fal_client.SyncClient(key="nobody:nothing")
    return error_of(lambda: client.run(ECHO, {"prompt": "x"}))["status"]


def realtime(use_jwt):
    """Results in order with their request_id; a wrong input is an error and costs one message."""
    with fal_client.realtime(ECHO, use_jwt=use_jwt, max_buffering=5) as connection:
        connection.send({"prompt": "one", "request_id": "1"})
        seen = [connection.recv()]
        connection.send({"steps": 0})
        try:
            connection.recv()
        except fal_client.client.RealtimeError as error:
            seen.append(error.error)
        connection.send({"prompt": "two"})
        return seen + [connection.recv()]


async def realtime_async(use_jwt):
    async with fal_client.realtime_async(ECHO, use_jwt=use_jwt) as connection:
        await connection.send({"prompt": "asynchronous"})
        return await connection.recv()


def picture():
    """From the demo model by a realtime connection: raw bytes."""
    with fal_client.realtime("forecourt/demo-diffusion") as connection:
        connection.send({"prompt": "a big red circle on a blue ground", "seed": 3})
        image = connection.recv()["images"][0]
        return {"is_png": image["content"][1:4] == b"PNG", "width": image["width"]}


def previews():
    """A stream of the demo model: pictures to come, then the whole result."""
    events = list(fal_client.stream("forecourt/demo-diffusion", {"prompt": "a red circle", "num_inference_steps": 12}))
    inline = [event["images"][0]["url"].startswith("data:") for event in events]
    return {"previews": sum(inline), "ends_with_file": not inline[-1]}


def wrong_input():
    try:
        fal_client.run(ECHO, {"steps": 0})
    except fal_client.client.FalClientHTTPError as error:
        return error.status_code


def whole_file(size):
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.truncate(size)
        url = fal_client.upload_file(file.name)
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request) as answer:
        return int(answer.headers["content-length"]) == size


def webhook():
    url = os.environ.get("WEBHOOK_URL")
    return url and fal_client.submit(ECHO, {"prompt": "told"}, webhook_url=url).request_id


text = fal_client.upload(b"x" * 1024, "text/plain", file_name="small.txt")
json.dump(
    {
        "run": fal_client.run(ECHO, {"prompt": "run"}),
        "submit": submit(),
        "subscribe": subscribe(),
        "stream": list(fal_client.stream(ECHO, {"prompt": "streamed"})),
        "cancel": cancel(),
        "wrong_input": wrong_input(),
        "small_url": text,
        "small_is_whole": read(text) == b"x" * 1024,
        "middle_is_whole": whole_file(60_000_000),
        "large_is_whole": whole_file(150_000_000),
        "errors": {
            "start_timeout": start_timeout(),
            "unknown_model": unknown_model(),
            "wrong_key": wrong_key(),
        },
        "realtime": {"by_token": realtime(True), "by_key": realtime(False)},
        "realtime_async": [asyncio.run(realtime_async(use_jwt)) for use_jwt in (True, False)],
        "picture": picture(),
        "previews": previews(),
        "webhook": webhook(),
    },
    sys.stdout,
)
