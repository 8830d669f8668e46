"""RFC 6797 as a table: each row names the section that it is from."""

import math
import time
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transportkit.https import rfc6797
from transportkit.https.rfc6797 import (
    LONGEST_MAX_AGE,
    MOST_HOSTS,
    Entry,
    Policy,
    canonical_name,
    freshest,
    is_known,
    is_news,
    merge,
    note,
    parse_header,
    record,
)

YEAR = 31536000
NOW = 1_700_000_000.5


@pytest.mark.parametrize(
    ("section", "value", "policy"),
    [
        # The examples of 6.2.
        ("6.2", "max-age=31536000", (YEAR, False)),
        ("6.2", "max-age=15768000 ; includeSubDomains", (15768000, True)),
        ("6.2", 'max-age="31536000"', (YEAR, False)),
        ("6.2", "max-age=0", (0, False)),
        ("6.2", "max-age=0; includeSubDomains", (0, True)),
        # Order does not matter, nor does the case of a name, nor space around what is there.
        ("6.1 (1)", "includeSubDomains; max-age=1", (1, True)),
        ("6.1 (3)", "MAX-AGE=1; INCLUDESUBDOMAINS", (1, True)),
        ("6.1 (3)", "Max-Age=1;includesubdomains", (1, True)),
        ("6.1", "  max-age = 1  ;  includeSubDomains  ", (1, True)),
        ("6.1", "\tmax-age\t=\t1\t;\tincludeSubDomains\t", (1, True)),
        ("6.1", 'max-age = "1" ; includeSubDomains', (1, True)),
        # Directives may be empty.
        ("6.1", ";;max-age=1;", (1, False)),
        ("6.1", "; ; max-age=1 ; ;includeSubDomains;", (1, True)),
        # A directive that is not known is passed over, with a value or without.
        ("6.1 (5)", "max-age=1; preload", (1, False)),
        ("6.1 (5)", "report-uri=x; max-age=1; foo='a'", (1, False)),
        ("6.1 (5)", 'foo="a; max-age=2, \\" b"; max-age=1', (1, False)),
        ("6.1 (5)", 'foo=""; max-age=1', (1, False)),
        ("6.1 (5)", 'foo="\xe9\t"; max-age=1', (1, False)),
        ("6.1 (5)", "max-age=1; includeSubDomainsX", (1, False)),
        # max-age is required (6.1.1), and is a number of seconds, in quotes or not.
        ("6.1.1", "", None),
        ("6.1.1", ";", None),
        ("6.1.1", "includeSubDomains", None),
        ("6.1.1", "preload; includeSubDomains", None),
        ("6.1.1", "max-age", None),
        ("6.1.1", "max-age=", None),
        ("6.1.1", 'max-age=""', None),
        ("6.1.1", "max-age=-1", None),
        ("6.1.1", "max-age=+1", None),
        ("6.1.1", "max-age=1.5", None),
        ("6.1.1", "max-age=1e3", None),
        ("6.1.1", "max-age=0x10", None),
        ("6.1.1", 'max-age=" 1"', None),
        ("6.1.1", "max-age='1'", None),
        ("6.1.1", "max-age=one", None),
        ("6.1.1", 'max-age="\u0661"', None),
        ("6.1.1", "max-age=\u0661", None),
        ("6.1.1", 'max-age="\\1\\2"', (12, False)),
        ("6.1.1", "max-age=0001", (1, False)),
        ("6.1.1", "max-age=000", (0, False)),
        # A number that is too large is as large as can be (RFC 9111, section 1.2.2).
        ("6.1.1", "max-age=2147483647", (2147483647, False)),
        ("6.1.1", "max-age=2147483649", (LONGEST_MAX_AGE, False)),
        ("6.1.1", f"max-age={'9' * 19}", (LONGEST_MAX_AGE, False)),
        ("6.1.1", f"max-age={'9' * 10_000}", (LONGEST_MAX_AGE, False)),
        ("6.1.1", f"max-age={'0' * 10_000}7", (7, False)),
        # includeSubDomains has no value (6.1.2).
        ("6.1.2", "max-age=1; includeSubDomains=1", None),
        ("6.1.2", "max-age=1; includeSubDomains=false", None),
        ("6.1.2", 'max-age=1; includeSubDomains=""', None),
        # No directive is there twice.
        ("6.1 (2)", "max-age=1; max-age=1", None),
        ("6.1 (2)", "max-age=1; Max-Age=2", None),
        ("6.1 (2)", "max-age=1; includeSubDomains; includesubdomains", None),
        ("6.1 (2)", "max-age=1; foo; FOO=2", None),
        # What is not according to the grammar is ignored altogether.
        ("6.1 (4)", "max-age=1, max-age=2", None),
        ("6.1 (4)", "max-age=1 includeSubDomains", None),
        ("6.1 (4)", "max-age=1; includeSubDomains foo", None),
        ("6.1 (4)", "max-age=1 2", None),
        ("6.1 (4)", "max-age==1", None),
        ("6.1 (4)", "=1; max-age=1", None),
        ("6.1 (4)", "max-age=1; foo=", None),
        ("6.1 (4)", 'max-age="1', None),
        ("6.1 (4)", 'max-age=1"', None),
        ("6.1 (4)", 'max-age="1"2', None),
        ("6.1 (4)", 'max-age=1; foo="a\\', None),
        ("6.1 (4)", 'max-age=1; foo="\\"', None),
        ("6.1 (4)", 'max-age=1; foo="\x00"', None),
        ("6.1 (4)", "max-age=1; foo=\xe9", None),
        ("6.1 (4)", "max-age=1\n", None),
        ("6.1 (4)", "max-age=1; (foo)", None),
        ("6.1 (4)", "max-age:1", None),
    ],
)
def test_a_header_says(section: str, value: str, policy: tuple[int, bool] | None) -> None:
    assert parse_header(value) == (None if policy is None else Policy(*policy))


