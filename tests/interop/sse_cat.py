# SPDX-License-Identifier: MIT
"""sse_cat: the parser on stdin, and the event source against servers that follow a script."""

import json
import os
import random
import signal
import subprocess
import time

from harness import Suite, equal, expect, wait_until
from sse_cases import CASES, PIECES, reference
from streams import CAT, Cat, Script, memory, no_content, streaming, triple

CUTS = (1, 2, 3, 7, 65536)
MIB = 1 << 20


# ---- stdin ------------------------------------------------------------------------------------------


def parse(stream, *options):
    """What `sse_cat -` makes of a stream: events, last event ID, retry."""
    done = subprocess.run([CAT, *options, "-"], input=stream, capture_output=True, timeout=20, check=False)
    equal((done.returncode, done.stderr), (0, b""), "exit")
    lines = done.stdout.split(b"\n")
    equal(lines.pop(), b"", "behind the last line")
    end = json.loads(lines.pop().decode("utf-8"))
    equal([end.pop("end"), list(end)], [True, ["lastEventId", "retry"]], "the end line")
    return [triple(line) for line in lines], end["lastEventId"], end["retry"]


def case(stream, *wanted):
    for cut in CUTS:
        equal(parse(stream, "--chunk", str(cut)), wanted, f"--chunk {cut}")


def random_streams():
    """Against the standard's text in Python."""
    dice = random.Random(20)
    for _ in range(150):
        stream = b"".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 120)))
        cut = dice.choice(CUTS)
        equal(parse(stream, "--chunk", str(cut)), reference(stream), f"{stream!r} at {cut}")


def seeded():
    """--last-event-id is the ID until the stream has one."""
    equal(parse(b"data:a\n\nid:2\ndata:b\n\nid:\n\n", "--last-event-id", "séed"),
          ([("message", "a", "séed"), ("message", "b", "2")], "", None), "ids")
    equal(parse(b"", "--last-event-id", "x"), ([], "x", None), "nothing")
    for bad in ("a\nb", "a\rb", "x" * 100000):
        done = subprocess.run([CAT, "--last-event-id", bad, "-"], input=b"", capture_output=True, check=False)
        equal(done.returncode, 2, f"exit status for {bad[:5]!r}")


def huge():
    """A line of 16 MiB, in one piece, in many lines, and with what has to be escaped."""
    notes = []
    for text in (b"x" * (16 * MIB), b"\xe4\xbd\xa0" * (5 * MIB), b"\n".join([b"y" * 1023] * (16 * 1024))):
        stream = b"data: " + text.replace(b"\n", b"\ndata: ") + b"\n\n"
        for cut in ("1400", "65536"):
            start = time.monotonic()
            [(_, data, _)], _, _ = parse(stream, "--chunk", cut)
            expect(data.encode() == text, "the data is another")
            notes.append(time.monotonic() - start)
    return f"at most {max(notes):.2f} s each"


def over_limit():
    """More than 64 MiB of data in one event: an error, not half an event; names and comments of any length pass."""
    piece = b"z" * MIB
    with Cat("-", stdin=subprocess.PIPE) as cat:
        cat.process.stdin.write(b"data: a\n\ndata: ")
        cat.process.stdin.flush()
        equal(cat.event()[1], "a", "the event before")
        try:
            for _ in range(65):
                cat.process.stdin.write(piece)
            cat.process.stdin.close()
        except BrokenPipeError:
            pass
        equal(cat.line(), None, "stdout")
        lines = cat.ended(1)
        equal(len(lines), 1, "lines on stderr")
    with Cat("-", stdin=subprocess.PIPE) as cat:
        for begin in (b":", b"unknown: ", b"name"):
            cat.process.stdin.write(begin)
            for _ in range(70):
                cat.process.stdin.write(piece)
            cat.process.stdin.write(b"\n")
        cat.process.stdin.write(b"data: b\n\n")
        cat.process.stdin.flush()
        equal(cat.event()[1], "b", "the event behind")
        peak = cat.peak()
        expect(peak < memory(16), f"{peak >> 20} MiB for what is thrown away")
    return lines[0]


