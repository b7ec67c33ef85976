"""Measures token verification: the library by itself, and the service's lane under granian. Run by `make bench`.

Only the ratios travel between machines, so everything is measured side by side in one run: the lane beside a bare
"ok" and beside its own views, the library beside a raw Ed25519 verification.
"""

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from flask_migrate import upgrade

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import Claims, KeySet, SigningKey, TokenChecker, TokenCodec

ROOT = Path(__file__).resolve().parents[2]
Request = tuple[int, str, str, str, dict[str, str]]
ROUNDS, SECONDS, CONNECTIONS = 3, 3, 16
GOALS = (  # what, beside what, at least how much of it
    ("verify", "bare", 0.45),
    ("verify", "view", 4.0),
    ("authorize", "bare", 0.6),
)
SERVER = ["--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1", "--blocking-threads", "8"]


def main() -> None:
    """Both measurements, a table each."""
    os.environ.setdefault("PAYWALL_ENV", "testing")
    print("The library, one thread, microseconds a call (best of 5):")
    library()
    print(f"\nThe service under granian, 1 worker, {CONNECTIONS} connections, median of {ROUNDS} rounds:")
    with tempfile.TemporaryDirectory(prefix="paywall-bench-") as folder:
        service(Path(folder))


def claims(issuer: str, seconds: int) -> dict[str, str | int]:
    """Claims of the usual size, valid from now on."""
    now = int(time.time())
    names = {"sub": "rdr_" + "0" * 24, "jti": "tok_" + "1" * 24, "sid": "ses_" + "2" * 24, "aud": "content"}
    scope = "news analyses memos reports newsletters"
    return Claims(iss=issuer, iat=now, exp=now + seconds, gen=1, scope=scope, **names).as_payload()


def library() -> None:
    """Raw signature, codec, and the check that remembers."""
    key, codec = SigningKey.generate(), TokenCodec()
    keys, said = KeySet({key.kid: key.public}), claims("https://pay.test", 900)
    token = codec.dumps(said, key)
    message = token.encode()
    signature = key.private.sign(message)
    checker, now = TokenChecker("https://pay.test"), datetime.now(UTC)
    assert checker.check(token, keys, now, "memos").allowed
    raw = best(lambda: key.public.verify(signature, message), 2000)
    for name, call, count in (
        ("raw Ed25519 verify", None, 0),
        ("raw Ed25519 sign", lambda: key.private.sign(message), 2000),
        ("codec.dumps", lambda: codec.dumps(said, key), 2000),
        ("codec.loads", lambda: codec.loads(token, keys), 2000),
        ("check, remembered", lambda: checker.check(token, keys, now, "memos"), 20000),
        ("check, refused by form", lambda: checker.check("x" + token, keys, now), 20000),
    ):
        took = best(call, count) if call else raw
        print(f"  {name:24}{took:9.2f}   {took / raw:6.3f} of a raw verify")


def best(call: Callable[[], object], count: int) -> float:
    """Microseconds a call, the best of five runs."""
    runs = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(count):
            call()
        runs.append((time.perf_counter() - started) / count * 1e6)
    return min(runs)


def service(folder: Path) -> None:
    """A bare answer, the lane and the view behind it, each on a server of its own, in turns; log and figures are on."""
    ports = {name: free_port() for name in ("bare", "view", "lane")}
    issuer = "http://127.0.0.1:8001"
    settings = {"PAYWALL_DATABASE__URL": f"sqlite:///{folder}/paywall.sqlite3", "PAYWALL_WEB__BASE_URL": issuer}
    os.environ.update(settings, PAYWALL_LOG__LEVEL="info", PAYWALL_LIMITS__API="100000000 per minute")
    key, token = prepare(issuer)
    targets = {"bare": "targets:bare", "view": "targets:views", "lane": "wsgi:app"}
    servers = {name: start(targets[name], port) for name, port in ports.items()}
    try:
        for port in ports.values():
            wait_for(port)
        views = asked(ports, key, token)
        for view in views.values():
            check(*view)
        report(folder, views)
        print(f"  memory of the lane's worker: {worker_memory(servers['lane'].pid)} MiB")
    finally:
        for server in servers.values():
            server.terminate()
        for server in servers.values():
            server.wait(15)


