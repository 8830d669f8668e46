"""Refuse arguments of a debugging transport and its observers that could not work."""

from collections.abc import Container

from ..redaction.redaction import Redaction, echoed
from ..wire.arguments import class_advice, is_coroutine_function, takes_one_argument
from ..wire.library import is_a

# What people pass to a debugging transport, and the observer that they mean.
_MEANT = {
    "observer": "observer",
    "observers": "observer",
    "color": "ConsoleLog(color=...)",
    "headers": "ConsoleLog(headers=True)",
    "show_secrets": "CurlLog(show_secrets=True)",
}


def check_arguments(
    transport: object,
    observers: tuple[object, ...],
    bodies: object,
    redaction: object,
    names: Container[str],
) -> None:
    """Refuse arguments of `DebuggingTransport` that could not be called, or would not mask.

    Arguments:
        transport: the inner transport, or None.
        observers: the observers.
        bodies: how many bytes of each body are to be captured.
        redaction: masks the exchanges.
        names: those of the keyword arguments for an inner transport.

    Raises:
        TypeError, ValueError: the text says what to write.
    """
    for name, written in _MEANT.items():
        if name in names:
            raise TypeError(
                f"there is no argument {name!r}, and observers come after the transport: write "
                f"DebuggingTransport(None, {written})"
            )
    for given in (transport, *observers):
        if advice := class_advice(given):
            raise TypeError(advice)
    if callable(transport) and not is_a(transport, "BaseTransport", "AsyncBaseTransport"):
        raise TypeError(
            "transport comes first, the observers after it: write "
            "DebuggingTransport(None, observer)"
        )
    for observer in observers:
        check_observer(observer)
    if not isinstance(bodies, int) or isinstance(bodies, bool):
        raise TypeError(
            f"bodies must be a number of bytes, not {echoed(bodies)}: write bodies=4096"
        )
    if bodies < 0:
        raise ValueError(f"bodies must be a number of bytes from 0 up, not {bodies}")
    if not isinstance(redaction, Redaction):
        raise TypeError(
            f"redaction must be a Redaction, not {echoed(redaction)}: write Redaction(...)"
        )


def check_observer(observer: object) -> None:
    """Refuse an observer that could not be called, or would return a coroutine nobody awaits.

    Raises:
        TypeError: the text says what to write.
    """
    if not callable(observer):
        raise TypeError(
            f"an observer must be a function of one Exchange, not {type(observer).__name__}: "
            "write a function, or ConsoleLog()"
        )
    if not takes_one_argument(observer):
        raise TypeError(
            f"an observer is called with one argument, an Exchange, which {echoed(observer)} does not "
            "take: write a function of one"
        )
    started = getattr(observer, "started", None)
    if not (started is None or callable(started)):
        raise TypeError(
            "the started of an observer must be a function of one Exchange, not "
            f"{type(started).__name__}: write a method, or give it another name"
        )
    if any(map(is_coroutine_function, (observer, started))):
        raise TypeError(
            "an observer must be a plain function, not a coroutine function: "
            "it may put the exchange into a queue"
        )


def check_write(write: object) -> None:
    """Refuse a `write` that text cannot be passed to.

    Raises:
        TypeError: the text says what to write.
    """
    if not callable(write):
        raise TypeError(
            f"write must be a function of one text, not {type(write).__name__}: write print, "
            "or logger.debug"
        )
    if not takes_one_argument(write):
        raise TypeError(
            f"write is called with one argument, a text, which {echoed(write)} does not take: write "
            "print, or logger.debug"
        )
