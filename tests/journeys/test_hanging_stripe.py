"""A real server with 8 threads while Stripe hangs: who does not need Stripe notices nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.outage import Service, service

HANGS_SECONDS = 4.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service under granian, behind a Stripe that can hang."""
    folder: Path = tmp_path_factory.mktemp("hanging")
    with service(folder, read_timeout=HANGS_SECONDS) as made:
        made.others(0.5)
        yield made


@pytest.mark.parametrize("readers", [1, 12])
def test_other_requests_go_on_while_calls_hang(running: Service, readers: int) -> None:
    """Twelve readers press Subscribe on a server of eight threads; loose bounds, for slow machines."""
    quiet = running.others(1.5)
    running.stripe.met.clear()
    with running.hanging(readers) as pressed:
        began = time.monotonic()
        meanwhile = running.others(1.5)
        assert time.monotonic() - began < HANGS_SECONDS, "measured while the calls hang"
        assert any(not one.done() for one in pressed), "somebody still waits for Stripe"
    assert meanwhile.count > 20
    assert meanwhile.p50 < quiet.p50 * 5 + 50
    assert {one.result() for one in pressed} == {503}
    assert len(running.stripe.met) <= 5
