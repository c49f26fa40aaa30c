"""What an agent is told: a JSON file, each key overridable by `IPPON_AGENT_<KEY>` (nested keys with `__`).

Relative paths are relative to the file. Every limit and time has its unit in its name.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ippon.configuration import read_configuration
from ippon.model import Role

Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpBridge(_Part):
    """The bridge's HTTP door."""

    kind: Literal["http"] = "http"
    url: str
    agent_token_file: Path
    operator_token_file: Path | None = None
    ca_file: Path | None = None
    """Whose certificates to trust when the URL is https; those that Python's certifi knows when None."""
    timeout_seconds: Seconds = 30.0


class Py4jBridge(_Part):
    """The bridge's py4j door; `operator_port` when the operator has a gateway of its own."""

    kind: Literal["py4j"]
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)]
    agent_token_file: Path
    operator_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    operator_token_file: Path | None = None
    timeout_seconds: Seconds = 30.0


class Timers(_Part):
    """When things are done by themselves."""

    retry_base_seconds: Seconds = 5.0
    """First wait of a waiting fill that no event wakes; doubles with each try."""
    retry_cap_seconds: Seconds = 900.0
    """Longest such wait."""
    transient_base_seconds: Seconds = 1.0
    """First wait after trouble on the way (a node down, a conflict); doubles."""
    transient_cap_seconds: Seconds = 60.0
    """Longest such wait."""
    idle_poll_millis: Annotated[int, Field(ge=10, le=60_000)] = 250
    """How often inbox and store are looked at when nothing wakes the agent."""
    wait_millis: Annotated[int, Field(ge=0, le=30_000)] = 20_000
    """Length of one long poll of the node."""
    reconcile_seconds: Seconds = 60.0
    """How often everything open is compared with the node, whatever events came."""
    pending_poll_seconds: Seconds = 10.0
    """How often the node's pending reservations are looked at."""
    pending_grace_seconds: Seconds = 30.0
    """How long past its deadline a pending reservation may stand before its flow is killed."""
    lease_seconds: Seconds = 120.0
    """How long a worker that shows no sign of life keeps its work."""
    fills_overlap_seconds: Seconds = 10.0
    """How far back changes are read again: a change may be recorded later than its time says."""
    clock_jump_seconds: Seconds = 900.0
    """How far back they are read with each comparison: the node's clock may have been set back meanwhile."""
    slow_settlement_seconds: Seconds = 10.0
    """From this age on a running settlement holds back no other of the same pair of custodians."""
    settlement_limit_seconds: Seconds = 900.0
    """How long a settle flow may run before it is killed (operator token) and the ledger asked."""
    receipt_seconds: Seconds = 1.0
    """How often the receipt of a file that is not finished is written anew, at most."""
    instruction_valid_hours: Annotated[int, Field(ge=1, le=24 * 366)] = 72
    """How long a trust instruction may wait for its cash."""


class Limits(_Part):
    """How much at most."""

    max_fills_per_settlement: Annotated[int, Field(ge=1, le=200)] = 50
    max_settlements_in_flight: Count = 8
    max_starts_in_flight: Count = 8
    """Other flows in flight, per kind of work."""
    max_refusals: Count = 5
    """Tries in a row that may be refused for a reason not known to be final before the fill counts as refused."""
    max_tries: Count = 1_000
    """Starts of one piece of work that is neither a settlement nor done."""
    max_file_bytes: Annotated[int, Field(ge=1, le=1_000_000_000)] = 16_000_000
    max_rows_per_file: Count = 100_000
    max_line_characters: Count = 4_096
    max_investors_per_flow: Count = 100


class ExchangeRules(_Part):
    """What the venue trades."""

    platform_codes: tuple[str, ...] = ()
    security_codes: tuple[str, ...] = ()
    orders_required: bool = True
    """Whether a fill needs both its orders; known orders are checked in any case."""


class AgentSettings(BaseSettings):
    """All of one agent."""

    model_config = SettingsConfigDict(
        env_prefix="IPPON_AGENT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    organisation: Annotated[str, Field(min_length=1, max_length=128)]
    role: Role
    bridge: Annotated[HttpBridge | Py4jBridge, Field(discriminator="kind")]
    store_url: str = "sqlite:///agent.sqlite"
    inbox_dir: Path = Path("inbox")
    receipts_dir: Path = Path("receipts")
    log_file: Path | None = None
    pid_file: Path | None = None
    worker: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Name of this worker among those that share a store; made up when absent."""
    other_custodians: tuple[str, ...] = ()
    """Custodian: whom routes are shared with."""
    exchange: ExchangeRules = ExchangeRules()
    timers: Timers = Timers()
    limits: Limits = Limits()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        return (env_settings, init_settings)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.timers.retry_base_seconds > self.timers.retry_cap_seconds:
            raise ValueError("timers.retry_base_seconds must not be more than timers.retry_cap_seconds")
        if self.timers.transient_base_seconds > self.timers.transient_cap_seconds:
            raise ValueError("timers.transient_base_seconds must not be more than timers.transient_cap_seconds")
        if self.organisation in self.other_custodians:
            raise ValueError("other_custodians must not name the organisation itself")
        return self

    def beside(self, folder: Path) -> "AgentSettings":
        """The same with relative paths, the store's included, made relative to a folder."""
        changes: dict[str, Any] = {
            name: folder / path
            for name in ("inbox_dir", "receipts_dir", "log_file", "pid_file")
            if (path := getattr(self, name)) is not None
        }
        tokens = {
            name: folder / path
            for name in ("agent_token_file", "operator_token_file", "ca_file")
            if (path := getattr(self.bridge, name, None)) is not None
        }
        changes["bridge"] = self.bridge.model_copy(update=tokens)
        prefix = "sqlite:///"
        if self.store_url.startswith(prefix) and not self.store_url.startswith(prefix + "/"):
            changes["store_url"] = prefix + str((folder / self.store_url.removeprefix(prefix)).absolute())
        return self.model_copy(update=changes)


def load_settings(path: Path) -> AgentSettings:
    """The settings of a JSON file and the environment; BadSettings says which key is wrong."""
    return read_configuration(path, AgentSettings).beside(path.parent.absolute())
