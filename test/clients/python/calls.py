"""A program of a user: fal's Python client, unmodified. Prints what it saw as JSON.

REST_URL and CDN_URL, if set, are put into the client (it has no other way to be told); everything else is environment.
"""

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


def wrong_input():
    try:
        fal_client.run(ECHO, {"steps": 0})
    except fal_client.client.FalClientHTTPError as error:
        return error.status_code


def large_file():
    size = 101 * 1024 * 1024
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.truncate(size)
        url = fal_client.upload_file(file.name)
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request) as answer:
        return int(answer.headers["content-length"]) == size


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
        "large_is_whole": large_file(),
    },
    sys.stdout,
)
