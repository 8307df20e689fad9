# SPDX-License-Identifier: MIT
"""demo_server's event stream as curl sees it: the tokens, their timing, resuming, refusals."""

import json
import os
import re
import select
import socket
import subprocess
import time
from urllib.parse import quote

import curl_ws
from harness import BUILD, Server, Suite, equal, expect, wait_until

ENGLISH = "Tell me about the sea"
CHINESE = "给我讲讲大海 🌊"


class Curl:
    """One run of curl; `chunks` are the pieces of its output with their arrival times."""

    def __init__(self, server, path, *options):
        self.start = time.monotonic()
        url = f"http://127.0.0.1:{server.port}{path}"
        self.process = subprocess.Popen(
            ["curl", "-q", "-N", "-sS", "-i", "--noproxy", "*", "--max-time", "20", *options, url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.chunks = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def read(self, until=None, seconds=20):
        """Reads to the end, or until the output so far contains `until`."""
        out = self.process.stdout.fileno()
        end = time.monotonic() + seconds
        while until is None or until not in self.output():
            ready, _, _ = select.select([out], [], [], max(0, end - time.monotonic()))
            expect(ready, f"nothing more within {seconds} s: {self.output()[-80:]!r}")
            data = os.read(out, 65536)
            if not data:
                expect(until is None, f"the stream ended without {until!r}: {self.output()[-200:]!r}")
                break
            self.chunks.append((time.monotonic() - self.start, data))
        return self

    def finish(self):
        """Reads to the end, which must be an orderly one."""
        self.read()
        code = self.process.wait(5)
        equal(code, 0, f"curl ({self.process.stderr.read().decode()!r})")
        return self

    def output(self):
        return b"".join(data for _, data in self.chunks)

    @property
    def head(self):
        return self.output().partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self):
        return self.output().partition(b"\r\n\r\n")[2]

    @property
    def status(self):
        return int(self.head.split(" ", 2)[1])

    def field(self, name):
        found = re.search(rf"^{name}:\s*(.*?)\s*$", self.head, re.I | re.M)
        return found[1] if found else None


class Answer:
    """The events of a finished stream: tokens with their ids, and whether [DONE] was the last."""

    def __init__(self, curl):
        equal(curl.status, 200, "status")
        expect(curl.field("Content-Type").startswith("text/event-stream"), curl.field("Content-Type"))
        blocks = curl.body.decode("utf-8").split("\n\n")
        equal(blocks.pop(), "", "what stands behind the last event")
        self.tokens, self.ids, done = [], [], False
        for block in blocks:
            fields = [line.partition(":")[::2] for line in block.split("\n")]
            data = [value[1:] if value[:1] == " " else value for name, value in fields if name == "data"]
            if not data:
                continue
            expect(not done, "an event behind [DONE]")
            names = [value.strip() for name, value in fields if name == "id"]
            if data == ["[DONE]"]:
                done = True
                self.done_id = names[0]
                continue
            if ("event", " gap") in fields:
                continue
            token = json.loads("\n".join(data))
            expect(isinstance(token, str), f"the token {token!r} is no string")
            token.encode("utf-8")
            self.tokens.append(token)
            self.ids += names
        expect(done, f"no [DONE] at the end: {blocks[-1]!r}")
        self.text = "".join(self.tokens)


def get(prompt):
    return "/chat/stream?prompt=" + quote(prompt, safe="")


def post(server, body, *options):
    return Curl(server, "/chat/stream", "-H", "Content-Type: application/json", "--data-binary", body,
                *options)


def ask(server, prompt, *options):
    return Curl(server, get(prompt), *options)


def answers(*curls):
    """The answers of streams that run side by side."""
    try:
        return [Answer(curl.finish()) for curl in curls]
    finally:
        for curl in curls:
            curl.__exit__()


def status(server, path, *options):
    with Curl(server, path, *options) as curl:
        curl.finish()
        return curl.status


def streamed(server):
    """The tokens come one after another as they are made, about 30 a second."""
    with ask(server, ENGLISH) as curl:
        answer = Answer(curl.finish())
        times = [when for when, data in curl.chunks if b"data:" in data]
    count, span = len(answer.tokens), times[-1] - times[0]
    expect(count >= 10, f"only {count} tokens: {answer.text!r}")
    expect(times[0] < 1, f"the first token came after {times[0]:.2f} s")
    expect(len(times) >= count * 0.7, f"{count} tokens came in {len(times)} pieces")
    expect(10 <= count / span <= 90, f"{count / span:.0f} tokens a second")
    gaps = [after - before for before, after in zip(times, times[1:])]
    expect(max(gaps) < 1, f"a pause of {max(gaps):.2f} s")
    expect(re.search(r"[a-z]{3}", answer.text), f"not English: {answer.text!r}")
    return f"{count} tokens, first after {times[0] * 1000:.0f} ms, {count / span:.0f} a second"


def proxies(server):
    with ask(server, ENGLISH) as curl:
        curl.read(until=b"data:")
        expect("no-cache" in (curl.field("Cache-Control") or ""), "Cache-Control")
        equal(curl.field("Content-Length"), None, "Content-Length")


def chinese(server):
    [answer] = answers(ask(server, CHINESE))
    letters = re.findall(r"[a-zA-Z]", answer.text)
    han = re.findall(r"[\u4e00-\u9fff]", answer.text)
    expect(len(han) > 10 and len(han) > len(letters), f"not Chinese: {answer.text!r}")
    expect("\ufffd" not in answer.text, "U+FFFD in the answer")
    return f"{len(han)} Chinese characters in {len(answer.tokens)} tokens"


def posted(server):
    """POST answers as GET does, however JSON spells the prompt."""
    posted_one, asked = answers(post(server, json.dumps({"prompt": ENGLISH})), ask(server, ENGLISH))
    equal(posted_one.text, asked.text, "the answer")


def escaped(server):
    """Escapes and surrogate pairs in the JSON mean the characters."""
    plain, spelt, asked = answers(
        post(server, json.dumps({"prompt": CHINESE}, ensure_ascii=False)),
        post(server, '{ "x": [1, {"prompt": "no"}], "prompt" : ' + json.dumps(CHINESE) + " }"),
        ask(server, CHINESE))
    equal(spelt.text, plain.text, "the answer with escapes")
    equal(asked.text, plain.text, "the answer to GET")


def resumed(server):
    [whole] = answers(ask(server, ENGLISH))
    equal(len(set(whole.ids)), len(whole.tokens), "ids")
    rest, again = answers(
        ask(server, ENGLISH, "-H", f"Last-Event-ID: {whole.ids[6]}"),
        post(server, json.dumps({"prompt": ENGLISH}), "-H", f"Last-Event-ID: {whole.ids[6]}"))
    equal(rest.ids[0], whole.ids[7], "first id")
    equal("".join(whole.tokens[:7]) + rest.text, whole.text, "the two parts")
    equal(again.text, rest.text, "the rest by POST")
    with ask(server, ENGLISH, "-H", f"Last-Event-ID: {whole.done_id}") as curl:
        curl.finish()
        equal(curl.status, 204, "status behind the last id")
    with ask(server, ENGLISH) as curl:
        curl.read(until=b"-3\n")
        last = re.findall(rb"id: (.*)\n", curl.output())[2].decode()
    [rest] = answers(ask(server, ENGLISH, "-H", f"Last-Event-ID: {last}"))
    equal("".join(whole.tokens[:3]) + rest.text, whole.text, "the two parts of one that was cut off")


def hostile_ids(server):
    """What is no ID of ours gets the whole answer, behind an event that says so."""
    [whole] = answers(ask(server, ENGLISH))
    name = whole.ids[0].rpartition("-")[0]
    values = ("0", "-1", "x", name, f"{name}-", f"{name}-0", f"{name}-999999", f"{name}-1x", f"{name}-01",
              name.swapcase() + "-1", "1" * 1000, "你好", "7, 8")
    curls = [ask(server, ENGLISH, "-H", f"Last-Event-ID: {value}") for value in values]
    for value, curl, answer in zip(values, curls, answers(*curls)):
        expect(b"event: gap\n" in curl.body, f"no gap for {value!r}")
        equal(answer.text, whole.text, f"the answer for {value!r}")
    equal(status(server, get(ENGLISH), "-H", "Last-Event-ID: " + "1" * 2000), 400, "2,000 bytes")
    equal(status(server, get(ENGLISH), "-H", "Last-Event-ID: 1", "-H", "Last-Event-ID: 2"), 400, "two")


def head(server):
    with ask(server, ENGLISH, "--head") as curl:
        curl.finish()
        equal(curl.status, 200, "status")
        expect(curl.field("Content-Type").startswith("text/event-stream"), "Content-Type")
        equal(curl.body, b"", "body")
        expect(curl.chunks[-1][0] < 2, "the reply to HEAD took long")


def old_http(server):
    old = ask(server, ENGLISH, "--http1.0")
    answer, new = answers(old, ask(server, ENGLISH))
    equal(old.field("Transfer-Encoding"), None, "Transfer-Encoding")
    equal(answer.text, new.text, "the answer")


def expected(server):
    """A client that waits for 100 gets it; one of HTTP/1.0 knows no 100 (RFC 9110 10.1.1)."""
    body = json.dumps({"prompt": ENGLISH}).encode()
    for minor, wanted in (1, b"HTTP/1.1 100 "), (0, b"HTTP/1.1 200 "):
        with socket.create_connection(server.address, 5) as link:
            link.sendall(b"POST /chat/stream HTTP/1.%d\r\nHost: a\r\nExpect: 100-continue\r\n"
                         b"Content-Length: %d\r\n\r\n" % (minor, len(body)))
            if minor == 0:
                ready, _, _ = select.select([link], [], [], 0.3)
                expect(not ready, "an answer before the body")
                link.sendall(body)
            answer = link.recv(4096)
            expect(answer.startswith(wanted), f"HTTP/1.{minor}: {answer[:40]!r}")


def wrong_method(server, method):
    with ask(server, ENGLISH, "-X", method) as curl:
        curl.finish()
        equal(curl.status, 405, "status")
        allowed = {part.strip() for part in (curl.field("Allow") or "").split(",")}
        expect({"GET", "HEAD", "POST"} <= allowed, f"Allow: {curl.field('Allow')}")


def accepts(server, value, wanted):
    with ask(server, ENGLISH, "-H", f"Accept: {value}") as curl:
        curl.read(until=b"\r\n\r\n")
        equal(curl.status, wanted, "status")


def refused(server, wanted, *options):
    """A body that is no prompt gets a status, at once and in order."""
    with Curl(server, "/chat/stream", *options) as curl:
        curl.finish()
        expect(curl.status in wanted, f"status {curl.status}, wanted {wanted}")


def big_body(server):
    """More than any prompt: refused, though curl is still sending."""
    body = json.dumps({"prompt": "a" * (8 << 20)}).encode()
    with open(os.path.join(BUILD, "interop", "big.json"), "wb") as file:
        file.write(body)
    with Curl(server, "/chat/stream", "-H", "Expect:", "--data-binary", f"@{file.name}") as curl:
        curl.read()
        expect(curl.status in (400, 413), f"status {curl.status}")
    os.unlink(file.name)


def injected(server):
    """Line ends in the prompt do not become lines of the stream."""
    prompts = ("a\r\n\r\ndata: [DONE]\n\nevent: x", "a\x01b", '"\\', "\u2028 \ufeff")
    for prompt, answer in zip(prompts, answers(*(ask(server, prompt) for prompt in prompts))):
        expect(len(answer.tokens) > 3, f"{prompt!r} broke the stream")
        equal(len(answer.ids), len(answer.tokens), "ids")


def gone(server):
    """When the reader leaves, the stream ends: no connection, no work."""
    curls = [ask(server, ENGLISH) for _ in range(20)]
    for curl in curls:
        curl.read(until=b"data:")
    expect(len(server.sockets()) >= 20, f"{len(server.sockets())} connections")
    for curl in curls:
        curl.__exit__()
    wait_until(lambda: not server.sockets(), 3, "connections gone")
    server.all_gone()
    server.idle(1)


def crowd(server):
    """20 streams at once, each whole and as fast as one alone."""
    before = server.cpu()
    curls = [ask(server, ENGLISH) for _ in range(20)]
    found = answers(*curls)
    equal(len({answer.text for answer in found}), 1, "different answers")
    rate = len(found[0].tokens) / max(curl.chunks[-1][0] for curl in curls)
    expect(rate >= 10, f"{rate:.0f} tokens a second beside others")
    return f"{rate:.0f} tokens a second, {server.cpu() - before:.2f} s of CPU"


def page(server):
    with Curl(server, "/") as curl:
        curl.finish()
        equal(curl.status, 200, "status")
        expect(re.match(r"text/html;\s*charset=utf-8", curl.field("Content-Type"), re.I), "Content-Type")
        html = curl.body.decode("utf-8")
    found = re.findall(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//[^"'\s>]+|@import|url\(\s*["']?http""",
                       html)
    equal(found, [], "resources of other hosts")
    with Curl(server, "/", "--head") as curl:
        curl.finish()
        equal((curl.status, curl.body), (200, b""), "HEAD /")
    equal(status(server, "/no/such/page"), 404, "another path")
    equal(status(server, "/room"), 426, "GET /room")
    return f"{len(html)} characters"


def sigterm(server):
    """Streams under way do not keep the server from ending, and end in order for curl."""
    with ask(server, ENGLISH) as curl:
        curl.read(until=b"data:")
        return server.terminate()


def main():
    suite = Suite("curl")
    os.makedirs(os.path.join(BUILD, "interop"), exist_ok=True)
    with Server("demo_server") as server:
        for name, call in (("GET streams token by token", streamed), ("fields for proxies", proxies),
                           ("Chinese prompt", chinese), ("POST", posted), ("POST with escapes", escaped),
                           ("Last-Event-ID resumes", resumed), ("hostile Last-Event-ID", hostile_ids),
                           ("HEAD", head), ("HTTP/1.0", old_http),
                           ("Expect: 100-continue", expected)):
            suite.check(name, call, server, limit=40)
        for method in ("PUT", "DELETE", "OPTIONS"):
            suite.check(f"405 for {method}", wrong_method, server, method)
        for value, wanted in (("text/html", 406), ("application/json", 406), ("text/event-stream;q=0", 406),
                              ("*/*", 200), ("text/*", 200), ("text/html, text/event-stream", 200)):
            suite.check(f"Accept: {value} is answered with {wanted}", accepts, server, value, wanted)
        for name, wanted, options in (
                ("no prompt", (400,), ()),
                ("POST without JSON", (400, 415), ("-d", "prompt=hello")),
                ("POST without prompt", (400, 422), ("-d", '{"x": "y"}')),
                ("POST with a number as prompt", (400, 422), ("-d", '{"prompt": 5}')),
                ("POST with cut JSON", (400,), ("-d", '{"prompt": "hel')),
                ("POST with bad UTF-8", (400,), ("--data-binary", b'{"prompt": "\xff"}')),
                ("POST with half a surrogate pair", (200, 400), ("-d", r'{"prompt": "\ud83d"}')),
                ("POST with an empty body", (400, 411), ("-X", "POST"))):
            suite.check(f"refused: {name}", refused, server, wanted, *options)
        for name, call in (("8 MiB as prompt", big_body), ("line ends in the prompt", injected),
                           ("the reader leaves", gone), ("20 streams at once", crowd), ("the page", page),
                           ("SIGTERM during a stream", sigterm)):
            suite.check(name, call, server, limit=40)
    curl_ws.run(suite)
    suite.finish()


if __name__ == "__main__":
    main()
