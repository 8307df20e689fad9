# SPDX-License-Identifier: MIT
"""RFC 6455 from outside: a few hundred checks of ws_echo_server over raw sockets.

    BUILD=build python3 tests/interop/conformance.py [http|frames|strict|abuse|programs]...

Only the standard library; each check has a connection of its own and prints one line."""

import sys

import conformance_abuse as abuse
import conformance_frames as frames
import conformance_http as http
import strict
from harness import Failure, Server, Suite, expect
from wire import Peer


def matrix(server, vectors, connect=Peer):
    """All of a list, whole and cut at each byte."""
    wrong = []
    for row in vectors:
        for cut in (None, 1):
            with connect(server.address) as peer:
                if cut and len(row.build(peer.say)) > 1000:
                    continue
                try:
                    strict.judge(peer, row, cut)
                except Failure as error:
                    wrong.append(f"{row.name}: {error}")
    expect(not wrong, f"{len(wrong)} times: " + "; ".join(wrong[:5]))
    return f"{len(vectors)} of {len(vectors)}"


def main():
    wanted = set(sys.argv[1:]) or {"http", "frames", "strict", "abuse", "programs"}
    suite = Suite("conformance")
    with Server("ws_echo_server") as server:
        slow = http.Slow(server) if "http" in wanted else None
        stays = abuse.never_leaves(server) if "http" in wanted else None
        if "programs" in wanted:
            abuse.run_programs(suite)
        if "frames" in wanted:
            frames.run(suite, server)
        if "strict" in wanted:
            suite.check("the strictness matrix", matrix, server, strict.VECTORS)
            suite.check("more vectors", matrix, server, strict.MORE)
        if slow:
            suite.check("a handshake that takes longer than 10 s is dropped", slow.all_dropped)
            suite.check("a peer that stays after the Close is dropped", server.all_gone, 15, limit=20)
            stays.sock.close()
        server.alive()
        suite.check("idle", lambda: (server.all_gone(), server.idle())[0])
        if "http" in wanted:
            http.run(suite, server)
        suite.check("SIGTERM without peers", server.terminate)
    if "abuse" in wanted:
        with Server("ws_echo_server") as server:
            abuse.run(suite, server)
            suite.check("SIGTERM after the floods", server.terminate)
    suite.finish()


if __name__ == "__main__":
    main()
