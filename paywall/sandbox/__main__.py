"""The command: `python -m paywall.sandbox --port 8002 --state FILE --api-key sk_test_…`."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from paywall.sandbox.clockfile import read_offset
from paywall.sandbox.config import ConfigError, SandboxConfig
from paywall.sandbox.server import address_of, listen, serve

WATCH_SECONDS = 1.0
PATIENCE_SECONDS = 60.0  # the service may be started after the sandbox


def parser() -> argparse.ArgumentParser:
    """Describe the command's options; secrets may also come from the environment, where `ps` does not show them."""
    options = argparse.ArgumentParser(
        prog="python -m paywall.sandbox",
        description="A local stand-in for Stripe's test mode. No money moves. Serves loopback addresses only.",
    )
    options.add_argument("--host", default="127.0.0.1", help="loopback address (default 127.0.0.1)")
    options.add_argument("--port", type=int, default=8002, help="port, 0 for any free one (default 8002)")
    options.add_argument("--state", default=":memory:", help="file that keeps the state (default :memory:)")
    options.add_argument("--clock-file", type=Path, help="file that tells the service how far this time is ahead")
    options.add_argument("--api-key", default=os.environ.get("SANDBOX_API_KEY", ""), help="or SANDBOX_API_KEY")
    options.add_argument("--webhook-url", help="where events are posted to")
    options.add_argument(
        "--webhook-secret", default=os.environ.get("SANDBOX_WEBHOOK_SECRET", ""), help="or SANDBOX_WEBHOOK_SECRET"
    )
    options.add_argument("--account-name", default="Sandbox account", help="the seller's name on the payment page")
    options.add_argument("--parent", type=int, metavar="PID", help="stop when this process is gone")
    return options


def configured(options: argparse.Namespace) -> SandboxConfig:
    """Return the sandbox's settings; raises ConfigError naming the bad one."""
    if not options.api_key:
        raise ConfigError("The sandbox needs an API key: --api-key or SANDBOX_API_KEY.")
    if options.clock_file:
        read_offset(options.clock_file)
    return SandboxConfig(
        options.api_key,
        options.webhook_url,
        options.webhook_secret,
        state=None if options.state == ":memory:" else Path(options.state),
        account_name=options.account_name,
        clock_file=options.clock_file,
        patience=PATIENCE_SECONDS,
    )


def gone(pid: int, child: bool) -> bool:
    """Return whether a process has ended; a child sees it by being handed to another parent, zombies included."""
    if child:
        return os.getppid() != pid
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def watch(parent: int) -> None:
    """Stop this process once its parent is gone, so that nothing is left behind."""
    child = os.getppid() == parent
    pause = threading.Event()
    while not gone(parent, child):
        pause.wait(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def stop(number: int, frame: FrameType | None) -> None:
    """Turn a signal into an orderly end."""
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; returns the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        config = configured(options)
        listener = listen(options.host, options.port)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    server, sandbox = serve(config, listener)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.parent:
        threading.Thread(target=watch, args=(options.parent,), daemon=True).start()
    sandbox.start()
    print(f"Stripe sandbox on {address_of(listener)} (no money moves)", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        listener.close()
        sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
