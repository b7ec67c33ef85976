"""Debian's servers for tests: nginx, Redis; where they are missing tests are skipped, but never under CI=true."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of an installed server; skips the test where there is none, fails it under CI=true."""
    # Debian keeps servers where only root's PATH looks
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{name} is not installed"
        (pytest.fail if os.environ.get("CI", "").lower() in ("true", "1") else pytest.skip)(reason)
    return found


_NGINX = """{user}daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{config}}}
"""


def nginx_main(folder: Path, config: str) -> str:
    """The text of a main file for nginx in the foreground, with all that it writes in ``folder``."""
    user = "user root;\n" if os.geteuid() == 0 else ""
    return _NGINX.format(user=user, folder=folder, config=config)


def free_port() -> int:
    """A port of 127.0.0.1 where nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody picks up there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Returns when it is so; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def running(command: list[str], port: int, log: Path, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the foreground, from the moment that it listens on that port of 127.0.0.1 until the end."""
    with log.open("ab") as output:
        started = {"stdout": output, "stderr": output, "start_new_session": True}
        process = subprocess.Popen(command, **started, **options)  # type: ignore[call-overload]
    try:
        wait_until(lambda: process.poll() is not None or listening(port), f"{command[0]} does not listen")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(ProcessLookupError):  # workers outlive a main process that was killed
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def redis(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A real Redis that keeps nothing on disk."""
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, port, folder / "redis.log", cwd=folder) as process:
        yield process
