"""Strategies as one would write them: tenacity's have no `repr` of their own, only addresses."""

import functools
import inspect
from collections.abc import Iterator

# The attributes in which combinations keep their parts, and what combines them.
_COMBINED = {
    "AnyOf": ("predicates", " | "),
    "AllOf": ("predicates", " & "),
    "Sum": ("waits", " + "),
    "retry_any": ("retries", " | "),
    "retry_all": ("retries", " & "),
    "stop_any": ("stops", " | "),
    "stop_all": ("stops", " & "),
    "wait_combine": ("wait_funcs", " + "),
}


def written(value: object) -> str:  # noqa: PLR0911 - each kind is written in another way
    """A strategy, or an argument of one, in Python where that can be.

    Functions and classes are told by their names, sets in order.

    >>> import tenacity
    >>> written(tenacity.stop_after_attempt(3) | tenacity.stop_after_delay(max_delay=20))
    'stop_after_attempt(3) | stop_after_delay(20)'
    >>> written(tenacity.wait_exponential(max=10))
    'wait_exponential(max=10)'
    """
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(written, value)))}}}"
    if isinstance(value, (tuple, list)):
        return f"({', '.join(map(written, value))})"
    if inspect.isroutine(value) or inspect.isclass(value):
        return str(value.__name__)
    if isinstance(value, functools.partial):
        named = [f"{name}={written(given)}" for name, given in value.keywords.items()]
        return f"partial({', '.join([*map(written, (value.func, *value.args)), *named])})"
    if isinstance(value, float) and value.is_integer():  # tenacity makes floats of seconds
        return str(int(value))
    kind = type(value)
    if kind.__name__ in _COMBINED:
        attribute, operator = _COMBINED[kind.__name__]
        return operator.join(map(_operand, getattr(value, attribute)))
    if kind.__repr__ is not object.__repr__ and " at 0x" not in (text := repr(value)):
        return text
    if kind.__name__.startswith("_"):  # the class of the only one there is: `stop_never`
        return kind.__name__.removeprefix("_")
    return f"{kind.__name__}({', '.join(_arguments(value))})"


def _operand(value: object) -> str:
    text = written(value)
    return f"({text})" if type(value).__name__ in _COMBINED else text


def _arguments(value: object) -> Iterator[str]:
    """The arguments that differ from the defaults, as tenacity's classes keep them.

    Those are in attributes of the same name, or in others in the order of the parameters.
    """
    kept = dict(getattr(value, "__dict__", {}))
    is_next = True
    for name, parameter in inspect.signature(type(value)).parameters.items():
        if not kept:
            return
        given = kept.pop(name) if name in kept else kept.pop(next(iter(kept)))
        if parameter.kind is parameter.VAR_POSITIONAL:
            yield from map(written, given)
        elif given == parameter.default:
            is_next = False
        elif is_next:
            yield written(given)
        else:
            yield f"{name}={written(given)}"
