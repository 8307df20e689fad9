# SPDX-License-Identifier: MIT
"""ws_cat does what its contract says: lines, binary, end of input, exit status, one-line errors.

    BUILD=build python3 tests/interop/cat_contract.py"""

import os
import signal
import socket
import subprocess
import time

from deflate import Bits
from guest import Client, Listener
from harness import Failure, Server, Suite, equal, expect, wait_until
from wire import BINARY, CLOSE, CONT, PING, PONG, SERVER, TEXT, Reading

CAT = "ws_cat"
MIB = 1 << 20
WORDS = "你好,世界 👩‍👩‍👧‍👦 κόσμε"


def run_cat(url, stdin, *options, code=0, seconds=20):
    """Runs it to its end on an input; what it printed."""
    with Client(CAT, *options, url, stdin=subprocess.PIPE) as client:
        writing = Reading(feed, client, stdin)
        client.ends(code, seconds)
        writing.result()
        return client.stdout()


def feed(client, data):
    try:
        client.write(data)
        client.process.stdin.close()
    except BrokenPipeError:
        pass


def opened(listener, *options, answer=None):
    """A running cat with a pipe for its stdin, and its connection."""
    client = Client(CAT, *options, listener.url(), stdin=subprocess.PIPE)
    guest = listener.accept()
    guest.open(answer)
    return client, guest


def prints(client, wanted, seconds=5):
    """This much is on stdout, now, not when a buffer is full."""
    wait_until(lambda: len(client.stdout()) >= len(wanted), seconds, f"output {client.stdout()[-80:]!r}")
    equal(client.stdout(), wanted, "stdout")


def farewell(client, guest, code=0):
    """End of stdin: Close 1000, and out."""
    client.process.stdin.close()
    guest.closed(1000, ended=False)
    guest.send(SERVER.close(1000))
    guest.sock.close()
    client.ends(code)


# ---- Lines and messages ----------------------------------------------------------------------------


def echo(server, deflate, stdin, wanted=None):
    wanted = stdin if wanted is None else wanted
    got = run_cat(f"ws://127.0.0.1:{server.port}/a?b=c", stdin, *["--deflate"] * deflate)
    expect(got == wanted, f"{len(got)} bytes came back of {len(wanted)}: {got[:60]!r}")


def lines(listener):
    """A line is a text message without its newline, at once; the last may have none."""
    client, guest = opened(listener)
    with client, guest:
        for line in (b"one", b"", b" two ", WORDS.encode(), b"a\tb\0c", b"x" * 70000):
            client.write(line + b"\n")
            guest.wants(TEXT, line)
        client.write(b"three\nfour\n\nfi")
        for line in (b"three", b"four", b""):
            guest.wants(TEXT, line)
        client.write(b"ve\r\nunfinished")
        guest.wants(TEXT, b"five\r")
        client.process.stdin.close()
        guest.wants(TEXT, b"unfinished")
        guest.closed(1000, ended=False)
        guest.send(SERVER.close(1000))
        guest.sock.close()
        client.ends(0)
        equal(client.stdout(), b"", "stdout")


def messages(listener):
    """Text as a line, binary as hex:, each at once and only when whole; controls are not shown. A text with
    a line feed in it stays one line: it is shown as binary is."""
    client, guest = opened(listener)
    with client, guest:
        guest.send(SERVER.text(WORDS) + SERVER.frame(PING, b"p"))
        guest.wants(PONG, b"p")
        out = WORDS.encode() + b"\n"
        prints(client, out)
        guest.send(SERVER.text("half", fin=False) + SERVER.frame(PING, b"q"))
        guest.wants(PONG, b"q")
        prints(client, out)
        guest.send(SERVER.frame(CONT, b" and half") + SERVER.text(""))
        out += b"half and half\n\n"
        prints(client, out)
        guest.send(SERVER.frame(BINARY, b"") + SERVER.frame(BINARY, bytes(range(256))) + SERVER.frame(PONG, b"x")
                   + SERVER.frame(BINARY, b"\xde\xad", fin=False) + SERVER.frame(CONT, b"\xbe\xef"))
        out += b"hex:\nhex:" + bytes(range(256)).hex().encode() + b"\nhex:deadbeef\n"
        prints(client, out)
        guest.send(SERVER.text("two\nlines") + SERVER.text("end"))
        prints(client, out + b"hex:" + b"two\nlines".hex().encode() + b"\nend\n")
        farewell(client, guest)


