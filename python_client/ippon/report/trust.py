"""I1 and I4: coins against the yen in trust.

The statement's lines are told apart by what the ledger says of the instruction they name:

- backing: its coins were issued, for exactly this amount
- received, not yet issued: the instruction is open or unknown
- to be returned: the instruction ended without coins (rejected, cancelled, expired); returned when paid out again
- redeemed, not yet paid: coins given back whose yen are still in the account

Yen in trust (the sum of all lines) = coins outstanding + the three kinds that stand apart. All amounts in yen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from ippon.report.ledger import Instruction, Ledger, Violation, holding_of, instruction_of, vault_holdings
from ippon.report.result import Figure, InvariantResult, figure, result
from ippon.report.snapshot import NodeVault, StatementLine, TransactionRow, organisation_of


@dataclass(frozen=True)
class Issue:
    """Coins made by one transaction, and the instructions it consumed."""

    transaction_id: str
    amount: int
    issuer: str
    instructions: tuple[Instruction, ...]


@dataclass
class Account:
    """The trust account's lines, sorted by what became of them."""

    lines: dict[str, StatementLine] = field(default_factory=dict)
    backing: int = 0
    waiting: int = 0
    to_return: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Yen in trust."""
        return sum(line.amount for line in self.lines.values())


def coins_equal_yen(ledger: Ledger) -> InvariantResult:
    """I1."""
    issues, redemptions = list(issues_of(ledger)), redemptions_of(ledger)
    account = read_account(ledger, issues, redemptions)
    violations = list(account.violations)
    outstanding = {name: 0 for name, _ in ledger.nodes("coin")}
    for name, node in ledger.nodes("coin"):
        outstanding[name] = sum(size for _, _, size in vault_holdings(node, "Coin"))
        issuer = organisation_of(node.organisation)
        violations += _outstanding_is_issued(outstanding[name], issuer, issues, redemptions)
        violations += list(_custodians_agree(ledger, node))
    unpaid = sum(amount for _, amount in redemptions.values()) - sum(account.paid.values())
    expected = sum(outstanding.values()) + account.waiting + account.to_return + unpaid
    if account.total != expected:
        message = (
            f"the account holds {account.total:,} yen, but {sum(outstanding.values()):,} coins, {account.waiting:,} "
            f"not yet issued, {account.to_return:,} to be returned and {unpaid:,} to be paid make {expected:,}"
        )
        violations.append(Violation("trust account", message))
    figures = _figures(ledger, sum(outstanding.values()), issues, redemptions, account, unpaid)
    return result("I1", figures, violations)


def one_issue_per_instruction(ledger: Ledger) -> InvariantResult:
    """I4."""
    issues = list(issues_of(ledger))
    violations = [violation for issue in issues for violation in _issue_is_as_instructed(issue)]
    keys = [(one.custodian, one.instruction_id) for issue in issues for one in issue.instructions]
    for (custodian, instruction_id), times in Counter(keys).items():
        if times > 1:
            violations.append(Violation(instruction_id, f"coins were issued {times} times for {custodian}"))
    states = list(_instruction_states(ledger))
    for node, status, instruction in states:
        spenders = ledger.spenders.get(instruction.ref, [])
        if (status == "CONSUMED") != (len(spenders) == 1):
            message = f"{node} holds it as {status.lower()}, but {len(spenders)} transactions consume it"
            violations.append(Violation(instruction.instruction_id, message))
    refs = {instruction.ref: status for _, status, instruction in states}
    open_count = sum(status == "UNCONSUMED" for status in refs.values())
    figures = [
        figure("instructions", "Instructions", "指図", len(refs), "instructions"),
        figure("executed", "Executed, coins issued", "実行(発行済)", len(keys), "instructions"),
        figure("open", "Open", "未処理", open_count, "instructions"),
        figure("ended", "Ended without coins", "発行なしで終了", len(refs) - len(keys) - open_count, "instructions"),
    ]
    return result("I4", figures, violations)


def issues_of(ledger: Ledger) -> Iterator[Issue]:
    """Every issue of coins."""
    for tx in ledger.with_command("Issue", "Coin"):
        held = [holding_of(row.type, row.data) for row in tx.outputs if row.type == "Coin"]
        consumed = [instruction_of(row.ref, row.data) for row in ledger.inputs(tx) if row.type == "TrustInstruction"]
        issuer = next((one[0].issuer for one in held if one), "")
        yield Issue(tx.transaction_id, sum(one[1] for one in held if one), issuer, tuple(consumed))


def redemptions_of(ledger: Ledger) -> dict[str, tuple[str, int]]:
    """Redemption id to (coin issuer, yen taken out of circulation)."""
    found: dict[str, tuple[str, int]] = {}
    for tx in ledger.with_command("Redeem"):
        issuers = {position.issuer for position in ledger.changes(tx) if position.asset == "coins"}
        redeemed = -sum(size for position, size in ledger.changes(tx).items() if position.asset == "coins")
        found[_redemption_id(tx)] = (next(iter(issuers), ""), redeemed)
    return found


def read_account(ledger: Ledger, issues: list[Issue], redemptions: dict[str, tuple[str, int]]) -> Account:
    """Sort the statement's lines; a line that came in two files counts once, and must be the same in both."""
    account = Account()
    for statement in ledger.snapshot.statements:
        for line in statement.lines:
            known = account.lines.setdefault(line.line_id, line)
            if known != line:
                message = (
                    f"the line is {known.amount:,} yen for {known.reference} in one file, {line.amount:,} in another"
                )
                account.violations.append(Violation(line.line_id, message))
    issued = {(one.custodian, one.instruction_id): issue for issue in issues for one in issue.instructions}
    ended = _ended_instructions(ledger) - set(issued)
    claimed: set[tuple[str, str]] = set()
    for line in sorted(account.lines.values(), key=lambda one: one.line_id):
        key = (organisation_of(line.custodian), line.reference)
        if line.amount < 0:
            _pay_out(account, line, key, ended, redemptions)
        elif key in issued and key not in claimed and line.amount == issued[key].amount:
            claimed.add(key)
            account.backing += line.amount
        elif key in ended:
            account.to_return += line.amount
        else:
            account.waiting += line.amount
    for key in issued.keys() - claimed:
        message = (
            f"{issued[key].amount:,} coins were issued for {key[0]}, but no line of the statement brings exactly that"
        )
        account.violations.append(Violation(key[1], message))
    return account


