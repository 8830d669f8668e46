"""`RedactingFilter`: keeps secrets out of what other loggers print.

httpx and httpcore log URLs, headers and SOCKS credentials themselves, past any transport.
"""

import copy
import logging
import sys
from collections.abc import Callable, Mapping
from numbers import Number

from ..wire.advising import advising
from .names import Kind
from .redaction import MASK, Redaction, echoed
from .tracebacks import is_exc_info, masked_exc_info

# Before Python 3.12 a filter cannot hand on another record than the one it was given.
_REPLACES = sys.version_info >= (3, 12)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# What formatters have written, and the stack.
_TEXTS = ("exc_text", "message", "stack_info")
# What is nested deeper is shown as text.
_MAX_DEPTH = 5


@advising(
    mask="RedactingFilter(Redaction(mask=[...]))", show="RedactingFilter(Redaction(show=[...]))"
)
class RedactingFilter(logging.Filter):
    """Takes secrets out of what a handler is about to write.

    It masks the message, the traceback, the stack and whatever was given as `extra`, and leaves
    the record in the shape that its formatter takes. A record without a secret is handed on as it
    is. A message keeps its template and its arguments, each masked, unless a secret appears only
    when they are put together; a dict stays a dict, as structlog and python-json-logger want it.
    An error with a secret in its text, its causes or its notes is replaced by one that is called
    the same and has the same traceback, but for lines of code with a secret written out in them.
    Local variables, which some formatters show of a traceback, are not masked.

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
        try:
            changes = self._changes(record)
        except Exception as error:  # noqa: BLE001 - whoever logs must not fail because of it
            changes = _nothing_of(record, error)
        if not changes:
            return True
        masked = copy.copy(record) if _REPLACES else record
        vars(masked).update(changes)
        return masked if _REPLACES else True

    def _changes(self, record: logging.LogRecord) -> dict[str, object]:
        """The attributes that are to be others, for what they show is secret."""
        shown = self._shown_message(record)
        for name, value in vars(record).items():
            if name in _TEXTS:
                shown[name] = self._masked("", value)
            elif name not in _STANDARD or name == "exc_info":
                shown[name] = self._masked(name, value)
        before = vars(record)
        changes = {name: value for name, value in shown.items() if value is not before[name]}
        if "exc_info" in changes and "exc_text" not in changes:
            # The formatter writes it anew.
            changes["exc_text"] = None
        return changes

    def _shown_message(self, record: logging.LogRecord) -> dict[str, object]:
        """The message and its arguments as they may be shown."""
        msg, args = record.msg, record.args
        if not args and isinstance(msg, dict):
            return {"msg": self._masked("", msg)}
        shown = copy.copy(record)
        if isinstance(args, Mapping):
            # A mapping that is the only argument of a message gets here too, such as headers.
            masked = {name: self._masked(str(name), arg) for name, arg in args.items()}
            whole = _Masked(args, self._redaction)
            if not whole.is_harmless or any(masked[name] is not args[name] for name in args):
                shown.args = _Arguments(masked, whole)
        elif args:
            values = tuple(self._masked("", arg) for arg in args)
            if any(value is not arg for value, arg in zip(values, args, strict=True)):
                shown.args = values
        try:
            message = shown.getMessage()
        except Exception:  # noqa: BLE001 - logging would print the template and what broke it
            template = _Masked(msg, self._redaction)
            return {"msg": self._redaction.text(f"{template} {shown.args!r}"), "args": ()}
        text = self._redaction.text(message)
        if text != message:
            return {"msg": text, "args": ()}
        return {"msg": msg, "args": shown.args}

    def _masked(self, name: str, value: object, depth: int = 0) -> object:
        """A value as it may be shown; the same object if there is nothing to mask."""
        if name == "exc_info" and value:
            return self._masked_error(value)
        is_nested = isinstance(value, dict) or type(value) in {list, tuple}
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
        if is_nested and depth < _MAX_DEPTH:
            value = self._masked_members(value, depth + 1)
        if isinstance(value, (Number, logging.Logger)) or (
            isinstance(value, dict) and depth < _MAX_DEPTH
        ):
            return value
        # A value may be secret because of its neighbour, such as a header in a list of lists.
        masked = _Masked(value, self._redaction)
        return value if masked.is_harmless else masked

    def _masked_error(self, value: object) -> object:
        """An error, or what `sys.exc_info` has returned; True is for the one that is handled."""
        info = sys.exc_info() if value is True else value
        if isinstance(info, BaseException):
            info = (type(info), info, info.__traceback__)
        if not is_exc_info(info):
            return value
        shown = masked_exc_info(info, self._redaction)
        if shown is info:
            return value
        return shown[1] if isinstance(value, BaseException) else shown

    def _masked_members(self, value: object, depth: int) -> object:
        if isinstance(value, dict):
            pairs = [
                (self._masked("", key, depth), self._masked(str(key), each, depth))
                for key, each in value.items()
            ]
            is_same = all(
                key is old and each is value[old]
                for (key, each), old in zip(pairs, value, strict=True)
            )
            return value if is_same else dict(pairs)
        assert isinstance(value, (list, tuple))
        is_pair = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)
        names = ("", value[0]) if is_pair else ("",) * len(value)
        members = [self._masked(*named, depth) for named in zip(names, value, strict=True)]
        is_same = all(each is old for each, old in zip(members, value, strict=True))
        return value if is_same else type(value)(members)


def _nothing_of(record: logging.LogRecord, error: Exception) -> dict[str, object]:
    """Changes that leave nothing of what a record tells, as it could not be masked."""
    text = f"A message that cannot be masked: {type(error).__name__}"
    changes: dict[str, object] = dict.fromkeys(vars(record).keys() - _STANDARD, MASK)
    changes |= {"msg": {"event": text} if isinstance(record.msg, dict) else text, "args": ()}
    changes |= dict.fromkeys(("exc_info", "exc_text", "stack_info"))
    return changes | ({"message": text} if "message" in vars(record) else {})


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
