"""The word that was meant by one that is misspelt."""

from collections.abc import Iterable


def near(word: str, known: Iterable[str]) -> list[str]:
    """The known words that one slip of the hand makes of this one.

    A slip is a letter too many, too few, wrong, or swapped with its neighbour.

    >>> near("htps", ["http", "https"]), near("httpx", ["http", "https"]), near("ftp", ["http"])
    (['https'], ['http', 'https'], [])
    """
    return [other for other in known if _is_one_slip(word, other)]


def _is_one_slip(one: str, other: str) -> bool:
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return abs(len(one) - len(other)) == 1
    one, other = one[start:], other[start:]
    return (
        one[1:] == other[1:]
        or one[1:] == other
        or one == other[1:]
        or (one[:2] == other[1::-1] and one[2:] == other[2:])
    )