def packed_messages(listener):
    """The same with compression agreed on, both ways."""
    client, guest = opened(listener, "--deflate", answer="permessage-deflate")
    with client, guest:
        text = (WORDS * 100).encode()
        client.write(text + b"\n" + text + b"\n")
        guest.wants(TEXT, text)
        expect(guest.packed, "a long line was sent uncompressed")
        guest.wants(TEXT, text)
        expect(guest.unpacker.sizes[1] < guest.unpacker.sizes[0] / 2, f"sizes {guest.unpacker.sizes}")
        packed = guest.packer(text)
        guest.send(SERVER.text(packed[:5], rsv=4, fin=False) + SERVER.frame(PING) + SERVER.frame(CONT, packed[5:])
                   + SERVER.frame(BINARY, Bits().fixed(b"ab").sync(), rsv=4) + SERVER.text("plain"))
        guest.wants(PONG, b"")
        prints(client, text + b"\nhex:6162\nplain\n")
        farewell(client, guest)


def refused_line(listener):
    """A line that is no UTF-8 is not sent; cat says so and fails."""
    client, guest = opened(listener)
    with client, guest:
        client.write(b"good\nbad \xff\nnever sent\n")
        guest.wants(TEXT, b"good")
        opcode, payload = guest.message()
        equal((opcode, payload[:2]), (CLOSE, b"\x03\xe8"), "the next frame")
        guest.send(SERVER.close(1000))
        guest.sock.close()
        client.ends(1)


