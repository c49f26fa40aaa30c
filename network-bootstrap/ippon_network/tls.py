"""Keys for a bridge's HTTPS door on one machine; an organisation of its own brings its own certificate."""

from __future__ import annotations

import ipaddress
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ippon_network.credentials import write_private
from ippon_network.errors import BootstrapFailed

_DAYS = 825
_ALIAS = "bridge"


@dataclass(frozen=True)
class DoorKeys:
    """A keystore, the file with its password, and the certificate that clients are told to trust."""

    keystore: Path
    password_file: Path
    certificate: Path

    @classmethod
    def beside(cls, bridge_config: Path) -> DoorKeys:
        """In the folder of a bridge's configuration."""
        folder = bridge_config.parent
        return cls(folder / "tls.p12", folder / "tls.password", folder / "tls.pem")

    def make_if_absent(self, *, java: Path, organisation: str, host: str) -> None:
        """Make a key and a certificate signed by itself; whatever keystore lies there already is kept.

        Raises BootstrapFailed when keytool fails, or when a keystore lies there without its certificate.
        """
        if not self.keystore.exists():
            self._make(java.with_name("keytool"), organisation, host)
        for path in (self.password_file, self.certificate):
            if not path.exists():
                raise BootstrapFailed(f"{path} is missing: {self.keystore.name} needs it beside itself")

    def _make(self, keytool: Path, organisation: str, host: str) -> None:
        write_private(self.password_file, secrets.token_urlsafe(24))
        fresh = self.keystore.with_name(self.keystore.name + ".new")
        fresh.unlink(missing_ok=True)
        common = ["-alias", _ALIAS, "-keystore", str(fresh), "-storetype", "PKCS12"]
        # By file: a command line is everybody's to read.
        common += ["-storepass:file", str(self.password_file)]
        subject = ["-dname", f"CN={organisation}", "-ext", f"SAN={_san(host)}"]
        kind = ["-keyalg", "EC", "-keysize", "256", "-validity", str(_DAYS)]
        _run([str(keytool), "-genkeypair", *common, *subject, *kind])
        fresh.chmod(0o600)
        self.certificate.write_text(_run([str(keytool), "-exportcert", "-rfc", *common]), encoding="ascii")
        fresh.replace(self.keystore)


def _san(host: str) -> str:
    try:
        return f"ip:{ipaddress.ip_address(host)},dns:localhost"
    except ValueError:
        return f"dns:{host}"


def _run(command: list[str]) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if finished.returncode != 0:
        raise BootstrapFailed(f"keytool could not make the bridge's key: {finished.stdout.strip()[-500:]}")
    return finished.stdout
