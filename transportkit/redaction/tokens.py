"""Mask what looks like a secret wherever it stands: the keys of services, their webhooks.

Each pattern begins where a word or a path segment begins, and takes all it can get: no text
makes it try again.
"""

import re

from .names import MASK

# The prefixes of the keys of well-known services, and what has to follow at least.
_KEYS = r"""
        eyJ(?=[\w-]{8})                                         # a JSON Web Token
      | (?:sk|rk|ek)[-_](?=[\w-]{16}) | whsec_(?=\w{16})
      | gh[opsur]_(?=\w{16}) | github_pat_(?=\w{16}) | gl[a-z]{2,5}-(?=[\w-]{16})
      | xox[a-z]-(?=[\w-]{8}) | xapp-(?=[\w-]{8})
      | (?:AKIA|ASIA|AGPA|AIDA|AROA)(?=[A-Z0-9]{12})
      | AIza(?=[\w-]{24}) | ya29\.(?=[\w-]{8}) | GOCSPX-(?=[\w-]{16}) | SG\.(?=[\w-]{16})
      | npm_(?=\w{24}) | pypi-(?=[\w-]{24}) | rubygems_(?=\w{24}) | dckr_pat_(?=[\w-]{16})
      | hf_(?=\w{24}) | r8_(?=\w{24}) | gsk_(?=\w{24}) | nvapi-(?=[\w-]{24}) | pplx-(?=\w{24})
      | do[opr]_v1_(?=\w{24}) | shp[a-z]{2}_(?=\w{16}) | sq0[a-z]{3}-(?=[\w-]{16})
      | hv[bsr]\.(?=[\w-]{16}) | glsa_(?=\w{16}) | sntry[su]_(?=\w{16}) | lin_api_(?=\w{16})
      | tskey-(?=[\w-]{16}) | PMAK-(?=[\w-]{16}) | NRAK-(?=\w{16}) | key-(?=[0-9a-f]{32}) | ATATT3(?=[\w-]{16})
      | base64url\.bearer\.authorization\.k8s\.io\.(?=[\w-]{8})
"""
_KEY = re.compile(rf"(?x)(?<![\w-])(?P<prefix>{_KEYS})[\w.-]*+")
# No key is shorter, its prefix included.
SHORTEST_KEY = 11
_SHORTEST = len("Bearer x")
_RUN = re.compile(rf"[\w.-]{{{SHORTEST_KEY},}}+")
_CHAIN = "infura|alchemy|alchemyapi|quiknode|ankr|chainstack|blastapi"
_OTHERS = re.compile(rf"""(?x)
    (?P<slack>/services/)(?=T[A-Z0-9]{{6,16}}/B)[\w/-]++
    | (?P<telegram>/bot)(?=\d{{6,16}}:)[\w:-]++
    | (?P<chain>\b(?:{_CHAIN})\.[a-z]{{2,4}}
        (?:/[a-z]\w{{0,12}})?/)(?=[\w-]{{20}})[\w-]++
    | (?<![\w-])(?P<bearer>(?i:Bearer)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?!(?i:tokens?|auth|authentication|authorization|scheme)(?![\w.~+/=-]))[\w.~+/-]++=*+
    | (?<![\w-])(?P<basic>(?i:Basic|Negotiate|NTLM)[ \t]{{1,8}})(?![\w-]++=["'\w])
        (?=[\w+/-][a-z+/]{{0,256}}[A-Z0-9=])[\w+/-]{{6,}}+=*+
    | (?<![\w-])(?P<digest>(?i:Digest)[ \t]{{1,8}})(?=username=)[^\r\n]*+
    | (?P<pem>-----BEGIN[ ][A-Z0-9 ]{{0,32}}PRIVATE[ ]KEY-----)[^-]*+
""")
_CHAINS = re.compile(_CHAIN)
_HOOK = re.compile(r"(?i)(?P<hook>(?<![\w-])[\w-]*hook[\w.-]{0,64}/)(?P<path>[^\s?#\"'<>\\]++)")
_SEGMENT = re.compile(r"(?<![\w@-])(?=[\w-]*[A-Za-z])(?=[\w-]*\d)[\w@-]{8,}+")

# A key that was cut off in the middle, or a password before its `@`.
_TORN_KEY = re.compile(
    r"(?x)(?<![\w-])(?P<prefix>" + re.sub(r"\(\?=[^)]*\)", "", _KEYS) + r")(?=[\w.-])"
)
_OF_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NO_END = r"(?:[^\s/?#@\"'<>%\\&:]|%(?!23|26|2F|3A|3F|40))"
_TORN_LOGIN = re.compile(
    r"(?i)(?P<prefix>:(?:\\*/){2}|%3A(?:%2F){2})"
    rf"{_NO_END}{{0,256}}(?::|%3A)(?!\d*\Z)(?:{_NO_END}|:|%3A){{1,256}}%?\Z"
)
_LONGEST_LOGIN = 600


def mask_tokens(text: str) -> str:
    """Text without the values that look like secrets.

    >>> mask_tokens("Bearer abc, ghp_0123456789abcdefghij and eyJhbGciOiJIUzI1NiJ9.e30.x_y")
    'Bearer ****, ghp_**** and eyJ****'
    """
    if len(text) < _SHORTEST:
        return text
    low = text.lower()
    if _may_hold_others(low):
        text = _OTHERS.sub(_mask_match, text)
    text = _RUN.sub(_mask_run, text)
    return _HOOK.sub(_mask_path, text) if "hook" in low else text


def _may_hold_others(low: str) -> bool:
    # To look for each of them takes a tenth of the time of one pattern for all.
    return (
        "bearer" in low
        or "basic" in low
        or "digest" in low
        or "negotiate" in low
        or "ntlm" in low
        or "private key" in low
        or (
            "/" in low and ("/services/" in low or "/bot" in low or _CHAINS.search(low) is not None)
        )
    )


def mask_torn(text: str) -> str:
    """Text that may be cut off anywhere, without the secret that it ends in the middle of.

    >>> mask_torn("ghp_01234"), mask_torn("http://scott:ti")
    ('ghp_****', 'http://****')
    >>> mask_torn("http://h:80")
    'http://h:80'
    """
    start = len(text.rstrip(_OF_KEYS))
    if key := _TORN_KEY.search(text[start:]):
        text = text[: start + key.end()] + MASK
    start = max(len(text) - _LONGEST_LOGIN, 0)
    return text[:start] + _TORN_LOGIN.sub(_mask_match, text[start:])


def _mask_match(match: re.Match[str]) -> str:
    prefix = match.lastgroup
    assert prefix is not None
    return match[prefix] + MASK


def _mask_run(match: re.Match[str]) -> str:
    return _KEY.sub(_mask_match, match[0])


def _mask_path(match: re.Match[str]) -> str:
    return match["hook"] + _SEGMENT.sub(MASK, match["path"])
