"""What says that a download is whole: beside the file its name, number of rows, bytes and SHA-256."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from paywall.reports.export import COLUMNS
from paywall.storage.hashing import Checksum


class Counted:
    """Lines of a file that pass by and are counted; the manifest can be told once they have all passed."""

    def __init__(self, name: str, asked: Mapping[str, str], now: datetime) -> None:
        self.rows = 0
        self._name, self._asked, self._now = name, dict(asked), now
        self._sum, self._bytes = Checksum(), 0

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same pieces."""
        for piece in pieces:
            self._sum.add(piece)
            self._bytes += len(piece)
            yield piece

    def add(self, rows: int) -> None:
        """So many rows more are in the pieces."""
        self.rows += rows

    def manifest(self) -> Iterator[bytes]:
        """The manifest as JSON; made when it is asked for, which is after the last piece."""
        told = {
            "file": self._name,
            "rows": self.rows,
            "bytes": self._bytes,
            "sha256": self._sum.hex,
            "columns": COLUMNS,
            "asked": self._asked,
            "made_at": self._now.isoformat(),
        }
        yield json.dumps(told, indent=2).encode() + b"\n"
