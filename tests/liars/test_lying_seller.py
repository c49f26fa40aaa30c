"""Custodian B sells and lies: to the buyer's custodian, the registrar and the coin issuer, who refuse each for itself.

Each refusal is a code and a field, with no signature; nothing moves, and the fill settles honestly right after.
"""

from __future__ import annotations

import pytest

from liars.stage import HONEST, ISSUER, LIAR, NAMES, REGISTRAR, Stage

ALL = (NAMES[HONEST], REGISTRAR, ISSUER)

BY_ALL = [
    ("PRICE", "CONTRACT_REFUSED", None),
    ("QUANTITY", "CONTRACT_REFUSED", None),
    ("AMOUNT", "CONTRACT_REFUSED", None),
    ("HOLDER", "CONTRACT_REFUSED", None),
    ("COIN_ISSUER", "CONTRACT_REFUSED", None),
    ("NOTARY", "CONTRACT_REFUSED", None),
    ("NO_WINDOW", "CONTRACT_REFUSED", None),
    ("OPEN_WINDOW", "CONTRACT_REFUSED", None),
    ("LONG_WINDOW", "WRONG_TIME_WINDOW", "time_window"),
    ("PAST_WINDOW", "WRONG_TIME_WINDOW", "time_window"),
    ("FUTURE_WINDOW", "WRONG_TIME_WINDOW", "time_window"),
    ("EXTRA_STATE", "CONTRACT_REFUSED", None),
    ("SPLIT_CHANGE", "UNEXPECTED_STATE", "outputs"),
    ("EXTRA_COMMAND", "CONTRACT_REFUSED", None),
    ("EXTRA_SIGNER", "UNEXPECTED_COMMAND", "commands"),
    ("UNSIGNED", "MISSING_SIGNATURE", "signatures"),
    ("OTHER_SIGNATURE", "MISSING_SIGNATURE", None),
]
"""Lies that each signer can see for itself, out of what it has."""

BY_BUYER = [("INVESTOR", "WRONG_ACCOUNT", "terms"), ("OLD_ROUTE", "ROUTE_CHANGED", "terms")]
"""Lies about what only the buyer's side knows; the others sign nothing that it has not signed."""


@pytest.mark.parametrize(("lie", "code", "field"), BY_ALL, ids=[one[0] for one in BY_ALL])
def test_a_seller_when_its_settlement_is_wrong_is_refused_by_each_signer(
    stage: Stage, lie: str, code: str, field: str | None
) -> None:
    with stage.truth_after(seller=LIAR) as fill:
        told = stage.liars.lie(LIAR, "LieAsSeller", fill, lie)
        assert [one.refusal for one in told] == [(who, code, field) for who in ALL], told
        assert not any(one.signed for one in told)
        stage.rest()


@pytest.mark.parametrize(("lie", "code", "field"), BY_BUYER, ids=[one[0] for one in BY_BUYER])
def test_a_seller_when_it_names_what_the_buyer_never_did_is_refused_by_the_buyers_side(
    stage: Stage, lie: str, code: str, field: str
) -> None:
    with stage.truth_after(seller=LIAR) as fill:
        told = stage.liars.lie(LIAR, "LieAsSeller", fill, lie)
        unsigned = [(who, "MISSING_SIGNATURE", "signatures") for who in (REGISTRAR, ISSUER)]
        assert [one.refusal for one in told] == [(NAMES[HONEST], code, field), *unsigned], told
        assert not any(one.signed for one in told)
        stage.rest()


def test_a_seller_when_it_tells_the_truth_has_every_signature(stage: Stage) -> None:
    """Each refusal above is about its lie: the same hand, telling the truth, is signed by all."""
    with stage.truth_after(seller=LIAR) as fill:
        told = stage.liars.lie(LIAR, "LieAsSeller", fill, "TRUTH")
        assert [(one.who, one.code, one.signed) for one in told] == [(who, None, True) for who in ALL]


