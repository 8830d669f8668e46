"""Members that lose what they were sent, and the proof that it is they."""

from support.members import make_members

from transportkit.rotation.outliers import IN_A_ROW, Outliers

A, B = make_members([1, 1])


def fail(outliers: Outliers, *hosts: str) -> list[bool]:
    return [outliers.fail(A, host) for host in hosts]


def test_several_in_a_row_are_proof_when_another_answers_for_the_same_host() -> None:
    outliers = Outliers()
    assert fail(outliers, "h") == [False]
    outliers.succeed(B, "h")
    assert fail(outliers, *"h" * IN_A_ROW) == [False] * (IN_A_ROW - 2) + [True] * 2


def test_a_dead_target_is_none() -> None:
    outliers = Outliers()
    outliers.succeed(B, "other")
    assert fail(outliers, *"h" * 20) == [False] * 20
    outliers.succeed(B, "other")
    assert fail(outliers, *"h" * 20) == [False] * 20


def test_one_that_fails_for_several_is_compared_at_any() -> None:
    outliers = Outliers()
    assert not any(fail(outliers, *(f"h{number}" for number in range(12))))
    outliers.succeed(B, "elsewhere")
    assert fail(outliers, "h") == [True]


def test_an_answer_is_the_end_of_it() -> None:
    outliers = Outliers()
    fail(outliers, "h", "h", "h", "h")
    outliers.succeed(B, "h")
    outliers.succeed(A, "h")
    assert outliers.runs == {}
    assert fail(outliers, "h") == [False]
    outliers.forget(A)
    outliers.forget(A)
    assert outliers.runs == {}
