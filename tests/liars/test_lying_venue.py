"""The exchange node lies to both custodians: neither takes in what is wrong, and a settled fill stays settled."""

from __future__ import annotations

import pytest

from ippon.model import FillStatus
from liars.stage import HONEST, LIAR, NAMES, Stage, eventually

REFUSED_BY_BOTH = [
    ("AMOUNT", "CONTRACT_REFUSED", None),
    ("PRICE", "CONTRACT_REFUSED", None),
    ("QUANTITY", "CONTRACT_REFUSED", None),
    ("CUSTODIAN", "NOT_ACCEPTED_PARTY", "buyer_custodian"),
    ("REGISTRAR", "NOT_ACCEPTED_PARTY", "registrar"),
    ("COIN_ISSUER", "NOT_ACCEPTED_PARTY", "coin_issuer"),
    ("PLATFORM", "UNKNOWN_PLATFORM", "platform_code"),
    ("ORDERS", "ORDER_PROOF_MISMATCH", "trade_id"),
    ("NOTARY", "CONTRACT_REFUSED", None),
    ("SAME_ID", "DUPLICATE_FILL", "execution_id"),
]


def on_record(stage: Stage, execution_id: str) -> list[FillStatus | None]:
    return [stage.status(member, execution_id) for member in (HONEST, LIAR)]


@pytest.mark.parametrize(("lie", "code", "field"), REFUSED_BY_BOTH, ids=[one[0] for one in REFUSED_BY_BOTH])
def test_a_venue_when_its_notice_is_wrong_is_refused(stage: Stage, lie: str, code: str, field: str | None) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        forged = stage.new_id()
        told = stage.liars.lie("exchange", "LieAsVenue", fill, forged, lie)
        # A fill that names the venue for its buyer's custodian is shown to those whom the true one names.
        assert [one.refusal for one in told] == [(NAMES[who], code, field) for who in (HONEST, LIAR)], told
        assert on_record(stage, forged) == [None, None]
        assert on_record(stage, fill) == [FillStatus.OPEN, FillStatus.OPEN]
        stage.rest()


@pytest.mark.parametrize(("lie", "side"), [("SELLER", HONEST), ("BUYER", LIAR)])
def test_a_venue_when_it_names_nobodys_investor_is_refused_by_that_side(stage: Stage, lie: str, side: str) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        forged = stage.new_id()
        told = stage.liars.lie("exchange", "LieAsVenue", fill, forged, lie)
        (refused,) = [one for one in told if one.code]
        assert refused.refusal == (NAMES[side], "UNKNOWN_INVESTOR", f"{lie.lower()}_investor_id")
        assert on_record(stage, forged) == [None, None]
        stage.rest()


def test_a_venue_when_it_has_not_signed_is_recorded_by_nobody(stage: Stage) -> None:
    with stage.truth_after(seller=HONEST) as fill:
        forged = stage.new_id()
        told = stage.liars.lie("exchange", "LieAsVenue", fill, forged, "UNSIGNED")
        # It says that the notice is complete as it is; whoever was to record it looks for the signature then.
        assert [one.code for one in told] == [None, None]
        stage.rest()
        assert on_record(stage, forged) == [None, None]


def test_a_venue_when_it_busts_a_settled_fill_is_refused(stage: Stage) -> None:
    settled = stage.fill(seller=HONEST)
    stage.settles(settled, seller=HONEST)
    with stage.truth_after(seller=HONEST):
        told = stage.liars.lie("exchange", "BustSettled", settled)
        expected = [(NAMES[who], "ALREADY_SETTLED", "execution_id") for who in (HONEST, LIAR)]
        assert [one.refusal for one in told] == expected
        assert on_record(stage, settled) == [FillStatus.SETTLED, FillStatus.SETTLED]
        stage.rest()


def test_a_venue_when_it_tells_one_side_only_has_nothing_settled(stage: Stage) -> None:
    like = stage.fill(seller=HONEST)
    known = stage.new_id()
    assert [one.code for one in stage.liars.lie("exchange", "TellOneSide", like, known, "SELLER")] == [None]
    eventually(lambda: stage.status(HONEST, known) is FillStatus.OPEN)
    result = stage.settle(known, seller=HONEST)
    assert (result["outcome"], result["cause"]) == ("REFUSED", "UNKNOWN_FILL"), result
    stage.rest()
    stage.settles(like, seller=HONEST)
    assert [one.code for one in stage.liars.lie("exchange", "TellOneSide", like, known, "BUYER")] == [None]
    eventually(lambda: stage.status(LIAR, known) is FillStatus.OPEN)
    stage.settles(known, seller=HONEST)
