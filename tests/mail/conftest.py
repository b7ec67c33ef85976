"""Mail servers on loopback: a willing one, a refusing one, a silent one."""

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Postbox:
    """Takes letters, or refuses at the step that ``refuse_at`` names; counts who came."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refuse_at = ""
        self.code = "550 5.7.1 not today, ada@example.com"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list) -> str:
        """Answers RCPT TO."""
        if self.refuse_at == "rcpt":
            return self.code
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answers the end of the letter."""
        if self.refuse_at == "data":
            return self.code
        self.letters.append(envelope)
        if self.refuse_at == "after data":
            server.transport.abort()
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answers QUIT."""
        if self.refuse_at == "quit":
            server.transport.abort()
        return "221 Bye"


@pytest.fixture
def postbox() -> Postbox:
    """What the server received, and how it answers."""
    return Postbox()


@pytest.fixture
def smtp_port(postbox: Postbox) -> Iterator[int]:
    """The port of a real SMTP server on loopback."""
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where somebody picks up and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    """A port where nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
