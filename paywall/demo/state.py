"""What the demo keeps in its folder: secrets made once, database, sandbox state, letters, logs; one demo per folder."""

import contextlib
import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, TextIO

STOP_SECONDS = 15.0  # twice what a stop takes at most
_STOPPING = "stopping"


class DemoError(Exception):
    """The demo cannot go on; the message is for the person at the terminal, `code` for the shell."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Random values that only this demo knows. None of them opens anything elsewhere."""

    web_secret_key: str
    token_encryption_key: str
    webhook_secret: str
    stripe_api_key: str

    @classmethod
    def generate(cls) -> Self:
        """New ones, with the prefixes that Stripe gives to a test key and an endpoint secret."""
        return cls(
            web_secret_key=secrets.token_urlsafe(32),
            token_encryption_key=secrets.token_urlsafe(32),
            webhook_secret=f"whsec_{secrets.token_hex(16)}",
            stripe_api_key=f"sk_test_{secrets.token_hex(24)}",
        )


class DemoState:
    """The demo's folder, made when it is missing. Raises DemoError where that cannot be done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.outbox = self.folder / "outbox"
        self.logs = self.folder / "log"
        self.sandbox_file = self.folder / "sandbox.state"
        self.service_key_file = self.folder / "service-key"
        self.clock_file = self.folder / "clock"
        self._staff_mark = self.folder / "staff-added"
        self._secrets_file = self.folder / "secrets.json"
        self._lock_file = self.folder / "lock"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.outbox.mkdir(exist_ok=True)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise DemoError(f"The folder {self.folder} cannot be used: {error.strerror}. Set DEMO_DIR.", 2) from error

    @property
    def database_file(self) -> Path:
        """The embedded database."""
        return self.folder / "paywall.sqlite3"

    @property
    def database_url(self) -> str:
        """The embedded database, as SQLAlchemy writes it."""
        return f"sqlite:///{self.database_file}"

    @property
    def begun(self) -> bool:
        """Whether a demo was started here."""
        return self._secrets_file.exists()

    @property
    def first_port(self) -> str | None:
        """The first port of the demo that runs here; None when there is none, or none is known."""
        try:
            told = self._lock_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return found[1] if (found := re.search(r"first port (\d+)", told)) else None

    @property
    def staff_known(self) -> bool:
        """Whether the demo's editor was let in once; taking the right away later is then respected."""
        return self.database_file.exists() and self._staff_mark.exists()

    def remember_staff(self) -> None:
        """Notes that the editor was let in."""
        self._staff_mark.touch()

    def secrets(self) -> Secrets:
        """The folder's secrets; made, readable by their owner only, when there are none."""
        file = self._secrets_file
        if not self.begun:
            _write_private(file, json.dumps(asdict(Secrets.generate()), indent=2))
        try:
            return Secrets(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise DemoError(f"{file} is damaged. Remove the folder {self.folder} to begin anew.", 2) from error

    @contextlib.contextmanager
    def locked(self, address: str) -> Iterator[Callable[[], None]]:
        """Holds the folder for one demo at a time; the system lets go of it when this process ends.

        Gives what to call when the demo begins to stop: whoever starts the next one then waits for its end.
        """
        with self._lock_file.open("a+", encoding="utf-8") as file:
            self._lock(file)

            def note(word: str) -> None:
                file.truncate(0)
                file.write(f"process {os.getpid()}, {word}")
                file.flush()

            note(address)
            yield lambda: note(_STOPPING)

    def _lock(self, file: TextIO) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                file.seek(0)
                told = file.read().strip()
                if _STOPPING not in told or time.monotonic() > deadline:
                    running = f"A demo is already running in {self.folder} ({told or 'starting'})."
                    raise DemoError(f"{running} Stop it, or set DEMO_DIR to another folder.", 2) from error
            time.sleep(0.1)


def _write_private(file: Path, text: str) -> None:
    """Writes whole or not at all, mode 0600 from the first moment."""
    draft = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        output.write(text)
    draft.replace(file)
