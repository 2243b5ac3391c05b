"""Schemathesis uses ids that it was told earlier: without this it ends the very key that it asks with, and from then on
sees nothing but 401. Ids of its own key are replaced by one that nobody has; so are those of models of the catalogue, whose
weights are not on this box: without a network they are a 503, rightly."""

import os

import schemathesis

OWN = os.environ["OWN_KEY_ID"]
NOBODYS = "00000000-0000-7000-8000-000000000000"
HERE = ("forecourt/", "test/")


@schemathesis.hook
def before_call(context, case, kwargs):
    for name, value in (case.path_parameters or {}).items():
        if value == OWN:
            case.path_parameters[name] = NOBODYS
    model = case.body.get("model") if isinstance(case.body, dict) else None
    if isinstance(model, str) and "/" in model and not model.startswith(HERE):
        case.body["model"] = "nobody/nothing"
