#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""seeds.py DIR - writes the streams of tests/vectors as inputs for the fuzz targets, DIR/fuzz_TARGET/NAME.

A target's input begins with bytes that choose its configuration; zeros are the defaults. Where a vector has
limits or flags of its own they are not translated: the fuzzer finds them. fuzz/corpus.sh calls it.
"""
import pathlib
import re
import sys

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "vectors"

# file: (target, how many bytes choose, only vectors with these keys)
USES = {
    "http_request.txt": [("http_request", 5, {})],
    "http_framing.txt": [("http_request", 5, {"kind": None}), ("http_response", 5, {"kind": "response"})],
    "http_response.txt": [("http_response", 5, {})],
    "http_body.txt": [("http_body", 4, {"framing": None})],
    "ws_server.txt": [("ws_server", 7, {}), ("ws_wslay", 1, {})],
    "ws_client.txt": [("ws_client", 7, {}), ("ws_wslay", 1, {})],
    "ws_handshake.txt": [("ws_accept", 6, {})],
    "ws_opening.txt": [("ws_opening", 8, {})],
    "ws_offers.txt": [("ws_lists", 5, {}), ("ws_opening", 8, {})],
    "ws_deflate.txt": [("ws_deflate", 8, {})],
    "sse_lines.txt": [("sse_parse", 9, {})],
    "sse_fields.txt": [("sse_parse", 9, {}), ("sse_write", 6, {})],
    "sse_limits.txt": [("sse_parse", 9, {})],
    "sse_end.txt": [("sse_parse", 9, {})],
    "sse_utf8.txt": [("sse_parse", 9, {}), ("sse_write", 6, {}), ("base", 7, {})],
    "sse_write.txt": [("sse_write", 6, {})],
    "sse_source.txt": [("sse_source", 24, {})],
}
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", '"': '"', "\\": "\\"}


def decode(text):
    def one(match):
        return chr(int(match[1][1:], 16)) if match[1][0] == "x" else ESCAPES[match[1]]

    return re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", one, text).encode("latin-1")


def vectors(path):
    """Yields (keys, stream) for each block of a file."""
    for block in re.split(r"\n\n+", path.read_text("ascii")):
        keys, stream = {}, b""
        for line in block.splitlines():
            repeated = re.match(r">\*\s*(\d+) (.*)", line)
            if repeated:
                stream += decode(repeated[2]) * int(repeated[1])
            elif line.startswith(">"):
                stream += decode(line[1:].removeprefix(" "))
            elif line[:1] not in ("", "#", "=", "<"):
                key, _, value = line.partition(":")
                keys[key] = value.strip()
        if re.search(r"^=", block, re.M):
            yield keys, stream


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    count = 0
    for file, uses in USES.items():
        for number, (keys, stream) in enumerate(vectors(VECTORS / file)):
            for target, choices, wanted in uses:
                if any(keys.get(key) != value for key, value in wanted.items()) or len(stream) > 4096:
                    continue
                folder = pathlib.Path(sys.argv[1]) / f"fuzz_{target}"
                folder.mkdir(parents=True, exist_ok=True)
                name = f"{file[:-4]}-{number}"
                (folder / name).write_bytes(bytes(choices) + stream)
                count += 1
                if file == "ws_offers.txt" and target == "ws_opening":  # as answers, to an offer with compression
                    (folder / name).write_bytes(bytes([0, 0, 4, 2, 2, 0, 0, 0]) + stream)
    print(f"{count} seeds")


if __name__ == "__main__":
    main()
