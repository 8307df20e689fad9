# SPDX-License-Identifier: MIT
"""nginx with its default settings between demo_server and its readers."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

from harness import Failure, Server, Suite, equal, expect, wait_until
from relay import SPOKEN, TOKENS, Visitor, chunk, data
from streams import Cat, Script

CONF = """daemon off;
worker_processes 1;
error_log {dir}/error.log;
pid {dir}/pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/a;
    proxy_temp_path {dir}/b;
    fastcgi_temp_path {dir}/c;
    uwsgi_temp_path {dir}/d;
    scgi_temp_path {dir}/e;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{target}; {more} }}
    }}
}}
"""
NEWER = 'proxy_http_version 1.1; proxy_set_header Connection "";'


class Nginx:
    """nginx on a free port in front of another."""

    def __init__(self, target, more=""):
        self.dir = tempfile.mkdtemp(prefix="weir-nginx-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = ("127.0.0.1", self.port)
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(CONF.format(dir=self.dir, port=self.port, target=target, more=more))
        self.process = subprocess.Popen(["nginx", "-p", self.dir, "-c", conf, "-e", self.dir + "/error.log"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        try:
            wait_until(self._answers, 5, "nginx listens")
        except Failure:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _answers(self):
        try:
            socket.create_connection(self.address, 0.2).close()
            return True
        except OSError:
            return False

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"


def token_by_token(server, whole, more):
    """Each token comes through when it is made, 30 a second."""
    with Nginx(server.port, more) as nginx, Cat("--no-reconnect", nginx.url("/chat/stream?prompt=hello")) as cat:
        times, text = [], ""
        while len(times) < 45:
            text += json.loads(cat.event()[1])
            times.append(time.monotonic())
    expect(whole.startswith(text), f"the text {text!r}")
    gaps = sorted(b - a for a, b in zip(times, times[1:]))
    expect(gaps[len(gaps) // 2] > 0.02 and gaps[-1] < 0.5, f"gaps {gaps[-3:]}")
    return f"{gaps[len(gaps) // 2] * 1000:.0f} ms between tokens"


def resumes(server, whole):
    """Last-Event-ID passes, and so does 204."""
    with Nginx(server.port) as nginx:
        with Visitor(nginx, "hello") as visitor:
            first = [visitor.event() for _ in range(5)]
        with Visitor(nginx, "hello", last_id=first[-1][2]) as again:
            text, last = again.rest()
        equal("".join(json.loads(event[1]) for event in first) + text, whole, "the two parts")
        with Visitor(nginx, "hello", last_id=last[2]) as done:
            equal(done.response.status, 204, "status")


def both_sides():
    """nginx between the visitor and the demo, and between the demo and a language model; who leaves is noticed."""
    left = []

    def endless(link, _request):
        link.stream(data(chunk("a")))
        left.append(link.left())

    def spoken(link, _request):
        link.stream(SPOKEN + data("[DONE]"))
    with Script(spoken, endless) as mock, Nginx(mock.port, "proxy_buffering off;") as inner, \
            Server("demo_server", "--upstream", inner.url("/v1")) as server, Nginx(server.port) as outer:
        with Visitor(outer, post=True) as visitor:
            equal(visitor.rest()[0], "".join(TOKENS), "the text")
        visitor = Visitor(outer)
        visitor.event()
        start = time.monotonic()
        visitor.close()
        wait_until(lambda: left, 3, "the language model's side sees it")
    expect(left[0] - start < 0.5, f"{left[0] - start:.2f} s later")
    return f"noticed after {(left[0] - start) * 1000:.0f} ms"


def main():
    suite = Suite("nginx")
    with Server("demo_server") as server:
        with Visitor(server, "hello") as direct:
            whole = direct.rest()[0]
        suite.check("its defaults", token_by_token, server, whole, "")
        suite.check("HTTP/1.1 to the demo", token_by_token, server, whole, NEWER)
        suite.check("resuming", resumes, server, whole)
        suite.check("all is released", server.all_gone)
    suite.check("on both sides of the demo", both_sides)
    suite.finish()


if __name__ == "__main__":
    main()
