# SPDX-License-Identifier: MIT
"""What a server makes of offers of permessage-deflate: RFC 7692 5.1 and 7.1, RFC 6455 9.1."""

import random
import zlib

from deflate import EXTENSION, Packer, Unpacker, agree, terms
from harness import Failure, equal, expect
from wire import BINARY, Peer, request

NAME = "permessage-deflate"
MALFORMED = 400

# Each row: the value of the field (a list: of several fields), and which of its members has to be agreed
# on, or None if all are to be declined, or MALFORMED.
OFFERS = [
    (NAME, NAME),
    ("Permessage-DEFLATE", NAME),
    *[(f"{NAME}; {params}", f"{NAME}; {params}") for params in (
        "client_max_window_bits", "client_no_context_takeover", "server_no_context_takeover",
        "server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
        *[f"{side}_max_window_bits={bits}" for side in ("client", "server") for bits in range(9, 16)],
        "client_max_window_bits=8", "server_max_window_bits=9; client_max_window_bits=8",
        "client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=12")],
    (f'{NAME}; client_max_window_bits="10"', f"{NAME}; client_max_window_bits=10"),
    (f'{NAME}; server_max_window_bits="1\\0"', f"{NAME}; server_max_window_bits=10"),
    (f"{NAME} ;\tserver_max_window_bits = 10 ;server_no_context_takeover",
     f"{NAME}; server_max_window_bits=10; server_no_context_takeover"),
    (f"{NAME}; SERVER_MAX_WINDOW_BITS=11", f"{NAME}; server_max_window_bits=11"),
    (f",, {NAME} ,", NAME),
    *[(f"{NAME}; {params}", None) for params in (
        "server_max_window_bits=8", "server_max_window_bits", "server_max_window_bits=7",
        "server_max_window_bits=16", "server_max_window_bits=0", "server_max_window_bits=08",
        "server_max_window_bits=+9", 'server_max_window_bits=""', "server_max_window_bits=9x",
        "server_max_window_bits=0x9", "server_max_window_bits=-9", "server_max_window_bits=99999999999",
        "server_max_window_bits=9; server_max_window_bits=9", "server_max_window_bits=4294967305",
        "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=010",
        'client_max_window_bits=""', "client_max_window_bits; client_max_window_bits",
        "server_no_context_takeover=1", 'server_no_context_takeover=""', "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover", "foo", "foo=bar", "constructor",
        "__proto__=1", "client_max_window_bits=10; foo")],
    (f"{NAME}; server_max_window_bits=8, {NAME}", NAME),
    (f"{NAME}; foo, {NAME}; server_max_window_bits=9, {NAME}", f"{NAME}; server_max_window_bits=9"),
    ([f"{NAME}; server_max_window_bits=99", f"{NAME}; client_no_context_takeover"],
     f"{NAME}; client_no_context_takeover"),
    (f"x-webkit-deflate-frame, {NAME}", NAME),
    (f"permessage-bzip2; server_max_window_bits=9, {NAME}; server_max_window_bits=12",
     f"{NAME}; server_max_window_bits=12"),
    ("x-webkit-deflate-frame", None),
    ("permessage-deflate2, xpermessage-deflate, permessage, deflate", None),
    (", ".join([f"{NAME}; foo"] * 150 + [NAME]), NAME),
    (f"{NAME};", MALFORMED),
    ("; a", MALFORMED),
    (f"{NAME}; =1", MALFORMED),
    (f"{NAME}; server_max_window_bits=", MALFORMED),
    (f'{NAME}; a="', MALFORMED),
    (f'{NAME}; a="\\"', MALFORMED),
    (f'{NAME}; a="b c"', MALFORMED),
    (f"{NAME} server_max_window_bits=9", MALFORMED),
    (f"{NAME}; a=b=c", MALFORMED),
    (f"{NAME}, a b", MALFORMED),
    ([NAME, f"{NAME}; a=\"" + "\\" * 4000], MALFORMED),
]


