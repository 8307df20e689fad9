# SPDX-License-Identifier: MIT
"""Both ways with python3-websockets: its server for our clients, its client for our compressing server."""

import asyncio
import random
import subprocess

import websockets
from websockets.extensions.permessage_deflate import (ClientPerMessageDeflateFactory,
                                                      ServerPerMessageDeflateFactory)

from guest import Client
from harness import Server, Suite, equal, expect, wait_until
from python_client import MIB, WORDS, protocol, received, run

NOISE = random.Random(3).randbytes(3000)
LONG = WORDS * 2000
MESSAGES = ["", "a", WORDS, LONG, LONG, b"", b"\xff\xfe", NOISE, NOISE * 20, "x" * MIB, bytes(MIB)]

# Parameters as the factories take them.
OFFERS = [
    {}, {"client_max_window_bits": True}, {"client_max_window_bits": 9}, {"server_max_window_bits": 9},
    {"server_max_window_bits": 15, "client_max_window_bits": 15}, {"server_no_context_takeover": True},
    {"client_no_context_takeover": True},
    {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 10,
     "client_max_window_bits": 12},
]
ANSWERS = [
    {}, {"server_no_context_takeover": True}, {"client_no_context_takeover": True},
    {"server_max_window_bits": 9}, {"client_max_window_bits": 9}, {"client_max_window_bits": 15},
    {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 11,
     "client_max_window_bits": 10},
]


def packed(ws, wanted):
    """Has permessage-deflate been agreed on?"""
    names = [extension.name for extension in protocol(ws).extensions]
    equal(names, ["permessage-deflate"] if wanted else [], "extensions")


async def ask(ws, messages):
    """Sends each message and gets it back, also all of them at once, also in fragments."""
    for message in messages:
        await ws.send(message)
        got = await asyncio.wait_for(ws.recv(), 20)
        expect(got == message, f"another message of {len(got)} came back")
    for message in messages[:9]:
        await ws.send(message)
    for message in messages[:9]:
        expect(await asyncio.wait_for(ws.recv(), 20) == message, "another message came back")
    for message in (LONG, NOISE):
        await ws.send([message[at:at + 999] for at in range(0, len(message), 999)])
        expect(await asyncio.wait_for(ws.recv(), 20) == message, "another message came back in fragments")
    pong = await ws.ping(b"here?")
    await asyncio.wait_for(pong, 5)


async def our_server(server, offer, wanted=True):
    """Its client, with these parameters in its offer."""
    extensions = [ClientPerMessageDeflateFactory(**offer)]
    async with websockets.connect(f"ws://127.0.0.1:{server.port}/", compression=None, extensions=extensions,
                                  max_size=None, ping_interval=None) as ws:
        packed(ws, wanted)
        await ask(ws, MESSAGES)
    equal(received(ws), 1000, "code in the server's Close")


async def many(server, count):
    """Connections that compress, all at work at once."""
    async def one(number):
        async with websockets.connect(f"ws://127.0.0.1:{server.port}/", max_size=None, ping_interval=None) as ws:
            packed(ws, True)
            for turn in range(5):
                message = f"{number}/{turn} " + WORDS * 30
                await ws.send(message)
                equal(await asyncio.wait_for(ws.recv(), 20), message, "echo")
    await asyncio.gather(*(one(number) for number in range(count)))


async def with_server(program, options, answer, handle, act=None):
    """Runs a program of ours against its server; what the handler raises is what the check says. `act` works
    with the program meanwhile, in a thread."""
    outcome = asyncio.get_running_loop().create_future()

    async def handler(ws, *_):
        try:
            packed(ws, answer is not None and "--deflate" in options)
            outcome.set_result(await handle(ws))
        except Exception as error:  # pylint: disable=broad-except
            outcome.set_exception(error)

    extensions = None if answer is None else [ServerPerMessageDeflateFactory(**answer)]
    async with websockets.serve(handler, "127.0.0.1", 0, compression=None, extensions=extensions, max_size=None,
                                ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        with Client(program, *options, f"ws://127.0.0.1:{port}/path?a=b", stdin=subprocess.PIPE) as client:
            if act:
                await asyncio.to_thread(act, client)
            await asyncio.wait_for(outcome, 30)
            await asyncio.to_thread(client.ends, 0)
            return client.stdout()


async def asks(ws):
    await ask(ws, MESSAGES)
    await ws.close(1000)
    equal(received(ws), 1000, "code in the client's Close")


async def echoes(ws):
    async for message in ws:
        await ws.send(message)
    equal(received(ws), 1000, "code in the client's Close")


async def reverses(ws):
    async for message in ws:
        await ws.send(message.encode()[::-1])


def types(stdin, wanted):
    """Writes lines and waits for what has to come of them, then ends: behind a Close nothing is answered."""
    def act(client):
        client.write(stdin)
        wait_until(lambda: len(client.stdout()) >= len(wanted), 20, "output")
        client.process.stdin.close()
    return act


def echo_client(options, answer):
    run(with_server("ws_echo_client", options, answer, asks))


def cat(options, answer):
    """Lines out and back, as text, then as binary."""
    noise = NOISE.hex().encode()
    for handle, stdin, wanted in (
            (echoes, f"{WORDS}\n\n{LONG}\n{LONG}\n".encode(), None),
            (reverses, b"abc\n" + noise + b"\n", b"hex:636261\nhex:" + noise[::-1].hex().encode() + b"\n")):
        wanted = wanted or stdin
        got = run(with_server("ws_cat", options, answer, handle, types(stdin, wanted)))
        expect(got == wanted, f"{len(got)} bytes came back, not {len(wanted)}")


def name_of(parameters):
    if parameters is None:
        return "no compression"
    named = [name if value is True else f"{name}={value}" for name, value in parameters.items()]
    return "; ".join(named) or "no parameters"


def main():
    suite = Suite("python")
    with Server("ws_echo_server", "--deflate") as server:
        for offer in OFFERS:
            suite.check(f"ws_echo_server --deflate, offer: {name_of(offer)}",
                        lambda: run(our_server(server, offer)), limit=30)
        suite.check("ws_echo_server --deflate, a window of 8 bits is declined",
                    lambda: run(our_server(server, {"server_max_window_bits": 8}, False)), limit=30)
        suite.check("ws_echo_server --deflate, 100 connections", lambda: run(many(server, 100)), limit=30)
        suite.check("connections released", server.all_gone)
    for options in ((), ("--deflate",)):
        for answer in ANSWERS if options else [None, {}]:
            title = f"{' '.join(options) or 'plain'}, answer: {name_of(answer)}"
            suite.check(f"ws_echo_client {title}", echo_client, options, answer, limit=40)
            suite.check(f"ws_cat {title}", cat, options, answer, limit=40)
        if options:
            suite.check("ws_echo_client --deflate, declined", echo_client, options, None, limit=40)
            suite.check("ws_cat --deflate, declined", cat, options, None, limit=40)
    suite.finish()


if __name__ == "__main__":
    main()