def _pay_out(
    account: Account,
    line: StatementLine,
    key: tuple[str, str],
    ended: set[tuple[str, str]],
    redemptions: dict[str, tuple[str, int]],
) -> None:
    if key in ended:
        account.to_return += line.amount
    elif line.reference in redemptions and line.reference not in account.paid:
        account.paid[line.reference] = -line.amount
        if -line.amount != redemptions[line.reference][1]:
            message = f"{-line.amount:,} yen were paid out for {redemptions[line.reference][1]:,} coins redeemed"
            account.violations.append(Violation(line.line_id, message))
    else:
        message = f"{-line.amount:,} yen left the account for {line.reference}, which is no unpaid redemption"
        account.violations.append(Violation(line.line_id, message))


def _outstanding_is_issued(
    outstanding: int, issuer: str, issues: list[Issue], redemptions: dict[str, tuple[str, int]]
) -> list[Violation]:
    issued = sum(issue.amount for issue in issues if issue.issuer == issuer)
    redeemed = sum(amount for redeemer, amount in redemptions.values() if redeemer == issuer)
    if outstanding == issued - redeemed:
        return []
    message = (
        f"{outstanding:,} coins are outstanding, but {issued:,} issued − {redeemed:,} redeemed is {issued - redeemed:,}"
    )
    return [Violation(issuer, message)]


