# SPDX-License-Identifier: MIT
"""Event streams and what WHATWG HTML 9.2 makes of them, as data; and the standard once more, in Python."""

M = "message"
TEXT = "x" * 2048


def _says(*data):
    """Events of type message without an ID."""
    return [(M, text, "") for text in data]


# Name, stream, events as (type, data, lastEventId), last event ID at the end, retry.
CASES = [
    ("nothing", b"", [], "", None),
    ("event-data", b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
     _says("msg\nmsg", "", "end"), "", None),
    ("bom", b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", _says("1", "3"), "", None),
    ("bom twice", b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\ndata:3\n\n", _says("2", "3"), "", None),
    ("bom with type and id", b"\xef\xbb\xbfevent: a\nid: 1\ndata: x\n\n", [("a", "x", "1")], "1", None),
    ("bom before empty data", b"\xef\xbb\xbfdata:\n\n", _says(""), "", None),
    ("bom before a comment", b"\xef\xbb\xbf:c\ndata:1\n\n", _says("1"), "", None),
    ("bom in data", b"\xef\xbb\xbfdata: \xef\xbb\xbfHello\n\n", _says("\ufeffHello"), "", None),
    ("half a bom", b"\xef\xbbdata:1\n\ndata:2\n\n", _says("2"), "", None),
    ("bom alone", b"\xef\xbb\xbf", [], "", None),
    ("comments", b"data:1\r:\0\n:\r\ndata:2\n:" + TEXT.encode() + b"\rdata:3\n:data:fail\r:" + TEXT.encode()
     + b"\ndata:4\n\n", _says("1\n2\n3\n4"), "", None),
    ("data before the last empty line", b"retry:1000\ndata:test1\n\nid:test\ndata:test2\n", _says("test1"), "", 1000),
    ("field data", b"data:\n\ndata\ndata\n\ndata:test\n\n", _says("", "\n", "test"), "", None),
    ("field event", b"event:test\ndata:x\n\ndata:x\n\n", [("test", "x", ""), (M, "x", "")], "", None),
    ("empty event", b"event: \ndata:data\n\n", _says("data"), "", None),
    ("event resets", b"event:a\nevent\ndata:x\n\n", _says("x"), "", None),
    ("last event counts", b"event:a\nevent:b\ndata:x\n\n", [("b", "x", "")], "", None),
    ("event does not outlive its block", b"event:a\n\ndata:x\n\n", _says("x"), "", None),
    ("an id in UTF-8", "id: …\nretry: 200\ndata: hello\n\n".encode(), [(M, "hello", "…")], "…", 200),
    ("ids persist", b"id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n",
     [(M, "1", "1"), (M, "2", "1"), (M, "3", "2"), (M, "4", "2")], "2", None),
    ("an id resets", b"id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n",
     [(M, "1", "1"), (M, "2", ""), (M, "3", "")], "", None),
    ("an id resets without colon", b"id: 1\ndata: 1\n\nid\ndata:2\n\n", [(M, "1", "1"), (M, "2", "")], "", None),
    ("an id without data counts", b"id:99\n\ndata:x", [], "99", None),
    ("an id of an unfinished event does not", b"id:1\ndata:x\n\nid:2\ndata:y\n", [(M, "x", "1")], "1", None),
    *((f"NUL in an id, {at}", b"id: 7\nid:" + bad + b"\ndata:x\n\n", [(M, "x", "7")], "7", None)
      for at, bad in enumerate((b"\0\0", b"x\0", b"\0x", b"x\0x", b" \0"))),
    ("field names", b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n"
     b" data:32\ndata:4\n\n", _says("\0\n 2\n1\n3\n\n4"), "", None),
    ("retry is decimal", b"retry:03000\ndata:x\n\n", _says("x"), "", 3000),
    ("retry at once", b"retry:999\n", [], "", 999),
    ("retry without its line end", b"retry:999", [], "", None),
    *((f"retry {bad!r}", b"retry:3000\nretry:" + bad + b"\n\n", [], "", 3000)
      for bad in (b"1000x", b"a0", b"xi", b"2a", b"09a", b"1\b", b"  1234", b"456 ", b"-5", b"+5", b"0x10", b"1.5",
                  b"1_000", b"\xd9\xa1", b"1\0")),
    ("retry empty", b"retry\ndata:test\n\nretry:\n\n", _says("test"), "", None),
    ("the last retry", b"retry:1\nretry: 22\n\n", [], "", 22),
    ("retry beyond 64 bits", b"retry:18446744073709551616\n\n", [], "", 2**64 - 1),
    ("retry just within", b"retry:18446744073709551614\n\n", [], "", 2**64 - 2),
    ("unknown fields", b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
     _says("test\n\ntest"), "", None),
    ("leading space", b"data:\ttest\rdata: \ndata:test\n\n", _says("\ttest\n\ntest"), "", None),
    ("two leading spaces", b"event:  a\ndata:  b\nid:  c\n\n", [(" a", " b", " c")], " c", None),
    ("line ends", b"data:test\r\ndata\ndata:test\r\n\r\n", _says("test\n\ntest"), "", None),
    ("a NUL as data", b"data:\0\n\n", _says("\0"), "", None),
    ("spaces are no empty line", b"data:x\n \ndata:y\n\n", _says("x\ny"), "", None),
    ("only line ends", b"\n\r\r\n\n\r\n\r", [], "", None),
    ("CR CR LF", b"data:a\r\r\ndata:b\r\n\r\n", _says("a", "b"), "", None),
    ("LF CR", b"data:a\n\rdata:b\n\r", _says("a", "b"), "", None),
    ("CR LF and CR in one event", b"data: Hello\r\ndata: World\r\r\ndata: OK\r\n\r\n",
     _says("Hello\nWorld", "OK"), "", None),
    ("no other line ends", "data:a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i\n\n".encode(),
     _says("a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i"), "", None),
    ("bytes that are not UTF-8", b"data:\xffhello\xc2\ndata:bye\n\n", _says("\ufffdhello\ufffd\nbye"), "", None),
    ("overlong and surrogates", b"data:\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82A\n\n",
     _says("\ufffd" * 9 + "\ufffdA"), "", None),
    ("not UTF-8 in type and id", b"event:\xff\nid:\xe2\x82\ndata:\xf0\x9f\x98\n\n",
     [("\ufffd", "\ufffd", "\ufffd")], "\ufffd", None),
    ("four bytes", "data:😀€豆腐\n\n".encode(), _says("😀€豆腐"), "", None),
    ("quotes and control bytes", b'data:"\\\x01\x1f\x7f\t/\n\n', _says('"\\\x01\x1f\x7f\t/'), "", None),
    ("colons in the value", b"data:::a:b\n\n", _says("::a:b"), "", None),
    ("case of names", b"DATA:x\nEvent:y\nID:z\nRetry:1\n\n", [], "", None),
    ("a name that begins like one", b"dat:x\ndata2:x\nidx:1\nevents:x\nretryx:1\ndata:y\n\n", _says("y"), "", None),
    ("long names", b"data" * 5000 + b":x\ndata:y\n\n", _says("y"), "", None),
    ("an unfinished line", b"data:x\n\ndata:y", _says("x"), "", None),
    ("an unfinished event", b"data:x\n\ndata:y\n", _says("x"), "", None),
    ("a CR at the end", b"data:x\r\r", _says("x"), "", None),
    ("a type without data", b"event:x\n\nid:5\n\n", [], "5", None),
    ("100 events", b"".join(b"data:%d\n\n" % n for n in range(100)), _says(*(str(n) for n in range(100))), "", None),
    ("1000 lines", b"data:x\n" * 1000 + b"\n", _says("\n".join(["x"] * 1000)), "", None),
    ("a long id and type", b"id:" + b"i" * 9000 + b"\nevent:" + b"t" * 9000 + b"\ndata\n\n",
     [("t" * 9000, "", "i" * 9000)], "i" * 9000, None),
]

# Three line ends for each of these; `|` stands for one.
LINES = {
    "one event": ("data: Hello||", ["Hello"]),
    "two lines": ("data: Hello|data: World||", ["Hello\nWorld"]),
    "first line empty": ("data:|data: Hello|data: World||", ["\nHello\nWorld"]),
    "middle line empty": ("data: Hello|data:|data: World||", ["Hello\n\nWorld"]),
    "more empty lines": ("data: a||||data: b|||", ["a", "b"]),
    "empty data": ("data||data|data||data:", ["", "\n"]),
}
CASES += [(f"{name} by {end!r}", text.replace("|", end).encode(), _says(*data), "", None)
          for name, (text, data) in LINES.items() for end in ("\n", "\r", "\r\n")]

# Pieces that random streams are made of.
PIECES = [b"data", b"data:", b"data: ", b"event:", b"id:", b"id", b"retry:", b":", b" ", b"\n", b"\n", b"\r", b"\r\n",
          b"\n\n", b"x", b"12", b"\0", b"\xef\xbb\xbf", b"\xff", b"\xe4\xbd\xa0", b"\xe4\xbd", b"foo", b"a\tb"]


def reference(stream):
    """WHATWG HTML 9.2.5 and 9.2.6, as slow as it reads: events, last event ID, retry."""
    text = stream.decode("utf-8", "replace")
    text = text[1:] if text.startswith("\ufeff") else text
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines.pop()  # a line without its end
    events, data, kind, next_id, last_id, retry = [], "", "", "", "", None
    for line in lines:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            last_id = next_id
            if data:
                events.append((kind or M, data[:-1], last_id))
            data = kind = ""
        elif name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            next_id = value
        elif name == "retry" and value and all(c in "0123456789" for c in value):
            retry = min(int(value), 2**64 - 1)
    return events, last_id, retry
