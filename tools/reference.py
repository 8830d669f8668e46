"""A griffe extension: docstrings and signatures as they are to be read in the reference."""

import re
from collections.abc import Iterator

import griffe

_PROMPTS = re.compile(r"^>>> .*\n?(?:.*\S.*\n?)*", re.MULTILINE)


class Reference(griffe.Extension):
    """Fences each example of a docstring, and shows defaults in place of their private names.

    Markdown would take `>>>` for a quote, and `_DEFAULT_COOLDOWN` says nothing.
    """

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        for found in objects(pkg):
            if found.docstring is not None:
                found.docstring.value = fenced(found.docstring.value)
            if isinstance(found, griffe.Function):
                for parameter in found.parameters:
                    parameter.default = meant(found, parameter.default)


def objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """All that is defined beneath an object, and itself."""
    yield parent
    for member in parent.members.values():
        if isinstance(member, griffe.Object):
            yield from objects(member)


def fenced(text: str) -> str:
    """Text in which what begins with a prompt, up to the next empty line, is a block."""
    return re.sub(_PROMPTS, lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text)


def meant(function: griffe.Function, default: str | griffe.Expr | None) -> str | griffe.Expr | None:
    """What the constant stands for that is the default of a parameter, if it is one."""
    if isinstance(default, griffe.ExprName) and default.name.isupper():
        constant = function.modules_collection[function.resolve(default.name)]
        if constant.is_attribute and constant.value is not None:
            value: str | griffe.Expr = constant.value
            return value
    return default