def at_once():
    """Each event is printed when its blank line ends, at a CR too."""
    with Cat("-", stdin=subprocess.PIPE) as cat:
        for end in (b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r"):
            cat.process.stdin.write(b"data: now" + end)
            cat.process.stdin.flush()
            equal(cat.event(2)[1], "now", f"event by {end!r}")
        cat.process.stdin.close()
        cat.line()
        cat.ended(0)


def closed_stdout():
    """Whoever reads the output leaves: a quiet end, even when nothing more comes."""
    with Cat("-", stdin=subprocess.PIPE) as cat:
        cat.process.stdin.write(b"data: 1\n\n")
        cat.process.stdin.flush()
        cat.event()
        cat.process.stdout.close()
        equal(cat.ended(0), [], "stderr")


def full_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([CAT, "-"], input=b"data:x\n\n", stdout=full, stderr=subprocess.PIPE, check=False)
    equal(done.returncode, 1, "exit status")
    expect(done.stderr.startswith(b"sse_cat: ") and done.stderr.count(b"\n") == 1, f"stderr {done.stderr!r}")


# ---- A stream over HTTP -----------------------------------------------------------------------------


def like_an_event_source():
    """The request that a browser would send."""
    with Script(streaming("data: x\n\n")) as server, Cat("--no-reconnect", server.url("/a?b=c%20d")) as cat:
        equal(cat.events(), [("message", "x", "")], "events")
        equal(cat.ended(0), [], "stderr")
        [request] = server.requests
    equal((request.method, request.target, request.version), ("GET", "/a?b=c%20d", "HTTP/1.1"), "request line")
    equal(request.field("Host"), f"127.0.0.1:{server.port}", "Host")
    equal(request.field("Accept"), "text/event-stream", "Accept")
    equal(request.field("Cache-Control"), "no-cache", "Cache-Control")
    equal([request.field(name) for name in ("Last-Event-ID", "Content-Length", "Transfer-Encoding")], [None] * 3,
          "fields that do not belong there")


def framed(how):
    """The three ways a body ends; bytes one by one."""
    text = b"id: 1\nevent: a\ndata: caf\xc3\xa9\ndata: 2\r\n\r\n: c\n\ndata: 3\n\n"

    def step(link, _request):
        if how == "sized":
            answer = b"HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream;\r\nContent-Length: %d\r\n\r\n" % len(text)
            answer += text
        elif how == "chunked":
            answer = b"HTTP/1.1 200\r\nContent-Type: text/event-stream; charset=windows-1252\r\n" \
                     b"Transfer-Encoding: chunked\r\n\r\n"
            answer += b"".join(b"%x;ext=1\r\n%s\r\n" % (len(text[at:at + 5]), text[at:at + 5])
                               for at in range(0, len(text), 5)) + b"0\r\nTrailer: x\r\n\r\n"
        else:
            answer = b"HTTP/1.0 200 OK\r\nContent-Type:text/event-stream\r\n\r\n" + text
        link.send(*(answer[at:at + 1] for at in range(len(answer))), pause=0.0002)
    with Script(step) as server, Cat("--no-reconnect", server.url()) as cat:
        equal(cat.events(), [("a", "café\n2", "1"), ("message", "3", "1")], "events")
        cat.ended(0)


def refused(status, media, body, wanted):
    def step(link, _request):
        link.sized(status, body, media)
    with Script(step) as server, Cat(server.url()) as cat:
        equal(cat.events(), [], "events")
        [line] = cat.ended(1)
        equal(len(server.requests), 1, "requests")
    expect(wanted in line, line)
    return line


def media_types():
    """Only text/event-stream is one."""
    for media in ("x bogus", "text/x-bogus", "text/event-streamfoo", "text/html", None, "text/event-stream/x"):
        with Script(lambda link, _, media=media: link.sized("200 OK", "data: x\n\n", media)) as server, \
                Cat(server.url()) as cat:
            equal(cat.events(), [], f"events of {media}")
            equal(len(cat.ended(1)), 1, "lines on stderr")
    for media in ("text/event-stream;", "TEXT/EVENT-STREAM", "text/event-stream ; charset=utf-8"):
        with Script(lambda link, _, media=media: link.sized("200 OK", "data: x\n\n", media)) as server, \
                Cat("--no-reconnect", server.url()) as cat:
            equal(len(cat.events()), 1, f"events of {media}")
            cat.ended(0)


# ---- Coming back ------------------------------------------------------------------------------------


def reconnects():
    """retry is honoured, the last event ID is sent and lasts, 204 is the end."""
    with Script(streaming("retry: 300\nid: …1\ndata: a\n\n"), streaming("data: b\n\nid\ndata: c\n\n"),
                streaming("id: x\0y\ndata: d\n\nid: lost\ndata: half"), no_content) as server, \
            Cat(server.url()) as cat:
        equal(cat.events(8), [("message", "a", "…1"), ("message", "b", "…1"), ("message", "c", ""),
                              ("message", "d", "")], "events")
        lines = cat.ended(1)
    equal(len(lines), 1, f"lines on stderr: {lines}")
    ids = [request.field("Last-Event-ID") for request in server.requests]
    equal(ids, [None, "…1", None, None], "Last-Event-ID")
    waits = [b.at - a.at for a, b in zip(server.requests, server.requests[1:])]
    expect(all(0.29 <= wait <= 0.6 for wait in waits), f"waits {waits}")
    return f"waits of {', '.join(f'{wait:.2f}' for wait in waits)} s"


def default_wait():
    with Script(streaming("data: a\n\n"), no_content) as server, Cat(server.url()) as cat:
        cat.events(8)
        cat.ended(1)
    first, second = server.requests
    expect(2.95 <= second.at - first.at <= 4.2, f"waited {second.at - first.at:.2f} s")
    return f"{second.at - first.at:.2f} s"


def no_flood():
    """retry: 0 and the like do not make it hammer; those beyond all numbers do not make it stay away for ever."""
    with Script(streaming("retry: 0\ndata: a\n\n")) as server, Cat(server.url()) as cat:
        time.sleep(1)
        count = len(server.requests)
        cat.process.terminate()
        cat.events()
        cat.ended(0)
    expect(3 <= count <= 12, f"{count} connections in a second")
    return f"{count} connections in a second"


def broken(how):
    """A cut inside an event, by reset, by end, inside a chunk: nothing of it is printed, its ID is not sent."""
    def step(link, _request):
        if how == "chunk":
            link.head("200 OK", "text/event-stream", "Transfer-Encoding: chunked")
            link.chunk("retry: 150\nid: 1\ndata: whole\n\n")
            link.send("40\r\nid: 2\ndata: ha")
        else:
            link.stream("retry: 150\nid: 1\ndata: whole\n\nid: 2\ndata: half\n")
        time.sleep(0.2)
        if how == "reset":
            link.cut()
    with Script(step, streaming("data: next\n\n"), no_content) as server, Cat(server.url()) as cat:
        equal(cat.events(), [("message", "whole", "1"), ("message", "next", "1")], "events")
        cat.ended(1)
    equal(server.requests[1].field("Last-Event-ID"), "1", "Last-Event-ID")


def not_there_yet():
    """Refused connections are tried again; each is worth a line."""
    with Script(no_content) as probe:
        port = probe.port
    with Cat(f"http://127.0.0.1:{port}/") as cat:
        wait_until(lambda: "trying again" in cat.errors(), 5, "a line on stderr")
        cat.process.send_signal(signal.SIGINT)
        equal(cat.events(), [], "events")
        lines = cat.ended(0)
    with Cat("--no-reconnect", f"http://127.0.0.1:{port}/") as cat:
        cat.events()
        equal(len(cat.ended(1)), 1, "lines on stderr")
    return lines[0]


def redirected():
    """All five, from the URL given each time; one too many, none at all, and https are the end."""
    for status in (301, 302, 303, 307, 308):
        step = (lambda link, _, status=status: link.redirect(status, "../b?q"))
        with Script(step, streaming("data: x\n\n")) as server, Cat("--no-reconnect", server.url("/a/c")) as cat:
            equal(len(cat.events()), 1, f"events behind {status}")
            cat.ended(0)
        equal([request.target for request in server.requests], ["/a/c", "/b?q"], "targets")
    for location in ("Location: /", "Location:", "X: y", "Location: https://127.0.0.1/", "Location: ftp://a/"):
        step = (lambda link, _, location=location: link.head("302 x", None, location, "Content-Length: 0"))
        with Script(step) as server, Cat(server.url()) as cat:
            equal(cat.events(), [], "events")
            equal(len(cat.ended(1)), 1, "lines on stderr")


def credentials():
    """Fields of the caller do not follow a redirect to another origin."""
    with Script(streaming("data: x\n\n")) as other:
        with Script(lambda link, _: link.redirect(307, other.url("/x"))) as server, \
                Cat("--no-reconnect", "--header", "Authorization: Bearer s", "--header", "X-A:  b ",
                    server.url()) as cat:
            equal(len(cat.events()), 1, "events")
            cat.ended(0)
    equal([server.requests[0].field(name) for name in ("Authorization", "X-A")], ["Bearer s", "b"], "at the first")
    equal([other.requests[0].field(name) for name in ("Authorization", "X-A")], [None, None], "at the other")


def posted():
    """--data is sent again at each connection, with the fields given."""
    body = '{"prompt":"你好"}'
    with Script(streaming("retry: 150\ndata: 1\n\n"), no_content) as server, Cat("--data", body, server.url()) as cat:
        cat.events()
        cat.ended(1)
    for request in server.requests:
        equal((request.method, request.body.decode()), ("POST", body), "the request")
        equal(request.field("Content-Type"), "application/json", "Content-Type")
    with Script(streaming("data: 1\n\n")) as server, \
            Cat("--no-reconnect", "--data", "", "--header", "content-type: text/x", "--header", "Accept: */*",
                server.url()) as cat:
        cat.events()
        cat.ended(0)
    [request] = server.requests
    equal([request.field(name) for name in ("Content-Length", "Content-Type", "Accept")], ["0", "text/x", "*/*"],
          "fields")


def command_line():
    """What cannot be done is said in one line."""
    for options, status in ((["https://127.0.0.1:1/"], 1), (["ftp://a/"], 2), (["http://"], 2), ([], 2),
                            (["http://u:p@a/"], 2), (["--header", "Host: x", "http://a/"], 2),
                            (["--header", "no colon", "http://a/"], 2), (["--header", "a b: c", "http://a/"], 2),
                            (["--header", "a: b\r\nc: d", "http://a/"], 2), (["--chunk", "0", "-"], 2)):
        done = subprocess.run([CAT, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False)
        equal((done.returncode, done.stdout, done.stderr.count(b"\n")), (status, b"", 1), f"{options}")
        expect(done.stderr.startswith(b"sse_cat: "), f"{options}: {done.stderr!r}")


# ---- Pressure and the end ---------------------------------------------------------------------------


def slow_reader():
    """Whoever reads slowly makes the server wait; memory stays where it is; nothing is lost."""
    sent = [0]
    line = "data: " + "s" * 1000 + "\n\n"
    total = 60000

    def step(link, _request):
        link.stream()
        for at in range(0, total, 100):
            link.send("".join(f"id: {at + n}\n{line}" for n in range(100)))
            sent[0] = at + 100
    with Script(step) as server, Cat("--no-reconnect", server.url()) as cat:
        cat.event()
        time.sleep(1)
        before = sent[0]
        time.sleep(1)
        expect(sent[0] == before, "the server goes on sending")
        expect(before < total, "all of it was taken")
        peak = cat.peak()
        expect(peak < memory(12), f"{peak >> 20} MiB")
        ids = [int(event[2]) for event in cat.events(20)]
        cat.ended(0)
    equal(ids, list(range(1, total)), "IDs")
    return f"the server stopped after {before} events of {total}, {peak >> 10} KiB at most"


def signals():
    for which in (signal.SIGTERM, signal.SIGINT):
        with Script(lambda link, _: (link.stream("data: 1\n\n"), link.left())) as server, Cat(server.url()) as cat:
            cat.event()
            start = time.monotonic()
            cat.process.send_signal(which)
            equal(cat.events(), [], "events")
            equal(cat.ended(0, 2), [], "stderr")
            expect(time.monotonic() - start < 2, "more than 2 s")


def pipe_closed():
    """The reader of stdout leaves: the server sees its connection closed at once."""
    times = []
    with Script(lambda link, _: (link.stream("data: 1\n\n"), times.append(link.left()))) as server, \
            Cat(server.url()) as cat:
        cat.event()
        start = time.monotonic()
        cat.process.stdout.close()
        cat.ended(0)
        wait_until(lambda: times, 2, "the server sees it")
    expect(times[0] - start < 0.5, f"{times[0] - start:.2f} s later")


def main():
    suite = Suite("sse")
    for name, stream, events, last_id, retry in CASES:
        suite.check(f"{name}, at five cuts", case, stream, events, last_id, retry)
    suite.check("150 random streams, as the standard's text has it", random_streams, limit=40)
    for name, call in (("--last-event-id with -", seeded), ("16 MiB in an event", huge),
                       ("64 MiB are the limit", over_limit), ("events at once", at_once),
                       ("stdout is closed", closed_stdout), ("stdout is full", full_disk),
                       ("the request", like_an_event_source)):
        suite.check(name, call, limit=40)
    for how in ("sized", "chunked", "until the end"):
        suite.check(f"a body that is {how}, byte by byte", framed, how)
    for status, media, body, wanted in (
            ("404 Not Found", "text/event-stream", "data: x\n\n", "404"), ("500 Oops", "text/plain", "why", "why"),
            ("401 x", "application/json", '{"error":"no key"}', "no key"), ("503 x", "text/event-stream", "", "503"),
            ("205 x", "text/event-stream", "", "205"), ("410 x", "text/event-stream", "", "410"),
            ("299 x", "text/event-stream", "data: x\n\n", "299"), ("200 OK", "text/html", "<p>", "text/html")):
        suite.check(f"{status} with {media} is final", refused, status, media, body, wanted)
    for name, call in (("media types", media_types), ("reconnection", reconnects),
                       ("waits 3 s by default", default_wait), ("retry: 0", no_flood),
                       ("a server that is not there", not_there_yet), ("redirects", redirected),
                       ("fields stay with their origin", credentials), ("--data", posted),
                       ("what cannot be done", command_line), ("a slow reader", slow_reader), ("signals", signals),
                       ("the reader leaves", pipe_closed)):
        suite.check(name, call, limit=40)
    for how in ("reset", "end", "chunk"):
        suite.check(f"broken inside an event: {how}", broken, how)
    suite.finish()


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
