"""What the programs of users beside this file share: each function shows rows of the table of conformance, or fails."""
import json
import os
import sys

URL = os.environ["BOX_URL"]
KEY = os.environ["BOX_KEY"]
MODEL = os.environ["BOX_MODEL"]
SEEING = os.environ["BOX_SEEING"]
PICTURE = os.environ["BOX_PICTURE"]
BRIEF = os.environ["BOX_BRIEF"]
QUESTION = "What colour is the circle?"
SHAPE = {
    "type": "object",
    "properties": {"shape": {"type": "string", "enum": ["circle", "star"]}},
    "required": ["shape"],
    "additionalProperties": False,
}

_functions = []


def shows(*rows):
    """Of a function: which rows it has shown once it is through."""

    def take(function):
        _functions.append((rows, function))
        return function

    return take


def failure(call):
    """What a call throws."""
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was thrown")


def main():
    """Runs all, and prints the rows that were shown as JSON."""
    shown = []
    for rows, function in _functions:
        function()
        shown += rows
    sys.stdout.write(json.dumps(shown) + "\n")
