# SPDX-License-Identifier: MIT
"""RFC 6455 from outside: a few hundred checks of ws_echo_server over raw sockets.

    BUILD=build python3 tests/interop/conformance.py [http|frames|abuse|programs]...

Only the standard library; each check has a connection of its own and prints one line."""

import sys

import conformance_abuse as abuse
import conformance_frames as frames
import conformance_http as http
from harness import Server, Suite


def main():
    wanted = set(sys.argv[1:]) or {"http", "frames", "abuse", "programs"}
    suite = Suite("conformance")
    with Server("ws_echo_server") as server:
        slow = http.Slow(server) if "http" in wanted else None
        stays = abuse.never_leaves(server) if "http" in wanted else None
        if "programs" in wanted:
            abuse.run_programs(suite)
        if "frames" in wanted:
            frames.run(suite, server)
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
