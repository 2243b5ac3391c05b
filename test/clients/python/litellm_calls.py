"""A program of a user: litellm, unmodified, told the box by its parameter api_base. Prints what it saw as JSON."""

import json
import os
import sys

import litellm

BOX = os.environ["BOX"]
MODEL = "forecourt/demo-diffusion"


def draw(**change):
    arguments = {"api_key": os.environ["FAL_KEY"], "seed": 7, "num_inference_steps": 2, **change}
    prompt = "a big red circle on a blue ground"
    return litellm.image_generation(prompt, f"fal_ai/{MODEL}", api_base=f"{BOX}/run/{MODEL}", **arguments)


def status_of(**change):
    try:
        draw(**change)
    except Exception as error:
        return error.status_code


sys.stdout.write(
    json.dumps(
        {
            "url": draw().data[0].url,
            "wrong_input": status_of(num_inference_steps=0),
            "wrong_key": status_of(api_key="nobody:nothing"),
        }
    )
)
