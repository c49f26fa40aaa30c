"""What a venue is told: a JSON file, each key overridable by `IPPON_VENUE_<KEY>` (nested keys with `__`).

Relative paths are relative to the file. Every limit and time has its unit in its name.
"""

from collections.abc import Sequence
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ippon.configuration import read_configuration
from ippon.venue.calendar import HOURS, Calendar, Hours, Opening, make_calendar
from ippon.venue.market import Rules
from ippon.venue.words import Cancels, Phase, SelfTrade

Count = Annotated[int, Field(ge=1, le=100_000_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OpeningSetting(_Part):
    """From this time of day in Tokyo on, this phase."""

    at: time
    phase: Phase


class FixPeer(_Part):
    """One counterparty: a broker that sends orders, or somebody who gets the drop copy of all fills."""

    comp_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    """Its SenderCompID."""
    kind: Literal["orders", "drop-copy"] = "orders"
    broker: str | None = None
    """Whose orders it may send; its comp_id when absent."""
    password_file: Path
    """What its Logon must carry in Password(554); readable by its owner only."""


class FixSettings(_Part):
    """The venue's FIX door."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)]
    comp_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "VENUE"
    heartbeat_seconds: Annotated[int, Field(ge=1, le=3_600)] = 30
    """Until a Logon says another."""
    max_queued_messages: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Waiting for a counterparty that does not read; beyond, it is disconnected and gets them at its next Logon."""
    peers: tuple[FixPeer, ...]


class VenueSettings(BaseSettings):
    """All of one venue."""

    model_config = SettingsConfigDict(env_prefix="IPPON_VENUE_", env_nested_delimiter="__", extra="forbid", frozen=True)

    securities_file: Path
    brokers_file: Path
    id_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.]{0,15}$")] = "ODST"
    """The venue's MIC; before every id. START's is known to us from third parties only."""
    state_dir: Path = Path("venue")
    """Journal, what was sent to the exchange agent, what brokers were told."""
    orders_dir: Path = Path("orders")
    """Where brokers drop files of requests."""
    exchange_inbox_dir: Path | None = None
    """The exchange agent's inbox; without it fills stay in `state_dir`."""
    self_trade: SelfTrade = SelfTrade.INVESTOR
    self_trade_cancels: Cancels = Cancels.NEWEST
    calendar: Literal["japan", "none"] = "japan"
    """`none`: open every day, for trials."""
    closed_days: frozenset[date] = frozenset()
    opened_days: frozenset[date] = frozenset()
    hours: tuple[OpeningSetting, ...] = tuple(OpeningSetting(at=one.at, phase=one.phase) for one in HOURS)
    settle_business_days: Annotated[int, Field(ge=0, le=10)] = 0
    """Trading days from trade to settlement; 0 is the report's T+0."""
    max_orders_per_day: Count = 5_000_000
    max_amount_yen: Annotated[int, Field(ge=1, le=10**15)] = 100_000_000_000
    max_rows_per_file: Annotated[int, Field(ge=1, le=50_000)] = 5_000
    """Rows of one file to the exchange agent."""
    idle_poll_millis: Annotated[int, Field(ge=1, le=60_000)] = 50
    fix: FixSettings | None = None

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

    def rules(self) -> Rules:
        """What the market goes by."""
        return Rules(
            id_prefix=self.id_prefix,
            self_trade=self.self_trade,
            self_trade_cancels=self.self_trade_cancels,
            max_orders_per_day=self.max_orders_per_day,
            max_amount_yen=self.max_amount_yen,
        )

    def trading_hours(self) -> Hours:
        """The phases of a day."""
        openings: Sequence[Opening] = [Opening(one.at, one.phase) for one in self.hours]
        return Hours(openings)

    def trading_days(self) -> Calendar:
        """The days."""
        return make_calendar(self.calendar, {"closed": self.closed_days, "opened": self.opened_days})

    def beside(self, folder: Path) -> "VenueSettings":
        """The same with relative paths made relative to a folder."""
        names = ("securities_file", "brokers_file", "state_dir", "orders_dir", "exchange_inbox_dir")
        changes: dict[str, Any] = {name: folder / path for name in names if (path := getattr(self, name)) is not None}
        if self.fix is not None:
            peers = [one.model_copy(update={"password_file": folder / one.password_file}) for one in self.fix.peers]
            changes["fix"] = self.fix.model_copy(update={"peers": tuple(peers)})
        return self.model_copy(update=changes)


def load_settings(path: Path) -> VenueSettings:
    """The settings of a JSON file and the environment; BadSettings says which key is wrong."""
    settings = read_configuration(path, VenueSettings).beside(path.parent.absolute())
    settings.trading_hours()
    return settings
