"""The command line of the demo, and what it tells the person who runs it."""

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from paywall.demo import check
from paywall.demo.articles import ArticleError
from paywall.demo.config import NEWSROOM, ConfigError, SiteConfig
from paywall.demo.launcher import Demo, StopAskedError, stop_on_signals
from paywall.demo.site import create_site
from paywall.demo.stack import HOST, ROOT, STAFF, Ports, Stack, free_ports, ports_after, ports_from
from paywall.demo.state import DemoError, DemoState

FIRST_PORT = "8000"


def main(arguments: list[str]) -> int:
    """Runs the demo, its check, the site alone, or a command beside the demo.

    Returns the exit code: 0 well, 1 failed, 2 could not begin; or the command's own.
    """
    parser = argparse.ArgumentParser(prog="python -m paywall.demo", description=__doc__)
    parser.add_argument("--until-parent-ends", action="store_true", help="stop also when the starting process ends")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("check", help="walk a reader's whole journey on free ports, with throw-away state")
    site = commands.add_parser("site", help="serve the news site alone, set up by NEWS_... in the environment")
    site.add_argument("--port", type=int, default=8000)
    beside = commands.add_parser("run", help="run a command, or a shell, with the settings of the demo")
    beside.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # a terminal without Unicode shows other marks, not an error
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        if options.command == "site":
            return serve_site(options.port)
        if options.command == "run":
            return run_beside(options.words)
        if options.command == "check":
            return run_check(options.until_parent_ends)
        return run_demo(options.until_parent_ends)
    except (DemoError, ConfigError, ArticleError) as error:
        print(error, file=sys.stderr, flush=True)
        return error.code if isinstance(error, DemoError) else 2
    except StopAskedError:
        return 130
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):
            raise
        # Pipe or terminal of our output is gone; everything is stopped by now, and nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run_demo(until_parent_ends: bool) -> int:
    """The demo in DEMO_DIR on DEMO_PORT and the two after it, until somebody stops it."""
    state = _state()
    first = os.environ.get("DEMO_PORT") or FIRST_PORT
    with state.locked(f"first port {first}") as stopping, stop_on_signals() as stop:
        stack = Stack(state, ports_from(first))
        with Demo(stack, stop, _say, until_parent_ends=until_parent_ends) as demo:
            try:
                demo.start()
                _say(_welcome(stack.ports, state))
                demo.watch()
            except StopAskedError:
                pass
            stopping()
            _say("\nStopping.")
    return 0


def run_beside(words: list[str]) -> int:
    """A command in the checkout's folder with the settings of the demo in DEMO_DIR; with no words a shell.

    Without these settings a command would meet another database, or worse the demo's with other secrets.
    """
    state = _state()
    if not state.begun:
        raise DemoError(f"There is no demo in {state.folder}: start it with make demo, or set DEMO_DIR.", 2)
    first = os.environ.get("DEMO_PORT") or state.first_port or FIRST_PORT
    env = Stack(state, ports_after(first)).environment()
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    command = words[1:] if words[:1] == ["--"] else words
    command = command or [os.environ.get("SHELL") or "/bin/sh"]
    program = shutil.which(command[0], path=env["PATH"])
    if program is None:
        raise DemoError(f"There is no command {command[0]!r}.", 127)
    return subprocess.run([program, *command[1:]], cwd=ROOT, env=env, check=False).returncode


def run_check(until_parent_ends: bool) -> int:
    """The same servers, elsewhere, and a reader's journey through them."""
    with tempfile.TemporaryDirectory(prefix="paywall-demo-") as folder, stop_on_signals() as stop:
        stack = Stack(DemoState(Path(folder)), free_ports())
        with Demo(stack, stop, _say, until_parent_ends=until_parent_ends) as demo:
            demo.start()
            code = check.walk(stack, _say, demo.checkpoint)
            if code:
                _say(demo.logs())
            return code


class PathsOnly(WSGIRequestHandler):
    """Logs addresses without their queries: what stands there can be somebody's own."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line a request; a malformed one has no address."""
        path = getattr(self, "path", "-").partition("?")[0]
        self.log("info", "%s %s %s", self.command or "-", path, str(int(code) if isinstance(code, int) else code))


def serve_site(port: int) -> int:
    """The news site on one port of loopback."""
    config = SiteConfig.from_environment(os.environ)
    site = create_site(config)
    with make_server(HOST, port, site, threaded=True, request_handler=PathsOnly) as server:
        server.serve_forever()
    return 0


def _state() -> DemoState:
    return DemoState(Path(os.environ.get("DEMO_DIR") or ROOT / "instance"))


def _say(text: str) -> None:
    print(text, flush=True)


def _welcome(ports: Ports, state: DemoState) -> str:
    return f"""
{NEWSROOM} is open: {ports.site_url}/

  1. Open an article, press Subscribe, give any e-mail address.
  2. Pay with card 4242 4242 4242 4242, any future date, any CVC, any name. No money moves.
  3. You are back on the article, with its full text.

  Mail outbox      {ports.site_url}/outbox   (sign-in links arrive here)
  Paywall service  {ports.service_url}/openapi/
  Staff reports    {ports.service_url}/admin/   (sign in as {STAFF})
  Stripe sandbox   {ports.sandbox_url}/

Commands of the service, with this demo's settings, in another terminal:
  .venv/bin/python -m paywall.demo run flask paywall explain YOUR-ADDRESS

State is kept in {state.folder}. Ctrl-C stops everything."""