def test_a_seller_when_it_passes_over_the_buyers_side_has_no_signature(stage: Stage) -> None:
    with stage.truth_after(seller=LIAR) as fill:
        told = stage.liars.lie(LIAR, "LieAsSeller", fill, "TRUTH", "ASSET", "COIN")
        assert [one.refusal for one in told] == [
            (who, "MISSING_SIGNATURE", "signatures") for who in (REGISTRAR, ISSUER)
        ]
        assert not any(one.signed for one in told)
        stage.rest()


def test_a_seller_when_it_slips_in_another_fill_is_refused(stage: Stage) -> None:
    other = stage.fill(seller=LIAR)
    with stage.truth_after(seller=LIAR) as fill:
        (told,) = stage.liars.lie(LIAR, "SlipInAnother", fill, other)
        assert told.refusal == (NAMES[HONEST], "UNEXPECTED_STATE", "terms")
        assert not told.signed
        stage.rest()
    stage.settles(other, seller=LIAR)


def test_a_seller_when_it_never_had_the_fill_is_told_so(stage: Stage) -> None:
    with stage.truth_after(seller=LIAR):
        (told,) = stage.liars.lie(LIAR, "AskAsSeller", stage.new_id(), NAMES[HONEST])
        assert told.code == "UNKNOWN_FILL"
        stage.rest()


def test_a_seller_when_the_fill_is_anothers_is_refused_by_each_signer(stage: Stage) -> None:
    """Custodian B would sell what custodian A's investor has sold to B's own."""
    earlier = stage.fill(seller=HONEST)
    stage.settles(earlier, seller=HONEST)
    with stage.truth_after(seller=HONEST) as fill:
        (told,) = stage.liars.lie(LIAR, "AskAsSeller", fill, NAMES[HONEST])
        assert told.code == "MIXED_COUNTERPARTIES"
        answers = stage.liars.lie(LIAR, "SettleAnothers", fill, earlier)
        expected = [(who, "MIXED_COUNTERPARTIES", "seller_custodian") for who in (REGISTRAR, ISSUER)]
        assert [one.refusal for one in answers] == expected, answers
        assert not any(one.signed for one in answers)
        stage.rest()


def test_a_seller_when_it_settles_again_is_refused_by_each_signer(stage: Stage) -> None:
    settled = stage.fill(seller=LIAR)
    stage.settles(settled, seller=LIAR)
    with stage.truth_after(seller=LIAR):
        (told,) = stage.liars.lie(LIAR, "AskAsSeller", settled, NAMES[HONEST])
        assert told.code == "ALREADY_SETTLED"
        answers = stage.liars.lie(LIAR, "SettleAgain", settled)
        assert [one.refusal for one in answers] == [(who, "NOT_ON_REGISTER", "inputs") for who in (REGISTRAR, ISSUER)]
        assert not any(one.signed for one in answers)
        stage.rest()


MISPLAYED = [
    ("DECIDES_UNASKED", "BAD_REQUEST"),
    ("DECIDES_TWICE", "BAD_REQUEST"),
    ("ASKS_FOR_TOO_MANY", "TOO_MANY"),
    ("ASKS_TOO_OFTEN", "ENDED"),
]


@pytest.mark.parametrize(("misplay", "code"), MISPLAYED)
def test_a_seller_when_it_plays_a_session_from_the_middle_or_without_end_is_cut_off(
    stage: Stage, misplay: str, code: str
) -> None:
    with stage.truth_after(seller=LIAR) as fill:
        (told,) = stage.liars.lie(LIAR, "MisplaySession", fill, misplay)
        assert (told.who, told.code) == (NAMES[HONEST], code), told
        stage.rest()


def test_a_seller_when_it_floods_gets_one_reservation(stage: Stage) -> None:
    sessions = 12
    with stage.truth_after(seller=LIAR) as fill:
        told = stage.liars.lie(LIAR, "FloodAsSeller", fill, str(sessions))
        assert len(told) == sessions
        refused = [one for one in told if one.code is not None]
        assert len(refused) == sessions - 1
        assert {one.refusal for one in refused} == {(NAMES[HONEST], "SESSION_BUSY", "execution_id")}
        stage.rest()