@given(st.text(max_size=60) | st.text(alphabet='max-ge=01;," \t\\includeSbDoains', max_size=60))
@example('"' * 1000)
def test_no_header_is_too_odd(value: str) -> None:
    policy = parse_header(value)
    assert policy is None or 0 <= policy.max_age <= LONGEST_MAX_AGE


@given(
    st.integers(0, LONGEST_MAX_AGE),
    st.booleans(),
    st.lists(st.sampled_from(["a", "b=1", 'c="; max-age=0"', "", " ", "d = e"]), unique=True),
    st.randoms(use_true_random=False),
)
def test_what_a_server_says_is_understood(
    max_age: int, subdomains: bool, others: list[str], random: Random
) -> None:
    name = random.choice(["max-age=", "Max-Age = "])
    directives = [name + random.choice(["{}", '"{}"']).format(max_age), *others]
    directives += ["includeSubDomains"] * subdomains
    random.shuffle(directives)
    header = random.choice([";", " ;", "; ", "\t;\t"]).join(directives)
    assert parse_header(header) == Policy(max_age, subdomains)


PIECES = [" ", "\t", ";", '"', "\\", '\\"', "a", "a ", "a=", 'a="', "=", " ;", "a; ", "\x00"]
STARTS = ["", 'max-age="', "max-age=", "a ", "a = "]


# Each piece after one of the starts; after each of them if slow.
@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(
            start, piece, marks=() if (at - number) % len(STARTS) == 0 else pytest.mark.slow
        )
        for number, piece in enumerate(PIECES)
        for at, start in enumerate(STARTS)
    ],
)
def test_a_long_header_takes_no_more_than_its_length(start: str, piece: str) -> None:
    # Where it was not, this would take hours: httpx takes headers of 100 kB.
    parse_header(start + piece * 100_000 + "\x00")


