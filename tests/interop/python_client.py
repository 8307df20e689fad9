# SPDX-License-Identifier: MIT
"""ws_echo_server as Debian's python3-websockets (10.4) sees it."""

import asyncio
import time

import websockets

from harness import Server, Suite, equal, expect
from wire import close, frame

MIB = 1 << 20
WORDS = "你好,世界 👩‍👩‍👧‍👦 κόσμε"


def connect(server, **options):
    options = {"max_size": None, "ping_interval": None, "open_timeout": 10, **options}
    return websockets.connect(f"ws://127.0.0.1:{server.port}/any/path?a=b", **options)


def run(coroutine):
    return asyncio.run(coroutine)


async def echoes(server, messages, **options):
    async with connect(server, **options) as ws:
        expect(not protocol(ws).extensions, f"extensions {protocol(ws).extensions}")
        for message in messages:
            await ws.send(message)
            got = await asyncio.wait_for(ws.recv(), 20)
            equal(type(got), type(message), "type")
            expect(got == message, f"another message of {len(got)} came back")
    closed_cleanly(ws, 1000)


def protocol(ws):
    """Where the record of the closing is: in 10.4 the connection itself, later an object in it."""
    return getattr(ws, "protocol", ws)


def received(ws):
    """The code in the server's Close, None if none came."""
    record = protocol(ws).close_rcvd
    return record.code if record else None


def closed_cleanly(ws, code):
    equal(received(ws), code, "code in the server's Close")
    equal(ws.close_code, code, "close code")


async def fragmented(server):
    async with connect(server) as ws:
        for pieces in (["你", "好", "🎉"], ["", "a", ""], [b"a" * 1000] * 100, [WORDS] * 1000):
            await ws.send(pieces)
            got = await asyncio.wait_for(ws.recv(), 10)
            equal(got, pieces[0][:0].join(pieces), "message")


async def pings(server):
    async with connect(server) as ws:
        for payload in (b"", b"x", bytes(range(125))):
            pong = await ws.ping(payload)
            await asyncio.wait_for(pong, 5)
        waiters = [await ws.ping(b"%d" % at) for at in range(100)]
        await asyncio.wait_for(asyncio.gather(*waiters), 5)
        await ws.pong(b"unasked")
        await ws.send("alive")
        equal(await asyncio.wait_for(ws.recv(), 5), "alive", "echo")


async def crowd(server, count):
    """All connect, all echo at once, all close."""
    gate = asyncio.Event()
    arrived = 0

    async def one(number):
        nonlocal arrived
        async with connect(server, compression=None) as ws:
            arrived += 1
            await gate.wait()
            for turn in range(5):
                message = f"{number}/{turn} 你好"
                await ws.send(message)
                equal(await asyncio.wait_for(ws.recv(), 20), message, "echo")
        closed_cleanly(ws, 1000)

    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(one(number)))
        if number % 50 == 49:
            await asyncio.sleep(0.01)
    while arrived < count and not any(task.done() for task in tasks):
        await asyncio.sleep(0.01)
    equal(arrived, count, "connections open at once")
    gate.set()
    await asyncio.gather(*tasks)


async def our_close(server, code, reason):
    async with connect(server) as ws:
        await ws.close(code, reason)
    closed_cleanly(ws, code)


async def their_close(server, fault, code):
    """What breaks a rule is answered with the code that names it."""
    async with connect(server) as ws:
        await ws.send("before")
        ws.transport.write(fault)
        equal(await asyncio.wait_for(ws.recv(), 5), "before", "echo before the fault")
        try:
            await asyncio.wait_for(ws.recv(), 5)
            expect(False, "a message came back")
        except websockets.ConnectionClosed:
            pass
        equal(received(ws), code, "code in the server's Close")


async def too_big(server):
    """Over 32 MiB: 1009 from the header, while the client is still sending."""
    async with connect(server) as ws:
        sender = asyncio.create_task(ws.send(b"\0" * (32 * MIB + 1)))
        try:
            await asyncio.wait_for(ws.recv(), 20)
            expect(False, "a message came back")
        except websockets.ConnectionClosed:
            pass
        equal(received(ws), 1009, "code in the server's Close")
        await asyncio.gather(sender, return_exceptions=True)


async def going_away(server):
    """SIGTERM: what was sent before is echoed, then 1001 for each of 100 clients within 2 s."""
    clients = [await connect(server, compression=None) for _ in range(100)]
    for ws in clients:
        for turn in range(20):
            await ws.send(f"turn {turn}")
    for ws in clients:
        equal(await asyncio.wait_for(ws.recv(), 5), "turn 0", "first echo")
    await asyncio.sleep(0.3)
    start = time.monotonic()
    ending = asyncio.create_task(asyncio.to_thread(server.terminate))

    async def last_words(ws):
        for turn in range(1, 20):
            equal(await asyncio.wait_for(ws.recv(), 5), f"turn {turn}", "echo after SIGTERM")
        try:
            await asyncio.wait_for(ws.recv(), 5)
            expect(False, "one message too many")
        except websockets.ConnectionClosed:
            pass
        equal(received(ws), 1001, "code in the server's Close")
        return time.monotonic() - start

    times = await asyncio.gather(ending, *(last_words(ws) for ws in clients), return_exceptions=True)
    for outcome in times[::-1]:
        if isinstance(outcome, Exception):
            raise outcome
    expect(max(times[1:]) <= 2, f"the last Close came after {max(times[1:]):.2f} s")
    return times[0]


def main():
    suite = Suite("python")
    with Server("ws_echo_server") as server:
        for size in (0, 1, 125, 126, 127, 65535, 65536, MIB, 16 * MIB):
            messages = ["a" * size, b"\xa5" * size]
            suite.check(f"text and binary of {size} bytes", lambda: run(echoes(server, messages)), limit=60)
        suite.check("Chinese and emoji", lambda: run(echoes(server, [WORDS, WORDS * 10000])))
        suite.check("without offering extensions",
                    lambda: run(echoes(server, ["a", b"b"], compression=None)))
        suite.check("100 messages one after another",
                    lambda: run(echoes(server, [f"{at} 🎉" for at in range(100)])))
        suite.check("fragmented messages", lambda: run(fragmented(server)))
        suite.check("pings", lambda: run(pings(server)))
        suite.check("1,000 connections at once", lambda: run(crowd(server, 1000)), limit=60)
        for code, reason in ((1000, ""), (1001, "leaving"), (1011, "oops"), (3000, "你好"),
                             (4999, "a" * 123)):
            suite.check(f"our Close {code}", lambda: run(our_close(server, code, reason)))
        for name, fault, code in (
                ("bad UTF-8", frame(1, b"\xff"), 1007), ("reserved opcode", frame(3), 1002),
                ("unmasked frame", frame(1, b"a", key=None), 1002),
                ("bad close code", close(1005), 1002),
                ("ping of 126 bytes", frame(9, b"a" * 126), 1002)):
            suite.check(f"{name} is answered with {code}", lambda: run(their_close(server, fault, code)))
        suite.check("32 MiB and a byte is answered with 1009", lambda: run(too_big(server)), limit=40)
        suite.check("connections released", server.all_gone)
        suite.check("SIGTERM: queued echoes, then 1001", lambda: run(going_away(server)), limit=30)
    suite.finish()


if __name__ == "__main__":
    main()