def slow_output(listener):
    """Who does not read cat's stdout makes it stop reading from the server; then all arrives."""
    count = 400
    process = subprocess.Popen([os.path.join(os.environ.get("BUILD", "build"), "examples", CAT), listener.url()],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        with listener.accept(10) as guest:
            guest.open()
            sender = Reading(guest.send, b"".join(SERVER.text("%06d" % at + "x" * 65530) for at in range(count)))
            sender.thread.join(1)
            expect(sender.thread.is_alive(), "all was taken though nobody reads")
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                peak = int([line for line in file if line.startswith("VmHWM")][0].split()[1])
            for at in range(count):
                line = process.stdout.readline()
                equal((len(line), line[:6]), (65537, b"%06d" % at), "line")
            sender.result()
            process.stdin.close()
            guest.closed(1000, ended=False)
            guest.send(SERVER.close(1000))
            guest.sock.close()
            equal(process.wait(5), 0, "exit status")
            expect(peak < 32 * 1024, f"{peak} KiB of memory")
            return f"at most {peak >> 10} MiB of memory"
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def slow_server(listener):
    """Who does not read the socket makes it stop reading stdin."""
    client, guest = opened(listener)
    with client, guest:
        line = b"y" * 65535 + b"\n"
        writing = Reading(lambda: [client.write(line) for _ in range(600)])
        writing.thread.join(1)
        expect(writing.thread.is_alive(), "all was taken though nobody reads")
        with open(f"/proc/{client.process.pid}/status", encoding="ascii") as file:
            peak = int([one for one in file if one.startswith("VmHWM")][0].split()[1])
        guest.send(SERVER.text("the other way is open"))
        prints(client, b"the other way is open\n")
        for _ in range(600):
            guest.wants(TEXT, line[:-1])
        writing.result()
        farewell(client, guest)
        expect(peak < 32 * 1024, f"{peak} KiB of memory")
        return f"at most {peak >> 10} MiB of memory"


def output_gone(server):
    """stdout is closed by its reader, as by head: an end with a status, not a hang."""
    path = os.path.join(os.environ.get("BUILD", "build"), "examples", CAT)
    with subprocess.Popen(["sh", "-c", f"yes | '{path}' ws://127.0.0.1:{server.port}/ | head -n 3"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as shell:
        try:
            equal(shell.communicate(timeout=10)[0], b"y\ny\ny\n", "stdout")
        except subprocess.TimeoutExpired:
            raise Failure("still running 10 s after head left") from None
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGKILL)


# ---- The end ---------------------------------------------------------------------------------------


def their_close(listener, code, reason, status):
    """The server closes: the code comes back, and decides about the exit status."""
    client, guest = opened(listener)
    with client, guest:
        guest.send(SERVER.text("last") + SERVER.close(code, reason))
        guest.closed(code, ended=False)
        guest.sock.close()
        said = client.ends(status)
        equal(client.stdout(), b"last\n", "stdout")
        expect(status == 0 or str(code or 1005) in said, f"stderr does not name {code or 1005}: {said!r}")


def answered_by(listener, frames, status):
    """What counts is how the server answers our Close."""
    client, guest = opened(listener)
    with client, guest:
        client.process.stdin.close()
        guest.closed(1000, ended=False)
        guest.send(frames)
        guest.sock.close()
        client.ends(status)
        return client.stdout()


def late_messages(listener):
    """What the server sends before it answers our Close is still printed."""
    frames = SERVER.text("still") + SERVER.frame(BINARY, b"\1") + SERVER.frame(PING, b"x") + SERVER.close(1000)
    equal(answered_by(listener, frames, 0), b"still\nhex:01\n", "stdout")


class Unanswered:
    """A server that does not answer the Close: waited for at most 5 s. Checked while other checks run."""

    def __init__(self, listener):
        self.client, self.guest = opened(listener)
        self.client.process.stdin.close()
        self.begin = time.monotonic()

    def ended(self):
        with self.client, self.guest:
            self.guest.closed(1000, ended=False)
            self.client.ends(1, 7)
            took = time.monotonic() - self.begin
            expect(took > 4, f"it waited only {took:.1f} s")


def killed(listener):
    """SIGTERM and SIGINT: no hang."""
    for number in (signal.SIGTERM, signal.SIGINT):
        client, guest = opened(listener)
        with client, guest:
            client.process.send_signal(number)
            client.wait(3)


# ---- What goes wrong before ------------------------------------------------------------------------


def unreachable(url, *words):
    """One line on stderr, status 1, within a moment."""
    with Client(CAT, url) as client:
        said = client.ends(1, 15)
        expect(all(word in said for word in words), f"stderr is {said!r}")
        equal(client.stdout(), b"", "stdout")


def refused_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        unreachable(f"ws://127.0.0.1:{sock.getsockname()[1]}/", "127.0.0.1", "refused")


def refused_handshake(listener, status):
    with Client(CAT, listener.url(), stdin=subprocess.PIPE) as client, listener.accept() as guest:
        guest.request()
        guest.send(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\nhello".encode())
        said = client.ends(1)
        expect(str(status) in said, f"stderr does not name {status}: {said!r}")
        equal(client.stdout(), b"", "stdout")


def hostile_reason(listener):
    """What a server writes cannot make a second line, nor control the terminal."""
    client, guest = opened(listener)
    with client, guest:
        guest.send(SERVER.close(4000, "a\nb\r\x1b[2J\0\x7f\u009b31m你".encode()))
        guest.closed(4000, ended=False)
        guest.sock.close()
        said = client.ends(1)
        expect(said[:-1].isprintable(), f"stderr is {said!r}")


def usage(program, arguments, code):
    with Client(program, *arguments) as client:
        equal(client.wait(), code, "exit status")
        out, said = client.stdout(), client.stderr()
        if code == 0:
            expect(out and not said, f"stdout {out!r}, stderr {said!r}")
        else:
            equal(out, b"", "stdout")
            expect(said.startswith(f"{program}: ") and said.count("\n") == 1, f"stderr is {said!r}")
        return out.decode()


def help_text(program):
    text = usage(program, ["--help"], 0)
    expect("URL" in text and "--deflate" in text and program in text, text)


def version(program):
    text = usage(program, ["--version"], 0)
    expect(text.startswith(program) and text.count("\n") == 1, text)


def bad_url(program, url):
    """No URL of ours: refused at once, with one line, before any connection."""
    with Client(program, url) as client:
        code, said = client.wait(), client.stderr()
        expect(code in (1, 2), f"exit status {code}")
        expect(said.startswith(f"{program}: ") and said.count("\n") == 1, f"stderr is {said!r}")
        expect("wss" not in url or "wss" in said or "TLS" in said, f"stderr is {said!r}")


def paths(listener):
    """The request target is what the URL says."""
    for rest, target in (("", "/"), ("/", "/"), ("?a=b", "/?a=b"), ("/a%20b/c?d=e&f", "/a%20b/c?d=e&f")):
        with Client(CAT, f"ws://127.0.0.1:{listener.port}{rest}", stdin=subprocess.PIPE) as client, \
                listener.accept() as guest:
            guest.open()
            equal(guest.target, target, "request target")
            farewell(client, guest)


def by_name():
    """localhost, whatever it means here, and an IPv6 address."""
    for family, address, host in ((socket.AF_INET, "127.0.0.1", "localhost"), (socket.AF_INET6, "::1", "[::1]")):
        try:
            sock = socket.create_server((address, 0), family=family)
        except OSError:
            continue  # no IPv6 here
        with sock:
            sock.settimeout(5)
            port = sock.getsockname()[1]
            with Client(CAT, f"ws://{host}:{port}/") as client:
                connection, _ = sock.accept()
                head = connection.recv(4096)
                expect(f"\r\nHost: {host}:{port}\r\n".encode() in head, f"Host in {head!r}")
                connection.close()
                client.ends(1)


def room(server):
    """Two cats in the demo's room."""
    url = f"ws://127.0.0.1:{server.port}/room"
    with Client(CAT, url, stdin=subprocess.PIPE) as ann, Client(CAT, "--deflate", url, stdin=subprocess.PIPE) as ben:
        ann.write(b'{"join":"Ann"}\n')
        wait_until(lambda: b"welcome" in ann.stdout(), 5, "Ann's welcome")
        ben.write('{"join":"Ben 🎈"}\n'.encode())
        wait_until(lambda: "Ben 🎈".encode() in ann.stdout(), 5, "Ann sees Ben")
        ann.write('{"say":"你好"}\n'.encode())
        wait_until(lambda: "你好".encode() in ben.stdout(), 5, "Ben reads Ann")
        ben.process.stdin.close()
        ben.ends(0)
        wait_until(lambda: b'"why":"left"' in ann.stdout(), 5, "Ann sees Ben leave")
        server.process.send_signal(signal.SIGTERM)
        ann.ends(0)  # 1001


def main():
    suite, listener = Suite("cat"), Listener()
    unanswered = Unanswered(listener)
    with Server("ws_echo_server") as plain, Server("ws_echo_server", "--deflate") as packed:
        for name, server, deflate in (("", plain, 0), (", --deflate", packed, 1),
                                      (", --deflate of the client alone", plain, 1)):
            for what, stdin in (("words", f"hello\n{WORDS}\n".encode()), ("empty lines", b"\n\n\n"),
                                ("no input", b""), ("10,000 lines", b"".join(b"line %d\n" % at for at in range(10000))),
                                ("a line of 8 MiB", b"z" * (8 * MIB) + b"\n")):
                suite.check(f"{what} come back{name}", echo, server, deflate, stdin, limit=30)
        suite.check("a last line without newline", echo, plain, 0, b"a\nb", b"a\nb\n")
        suite.check("stdout closed by its reader", output_gone, plain)
    for name, call in (("lines become messages", lines), ("messages become lines", messages),
                       ("messages with compression", packed_messages), ("a line that is not UTF-8", refused_line),
                       ("nobody reads stdout", slow_output), ("the server does not read", slow_server),
                       ("what comes before the answer to our Close", late_messages),
                       ("SIGTERM and SIGINT", killed), ("request targets", paths),
                       ("a reason with control characters", hostile_reason)):
        suite.check(name, call, listener, limit=30)
    for code, reason, status in ((1000, b"", 0), (1000, b"bye", 0), (1001, b"", 0), (None, b"", 1),
                                 (1002, b"", 1), (1008, "nein, 不".encode(), 1), (1011, b"", 1), (3000, b"", 1),
                                 (4999, b"a" * 123, 1)):
        suite.check(f"the server closes with {code} {reason.decode()[:9]}".rstrip(), their_close, listener, code,
                    reason, status)
    for name, frames, status in (
            ("1000", SERVER.close(1000), 0), ("1001", SERVER.close(1001), 0), ("1011", SERVER.close(1011), 1),
            ("the end of TCP", b"", 1), ("a fault", SERVER.frame(3), 1)):
        suite.check(f"our Close is answered by {name}", answered_by, listener, frames, status)
    suite.check("connection refused", refused_port)
    suite.check("unknown host", unreachable, "ws://no-such-host.invalid/", "no-such-host.invalid", limit=20)
    for status in (200, 301, 401, 403, 404, 503):
        suite.check(f"the server answers {status}", refused_handshake, listener, status)
    suite.check("localhost and ::1", by_name)
    for program in (CAT, "ws_echo_client"):
        suite.check(f"{program} --help", help_text, program)
        suite.check(f"{program} --version", version, program)
        for arguments in ([], ["--no-such-option", "ws://a/"], ["ws://127.0.0.1:1/", "extra"],
                          ["--deflate"], ["-x", "ws://a/"]):
            suite.check(f"{program} {' '.join(arguments)}: exit 2", usage, program, arguments, 2)
        for url in ("wss://127.0.0.1:1/", "ftp://a/", "ws://", "ws:///a", "ws://a:70000/", "ws://a:0/", "nonsense",
                    "ws://127.0.0.1:1/#f", "ws://a b/", "ws://[::1/", ""):
            suite.check(f"{program} {url!r}", bad_url, program, url)
    with Server("demo_server") as demo:
        suite.check("two in the room", room, demo)
    suite.check("a server that does not answer the Close", unanswered.ended)
    suite.finish()


if __name__ == "__main__":
    main()
