"""Requests that two readers could read differently, with another request hidden behind them: refused, and never answered twice."""
import re
import socket

import pytest

from abuse_doors import until_closed

HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /a/b HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# What comes before the hidden request. The server answers once, with an error, and hangs up.
REFUSED = {
    "length and chunked": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 44\r\n\r\n",
    "a signed length": POST + b"Content-Length: +0\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a hexadecimal length": POST + b"Content-Length: 0x0\r\n\r\n",
    "an empty length": POST + b"Content-Length: \r\n\r\n",
    "a length in parts": POST + b"Content-Length: 0 0\r\n\r\n",
    "a huge length": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "chunked is not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and another": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "white space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a quoted coding": POST + b"Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "a line feed alone": POST + b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a carriage return alone": POST + b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "only line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "a zero byte": POST + b"X: y\0z\r\n\r\n",
    "no colon": POST + b"Transfer-Encoding\r\n\r\n",
    "no name": POST + b": chunked\r\n\r\n",
    "a space before a name": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host that is none": b"GET / HTTP/1.1\r\nHost: a/../b\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": b"GET /\r\n\r\n",
    "version 1.10": b"GET / HTTP/1.10\r\nHost: a\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the line": b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "a zero byte in the target": b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method of symbols": b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a chunk with a sign": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk with a blank before": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk of 2^64": CHUNKED + b"10000000000000000\r\nhello\r\n0\r\n\r\n",
    "a chunk of 2^64 - 1": CHUNKED + b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than said": CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "a chunk with a line feed alone": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "data with a line feed alone": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "a chunk extension with a line feed": CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "an endless chunk extension": CHUNKED + b"5;" + b"a" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    "a trailer that is none": CHUNKED + b"0\r\nContent Length: 5\r\n\r\n",
    "an endless trailer": CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
}
# One reading only: each of the two requests is answered.
TAKEN = {
    "the same length twice or not at all": POST + b"Content-Length: 5\r\n\r\nhello",
    "chunks": CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    "a chunk extension": CHUNKED + b"5;a=\"b\"\r\nhello\r\n0;c\r\n\r\n",
    "zeros before a size": CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n",
    "a trailer": CHUNKED + b"0\r\nX-Trailer: x\r\n\r\n",
    "chunked in capitals": POST + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
    "empty lines before": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a web socket": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                    b"Sec-WebSocket-Version: 13\r\n\r\n",
    "HTTP/2 by upgrade": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    "bytes beyond ASCII": POST + b"X: caf\xe9 \xff\r\nContent-Length: 0\r\n\r\n",
}


def answers(tarn, door, data):
    """The statuses that came back, and whether the server hung up."""
    with socket.create_connection(tarn.address(door), timeout=20) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # it hung up while we spoke
        said = until_closed(connection, 20)
    assert said is not None, "no answer, and the connection is open"
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", said) if status != b"100"]


@pytest.mark.parametrize("door", ["aws", "http"])
def test_hidden_requests(tarn, door):
    wrong = []
    for what, data in REFUSED.items():
        got = answers(tarn, door, data + HIDDEN)
        if len(got) != 1 or got[0] < 400 or got[0] == 500:
            wrong.append((what, got))
    for what, data in TAKEN.items():
        got = answers(tarn, door, data + HIDDEN)
        if len(got) != 2 or 500 in got or 101 in got:
            wrong.append((what, got))
    assert not wrong, wrong
    assert tarn.alive()


def test_many_requests_in_one_write(tarn):
    """Pipelined: answered in turn, with memory for one at a time."""
    count = 2000
    assert len(answers(tarn, "http", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" * count + HIDDEN)) == count + 1
