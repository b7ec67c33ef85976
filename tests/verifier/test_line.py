"""The line to the service: what counts as a service that is there."""

from email.message import Message

import pytest

from paywall.verifier.errors import TransportError
from paywall.verifier.line import Line
from paywall.verifier.transport import Answer

from .test_keysource import Stopwatch


class Service:
    """Answers with a status, or not at all."""

    status = None

    def __call__(self, url, *, send=None, headers=None, timeout=2.0, max_bytes=65536):
        if self.status is None:
            raise TransportError("nobody there")
        return Answer(self.status, Message(), {})


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def clock():
    return Stopwatch()


@pytest.fixture
def line(service, clock):
    return Line(service, memory=60.0, clock=clock)


def test_a_line_that_was_never_used_is_not_lost(line):
    assert not line.lost


@pytest.mark.parametrize("status", [None, 500, 502, 503, 504])
def test_no_answer_and_a_servers_error_lose_the_line(line, service, status):
    service.status = status
    with pytest.raises(TransportError):
        line.ask("http://pay.test/x")
    assert line.lost


@pytest.mark.parametrize("status", [200, 304, 401, 404, 429])
def test_any_other_answer_shows_that_the_service_is_there(line, service, status):
    with pytest.raises(TransportError):
        line.ask("http://pay.test/x")
    service.status = status
    assert line.ask("http://pay.test/x").status == status
    assert not line.lost


def test_a_loss_is_forgotten_when_nobody_asks_again(line, clock):
    with pytest.raises(TransportError):
        line.ask("http://pay.test/x")
    clock.now += 59.9
    assert line.lost
    clock.now += 0.1
    assert not line.lost
