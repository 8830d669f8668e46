"""Complete JSON that is cut off, so that it can be parsed."""

import re


def completed(text: str) -> tuple[str, str, str] | None:
    """Truncated JSON with its end: all of it, the end of its last scalar, what follows on that."""
    # What is escaped is in strings only, and neither begins nor ends one.
    shape = re.sub(r"(?s)\\.", "", text) if "\\" in text else text
    added = ""
    if shape.count('"') % 2:
        added = '"'
        text = text[: _end_of_whole(text)]
        shape += added
    shape = re.sub('"[^"]*+"', "S", shape)
    if not added and (torn := re.search(r"[^\s{}\[\],:S]+\Z", shape[-64:])):
        added = _rest(torn[0])
        shape = shape[: len(shape) - len(torn[0])] + "S"
    closing: list[str] = []
    for mark in re.findall(r"[{}\[\]]", shape):
        if mark in "{[":
            closing.append("}" if mark == "{" else "]")
        elif not closing or closing.pop() != mark:
            return None
    in_object = closing[-1:] == ["}"]
    last = re.sub(r"\s", "", shape[-64:])[-2:]
    after = ""
    if last[-1:] == ":" or (last[-1:] == "," and not in_object):
        after = "null"
    elif last[-1:] == ",":
        after = '"":null'
    elif in_object and last in {"{S", ",S"}:
        after = ":null"
    after += "".join(reversed(closing))
    return text + added + after, added, after


def _end_of_whole(text: str) -> int:
    """The end of a text that ends in a string, without an escape that is cut off."""
    torn = re.search(r"\\(?:u[0-9A-Fa-f]{0,3})?\Z", text[-5:])
    if torn is None:
        return len(text)
    end = len(text) - len(torn[0])
    before = text[:end]
    # After an odd number of backslashes, this one is escaped itself.
    return len(text) if (end - len(before.rstrip("\\"))) % 2 else end


def _rest(torn: str) -> str:
    """The missing end of a literal or a number."""
    for literal in ("true", "false", "null"):
        if literal.startswith(torn):
            return literal[len(torn) :]
    return "" if torn[-1].isdigit() else "0"
