# SPDX-License-Identifier: MIT
"""aiohttp as the server of sse_cat, as the endpoint behind demo_server, and as a visitor of it."""

import asyncio
import json
import time

from aiohttp import ClientSession, web

from harness import Server, Suite, equal, expect
from streams import CAT, triple

PROMPT = "给我讲讲大海 🌊"


class Site:
    """An aiohttp server on a free port with one handler for everything."""

    def __init__(self, handler):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        self.runner = web.AppRunner(app)

    async def __aenter__(self):
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0, shutdown_timeout=0.5)
        await site.start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()


async def stream(request, **fields):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **fields})
    await response.prepare(request)
    return response


async def cat(*options):
    """The lines of sse_cat with their times, its status and stderr."""
    process = await asyncio.create_subprocess_exec(
        CAT, *options, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    lines = [(time.monotonic(), triple(line)) async for line in process.stdout]
    errors = (await process.stderr.read()).decode()
    return lines, await process.wait(), errors


async def serves_cat():
    """Events one by one by aiohttp's chunked coding, a reconnection with Last-Event-ID, and 204."""
    said, asked = [], []

    async def handler(request):
        asked.append(request.headers.get("Last-Event-ID"))
        if len(asked) > 2:
            return web.Response(status=204)
        response = await stream(request)
        await response.write(b"retry: 200\n\n")
        for at in range(5):
            said.append(time.monotonic())
            await response.write(f"id: {len(said)}\ndata: {at} 你\n\n".encode())
            await asyncio.sleep(0.1)
        return response
    async with Site(handler) as site:
        lines, status, errors = await cat(site.url + "/events")
    equal([event for _, event in lines],
          [("message", f"{at % 5} 你", str(at + 1)) for at in range(10)], "events")
    equal((status, errors.count("\n"), asked), (1, 1, [None, "5", "10"]), "the end")
    late = sorted(seen - when for (seen, _), when in zip(lines, said))
    expect(late[5] < 0.05, f"late by {late}")
    return f"{late[5] * 1000:.1f} ms from write to line"


async def posted_json():
    """--data reaches aiohttp as JSON."""
    async def handler(request):
        asked = await request.json()
        response = await stream(request)
        await response.write(f"data: {asked['a']} {request.method} {request.content_type}\n\n".encode())
        return response
    async with Site(handler) as site:
        lines, status, _ = await cat("--no-reconnect", "--data", '{"a":"é"}', site.url)
    equal(([event[1] for _, event in lines], status), (["é POST application/json"], 0), "events")


async def endpoint():
    """An OpenAI-like endpoint of aiohttp's behind demo_server, read by aiohttp."""
    words = ["a ", "你", "🌊", " end"]

    async def handler(request):
        asked = await request.json()
        equal((request.method, request.path, asked["stream"]), ("POST", "/v1/chat/completions", True), "asked")
        response = await stream(request)
        for word in words:
            chunk = {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
            await asyncio.sleep(0.05)
        await response.write(b"data: [DONE]\n\n")
        return response
    async with Site(handler) as site:
        with Server("demo_server", "--upstream", site.url + "/v1") as server:
            equal((await visit(server))[0], "".join(words), "the text")


async def visit(server, **request):
    """One answer as aiohttp's client reads it: the text, and how long each piece came after the one before."""
    url = f"http://127.0.0.1:{server.port}/chat/stream"
    method = request.pop("method", "GET")
    asked = request or {"params": {"prompt": PROMPT}}
    rest, text, times = b"", "", []
    async with ClientSession() as session:
        async with session.request(method, url, **asked) as answer:
            equal((answer.status, answer.content_type), (200, "text/event-stream"), "the answer")
            async for piece in answer.content.iter_any():
                times.append(time.monotonic())
                *blocks, rest = (rest + piece).split(b"\n\n")
                data = [line[6:] for block in blocks for line in block.split(b"\n") if line.startswith(b"data: ")]
                text += "".join(json.loads(one) for one in data if one != b"[DONE]")
                if b"[DONE]" in data:
                    return text, times
    raise AssertionError("no [DONE]")


async def visits():
    with Server("demo_server") as server:
        (asked, times), (posted, _) = await asyncio.gather(
            visit(server), visit(server, method="POST", json={"prompt": PROMPT}))
        equal(asked, posted, "GET and POST")
        expect(len(times) > 60 and max(b - a for a, b in zip(times, times[1:])) < 1, f"{len(times)} pieces")
        server.all_gone()
        return f"{len(times)} pieces"


def main():
    suite = Suite("aiohttp")
    for name, call in (("serves sse_cat", serves_cat), ("takes --data", posted_json), ("is the endpoint", endpoint),
                       ("visits the demo", visits)):
        suite.check(name, lambda call=call: asyncio.run(call()), limit=30)
    suite.finish()


if __name__ == "__main__":
    main()
