"""The positions that a Range asks for, as an oracle has them one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from transportkit.files.conditions import byte_range


def oracle(value: str, size: int) -> list[int] | None:
    """The positions, digit by digit and one by one; None for the whole."""
    unit, equals, ranges = value.strip(" \t").partition("=")
    specs = [spec.strip(" \t") for spec in ranges.split(",") if spec.strip(" \t")]
    if unit.lower() != "bytes" or not equals or len(specs) != 1 or specs[0].count("-") != 1:
        return None
    first, last = specs[0].split("-")
    if any(digit not in "0123456789" for digit in first + last) or not first + last:
        return None
    if first and last and int(first) > int(last):
        return None
    if first:
        return [at for at in range(size) if int(first) <= at <= int(last or size)]
    if not size and int(last):
        return None
    return [at for at in range(size) if size - at <= int(last)]


RANGES = st.lists(
    st.sampled_from(["bytes=", "BYTES=", "bytes", "=", "-", "-", ",", " ", "\t", "x", "", "00"])
    | st.integers(0, 25).map(str)
    | st.integers(min_value=0).map(str),
    max_size=8,
).map("".join)
WELL_FORMED = st.builds(
    "bytes={}-{}".format, st.integers(0, 25) | st.just(""), st.integers(0, 25) | st.just("")
)


@given(RANGES | WELL_FORMED | st.text(max_size=20).map("bytes={}".format), st.integers(0, 20))
@example("bytes=--1", 5)
def test_a_range_is_what_the_oracle_says(value: str, size: int) -> None:
    expected = oracle(value, size)
    found = byte_range(value, size)
    assert (None if found is None else list(found)) == expected
