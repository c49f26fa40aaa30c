"""English and Japanese words of outcomes and reasons, for reports and screens."""

OUTCOMES = {
    "settled": ("settled", "決済済"),
    "waiting": ("waiting", "待機中"),
    "busted": ("busted", "取消"),
    "refused": ("refused", "拒否"),
    "received": ("received", "受領"),
    "checked": ("checked", "確認済"),
    "sending": ("sending", "送信中"),
    "unknown": ("unknown", "不明"),
    "cancelled": ("cancelled", "取下げ"),
    "expired": ("expired", "失効"),
    "duplicate": ("sent again, ignored", "再送・無視"),
}

REASONS = {
    "MONY": ("the buyer is short of coins", "買側SC不足"),
    "CMON": ("the counterparty is short of coins", "相手方SC不足"),
    "LACK": ("the seller is short of units", "売側ST不足"),
    "CLAC": ("the counterparty is short of units", "相手方ST不足"),
    "FUTU": ("before its settle date", "決済日前"),
    "CONF": ("a confirmation is awaited", "確認待ち"),
    "LATE": ("past its time", "期限超過"),
    "PREA": ("held back", "保留"),
    "PRCY": ("held back by the counterparty", "相手方保留"),
    "BLOC": ("blocked", "停止"),
}

CAUSES = {
    "ROUTE_BANK": ("the buyer pays by bank", "買側は銀行決済"),
    "ROUTE_MISSING": ("the buyer has no funds route", "買側の資金決済情報なし"),
}


def outcome_words(outcome: str) -> tuple[str, str]:
    """English and Japanese of a desk state; a word not known here stands for itself."""
    return OUTCOMES.get(outcome, (outcome, outcome))


def reason_words(reason: str | None, cause: str | None = None) -> tuple[str, str]:
    """English and Japanese of why a fill waits; the cause is the more exact of the two."""
    if cause in CAUSES:
        return CAUSES[cause]
    return REASONS.get(reason or "", (reason or "", reason or ""))
