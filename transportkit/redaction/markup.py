"""Mask secrets in XML, HTML and YAML: the content of elements, the values of fields and lists."""

import re

from .names import MASK, Names
from .values import is_secret_value

_ELEMENT = (
    r"<(?P<name>[\w:.-]+)(?P<rest>(?:\s[^<>]*+)?>\s*+(?:<!\[CDATA\[)?)"
    r"(?P<value>(?<=\[CDATA\[)[^\]]*+(?:\](?!\]>)[^\]]*+)*|[^<]*+)"
)
# Property lists, XML-RPC.
_PAIR = (
    r"(?P<name><(key|name)>(?P<text>[^<]{1,128}+)</\2>\s{0,64}+(?:<value>\s{0,64}+)?<[a-z]{1,16}+>)"
    r"(?P<value>[^<]++)"
)
# A list of names and values, in YAML or in a repr.
_ITEM = (
    r"(?P<name>\b(?:name|key)[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<text>[\w./-]{1,128}+)[\"']?[,\s]{1,64}+"
    r"[\"']?value[\"']?\s{0,4}[:=]\s{0,4}[\"']?)(?P<value>[^\s\"',}]++)"
)
# A Kubernetes Secret in YAML: all that it holds, line by line.
_MANIFEST = r"(?m)^[ ]{0,64}kind:[ ]{0,8}[\"']?Secret[\"']?[ \r]*$"
_HELD = r"(?m)^(?P<head>(?P<indent>[ ]*+)(?:data|stringData):[ \r]*\n)(?P<block>(?:(?P=indent)[ ]++.*\n?)++)"
_LINE = r"(?m)^([ ]*+(?:[\w.-]++:[ ]*+)?+)\S.*$"
_FIELD = r"(?i)<(?:input|meta)\s[^<>]*+"
_FIELD_NAME = r"(?i)\s(?:name|id)\s{0,8}=\s{0,8}[\"']?([^\s\"'>]++)"
_FIELD_VALUE = (
    r"(?i)(?P<name>\s(?:value|content)\s{0,8}=\s{0,8})(?P<value>\"[^\"]*+|'[^']*+|[^\s\"'>]++)"
)


def mask_markup(text: str, names: Names) -> str:
    """Text without the secrets that its markup names."""

    def element(match: re.Match[str]) -> str:
        name, value = match["name"].rpartition(":")[2], match["value"]
        if not value.strip() or not is_secret_value(names.kind(name), name, value):
            return match[0]
        return f"<{match['name']}{match['rest']}{MASK}"

    def pair(match: re.Match[str]) -> str:
        is_secret = is_secret_value(names.kind(match["text"]), match["text"], match["value"])
        return match["name"] + (MASK if is_secret else match["value"])

    def field(match: re.Match[str]) -> str:
        name = re.search(_FIELD_NAME, match[0])
        if name is None:
            return match[0]
        kind = names.kind(name[1])

        def value(match: re.Match[str]) -> str:
            quote = match["value"][0] if match["value"][0] in "\"'" else ""
            if not is_secret_value(kind, name[1], match["value"].removeprefix(quote)):
                return match[0]
            return match["name"] + quote + MASK

        return re.sub(_FIELD_VALUE, value, match[0])

    text = _mask_manifests(text)
    if "value" in text:
        text = re.sub(_ITEM, pair, text)
    if "<" not in text:
        return text
    text = re.sub(_FIELD, field, text)
    text = re.sub(_PAIR, pair, text)
    return re.sub(_ELEMENT, element, text)


def _mask_manifests(text: str) -> str:
    """YAML without what the Secrets in it hold."""
    if "Secret" not in text:
        return text

    def block(match: re.Match[str]) -> str:
        return match["head"] + re.sub(_LINE, rf"\1{MASK}", match["block"])

    documents = text.split("\n---")
    return "\n---".join(
        re.sub(_HELD, block, each) if re.search(_MANIFEST, each) else each for each in documents
    )