def start(target: str, port: int) -> subprocess.Popen[bytes]:
    """A granian with one worker; it finds what is beside this file without the package of the tests, which would
    forget the settings that were given.
    """
    found = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(__file__).parent)))}
    command = [sys.executable, "-m", "granian", *SERVER, "--host", "127.0.0.1", "--port", str(port), target]
    return subprocess.Popen(command, cwd=ROOT, env=found, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def asked(ports: dict[str, int], key: str, token: str) -> dict[str, Request]:
    """The requests that are measured: port, method, path, body, headers."""
    body = json.dumps({"token": token, "require": "memos"})
    service = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    reader = {"Cookie": f"paywall_token={token}"}
    return {
        "bare": (ports["bare"], "GET", "/", "", {}),
        "view": (ports["view"], "POST", "/v1/tokens/verify", body, service),
        "verify": (ports["lane"], "POST", "/v1/tokens/verify", body, service),
        "authorize": (ports["lane"], "GET", "/v1/authorize?require=memos", "", reader),
    }


def prepare(address: str) -> tuple[str, str]:
    """A migrated database with a signing key; returns a service key and an access token."""
    app = create_app(load_settings())
    with app.app_context():
        upgrade()
        now = datetime.now(UTC)
        keyring.ensure(now)
        _, key = service_keys.add("bench", now)
        db.session.commit()
        token = TokenCodec().dumps(claims(address, 900), keyring.signing_key(now))
        db.engine.dispose()
    return key, token


def report(folder: Path, views: dict[str, Request]) -> None:
    """Load on each in turn; prints requests a second, and their ratios beside the goals."""
    loader = wrk if shutil.which("wrk") else threads
    figures: dict[str, list[float]] = {name: [] for name in views}
    for _ in range(ROUNDS):
        for name, view in views.items():
            figures[name].append(loader(folder, *view))
    middle = {name: statistics.median(found) for name, found in figures.items()}
    for name, found in figures.items():
        print(f"  {name:12}{middle[name]:9.0f} requests/s ({min(found):.0f} to {max(found):.0f})")
    for name, beside, goal in GOALS:
        ratio = middle[name] / middle[beside]
        print(f"  {name} / {beside:12}{ratio:6.2f}   goal: at least {goal:.2f}{'' if ratio >= goal else '   MISSED'}")
    print(f"  load by {'wrk' if loader is wrk else 'Python threads, which are slower than the server'}")


def wrk(folder: Path, port: int, method: str, path: str, body: str, headers: dict[str, str]) -> float:
    """Requests a second by wrk."""
    script = folder / "load.lua"
    lines = [f"wrk.method = {json.dumps(method)}", f"wrk.body = {json.dumps(body)}"]
    lines += [f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items()]
    script.write_text("\n".join(lines))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), f"http://127.0.0.1:{port}{path}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS + 30).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"some requests failed:\n{output}")
    return float(output.split("Requests/sec:")[1].split()[0])


def threads(_folder: Path, port: int, method: str, path: str, body: str, headers: dict[str, str]) -> float:
    """Requests a second by Python threads, each on a connection of its own."""
    counts: list[int] = []
    until = time.monotonic() + SECONDS

    def load() -> None:
        connection, count = http.client.HTTPConnection("127.0.0.1", port, timeout=10), 0
        while time.monotonic() < until:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            answer.read()
            count += answer.status in (200, 204)
        connection.close()
        counts.append(count)

    workers = [threading.Thread(target=load) for _ in range(CONNECTIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / SECONDS


def check(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> None:
    """One request by hand: figures of an answer that refuses would mean nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status not in (200, 204) or (method == "POST" and not json.loads(text)["allowed"]):
        raise SystemExit(f"{path} answered {answer.status}: {text}")


def wait_for(port: int) -> None:
    """Returns when the server answers; gives up after 20 seconds."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def worker_memory(pid: int) -> int:
    """Resident MiB of the largest child of the server's main process, 0 where /proc does not tell."""
    sizes = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue
        if fields["PPid"].strip() == str(pid) and "VmRSS" in fields:
            sizes.append(int(fields["VmRSS"].split()[0]) // 1024)
    return max(sizes)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
