"""wrk, the driver of the throughput rows: found on this machine, or unpacked into a folder of the bench's own."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.places import say

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paywall" / "bench"
PACKAGES = ("wrk", "libluajit-5.1-2")  # the second as what the first needs and small images lack
_EACH_LINE = """
local texts = {{}}
function init(args)
  for line in io.lines({file}) do texts[#texts + 1] = wrk.format(nil, nil, nil, line) end
  math.randomseed(os.time())
end
function request() return texts[math.random(#texts)] end
"""


@dataclass(frozen=True)
class Request:
    """What is asked. With `bodies` each request carries a line of that file, any with the same chance."""

    port: int
    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    bodies: Path | None = None

    def text(self) -> str:
        """The request as it goes over the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}"] * bool(self.body)
        return "\r\n".join([*lines, "", self.body])


@dataclass(frozen=True)
class Wrk:
    """The program, and where its libraries are if not in their usual place."""

    command: Path
    libraries: Path | None = None

    def rate(self, request: Request, folder: Path, *, seconds: int, connections: int) -> float:
        """Good answers a second. Stops the bench where any answer was none."""
        script = folder / "load.lua"
        script.write_text(lua(request))
        address = f"http://127.0.0.1:{request.port}{request.path}"
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
        env = os.environ | ({"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {})
        command = [str(self.command), *options, address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, env=env)
        if done.returncode or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            raise SystemExit(f"some requests failed:\n{done.stdout}{done.stderr}")
        return float(done.stdout.split("Requests/sec:")[1].split()[0])


def lua(request: Request) -> str:
    """The request as wrk's script."""
    lines = [f"wrk.method = {json.dumps(request.method)}", f"wrk.body = {json.dumps(request.body)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()]
    return "\n".join(lines) + (_EACH_LINE.format(file=json.dumps(str(request.bodies))) if request.bodies else "")


def wrk() -> Wrk:
    """The driver: installed, or unpacked by an earlier run, or unpacked now. Says which; stops without any."""
    if installed := shutil.which("wrk"):
        return Wrk(Path(installed))
    unpacked, libraries = CACHE / "usr/bin/wrk", CACHE / f"usr/lib/{platform.machine()}-linux-gnu"
    if not unpacked.exists():
        unpack(PACKAGES, CACHE)
    return Wrk(unpacked, libraries)


def unpack(packages: Sequence[str], folder: Path) -> None:
    """Fetches Debian's packages and unpacks them into a folder; nothing is installed, root is not needed."""
    fetch, open_up = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if not (fetch and open_up):
        raise SystemExit("The bench needs wrk: install it (Debian, Ubuntu and Homebrew have it), then try again.")
    say(f"Unpacking {' and '.join(packages)} into {folder} ...")
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        fetched = subprocess.run([fetch, "download", "-q", package], cwd=folder, capture_output=True, text=True)
        if fetched.returncode:
            raise SystemExit(f"{package} could not be fetched; `apt-get update` may help, or install wrk by hand.")
    for file in folder.glob("*.deb"):
        subprocess.run([open_up, "-x", str(file), str(folder)], check=True)
        file.unlink()
