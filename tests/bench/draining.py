"""Reads a whole export and tells what it took: a process of its own, so that its memory is that of the export alone.

`python -m tests.bench.draining file ADDRESS` reads the page's file, `copy ADDRESS` what PostgreSQL itself copies out.
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psycopg
from sqlalchemy import delete, select

from paywall.storage.database import db, new_id
from paywall.storage.models import Reader, ReaderSession
from tests.bench.places import service
from tests.support.colleagues import colleague

COPY = """
COPY (
    SELECT e.id, e.reader_id, r.customer_id, r.email, e.plan, e.source, e.source_id, e.state, e.reason, e.renews,
        e.starts_at, e.starts_at::date, e.paid_until, e.until, e.until::date, e.created_at, e.created_at::date, now(),
        s.duplicate_of
    FROM entitlements e JOIN readers r ON r.id = e.reader_id LEFT JOIN subscriptions s ON s.id = e.source_id
    ORDER BY e.created_at, e.id
) TO STDOUT WITH (FORMAT csv, HEADER true)
"""


def drain(pieces: Iterable[bytes]) -> dict[str, float]:
    """Seconds, lines and MiB of process memory at most."""
    began, lines = time.perf_counter(), 0
    for piece in pieces:
        lines += bytes(piece).count(b"\n")
    took = time.perf_counter() - began
    return {"seconds": took, "lines": lines, "mib": peak()}


def peak() -> float:
    """MiB that this program held at most; what the kernel tells of children counts what their parent held before."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def file(url: str) -> dict[str, float]:
    """As staff download it, without a network between."""
    with service(url) as app:
        everybody = select(Reader.id).where(Reader.role.is_not(None))  # an earlier run, whose session has our secret
        db.session.execute(delete(ReaderSession).where(ReaderSession.reader_id.in_(everybody)))
        staff = colleague(app, email=f"{new_id('desk')}@example.org")
        answer = staff.get("/admin/entitlements.csv", buffered=False)
        assert answer.status_code == 200, answer.text
        return drain(answer.iter_encoded())


def copy(url: str) -> dict[str, float]:
    """The same columns by COPY."""
    with (
        psycopg.connect(url.replace("+psycopg", "")) as connection,
        connection.cursor() as cursor,
        cursor.copy(COPY) as copied,
    ):
        return drain(copied)


if __name__ == "__main__":
    how, address = sys.argv[1:]
    print(json.dumps({"file": file, "copy": copy}[how](address)))
