"""Playing a file of requests again, each at its own time, as fast as wanted. Clock and sleep are handed in."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ippon.errors import BadFile, BadRequest
from ippon.venue.calendar import tokyo_day
from ippon.venue.floor import Floor
from ippon.venue.flow import read_flow
from ippon.venue.listing import load_brokers, load_securities
from ippon.venue.orders import Message
from ippon.venue.settings import VenueSettings

MAX_SPEED = 1_000_000
MAX_BATCH = 1_000
_SPEED = re.compile(r"([1-9][0-9]{0,6})x?")


def speed_of(text: str) -> int | None:
    """`10x` or `10`: ten times as fast as it was; `max`: None, without waiting."""
    if text == "max":
        return None
    match = _SPEED.fullmatch(text)
    if not match or int(match[1]) > MAX_SPEED:
        raise BadRequest(f"The speed must be 1x to {MAX_SPEED}x, or max, but is '{text[:20]}'.", field="speed")
    return int(match[1])


def requests_of(content: bytes) -> list[tuple[int, Message]]:
    """(milliseconds, request) of a file that is good as a whole and in the order of time; BadFile names the line."""
    found: list[tuple[int, Message]] = []
    for line in read_flow(content):
        if line.problem is not None or line.message is None:
            raise BadFile(f"Line {line.number}: {line.problem.message if line.problem else 'it has no request.'}")
        if line.at_millis is None:
            raise BadFile(f"Line {line.number}: a replay needs the time 'at'.", field="at")
        if found and line.at_millis < found[-1][0]:
            raise BadFile(f"Line {line.number}: its time is before that of the line above.", field="at")
        found.append((line.at_millis, line.message))
    if not found:
        raise BadFile("The file has no requests.")
    return found


def paced(
    requests: Sequence[tuple[int, Message]],
    *,
    speed: int | None,
    monotonic_millis: Callable[[], int],
    sleep: Callable[[float], None],
) -> Iterator[list[tuple[int, Message]]]:
    """The requests in runs that are due together; without a speed, in runs of MAX_BATCH."""
    begun, first = monotonic_millis(), requests[0][0]
    batch: list[tuple[int, Message]] = []
    for request in requests:
        if speed is not None:
            wait = (request[0] - first) // speed - (monotonic_millis() - begun)
            if wait > 0:
                if batch:
                    yield batch
                    batch = []
                    wait = (request[0] - first) // speed - (monotonic_millis() - begun)
                sleep(max(wait, 0) / 1000)
        batch.append(request)
        if len(batch) >= MAX_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def play(
    settings: VenueSettings,
    requests: Sequence[tuple[int, Message]],
    *,
    speed: int | None,
    monotonic_millis: Callable[[], int],
    sleep: Callable[[float], None],
) -> Mapping[str, int]:
    """Play requests of one day on a floor of their own, to the day's end; reports by kind.

    Raises: BadFile when they are of several days; BadRequest when the folder has been used.
    """
    day = tokyo_day(requests[0][0])
    if tokyo_day(requests[-1][0]) != day:
        raise BadFile(f"The requests must be of one day in Tokyo, but begin on {day} and go on.", field="at")
    if (settings.state_dir / day.isoformat()).exists():
        raise BadRequest(f"{settings.state_dir} holds a replay of {day}: name another folder.", field="out")
    securities, brokers = load_securities(settings.securities_file), load_brokers(settings.brokers_file)
    floor = Floor(settings=settings, day=day, securities=securities, brokers=brokers)
    counts: Counter[str] = Counter()
    try:
        for batch in paced(requests, speed=speed, monotonic_millis=monotonic_millis, sleep=sleep):
            counts.update(report.kind.value for report in floor.take(batch))
        counts.update(report.kind.value for report in floor.finish())
    finally:
        floor.close()
    return dict(sorted(counts.items()))
