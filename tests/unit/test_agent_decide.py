"""The retry decision, as a table."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippon.agent.decide import (
    FINAL,
    TRANSIENT,
    Answered,
    Arrived,
    Broke,
    Facts,
    Happening,
    Never,
    RetryAt,
    RetryNow,
    RetryRules,
    Woken,
    decide,
    growing,
    passes_by_itself,
    settle_day_start,
)
from ippon.model import Outcome, Reason, TryCause

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 7, 1), date(2026, 7, 2)
RULES = RetryRules(
    retry_base_seconds=10, retry_cap_seconds=100, transient_base_seconds=1, transient_cap_seconds=8, max_refusals=3
)


def judged(event: Happening, *, jitter: float = 0.0, **facts: object) -> RetryNow | RetryAt | Never:
    known: dict[str, object] = {"settle_date": TODAY, **facts}
    return decide(Facts(**known), event, now=NOW, rules=RULES, jitter=jitter)  # type: ignore[arg-type]


def waiting(reason: Reason) -> Answered:
    return Answered(outcome=Outcome.WAITING, reason=reason)


def refused(code: str, batch: int = 1) -> Answered:
    return Answered(outcome=Outcome.REFUSED, cause=code, batch=batch)


def test_a_new_fill_is_tried_at_once() -> None:
    assert judged(Arrived()) == RetryNow(cause=TryCause.RECEIVED, why="new")


def test_a_register_that_is_ahead_of_us_when_it_refuses_our_input_then_the_fill_is_tried_again() -> None:
    decision = judged(refused("NOT_ON_REGISTER"))
    assert isinstance(decision, RetryAt)
    assert decision.cause is TryCause.TIMER
    assert passes_by_itself("NOT_ON_REGISTER")


def test_a_fill_of_tomorrow_waits_for_the_day_in_tokyo() -> None:
    start = datetime(2026, 7, 1, 15, 0, tzinfo=UTC)
    assert settle_day_start(TOMORROW) == start
    decision = judged(Arrived(), settle_date=TOMORROW)
    assert isinstance(decision, RetryAt)
    assert (decision.at, decision.cause) == (start, TryCause.RECEIVED)
    decision = judged(waiting(Reason.FUTU), settle_date=TOMORROW)
    assert isinstance(decision, RetryAt)
    assert (decision.at, decision.cause) == (start, TryCause.TIMER)


@pytest.mark.parametrize("cause", list(TryCause))
def test_whatever_wakes_makes_a_try_now(cause: TryCause) -> None:
    decision = judged(Woken(cause), waits=20)
    assert isinstance(decision, RetryNow)
    assert decision.cause is cause


@pytest.mark.parametrize(("waits", "seconds"), [(0, 10), (1, 20), (2, 40), (3, 80), (4, 100), (1000, 100)])
def test_the_timer_grows_to_its_cap(waits: int, seconds: int) -> None:
    decision = judged(waiting(Reason.CMON), waits=waits)
    assert isinstance(decision, RetryAt)
    assert decision.at == NOW + timedelta(seconds=seconds)
    assert decision.cause is TryCause.TIMER


@pytest.mark.parametrize("reason", [Reason.CMON, Reason.MONY, Reason.LACK, Reason.CONF, Reason.LATE])
def test_every_reason_has_its_backstop(reason: Reason) -> None:
    assert isinstance(judged(waiting(reason)), RetryAt)


def test_an_event_during_the_try_is_not_lost() -> None:
    decision = judged(waiting(Reason.CMON), wake_cause=TryCause.ANNOUNCEMENT)
    assert isinstance(decision, RetryNow)
    assert decision.cause is TryCause.ANNOUNCEMENT
    decision = judged(refused("SESSION_BUSY"), wake_cause=TryCause.UNITS)
    assert isinstance(decision, RetryNow)


@pytest.mark.parametrize("code", sorted(TRANSIENT))
def test_trouble_on_the_way_is_tried_again_soon_however_often(code: str) -> None:
    for batch in (1, 5):
        decision = judged(Broke(code=code, batch=batch), refusals=50)
        assert isinstance(decision, RetryAt)
        assert decision.at == NOW + timedelta(seconds=8)


def test_a_flow_lost_with_its_node_is_tried_at_once() -> None:
    decision = judged(Broke(code="FLOW_UNKNOWN", batch=5))
    assert isinstance(decision, RetryNow)
    assert decision.cause is TryCause.RESTART


@pytest.mark.parametrize(("batch", "half"), [(2, 1), (3, 2), (50, 25)])
def test_a_refusal_of_several_is_split(batch: int, half: int) -> None:
    for event in (refused("CONTRACT_REFUSED", batch), Broke(code="INTERNAL", batch=batch)):
        decision = judged(event)
        assert isinstance(decision, RetryNow)
        assert (decision.cause, decision.largest_batch) == (TryCause.SPLIT, half)


@pytest.mark.parametrize("code", sorted(FINAL))
def test_the_culprit_alone_is_refused(code: str) -> None:
    assert isinstance(judged(refused(code)), Never)


def test_a_cause_not_known_to_be_final_gets_its_tries() -> None:
    assert isinstance(judged(refused("SOMETHING_NEW"), refusals=0), RetryAt)
    assert isinstance(judged(refused("SOMETHING_NEW"), refusals=1), RetryAt)
    assert isinstance(judged(refused("SOMETHING_NEW"), refusals=2), Never)


def test_no_cause_is_both_passing_and_final() -> None:
    assert not TRANSIENT & FINAL


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 10**6))
def test_jitter_shortens_by_at_most_half(jitter: float, doublings: int) -> None:
    full = growing(10, 100, doublings=doublings, jitter=0.0)
    wait = growing(10, 100, doublings=doublings, jitter=jitter)
    assert full / 2 <= wait <= full <= timedelta(seconds=100)
