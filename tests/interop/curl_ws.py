# SPDX-License-Identifier: MIT
"""ws_echo_server as curl sees it, where curl was built with WebSocket; else one line that says so.

    BUILD=build CURL=curl python3 tests/interop/curl_ws.py"""

import os
import random
import re
import subprocess
import tempfile
import time

from harness import BUILD, Server, Suite, equal, expect, wait_until

CURL = os.environ.get("CURL", "curl")
UPLOADS = (8, 16)  # the first version whose command line sends messages


def stays(server, payload):
    """The handshake, an echo of what is sent, pings answered for longer than the idle timeout, and the
    server's Close: then curl ends well."""
    with tempfile.NamedTemporaryFile(dir=os.path.join(BUILD, "interop")) as body, \
            tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        body.write(payload)
        body.flush()
        upload = ["-T", body.name] if payload else []
        with subprocess.Popen([CURL, "-q", "-sS", "-N", "--noproxy", "*", "--max-time", "15",
                               "-w", "%{stderr}%{http_code}", *upload, f"ws://127.0.0.1:{server.port}/a?b"],
                              stdin=subprocess.DEVNULL, stdout=out, stderr=err) as curl:
            try:
                wait_until(lambda: len(server.sockets()) == 1, 5, "a connection")
                wait_until(lambda: os.fstat(out.fileno()).st_size >= len(payload), 10, "the echo")
                time.sleep(1.2)
                equal(len(server.sockets()), 1, "connections after the idle timeout")
                note = server.terminate()
                equal(curl.wait(5), 0, "curl's exit status")
            finally:
                curl.kill()
        out.seek(0)
        err.seek(0)
        equal(err.read(), b"101", "status")
        expect(out.read().startswith(payload), "another message came back")
        return note


def run(suite):
    version = subprocess.run([CURL, "--version"], capture_output=True, text=True, check=True).stdout
    speaks = re.search(r"^Protocols:.* ws\b", version, re.MULTILINE)
    number = tuple(int(part) for part in re.match(r"curl (\d+)\.(\d+)", version).groups())
    if not speaks:
        print(f"note curl: curl {number[0]}.{number[1]} here was built without WebSocket")
        return
    for name, payload in (("handshake and pings", b""), ("12 bytes", "hello 你好".encode()),
                          ("200,000 bytes", random.Random(5).randbytes(200000))):
        if payload and number < UPLOADS:
            print(f"note curl: curl {number[0]}.{number[1]} sends no messages: {name}")
            continue
        for options in ((), ("--deflate",)):
            with Server("ws_echo_server", "--ping-interval", "200", "--idle-timeout", "800", *options) as server:
                suite.check(f"WebSocket, {name} {' '.join(options)}".rstrip(), stays, server, payload)


def main():
    suite = Suite("curl")
    os.makedirs(os.path.join(BUILD, "interop"), exist_ok=True)
    run(suite)
    suite.finish()


if __name__ == "__main__":
    main()
