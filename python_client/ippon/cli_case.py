"""`ippon case`: what post-trade costs a broker today and on one line, by the report or by what a network did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ippon.cli_output import JsonFlag, emit_json, local_network, say, screen
from ippon.economics.case import Case, make_case
from ippon.economics.export import as_csv, as_json, parameters_json
from ippon.economics.measure import measure
from ippon.economics.measured import REPLACED, VOLUME_NAMES, Measured
from ippon.economics.page import write_page
from ippon.economics.parameters import HOW_TO_LIST, Parameters, read_parameters
from ippon.economics.settings import DEFAULT_FILE, CaseSettings, load_settings
from ippon.economics.tables import case_tables, parameters_table
from ippon.errors import BadRequest, BadSettings
from ippon.report.proof import take_snapshot
from ippon.report.snapshot import Snapshot


class Language(StrEnum):
    """What a report may be written in."""

    EN = "en"
    JA = "ja"


SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value for a parameter; may be repeated."),
]
SettingsOption = Annotated[Path | None, typer.Option("--settings", help="Parameters, ranges and prices: a YAML file.")]


FromOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day measured, Tokyo.")]
ToOption = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day measured, Tokyo.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write the report with its charts to this file.")]
NetworkFlag = Annotated[bool, typer.Option("--from-network", help="Volumes from this machine's network.")]
SnapshotOption = Annotated[Path | None, typer.Option(help="Volumes from what 'ippon report proof --save' kept.")]
LangOption = Annotated[Language, typer.Option("--lang", help="Language of tables and HTML.")]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print the tables as CSV.")]
ParametersFlag = Annotated[bool, typer.Option("--parameters", help="Name every parameter, with unit and page.")]


def case(
    *,
    settings: SettingsOption = None,
    changes: SetOption = None,
    html: HtmlOption = None,
    lang: LangOption = Language.EN,
    csv: CsvFlag = False,
    parameters: ParametersFlag = False,
    from_network: NetworkFlag = False,
    snapshot: SnapshotOption = None,
    first: FromOption = None,
    last: ToOption = None,
    json_output: JsonFlag = False,
) -> None:
    """Show the business case: costs today and on one line, break-evens, simulations, sensitivity.

    Without options it is the report's, figure by figure. Exit code 2 when a parameter is refused.

    Example: ippon case --html build/case.html --lang ja
    """
    source = from_network or snapshot is not None
    _one_of({"--csv": csv, "--json": json_output})
    _one_of({"--from-network": from_network, "--snapshot": snapshot is not None})
    _need_source("--from", first, source=source)
    _need_source("--to", last, source=source)
    given = load_settings(settings or DEFAULT_FILE)
    measured = _measured(given, snapshot, first, last) if source else None
    these = _parameters(given, measured, _pairs(changes or []))
    if settings is None:
        given = given.around(these, without=REPLACED if measured else ())
    if parameters:
        _show_parameters(these, lang, as_json_text=json_output)
        return
    made = make_case(these, given, measured=measured)
    if html:
        _write(made, html, lang)
    if csv or json_output or not html:
        _print(made, lang, as_csv_text=csv, as_json_text=json_output)


def _one_of(options: Mapping[str, bool]) -> None:
    if all(options.values()):
        raise typer.BadParameter(f"choose one of {' and '.join(options)}", param_hint=next(iter(options)))


def _need_source(option: str, day: datetime | None, *, source: bool) -> None:
    if day and not source:
        raise typer.BadParameter("needs --from-network or --snapshot", param_hint=option)


def _print(made: Case, lang: Language, *, as_csv_text: bool, as_json_text: bool) -> None:
    if as_json_text:
        emit_json(as_json(made))
    elif as_csv_text:
        typer.echo(as_csv(made), nl=False)
    else:
        screen().print(case_tables(made, lang.value))


def _show_parameters(these: Parameters, lang: Language, *, as_json_text: bool) -> None:
    if as_json_text:
        emit_json(parameters_json(these))
    else:
        screen().print(parameters_table(these, lang.value))


def _measured(settings: CaseSettings, snapshot: Path | None, first: datetime | None, last: datetime | None) -> Measured:
    taken = Snapshot.load(snapshot) if snapshot else take_snapshot(local_network())
    return measure(
        taken,
        prices=settings.network.unit_prices_yen,
        first=first.date() if first else None,
        last=last.date() if last else None,
    )


def _parameters(settings: CaseSettings, measured: Measured | None, changes: dict[str, str]) -> Parameters:
    """Settings over the report, measured volumes over settings, `--set` over all."""
    made = settings.applied()
    if measured:
        twice = next((name for name in VOLUME_NAMES if name in settings.parameters), None)
        if twice:
            text = f"{twice} is measured on the network: take it out of the settings, or say --set {twice}=… instead."
            raise BadSettings(text, where=settings.where, field=twice)
        made = measured.parameters(made)
    return read_parameters(changes, where="--set", base=made)


def _write(made: Case, path: Path, lang: Language) -> None:
    if path.is_dir():
        raise BadRequest(f"{path} is a folder: name a file in it, such as {path / 'case.html'}.", field="--html")
    write_page(made, path, lang.value)
    # On stderr, so that --csv and --json print nothing else.
    say(str(path))


def _pairs(changes: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in changes:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            raise BadSettings(f"'{text}' must be NAME=VALUE, such as brokers=20. {HOW_TO_LIST}", where="--set")
        if name in pairs:
            raise BadSettings(f"{name} is given twice: keep one of them.", where="--set", field=name)
        pairs[name] = value
    return pairs
