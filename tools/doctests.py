"""A griffe extension: examples in docstrings, which stand there without a fence, are code."""

import re

import griffe

_PROMPTS = re.compile(r"^>>> .*\n?(?:.*\S.*\n?)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences each `>>>` of a docstring with what it prints; Markdown would take it for a quote."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Text in which what begins with a prompt, up to the next empty line, is a block."""
    return re.sub(_PROMPTS, lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)
