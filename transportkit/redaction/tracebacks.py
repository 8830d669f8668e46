"""Errors without their secrets, for those who write the traceback themselves.

An error cannot be changed, as others still handle it, and its class cannot be called with another
text. So a stand-in takes its place: it is called as the error is, and has its traceback.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TypeGuard

from .redaction import Redaction

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# In code, only what is written out can be a secret: not a name, not what an f-string fills in.
_LITERAL = r"\"[^\"]*\"?|'[^']*'?|\b\d[\w.]*"
_FILLED_IN = r"\{[^{}\"']*\}|%(?:\(\w+\))?[sdr]"


class StandIn(Exception):
    """An error whose text is masked.

    Arguments:
        text: what it says.
    """

    def __init__(self, text: str, *_: object) -> None:
        super().__init__(text)
        self._text = text

    def __str__(self) -> str:
        return self._text


class GroupStandIn(StandIn, ExceptionGroup[StandIn]):
    """A group of errors whose texts are masked."""


def stand_in(
    error: BaseException, redaction: Redaction, members: Sequence[StandIn] = ()
) -> StandIn:
    """An error that is called as another one is, and whose text is masked.

    Arguments:
        error: any error.
        redaction: the rules for what is masked.
        members: stand-ins for those of a group.

    >>> stand_in(OSError("Bearer abc"), Redaction())
    OSError('Bearer ****')
    """
    kind = type(error)
    called = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    own: type[StandIn] = type(kind.__name__, (GroupStandIn if members else StandIn,), called)
    return own(redaction.text(text_of(error)), members)


def is_exc_info(value: object) -> TypeGuard[ExcInfo]:
    """True for what `sys.exc_info` returns while an error is handled."""
    return isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], BaseException)


def masked_exc_info(info: ExcInfo, redaction: Redaction) -> ExcInfo:
    """The same if nothing in it is secret; else that of a stand-in.

    Its messages, causes and notes are masked, in groups too. A line of code that has a secret
    written out in it is left out of the traceback, and with it the number of that line.

    Arguments:
        info: what `sys.exc_info` has returned.
        redaction: the rules for what is masked.
    """
    errors = list(_chained(info[1]))
    shown_trace = _masked_trace(info[2], redaction)
    traces = [_masked_trace(error.__traceback__, redaction) for error in errors]
    is_harmless = shown_trace is info[2] and all(
        trace is error.__traceback__ and not _has_secret(error, redaction)
        for error, trace in zip(errors, traces, strict=True)
    )
    if is_harmless:
        return info
    made: dict[int, StandIn] = {}
    for error, trace in zip(errors, traces, strict=True):
        _make(error, made, redaction).__traceback__ = trace
    for error in errors:
        shown = made[id(error)]
        shown.__cause__ = made.get(id(error.__cause__))
        shown.__context__ = made.get(id(error.__context__))
        shown.__suppress_context__ = error.__suppress_context__
    first = made[id(info[1])]
    return type(first), first, shown_trace


def _chained(error: BaseException) -> Iterable[BaseException]:
    """An error, its causes, and the members of groups: each once, whatever cycles they have."""
    found: dict[int, BaseException] = {}
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in found:
            found[id(each)] = each
            waiting += (each.__cause__, each.__context__, *_members(each))
    return found.values()


def _members(error: BaseException) -> tuple[BaseException, ...]:
    return error.exceptions if isinstance(error, BaseExceptionGroup) else ()


def _has_secret(error: BaseException, redaction: Redaction) -> bool:
    texts = (text_of(error), *_notes(error))
    return any(redaction.text(text) != text for text in texts)


def _make(error: BaseException, made: dict[int, StandIn], redaction: Redaction) -> StandIn:
    """The stand-in for an error, made once; the members of a group before the group."""
    if id(error) in made:
        return made[id(error)]
    members = [_make(each, made, redaction) for each in _members(error)]
    made[id(error)] = shown = stand_in(error, redaction, members)
    for note in _notes(error):
        shown.add_note(redaction.text(note))
    return shown


def text_of(value: object, show: Callable[[object], str] = str, kind: str = "exception") -> str:
    """The text that a traceback shows of an error, or of its notes."""
    try:
        return show(value)
    except Exception:  # noqa: BLE001 - a traceback says so too
        return f"<{kind} {show.__name__}() failed>"


def _notes(error: BaseException) -> list[str]:
    notes: object = getattr(error, "__notes__", None)
    if isinstance(notes, Sequence) and not isinstance(notes, (str, bytes)):
        return [text_of(note, kind="note") for note in notes]
    return [] if notes is None else [text_of(notes, repr, "__notes__")]


def _masked_trace(trace: TracebackType | None, redaction: Redaction) -> TracebackType | None:
    """The same if no line of code in it holds a secret; else one that leaves those lines out."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    shown = None
    summary = traceback.extract_tb(entries[0]) if entries else traceback.StackSummary()
    for entry, frame in zip(reversed(entries), reversed(summary), strict=True):
        if _shows_secret(summary.format_frame_summary(frame), redaction):
            # Without an instruction there is no position, and no line has this number.
            shown = TracebackType(shown, entry.tb_frame, -1, 0)
        elif shown is entry.tb_next:
            shown = entry
        else:
            shown = TracebackType(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shown


def _shows_secret(code: str, redaction: Redaction) -> bool:
    code = re.sub(_FILLED_IN, "****", code.partition("\n")[2])
    return re.findall(_LITERAL, redaction.text(code)) != re.findall(_LITERAL, code)