@pytest.mark.parametrize(
    ("section", "host", "name"),
    [
        ("8.2", "example.com", "example.com"),
        ("8.2", "EXAMPLE.Com", "example.com"),
        ("8.2", "example.com.", "example.com"),
        ("8.2", "localhost", "localhost"),
        ("8.2", "a_b.example.com", "a_b.example.com"),
        ("8.2", "1.2.3.4.example.com", "1.2.3.4.example.com"),
        ("8.2", "0xg.example", "0xg.example"),
        ("9", "münchen.example", "xn--mnchen-3ya.example"),
        ("9", "MÜNCHEN.example.", "xn--mnchen-3ya.example"),
        ("14.10", "XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
        ("14.10", "xn--a", "xn--a"),
        ("14.10", "\u2028.example", None),
        ("8.2", "a" * 63 + ".b" * 95, "a" * 63 + ".b" * 95),
        # IP addresses, also as the resolvers of systems read them.
        ("8.1.1", "127.0.0.1", None),
        ("8.1.1", "127.0.0.1.", None),
        ("8.1.1", "127.1", None),
        ("8.1.1", "2130706433", None),
        ("8.1.1", "0x7f000001", None),
        ("8.1.1", "0X7F.1", None),
        ("8.1.1", "0x", None),
        ("8.1.1", "999.999.999.999", None),
        ("8.3", "::1", None),
        ("8.3", "[::1]", None),
        ("8.3", "fe80::1%eth0", None),
        # What is no name of a host.
        ("8.2", "", None),
        ("8.2", ".", None),
        ("8.2", "example.com..", None),
        ("8.2", ".example.com", None),
        ("8.2", "a..b", None),
        ("8.2", "a b", None),
        ("8.2", "a%20b", None),
        ("8.2", "example.com:443", None),
        ("8.2", "*.example.com", None),
        ("8.2", 'a"b', None),
        ("8.2", "#a", None),
        ("8.2", "a\n", None),
        ("8.2", "a" * 64 + ".b" * 95, None),
    ],
)
def test_a_host_is_named(section: str, host: str, name: str | None) -> None:
    assert canonical_name(host) == name


@given(st.text(max_size=30))
def test_any_host_has_one_name_or_none(host: str) -> None:
    name = canonical_name(host)
    if name is not None:
        assert canonical_name(name) == name
        assert name.isascii()
        assert not set(name) & set(' "#\n\t')


@pytest.mark.parametrize(
    ("section", "host", "known"),
    [
        # Names match whole, label by label, from the right.
        ("8.2", "exact.example", True),
        ("8.2", "sub.exact.example", False),
        ("8.2", "wide.example", True),
        ("8.2", "sub.wide.example", True),
        ("8.2", "a.b.c.sub.wide.example", True),
        ("8.2", "notwide.example", False),
        ("8.2", "example", False),
        ("8.2", "wide.example.org", False),
        ("8.2", "wide", False),
        # A parent is asked although the host itself has an entry, and closer ones are passed by.
        ("8.2", "narrow.wide.example", True),
        ("8.2", "sub.narrow.wide.example", True),
        ("8.2", "expired.wide.example", True),
        # 11.4.1: an application at a subdomain is covered, whoever offers it.
        ("11.4.1", "ocsp.ca.wide.example", True),
        # 14.4: without includeSubDomains the subdomains are open.
        ("14.4", "www.exact.example", False),
        # An entry holds until it expires (8.1.1), to the second.
        ("8.1.1", "expired.example", False),
        ("8.1.1", "sub.expired.example", False),
        ("8.1.1", "expiring.example", False),
        ("8.1.1", "lasting.example", True),
        ("12.3", "preloaded.example", True),
    ],
)
def test_a_host_is_known(section: str, host: str, known: bool) -> None:
    hosts = {
        "exact.example": Entry(NOW + 10, include_subdomains=False),
        "wide.example": Entry(NOW + 10, include_subdomains=True),
        "narrow.wide.example": Entry(NOW + 10, include_subdomains=False),
        "expired.wide.example": Entry(NOW - 1, include_subdomains=False),
        "expired.example": Entry(NOW - 1, include_subdomains=True),
        "expiring.example": Entry(NOW, include_subdomains=True),
        "lasting.example": Entry(NOW + 0.001, include_subdomains=False),
        "preloaded.example": Entry(math.inf, include_subdomains=False),
    }
    assert is_known(hosts, host, NOW) is known


class _Counting(dict[str, Entry]):
    looks = 0

    def get(self, name: str, default: Entry | None = None) -> Entry | None:  # type: ignore[override]
        self.looks += 1
        return super().get(name, default)


@pytest.mark.parametrize("size", [0, 10, 10_000])
def test_a_look_up_takes_a_look_for_each_label_however_many_hosts_there_are(size: int) -> None:
    hosts = _Counting(
        {f"h{n}.example": Entry(NOW + 9, include_subdomains=True) for n in range(size)}
    )
    assert not is_known(hosts, "a.b.c.d", NOW)
    assert hosts.looks == 4


class TestNoting:
    def test_a_header_makes_an_entry(self) -> None:
        hosts: dict[str, Entry] = {}
        entry = note(hosts, "a.example", Policy(60, include_subdomains=True), NOW)
        assert hosts == {"a.example": entry} == {"a.example": (NOW + 60, True)}

    @pytest.mark.parametrize(("max_age", "subdomains"), [(5, False), (5, True), (500, False)])
    def test_each_header_sets_the_whole_entry_anew(self, max_age: int, subdomains: bool) -> None:
        # 8.1.1: also when that makes it shorter or narrower.
        hosts = {"a.example": Entry(NOW + 50, include_subdomains=True)}
        note(hosts, "a.example", Policy(max_age, subdomains), NOW)
        assert hosts == {"a.example": (NOW + max_age, subdomains)}

    @pytest.mark.parametrize("subdomains", [False, True])
    def test_a_max_age_of_0_forgets_the_host_and_its_subdomains(self, subdomains: bool) -> None:
        # 6.1.1, 11.2: whatever else that header says; but not the hosts above and below.
        names = ("a.example", "example", "b.a.example")
        hosts = {name: Entry(NOW + 50, include_subdomains=True) for name in names}
        assert note(hosts, "a.example", Policy(0, subdomains), NOW) is None
        assert list(hosts) == ["example", "b.a.example"]

    def test_a_max_age_of_0_from_a_host_that_is_not_known_does_nothing(self) -> None:
        hosts: dict[str, Entry] = {}
        assert note(hosts, "a.example", Policy(0, include_subdomains=False), NOW) is None
        assert hosts == {}

    def test_the_stalest_gives_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # 14.9 lets anyone with many subdomains fill the store.
        monkeypatch.setattr(rfc6797, "MOST_HOSTS", 3)
        hosts: dict[str, Entry] = {}
        for name in ("a", "b", "c", "a", "d"):
            note(hosts, name, Policy(60, include_subdomains=False), NOW)
        assert list(hosts) == ["c", "a", "d"]

    def test_a_record_may_be_of_what_was_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rfc6797, "MOST_HOSTS", 2)
        changes: dict[str, Entry | None] = {}
        for name in ("a", "b", "c"):
            record(changes, name, None)
        assert changes == {"b": None, "c": None}


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (None, None, False),
        (None, (NOW + 1, False), True),
        ((NOW + 1, False), None, True),
        ((NOW, False), None, False),
        ((NOW, False), (NOW + 9, False), True),
        ((NOW + 1, False), (NOW + 9, False), False),
        ((NOW + 1, False), (NOW + 1, False), False),
        ((NOW + 9, False), (NOW + 1, False), True),
        ((NOW + 1, False), (NOW + 9, True), True),
        ((NOW + 1, True), (NOW + 9, False), True),
    ],
)
def test_it_is_news_when_more_is_said_than_that_things_stay_as_they_are(
    before: tuple[float, bool] | None, after: tuple[float, bool] | None, news: bool
) -> None:
    old, new = (None if entry is None else Entry(*entry) for entry in (before, after))
    assert is_news(old, new, NOW) is news


