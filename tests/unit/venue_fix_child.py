"""`python -m unit.venue_fix_child FOLDER`: a venue with a FIX door as a process of its own, to be killed."""

import asyncio
import sys
import threading
from pathlib import Path

from ippon.venue.fix.gateway import serve
from ippon.venue.settings import load_settings
from unit.venue_fix_world import Venue


def main(folder: Path) -> None:
    venue = Venue(load_settings(folder / "venue.json"))

    def ready() -> None:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

    asyncio.run(serve(venue.process, venue.gateway, venue.fix, stop=threading.Event(), ready=ready))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