def lawful(offer, answer):
    """RFC 7692 7.1: what an answer must, may and must not contain."""
    asked, got = terms(offer), terms(answer)
    expect(not asked.get("server_no_context_takeover") or got.get("server_no_context_takeover"),
           f"server_no_context_takeover is missing in {answer!r}")
    expect("server_max_window_bits" not in asked or got.get("server_max_window_bits", 15)
           <= asked["server_max_window_bits"], f"server_max_window_bits in {answer!r}")
    expect(got.get("server_max_window_bits") != 8, "a window of 8 bits, that zlib does not have")
    bits = got.get("client_max_window_bits")
    expect(bits is None or "client_max_window_bits" in asked, f"client_max_window_bits unasked: {answer!r}")
    wanted = asked.get("client_max_window_bits", True)
    expect(bits is not True and (bits is None or wanted is True or bits <= wanted), f"{answer!r}")
    for name, value in got.items():
        expect(name.endswith("_max_window_bits") or value is True, f"value of {name} in {answer!r}")


def twice():
    """Random bytes twice, at all sizes of windows: whoever looks back farther than agreed shows it."""
    noise = random.Random(1)
    for size in (200, 700, 1500, 3000, 6000, 12000, 24000):
        yield noise.randbytes(size) * 2


def offer(server, value, wanted):
    lines = [value] if isinstance(value, str) else value
    with Peer(server.address, opened=False) as peer:
        peer.send(request(add=[f"{EXTENSION}: {line}" for line in lines]))
        reply = peer.response()
        equal(reply.status, 400 if wanted is MALFORMED else 101, "status")
        if wanted is MALFORMED or wanted is None:
            equal(reply.all(EXTENSION), [], EXTENSION)
        if wanted is MALFORMED:
            return
        if wanted is not None:
            lawful(wanted, reply.one(EXTENSION))
            agree(peer, terms(reply.one(EXTENSION)), strict=True)
            for data in twice():
                peer.round_trip(data, BINARY)
        peer.send(peer.say.text("plain"))
        peer.wants(1, b"plain")
        peer.send(peer.say.close(1000))
        peer.closed(1000)


def declined_stays_plain(server):
    """Nothing agreed: RSV1 is a reserved bit, however well the message is compressed."""
    for value in (f"{NAME}; foo", "x-webkit-deflate-frame"):
        with Peer(server.address, opened=False) as peer:
            peer.send(request(add=[f"{EXTENSION}: {value}"]))
            equal(peer.response().all(EXTENSION), [], EXTENSION)
            peer.send(peer.say.text(b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4))
            peer.fails(1002)


def behind_the_head(server):
    """Compressed frames in the packet of the request are inflated."""
    for cut in (None, 1):
        with Peer(server.address, opened=False) as peer:
            data = request(add=[f"{EXTENSION}: {NAME}"]) + peer.say.text(b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4)
            peer.send_cut(data, cut or len(data))
            agree(peer, terms(peer.response().one(EXTENSION)))
            peer.wants(1, b"Hello")


def self_check():
    """What the rows above rely on: a window one bit larger than agreed does not pass."""
    for bits in range(9, 15):
        unpacker, packer = Unpacker(bits, strict=True), Packer(bits + 1)
        try:
            for data in twice():
                unpacker(packer(data))
        except zlib.error:
            continue
        raise Failure(f"{bits + 1} bits pass for {bits}")


def name_of(value):
    text = value if isinstance(value, str) else " | ".join(value)
    return repr(text if len(text) < 90 else text[:80] + "…")


def run(suite, server, plain):
    """`server` knows permessage-deflate, `plain` does not."""
    suite.check("a window too large would be noticed", self_check)
    for value, wanted in OFFERS:
        suite.check(f"offer {name_of(value)}", offer, server, value, wanted)
    for value, wanted in OFFERS[:1]:
        suite.check(f"without --deflate: offer {name_of(value)}", offer, plain, value, None)
    suite.check("what is declined stays plain", declined_stays_plain, server)
    suite.check("compressed frames behind the head", behind_the_head, server)
