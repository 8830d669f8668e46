"""`RedactingFilter`: keeps secrets out of what other loggers print.

httpx and httpcore log URLs, headers and SOCKS credentials themselves, past any transport.
"""

import copy
import logging
import sys
from collections.abc import Callable, Mapping
from numbers import Number

from ..wire.arguments import advising
from .names import Kind
from .redaction import MASK, Redaction, echoed

# Before Python 3.12 a filter cannot hand on another record than the one it was given.
_REPLACES = sys.version_info >= (3, 12)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# What is nested deeper is shown as text.
_MAX_DEPTH = 5


@advising(
    mask="RedactingFilter(Redaction(mask=[...]))", show="RedactingFilter(Redaction(show=[...]))"
)
class RedactingFilter(logging.Filter):
    """Takes secrets out of what a handler is about to write.

    It masks the message, the traceback, the stack and whatever was given as `extra`. A message
    keeps its template and its arguments, each masked, unless a secret appears only when they
    are put together. A traceback becomes text.

    For all other handlers the record stays as it was. On Python 3.11 that is not possible:
    there the handlers that come after this one get the masked record too.

    Put it on handlers, on all that write somewhere, and not on a logger: a filter on the logger
    `httpcore` is asked only about what is logged to that very logger, while httpcore logs to
    `httpcore.http11`, `httpcore.connection` and others, whose records bypass the filters of
    their parents. With `logging.config.dictConfig`:

        "filters": {"redact": {"()": "transportkit.RedactingFilter"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redact"]}},

    Arguments:
        redaction: the rules for what is masked. Default: `Redaction()`.

    >>> import httpx
    >>> import logging, sys
    >>> handler = logging.StreamHandler(sys.stdout)
    >>> handler.addFilter(RedactingFilter())
    >>> logger = logging.Logger("an application's")
    >>> logger.addHandler(handler)
    >>> logger.info("GET %s", httpx.URL("https://scott:tiger@example.com/?token=abc&page=2"))
    GET https://****@example.com/?token=****&page=2
    """

    def __init__(self, redaction: Redaction | None = None) -> None:
        super().__init__()
        # A logging.Filter takes a name; one that fails later would break the call that logs.
        if not (redaction is None or isinstance(redaction, Redaction)):
            raise TypeError(
                f"redaction must be a Redaction, not {echoed(redaction)}: write "
                "handler.addFilter(RedactingFilter())"
            )
        self._redaction = Redaction() if redaction is None else redaction

    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        masked = copy.copy(record) if _REPLACES else record
        self._mask(masked)
        return masked if _REPLACES else True

    def _mask(self, record: logging.LogRecord) -> None:
        self._mask_message(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # A formatter that ignores `exc_text` would write the error itself, in the clear.
        record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redaction.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redaction.text(record.stack_info)
        for name, value in list(vars(record).items()):
            if name not in _STANDARD:
                setattr(record, name, self._masked(name, value))

    def _mask_message(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, Mapping):
            # A mapping that is the only argument of a message gets here too, such as headers.
            record.args = _Arguments(
                {name: self._masked(str(name), arg) for name, arg in record.args.items()},
                _Masked(record.args, self._redaction),
            )
        elif record.args:
            record.args = tuple(self._masked("", arg) for arg in record.args)
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - logging would print the template and what broke it
            message = f"{_Masked(record.msg, self._redaction)} {record.args!r}"
            is_whole = False
        else:
            is_whole = bool(record.args) or isinstance(record.msg, str)
        masked = self._redaction.text(message)
        if masked != message or not is_whole:
            record.msg, record.args = masked, ()
        if hasattr(record, "message"):
            # An earlier handler has formatted it.
            record.message = masked

    def _masked(self, name: str, value: object, depth: int = 0) -> object:
        is_nested = type(value) in {dict, list, tuple}
        kind = self._redaction._names.kind(name)
        if value is not None and kind > Kind.OTHER:
            if isinstance(value, (str, Number)):
                # A number is a count under some names, and a bool is no secret under any.
                text = str(value)
                shown = self._redaction.header(name, text)
                return value if shown == text else shown
            if not is_nested or kind is Kind.SECRET:
                return MASK
        if isinstance(value, str):
            return self._redaction.text(value)
        if isinstance(value, Number):
            return value
        if is_nested and depth == _MAX_DEPTH:
            return _Masked(value, self._redaction)
        if type(value) is dict:
            value = {
                self._masked("", key, depth + 1): self._masked(str(key), each, depth + 1)
                for key, each in value.items()
            }
        elif is_nested and isinstance(value, (list, tuple)):
            value = type(value)(self._masked("", each, depth + 1) for each in value)
        # A value may be secret because of its neighbour, such as a header in a list of pairs.
        masked = _Masked(value, self._redaction)
        return value if masked.is_harmless else masked


class _Masked:
    """Stands in for an object that would show a secret."""

    def __init__(self, value: object, redaction: Redaction) -> None:
        self.is_harmless = True
        self._text = self._shown(value, str, redaction)
        self._representation = self._shown(value, repr, redaction)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._representation

    def __format__(self, spec: str) -> str:
        return format(self._text, spec)

    def _shown(self, value: object, show: Callable[[object], str], redaction: Redaction) -> str:
        try:
            text = show(value)
        except Exception:  # noqa: BLE001 - a log line never breaks what it tells about
            self.is_harmless = False
            return f"<{type(value).__name__} that cannot be shown>"
        masked = redaction.text(text)
        self.is_harmless &= masked == text
        return masked


class _Arguments(dict[str, object]):
    """The arguments of a template that refers to them by name, or to all of them at once."""

    def __init__(self, arguments: Mapping[str, object], whole: _Masked) -> None:
        super().__init__(arguments)
        self._whole = whole

    def __str__(self) -> str:
        return str(self._whole)

    def __repr__(self) -> str:
        return repr(self._whole)
