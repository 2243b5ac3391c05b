"""A program of a user of fal's other Python package, `fal`: its app client, unmodified. Prints what it saw as JSON.

Everything is environment and names. It alone speaks HTTP over a WebSocket, at ws.fal.run.
"""

import json
import sys

import fal.apps
import httpx

ECHO = "test/echo/idle"
STEPS = {"steps": 3, "step_ms": 100}


def submit():
    handle = fal.apps.submit(ECHO, {"prompt": "submitted", **STEPS})
    seen = {type(event).__name__ for event in handle.iter_events(logs=True)}
    completed = handle.status(logs=True)
    return {
        "data": handle.fetch_result(),
        "was_under_way": seen <= {"Queued", "InProgress"} and len(seen) > 0,
        "logs": [line["message"] for line in completed.logs],
    }


def cancel():
    handle = fal.apps.submit(ECHO, {"prompt": "long", "steps": 1000, "step_ms": 50})
    handle.cancel()
    try:
        handle.get()
    except httpx.HTTPStatusError as error:
        return [error.response.status_code, handle.status().error_type]


def stream():
    lines = list(fal.apps.stream(ECHO, {"prompt": "streamed"}, path="/stream"))
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def over_socket():
    """Several requests, sent ahead, over one connection; a wrong one in between."""
    with fal.apps.ws(ECHO) as connection:
        for arguments in ({"prompt": "one"}, {"steps": 0}, {"prompt": "two"}):
            connection.send(arguments)
        bodies = [json.loads(connection.recv()) for _ in range(3)]
    return [bodies[0], [problem["type"] for problem in bodies[1]["detail"]], bodies[2]]


json.dump(
    {
        "run": fal.apps.run(ECHO, {"prompt": "run"}),
        "submit": submit(),
        "cancel": cancel(),
        "stream": stream(),
        "over_socket": over_socket(),
    },
    sys.stdout,
)
