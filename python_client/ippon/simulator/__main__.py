"""`python -m ippon.simulator --seed 123 [--fills 200] [--trace]`, or `--seeds 5000 --jobs 2` for many."""

from time import perf_counter
from typing import Annotated

import typer

from ippon.simulator.play import FILLS, Stage, Verdict, play_many

app = typer.Typer(add_completion=False)


@app.command()
def simulate(
    *,
    seed: Annotated[int, typer.Option(min=0, help="The seed to play; with --seeds the first one.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many seeds, one after the other.")] = 1,
    fills: Annotated[int, typer.Option(min=1, max=2_000, help="Fills of each seed's day.")] = FILLS,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes for many seeds.")] = 1,
    trace: Annotated[bool, typer.Option("--trace", help="Print every event (one seed).")] = False,
) -> None:
    """Play the agents on a model ledger under seeded faults; exit 1 when something that must be true is not."""
    began = perf_counter()
    if seeds == 1:
        verdicts = [Stage().play(seed, fills=fills, trace=typer.echo if trace else lambda _: None)]
    else:
        verdicts = []
        for verdict in play_many(range(seed, seed + seeds), fills=fills, jobs=jobs):
            verdicts.append(verdict)
            _tell(verdict)
    bad = [verdict for verdict in verdicts if verdict.violations]
    if seeds == 1 and not trace:
        _tell(verdicts[0])
    seconds, calm = perf_counter() - began, max(verdict.calm_seconds for verdict in verdicts)
    # What a run prints must be the same each time that it is played again, so times go to the other stream.
    typer.echo(
        f"{len(verdicts)} seeds of {fills} fills, {len(bad)} with violations, over after at most {calm} calm "
        f"seconds, {seconds:.1f} s",
        err=True,
    )
    raise typer.Exit(1 if bad else 0)


def _tell(verdict: Verdict) -> None:
    if verdict.violations:
        typer.echo(f"seed {verdict.seed}: {len(verdict.violations)} violations")
    for line in verdict.violations[:10]:
        typer.echo(f"  {line}")


if __name__ == "__main__":
    app()
