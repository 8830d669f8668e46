"""What real services send: their secrets are masked, and what is harmless is not.

In `corpus/` there is a case a line: its name, its place, its text. What is between « and » must
not be shown in secrets.txt, and must be shown in harmless.txt; ⏎ is the end of a line.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from support.library import httpx
from support.transportkit import Redaction

REDACTION = Redaction()
TYPES = {
    "json": "application/json",
    "json-patch": "application/json-patch+json",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data; boundary=B",
    "html": "text/html",
    "text": "text/plain",
    "xml": "application/xml",
    "yaml": "application/yaml",
}
# These are on the wrong side still: to mask, or show, them would put more others there.
STILL_SHOWN = {
    *("aws configure", "github actions secret put", "imap log"),
    *("metabase", "mysql -p", "netrc", "openweather", "pgpass", "twilio verify check"),
    *("vnc password", "wordpress nonce"),
}
STILL_MASKED = {
    *("accept", "congress", "gpio pin", "html article", "npm deps: 0.7.1", "npm scripts"),
    *("rails i18n", "sonar component"),
}


class Case(NamedTuple):
    name: str
    place: str
    text: str
    marked: list[str]


def cases(name: str) -> list[Case]:
    read = []
    for line in (Path(__file__).parent / "corpus" / name).read_text("utf-8").splitlines():
        case, place, text = line.split(" | ", 2)
        text = text.replace("⏎", "\r\n" if "multipart" in place else "\n")
        read.append(Case(case, place, re.sub("[«»]", "", text), re.findall("(?s)«(.*?)»", text)))
    return read


def shown(case: Case) -> str:
    place, _, name = case.place.partition(" ")
    match place:
        case "log":
            return REDACTION.text(case.text)
        case "url":
            return REDACTION.url(httpx.URL(case.text))
        case "header":
            return REDACTION.header(name, case.text)
    content_type = TYPES.get(case.place, case.place.removeprefix("type:"))
    return REDACTION.body(case.text.encode(), content_type).decode()


def holds(text: str, secret: str) -> bool:
    texts = (text, unquote(text), text.replace("\\", ""))
    return any(form in each for form in (secret, unquote(secret)) for each in texts)


SECRETS, HARMLESS = cases("secrets.txt"), cases("harmless.txt")


def test_secrets_of_real_services_are_masked() -> None:
    wrong = {case.name for case in SECRETS if any(holds(shown(case), each) for each in case.marked)}
    assert wrong == STILL_SHOWN
    assert len(wrong) < 0.05 * len(SECRETS)


def test_what_is_harmless_is_shown() -> None:
    wrong = {case.name for case in HARMLESS if not all(each in shown(case) for each in case.marked)}
    assert wrong == STILL_MASKED
    assert len(wrong) < 0.05 * len(HARMLESS)


@pytest.mark.parametrize("corpus", [SECRETS, HARMLESS])
def test_each_case_is_what_it_says(corpus: list[Case]) -> None:
    assert len({case.name for case in corpus}) == len(corpus) > 300
    for case in corpus:
        assert case.marked, case.name
        if case.place == "json":
            json.loads(case.text)


@pytest.mark.parametrize("corpus", [SECRETS, HARMLESS])
def test_what_was_masked_once_stays_as_it_is(corpus: list[Case]) -> None:
    for case in corpus:
        if case.place != "url":
            once = shown(case)
            assert shown(case._replace(text=once)) == once, case.name
