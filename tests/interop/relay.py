# SPDX-License-Identifier: MIT
"""demo_server --upstream between visitors and a scripted OpenAI-compatible endpoint."""

import http.client
import json
import os
import socket
import struct
import subprocess
import threading
import time
from urllib.parse import quote

from harness import BUILD, Failure, Server, Suite, equal, expect, wait_until
from streams import Script, memory

MIB = 1 << 20
KEY = "sk-test-123"
TOKENS = ["你", "好", " 🌊", "\n", " \"quoted\"", " caf\u00e9", "\u2028", "end"]


# ---- The endpoint -----------------------------------------------------------------------------------


def chunk(content=None, finish=None, **more):
    delta = {"content": content} if content is not None else {}
    return {"id": "c", "object": "chat.completion.chunk", "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def data(*objects, end="\n", ascii=True):
    return "".join(f"data: {one if isinstance(one, str) else json.dumps(one, ensure_ascii=ascii)}{end}{end}"
                   for one in objects)


def normal(link, request):
    """As the API does it: roles first, a figure at the end, chunked."""
    asked = json.loads(request.body)
    expect(asked["stream"] is True and asked["messages"][-1]["role"] == "user", f"asked {asked}")
    link.head("200 OK", "text/event-stream; charset=utf-8", "Transfer-Encoding: chunked")
    first = chunk()
    first["choices"][0]["delta"] = {"role": "assistant", "content": None}
    link.chunk(data(first, chunk("")))
    for token in TOKENS:
        link.chunk(data(chunk(token)))
        time.sleep(0.02)
    link.chunk(data(chunk(None, "stop"), {"choices": [], "usage": {"total_tokens": 9}}, "[DONE]"))
    link.send(b"0\r\n\r\n")


def stream(text, *after):
    """A step: this text in a close-delimited stream, then whatever the functions do."""
    def step(link, _request):
        link.stream(text)
        for act in after:
            act(link)
    return step


def status(line, body):
    return lambda link, _request: link.sized(line, body)


WHOLE = "".join(TOKENS)
SPOKEN = data(*(chunk(token) for token in TOKENS))
GOOD = {
    "like the API": normal,
    "raw UTF-8": stream(data(*(chunk(token) for token in TOKENS), "[DONE]", ascii=False)),
    "no last empty line": stream(SPOKEN + "data: [DONE]"),
    "the last empty line missing too": stream(SPOKEN + "data: [DONE]\n"),
    "CR LF": stream(data(*(chunk(token) for token in TOKENS), "[DONE]", end="\r\n")),
    "CR": stream(data(*(chunk(token) for token in TOKENS), "[DONE]", end="\r")),
    "no [DONE], but a reason to finish": stream(SPOKEN + data(chunk(None, "length"))),
    "comments, ids, other events": stream(": ping\n\n" + SPOKEN.replace("data:", ":\nid: 1\nevent: x\ndata:")
                                          + data("[DONE]")),
    "JSON over several lines": stream("".join(
        "".join(f"data: {line}\n" for line in json.dumps(chunk(token), indent=1).split("\n")) + "\n"
        for token in TOKENS) + data("[DONE]")),
    "other choices": stream(data(*(dict(chunk(), choices=[
        {"index": 1, "delta": {"content": "NO"}}, {"delta": {"content": token}, "index": 0}]) for token in TOKENS),
        {"choices": [{"index": 1, "delta": {"content": "NO"}}]}, {"choices": None}, {"object": "x"},
        {"choices": [{"index": 0, "delta": {"content": ["NO"]}}]}, {"choices": [{"index": 0}], "error": None},
        "[DONE]")),
    "a token cut in single bytes": lambda link, _: (link.stream(), [
        link.send(bytes([byte])) for byte in (SPOKEN + data("[DONE]")).encode()]),
    "[DONE], and the connection stays": stream(SPOKEN + data("[DONE]"), lambda link: link.left(3)),
}
BAD = {
    "a status of 401": (status("401 Unauthorized", '{"error":{"message":"bad key \\"x\\"","type":"auth"}}'),
                        "", ("401", 'bad key "x"')),
    "a status of 429": (status("429 Too Many Requests", '{"error":"slow down"}'), "", ("429", "slow down")),
    "a status of 500": (status("500 x", "<html>no JSON"), "", ("500",)),
    "a status of 200 with JSON": (status("200 OK", '{"detail":"no stream"}'), "", ("application/json", "no stream")),
    "a status of 204": (lambda link, _: link.head("204 No Content", None), "", ("204",)),
    "an error inside": (stream(SPOKEN + data({"error": {"message": "overloaded"}}) + SPOKEN), WHOLE, ("overloaded",)),
    "an event: error": (stream(SPOKEN + 'event: error\ndata: {"message":"burnt"}\n\n' + SPOKEN), WHOLE, ("burnt",)),
    "an event: error without JSON": (stream("event: error\ndata: x\n\n"), "", ("error",)),
    "no JSON": (stream(SPOKEN + "data: hello\n\n"), WHOLE, ("JSON",)),
    "half an event at the end": (stream(SPOKEN + 'data: {"choices":[{"delta":{"content":"ha'), WHOLE, ()),
    "half an event in a chunk": (lambda link, _: (
        link.head("200 OK", "text/event-stream", "Transfer-Encoding: chunked"), link.chunk(SPOKEN),
        link.send('20\r\ndata: {"choices":[{"del')), WHOLE, ()),
    "an early end": (stream(SPOKEN), WHOLE, ("early",)),
    "a reset": (stream(SPOKEN, lambda link: (time.sleep(0.2), link.cut())), WHOLE, ()),
    "a head that is none": (lambda link, _: link.send("SSH-2.0-x\r\n\r\n"), "", ()),
    "an end before the head": (lambda link, _: None, "", ()),
    "deep nesting": (stream("data: " + "[" * 5000 + "]" * 5000 + "\n\n"), "", ("JSON",)),
    "an event over 4 MiB": (stream(SPOKEN + data(chunk("x" * 5 * MIB), "[DONE]")), WHOLE, ("limit",)),
    "silence before the head": (lambda link, _: link.left(8), "", ("",)),
    "silence between tokens": (stream(SPOKEN, lambda link: link.left(8)), WHOLE, ("silent",)),
    "a redirect to https": (lambda link, _: link.redirect(307, "https://127.0.0.1/"), "", ("TLS",)),
}


# ---- The visitor ------------------------------------------------------------------------------------


class Visitor:
    """One stream of the demo's; `events` are (type, data, id) with their arrival times."""

    def __init__(self, server, prompt="hi", last_id=None, post=False, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.connect(server.address)
        self.sock.settimeout(25)
        fields = f"Host: x\r\nLast-Event-ID: {last_id}\r\n" if last_id is not None else "Host: x\r\n"
        body = json.dumps({"prompt": prompt}).encode() if post else b""
        line = f"POST /chat/stream HTTP/1.1\r\nContent-Length: {len(body)}\r\n" if post else \
            f"GET /chat/stream?prompt={quote(prompt)} HTTP/1.1\r\n"
        self.sock.sendall(f"{line}{fields}\r\n".encode() + body)
        self.response = http.client.HTTPResponse(self.sock)
        self.response.begin()
        self.comments = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.response.close()
        self.sock.close()

    def event(self):
        """The next event as (type, data, id), or None at an orderly end."""
        kind, text, name = "message", None, None
        while True:
            line = self.response.readline()
            if not line:
                expect(text is None, "the stream ended inside an event")
                return None
            line = line.decode("utf-8").rstrip("\n")
            field, _, value = line.partition(": ")
            if line == "":
                if text is not None:
                    return kind, text, name
            elif line.startswith(":"):
                self.comments += 1
            elif field == "data":
                text = value if text is None else f"{text}\n{value}"
            elif field == "event":
                kind = value
            elif field == "id":
                name = value

    def rest(self):
        """Everything to the end: the text, and the last event."""
        text, last = "", None
        while event := self.event():
            kind, value, _ = last = event
            if kind == "message" and value != "[DONE]":
                text += json.loads(value)
        return text, last


def relay(mock, *options):
    return Server("demo_server", "--upstream", mock.url("/v1"), "--model", "mo\"del", *options)


def good(step):
    with Script(step) as mock, relay(mock) as server, Visitor(server, "what?") as visitor:
        text, last = visitor.rest()
        equal(text, WHOLE, "the text")
        equal(last[:2], ("message", "[DONE]"), "the last event")
        [request] = mock.requests
        equal((request.method, request.target, request.field("Authorization")),
              ("POST", "/v1/chat/completions", f"Bearer {KEY}"), "the request")
        asked = json.loads(request.body)
        equal([asked["model"], asked["messages"]], ['mo"del', [{"role": "user", "content": "what?"}]], "asked")
        wait_until(lambda: mock.open == 0, 2, "the upstream's connection is closed")


def bad(step, text, words):
    """The visitor gets what there was, then a sentence, then the end; asking again is answered with 204."""
    with Script(step) as mock, relay(mock, "--upstream-timeout", "700") as server:
        start = time.monotonic()
        with Visitor(server) as visitor:
            got, last = visitor.rest()
        equal(got, text, "the text")
        expect(last and last[0] == "error", f"the last event is {last}")
        sentence = json.loads(last[1])
        expect(isinstance(sentence, str) and all(word in sentence for word in words), f"{sentence!r}")
        expect(time.monotonic() - start < 5, "more than 5 s")
        with Visitor(server, last_id=last[2]) as again:
            equal(again.response.status, 204, "status for its last ID")
        server.alive()
        return sentence


def unreachable():
    with Script(normal) as mock:
        port = mock.port
    with Server("demo_server", "--upstream", f"http://127.0.0.1:{port}/") as server, Visitor(server) as visitor:
        _, last = visitor.rest()
        expect(last[0] == "error" and "refused" in last[1], f"{last}")
        return json.loads(last[1])


def at_once():
    """Each token is passed on when it comes: by then the upstream has not said the next."""
    said = []

    def step(link, _request):
        link.stream(data(chunk("first")))
        for at in range(10):
            time.sleep(0.1)
            said.append(time.monotonic())
            link.send(data(chunk(str(at))))
        link.send(data("[DONE]"))
    with Script(step) as mock, relay(mock) as server, Visitor(server) as visitor:
        visitor.event()
        late = []
        for at in range(10):
            equal(json.loads(visitor.event()[1]), str(at), "token")
            late.append(time.monotonic() - said[at])
        expect(sorted(late)[5] < 0.02 and max(late) < 0.09, f"late by {late}")
        return f"{sorted(late)[5] * 1000:.1f} ms, at most {max(late) * 1000:.1f}"


def leaves(how):
    """The visitor leaves: the upstream's connection is closed at once."""
    left = []

    def step(link, _request):
        link.stream(data(chunk("a")))
        left.append(link.left())
    with Script(step) as mock, relay(mock) as server:
        visitor = Visitor(server)
        visitor.event()
        start = time.monotonic()
        if how == "reset":
            visitor.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.close()
        wait_until(lambda: left, 3, "the upstream sees it")
        server.all_gone()
    expect(left[0] - start < 0.2, f"{left[0] - start:.2f} s later")
    return f"{(left[0] - start) * 1000:.0f} ms"


def leaves_before_head():
    left = []
    with Script(lambda link, _: left.append(link.left())) as mock, relay(mock) as server:
        visitor = Visitor(server)
        wait_until(lambda: mock.requests, 2, "the request")
        start = time.monotonic()
        visitor.close()
        wait_until(lambda: left, 3, "the upstream sees it")
    expect(left[0] - start < 0.2, f"{left[0] - start:.2f} s later")


def leaves_unread():
    """A visitor that has not read for a while leaves: this is noticed, though nothing can be written to it."""
    left = []

    def step(link, _request):
        link.stream()
        start = time.monotonic()
        try:
            while time.monotonic() < start + 10:
                link.send(data(*(chunk("w" * 500) for _ in range(50))))
        except OSError:
            left.append(time.monotonic())
    with Script(step) as mock, relay(mock) as server:
        visitor = Visitor(server, receive_buffer=65536)
        visitor.event()
        time.sleep(1)
        expect(not left, "the upstream was left before")
        start = time.monotonic()
        visitor.close()
        wait_until(lambda: left, 3, "the upstream sees it")
        server.all_gone()
    expect(left[0] - start < 0.3, f"{left[0] - start:.2f} s later")


def slow_visitor():
    """A visitor that does not read stops the upstream; memory stays where it is; then all of it arrives."""
    total, sent = 60000, [0]
    token = "w" * 500

    def step(link, _request):
        link.stream()
        for at in range(0, total, 50):
            link.send(data(*(chunk(token) for _ in range(50))))
            sent[0] = at + 50
        link.send(data("[DONE]"))
    with Script(step) as mock, relay(mock, "--upstream-timeout", "1000") as server, \
            Visitor(server, receive_buffer=65536) as visitor:
        visitor.event()
        time.sleep(1.5)
        before = sent[0]
        time.sleep(1)  # longer than the upstream may be silent: this silence is ours
        equal(sent[0], before, "what the upstream could send")
        expect(before < total, "all of it was taken")
        peak = server.peak()
        expect(peak < memory(24), f"{peak >> 20} MiB")
        text, last = visitor.rest()
        equal((len(text), last[1]), ((total - 1) * len(token), "[DONE]"), "the rest")
        return f"stopped after {before} tokens of {total}, {peak >> 20} MiB at most"


def no_descriptors():
    """More visitors than the server has descriptors for, each of whom needs another one: it lives on."""
    def step(link, _request):
        link.stream(data(chunk("a")))
        link.left(20)
    with Script(step) as mock, Server("demo_server", "--upstream", mock.url("/v1"), files=40) as server:
        crowd_ = []
        for _ in range(60):
            sock = socket.create_connection(server.address)
            sock.sendall(b"GET /chat/stream?prompt=x HTTP/1.1\r\nHost: x\r\n\r\n")
            crowd_.append(sock)
        time.sleep(1)
        for sock in crowd_:
            sock.close()
        expect(server.process.poll() is None, "the server has ended")
        for _ in range(100):
            if server.fds() == server.idle_fds:
                break
            time.sleep(0.05)
        with Visitor(server) as visitor:
            equal(visitor.event()[1], '"a"', "the first token afterwards")


def long_tokens():
    """Tokens of megabytes arrive whole, in pieces, in order."""
    texts = ["你" * 300000, "ab\u0001" * 100000, "🌊" * 200000, "z"]
    with Script(stream(data(*(chunk(text) for text in texts), "[DONE]", ascii=False))) as mock, relay(mock) as server, \
            Visitor(server, post=True) as visitor:
        text, last = visitor.rest()
        expect(text == "".join(texts), f"{len(text)} characters of {sum(map(len, texts))}")
        equal(last[1], "[DONE]", "the last event")
        return f"{server.peak() >> 20} MiB at most"


def surrogates():
    """Half of a character, as servers send that cut text where they please, is shown as lost."""
    with Script(stream(data(chunk("a\ud83d"), chunk("\ude00b"), chunk("\ud83d\ude00"), "[DONE]"))) as mock, \
            relay(mock) as server, Visitor(server) as visitor:
        equal(visitor.rest()[0], "a\ufffd\ufffdb😀", "the text")


def heartbeat():
    """While the upstream thinks, the visitor's connection is kept awake."""
    def step(link, _request):
        link.stream(": thinking\n\n")
        time.sleep(17)
        link.send(SPOKEN + data("[DONE]"))
    with Script(step) as mock, relay(mock) as server, Visitor(server) as visitor:
        text, _ = visitor.rest()
        equal(text, WHOLE, "the text")
        expect(visitor.comments >= 1, "no comment in 17 s")
        server.idle()


def resumes_whole():
    """What was complete when the connection broke is read on exactly behind the last ID."""
    with Script(stream(SPOKEN + data("[DONE]"))) as mock, relay(mock) as server:
        with Visitor(server) as visitor:
            first = [visitor.event() for _ in range(3)]
            wait_until(lambda: mock.open == 0, 2, "the upstream is done")
            time.sleep(0.1)
        with Visitor(server, last_id=first[-1][2]) as again:
            text, last = again.rest()
        equal("".join(json.loads(event[1]) for event in first) + text, WHOLE, "the two parts")
        with Visitor(server, last_id=last[2]) as done:
            equal(done.response.status, 204, "status behind the end")
        equal(len(mock.requests), 1, "requests")


def resumes_anew():
    """What was not is lost, as the upstream was left: a gap is told, and the answer begins again."""
    held = threading.Event()

    def step(link, _request):
        link.stream(data(*(chunk(token) for token in TOKENS[:4])))
        held.wait(5)
        link.send(data(*(chunk(token) for token in TOKENS[4:]), "[DONE]"))
    with Script(step) as mock, relay(mock) as server:
        with Visitor(server) as visitor:
            last_id = [visitor.event() for _ in range(3)][-1][2]
        server.all_gone()
        held.set()
        with Visitor(server, last_id=last_id) as again:
            equal(again.event()[:2], ("gap", '""'), "the first event")
            equal(again.rest()[0], WHOLE, "the text")
        equal(len(mock.requests), 2, "requests")


def two_connections():
    """A second connection to the same answer, while the first one is still there: both get all of it."""
    go = threading.Event()

    def step(link, _request):
        link.stream(data(*(chunk(token) for token in TOKENS[:4])))
        go.wait(5)
        link.send(data(*(chunk(token) for token in TOKENS[4:]), "[DONE]"))
    with Script(step) as mock, relay(mock) as server, Visitor(server) as first:
        events = [first.event() for _ in range(4)]
        with Visitor(server, last_id=events[1][2]) as second:
            equal(json.loads(second.event()[1]), TOKENS[2], "the second's first token")
            go.set()
            equal(second.rest()[0], "".join(TOKENS[3:]), "the second's text")
        equal(first.rest()[0], "".join(TOKENS[4:]), "the first's text")
        equal(len(mock.requests), 1, "requests")


def crowd():
    """100 visitors at once, of whom half leave: the upstream has the others only."""
    go = threading.Event()

    def step(link, _request):
        link.stream(data(chunk("a")))
        go.wait(10)
        link.send(SPOKEN + data("[DONE]"))
    with Script(step) as mock, relay(mock) as server:
        visitors = [Visitor(server) for _ in range(100)]
        for visitor in visitors:
            visitor.event()
        for visitor in visitors[::2]:
            visitor.close()
        time.sleep(0.3)
        go.set()
        for visitor in visitors[1::2]:
            equal(visitor.rest()[0], WHOLE, "the text")
            visitor.close()
        server.all_gone()
        server.idle()
        return f"{server.peak() >> 20} MiB at most"


def sigterm():
    with Script(lambda link, _: (link.stream(SPOKEN), link.left())) as mock, relay(mock) as server, \
            Visitor(server) as visitor:
        visitor.event()
        note = server.terminate()
        expect(visitor.rest()[1] is not None, "nothing after SIGTERM")
        return note


def endpoints():
    """The URL is the endpoint, or what stands before /chat/completions."""
    for given, wanted in (("", "/chat/completions"), ("/v1/", "/v1/chat/completions"),
                          ("/x/chat/completions", "/x/chat/completions"), ("/v1?a=b", "/v1/chat/completions?a=b")):
        with Script(normal) as mock, Server("demo_server", "--upstream", mock.url(given)) as server, \
                Visitor(server) as visitor:
            equal(visitor.rest()[0], WHOLE, "the text")
            equal(mock.requests[0].target, wanted, f"target for {given!r}")
    path = os.path.join(BUILD, "examples", "demo_server")
    for bad_url in ("https://api.example/v1", "ftp://x/", "http://", "http://u:p@h/", "ws://h/",
                    "http://h/" + "x" * 3000):
        done = subprocess.run([path, "--port", "0", "--upstream", bad_url], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=5, check=False)
        expect(done.returncode == 2 and done.stderr.count(b"\n") == 1, f"{bad_url}: {done}")


def main():
    os.environ["UPSTREAM_API_KEY"] = KEY
    suite = Suite("relay")
    beat = threading.Thread(target=lambda: results.append(attempt(heartbeat)), daemon=True)
    results = []
    beat.start()
    for name, step in GOOD.items():
        suite.check(name, good, step)
    for name, (step, text, words) in BAD.items():
        suite.check(name, bad, step, text, words)
    for name, call in (("nobody there", unreachable), ("the same turn", at_once),
                       ("a visitor that leaves before the answer", leaves_before_head),
                       ("a visitor that leaves with much unread", leaves_unread),
                       ("a slow visitor", slow_visitor), ("long tokens", long_tokens),
                       ("no descriptors left", no_descriptors),
                       ("surrogates alone", surrogates), ("resumed when complete", resumes_whole),
                       ("a gap, and anew", resumes_anew), ("two connections", two_connections), ("a crowd", crowd),
                       ("URLs", endpoints), ("SIGTERM", sigterm)):
        suite.check(name, call, limit=40)
    for how in ("end", "reset"):
        suite.check(f"a visitor that leaves: {how}", leaves, how)
    suite.check("a heartbeat while the upstream is silent", lambda: joined(beat, results), limit=30)
    suite.finish()


def attempt(call):
    try:
        call()
    except Exception as error:  # pylint: disable=broad-except
        return error
    return None


def joined(thread, results):
    thread.join(25)
    expect(results, "not finished")
    if results[0] is not None:
        raise Failure(str(results[0]))


if __name__ == "__main__":
    main()