def _custodians_agree(ledger: Ledger, coin_node: NodeVault) -> Iterator[Violation]:
    issuer = organisation_of(coin_node.organisation)
    by_custodian: dict[str, dict[str, int]] = defaultdict(dict)
    for ref, position, size in vault_holdings(coin_node, "Coin"):
        by_custodian[position.custodian][ref] = size
    for name, node in ledger.nodes("custodian"):
        organisation = organisation_of(node.organisation)
        own = {
            ref: size
            for ref, position, size in vault_holdings(node, "Coin")
            if position.issuer == issuer and position.custodian == organisation
        }
        theirs = by_custodian.pop(organisation, {})
        for ref in sorted(own.keys() | theirs.keys()):
            if own.get(ref) != theirs.get(ref):
                yield Violation(
                    ref, f"{name} holds {own.get(ref, 0):,} coins in it, {issuer} says {theirs.get(ref, 0):,}"
                )
    for organisation, coins in by_custodian.items():
        yield Violation(organisation, f"{sum(coins.values()):,} coins are with a custodian whose vault was not read")


def _issue_is_as_instructed(issue: Issue) -> list[Violation]:
    if len(issue.instructions) != 1:
        return [
            Violation(issue.transaction_id, f"the issue consumes {len(issue.instructions)} trust instructions, not one")
        ]
    instruction = issue.instructions[0]
    if instruction.amount == issue.amount:
        return []
    return [
        Violation(instruction.instruction_id, f"{instruction.amount:,} yen instructed, {issue.amount:,} coins issued")
    ]


def _instruction_states(ledger: Ledger) -> Iterator[tuple[str, str, Instruction]]:
    for name, node in ledger.snapshot.nodes.items():
        organisation = organisation_of(node.organisation)
        for row in node.states:
            if row.type == "TrustInstruction":
                instruction = instruction_of(row.ref, row.data)
                if organisation in (instruction.custodian, instruction.issuer):
                    yield name, row.status, instruction


def _ended_instructions(ledger: Ledger) -> set[tuple[str, str]]:
    return {
        (instruction.custodian, instruction.instruction_id)
        for _, status, instruction in _instruction_states(ledger)
        if status == "CONSUMED"
    }


def _redemption_id(tx: TransactionRow) -> str:
    return next((str(one.data["redemption_id"]) for one in tx.commands if one.kind == "Redeem"), tx.transaction_id)


def _figures(
    ledger: Ledger,
    outstanding: int,
    issues: list[Issue],
    redemptions: dict[str, tuple[str, int]],
    account: Account,
    unpaid: int,
) -> list[Figure]:
    issued, redeemed = sum(issue.amount for issue in issues), sum(amount for _, amount in redemptions.values())
    figures = [
        figure("outstanding", "Coins outstanding", "SC発行残高", outstanding, "yen"),
        figure("issued", "Issued", "発行", issued, "yen"),
        figure("redeemed", "Redeemed", "償還", redeemed, "yen"),
        figure("yen_in_trust", "Yen in trust", "信託口座の金銭", account.total, "yen"),
        figure(
            "backing",
            "of it backing coins",
            "うちSCの裏付け",
            account.backing - sum(account.paid.values()) - unpaid,
            "yen",
        ),
        figure("not_issued", "received, not yet issued", "入金済・未発行", account.waiting, "yen"),
        figure("to_return", "of ended instructions, to be returned", "却下等・返金待ち", account.to_return, "yen"),
        figure("redeemed_unpaid", "redeemed, not yet paid", "償還済・未払い", unpaid, "yen"),
    ]
    for name, node in ledger.nodes("custodian"):
        held = sum(size for _, _, size in vault_holdings(node, "Coin"))
        figures.append(figure(f"coins_{name}", f"Coins at {name}", f"{name} のSC残高", held, "yen"))
    return figures