class TestMerging:
    A, B, C = (Entry(NOW + age, include_subdomains=False) for age in (10, 20, 30))
    EXPIRED = Entry(NOW, include_subdomains=True)

    def test_what_was_heard_goes_over_what_was_saved(self) -> None:
        saved = {"a": self.A, "b": self.B, "c": self.C}
        changes = {"a": self.B, "b": None, "d": self.C, "e": None}
        assert list(merge(saved, changes, NOW).items()) == [
            ("c", self.C),
            ("a", self.B),
            ("d", self.C),
        ]

    def test_nothing_that_has_expired_is_kept(self) -> None:
        assert merge({"a": self.EXPIRED, "b": self.B}, {"c": self.EXPIRED}, NOW) == {"b": self.B}

    def test_the_stalest_give_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rfc6797, "MOST_HOSTS", 2)
        saved = {"a": self.A, "b": self.B, "c": self.C}
        assert list(merge(saved, {"a": self.A}, NOW)) == ["c", "a"]

    def test_the_arguments_stay_as_they_are(self) -> None:
        saved, changes = {"a": self.A}, {"a": None}
        merge(saved, changes, NOW)
        assert (saved, changes) == ({"a": self.A}, {"a": None})

    def test_as_many_are_kept_as_curl_keeps(self) -> None:
        assert (
            len(freshest((f"{number}.example", self.A) for number in range(20_000))) == MOST_HOSTS
        )
        assert MOST_HOSTS == 10_000
        assert freshest([("a", self.A), ("b", self.B)]) == {"a": self.A, "b": self.B}


def test_the_bounds_are_sane() -> None:
    # An entry of the longest max-age can still be written with four digits for its year.
    assert time.gmtime(NOW + LONGEST_MAX_AGE).tm_year < 9999
