"""What goes wrong, how often, and whether it still does: every choice is drawn from the seed."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from random import Random


@dataclass(slots=True, kw_only=True)
class Rates:
    """How often, per occasion; a seed scales each of them, some down to nothing."""

    reply_lost_before: float = 0.02
    """A call of the node that never reaches it."""
    reply_lost_after: float = 0.02
    """A call of the node whose answer is lost."""
    agent_killed: float = 0.004
    """Per call of node or store: the agent's process dies there."""
    other_worker: float = 0.01
    """Per call of the node: the second worker of the same store has its turn in the middle."""
    store_locked: float = 0.005
    """Per transaction of a store."""
    store_full: float = 0.005
    """Per commit of a store."""
    event_lost: float = 0.1
    """Per move of a node: its agent is not woken."""
    event_doubled: float = 0.1
    row_late: float = 0.1
    """Per notice: it becomes visible after a later one."""
    row_doubled: float = 0.02
    """Per query of notices or fills: a row comes twice."""
    message_late: float = 0.15
    """Per verdict: it arrives seconds or minutes later."""
    session_broken: float = 0.01
    """Per message of a session."""
    flow_held: float = 0.05
    """Per suspension: it takes seconds."""
    flow_hung: float = 0.003
    """Per suspension of a settlement: it takes many minutes, and is killed."""
    flow_killed: float = 0.004
    """Per suspension of a settlement."""
    result_lost: float = 0.005
    """Per flow that has ended: the node forgets its client id."""
    node_down: float = 0.01
    """Per node and round."""
    clock_jump: float = 0.01
    """Per clock and round: by up to five minutes, forth or back."""
    doubled: float = 0.02
    """Per agent and round: a second worker on its store."""
    upgraded: float = 0.004
    """Per agent and round: a new version takes over the store."""


class Faults:
    """The dice. `on` is switched off at the end, and then nothing more goes wrong."""

    def __init__(self, random: Random, *, on: bool = True) -> None:
        self.random = random
        self.on = on
        self.rates: dict[str, float] = asdict(Rates())
        self.counts: dict[str, int] = {}
        if on:
            for name in self.rates:
                self.rates[name] *= random.choice((0.0, 0.5, 1.0, 1.0, 2.0))

    def happens(self, name: str) -> bool:
        """Whether the fault of this rate happens now."""
        if not self.on or self.random.random() >= self.rates[name]:
            return False
        self.counts[name] = self.counts.get(name, 0) + 1
        return True

    def kills(self, name: str, where: str) -> bool:
        """Whether this flow is killed for good now. Only settlements are: an operator kills no other."""
        return name == "settle_fills" and where != "record" and self.happens("flow_killed")

    def delay(self, name: str, where: str) -> timedelta | None:
        """How long a flow is held up; None: not at all."""
        if name == "settle_fills" and where != "record" and self.happens("flow_hung"):
            return timedelta(seconds=2000)
        if self.happens("flow_held"):
            return timedelta(milliseconds=self.random.randrange(200, 8000))
        return None

    def late(self) -> timedelta | None:
        """How much later a message arrives; None: at once."""
        if not self.happens("message_late"):
            return None
        longest = self.random.choice((1_000, 10_000, 60_000))
        return timedelta(milliseconds=self.random.randrange(100, longest))

    def jump(self) -> timedelta:
        """How far a clock jumps."""
        return timedelta(seconds=self.random.choice((-300, -60, -5, 5, 60, 300)))
