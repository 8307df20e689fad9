/* SPDX-License-Identifier: MIT */
/*
 * beast_codec.cpp - Boost.Beast as a contestant: a server's websocket::stream over a transport in memory.
 *
 * A stream that finds its transport empty fails for good. So behind the last byte the transport hands out a
 * frame that means "enough", and reading stops there.
 */
#include "websocket.h"

#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace
{

/* Binary, masked with zeros, and in no message of ours. */
const uint8_t enough[] = {0x82, 0x86, 0, 0, 0, 0, 'e', 'n', 'o', 'u', 'g', 'h'};
const size_t enough_header = 6;

/* What Beast calls a SyncStream. */
class memory_transport
{
  public:
    using executor_type = asio::system_executor;

    executor_type get_executor() noexcept
    {
        return {};
    }

    template <class Buffers> std::size_t read_some(const Buffers &buffers, error_code &ec)
    {
        asio::mutable_buffer room = *asio::buffer_sequence_begin(buffers);
        uint8_t *dst = static_cast<uint8_t *>(room.data());
        ec = {};
        if (source != nullptr) {
            size_t n = bench_receive(source, dst, room.size());
            if (n != 0)
                return n;
            std::memcpy(dst, enough, sizeof enough);
            return sizeof enough;
        }
        size_t n = std::min(room.size(), request.size());
        std::memcpy(dst, request.data(), n);
        request.remove_prefix(n);
        return n;
    }

    template <class Buffers> std::size_t read_some(const Buffers &buffers)
    {
        error_code ec;
        return read_some(buffers, ec);
    }

    template <class Buffers> std::size_t write_some(const Buffers &buffers, error_code &ec)
    {
        std::size_t written = 0;
        ec = {};
        for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers); ++it) {
            asio::const_buffer piece = *it;
            if (output != nullptr) {
                std::memcpy(output, piece.data(), piece.size());
                output += piece.size();
            }
            written += piece.size();
        }
        return written;
    }

    template <class Buffers> std::size_t write_some(const Buffers &buffers)
    {
        error_code ec;
        return write_some(buffers, ec);
    }

    bench_source *source = nullptr; /* none: the handshake's request */
    uint8_t *output = nullptr;
    beast::string_view request{browser_request};
};

/* Found by argument-dependent look-up. */
void teardown(beast::role_type, memory_transport &, error_code &ec)
{
    ec = {};
}

struct connection {
    beast::websocket::stream<memory_transport> stream;
    beast::flat_buffer message;
};

void *beast_open(bool client)
{
    if (client)
        return nullptr; /* would need a server's answer to a key that it draws itself */
    auto *c = new connection;
    error_code ec;
    c->stream.accept(ec);
    if (ec)
        bench_fail("beast: accept");
    c->stream.read_message_max(16 << 20);
    c->stream.auto_fragment(false);
    return c;
}

void beast_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    auto *c = static_cast<connection *>(connection_);
    error_code ec;
    c->stream.next_layer().source = source;
    for (;;) {
        c->message.clear();
        c->stream.read(c->message, ec);
        if (ec)
            bench_fail("beast: read");
        auto *bytes = static_cast<const uint8_t *>(c->message.data().data());
        size_t len = c->message.size();
        if (len == sizeof enough - enough_header && std::memcmp(bytes, enough + enough_header, len) == 0)
            return;
        bench_deliver(sink, bytes, len);
        bench_deliver_end(sink);
    }
}

size_t beast_encode(void *connection_, uint8_t *dst, size_t, bool text, weir_str payload)
{
    auto *c = static_cast<connection *>(connection_);
    error_code ec;
    c->stream.next_layer().output = dst;
    c->stream.text(text);
    c->stream.write(asio::buffer(payload.ptr, payload.len), ec);
    if (ec)
        bench_fail("beast: write");
    return static_cast<size_t>(c->stream.next_layer().output - dst);
}

void beast_close(void *connection_)
{
    delete static_cast<connection *>(connection_);
}

} // namespace

extern "C" const codec beast_codec = {"beast", beast_open, beast_decode, beast_encode, beast_close};

/* ---- The opening handshake ------------------------------------------------------------------------- */

#include "handshake.h"

#include <boost/beast/http.hpp>

namespace
{

void beast_accept_key(const char *key, char *accept)
{
    beast::websocket::detail::sec_ws_accept_type made;
    beast::websocket::detail::make_sec_ws_accept(made, beast::string_view(key, HANDSHAKE_KEY));
    std::memcpy(accept, made.data(), HANDSHAKE_ACCEPT);
}

bool beast_parse(char *request, size_t len, char *key)
{
    beast::http::request_parser<beast::http::empty_body> parser;
    error_code ec;
    parser.eager(true);
    parser.put(asio::const_buffer(request, len), ec);
    if (ec || !parser.is_done() || !beast::websocket::is_upgrade(parser.get()))
        return false;
    beast::string_view value = parser.get()[beast::http::field::sec_websocket_key];
    if (value.size() != HANDSHAKE_KEY)
        return false;
    std::memcpy(key, value.data(), value.size());
    return true;
}

/* With the stream that it is for. */
size_t beast_whole(char *request, size_t len, char *answer, size_t)
{
    beast::websocket::stream<memory_transport> stream;
    error_code ec;
    stream.next_layer().request = beast::string_view(request, len);
    stream.next_layer().output = reinterpret_cast<uint8_t *>(answer);
    stream.accept(ec);
    return ec ? 0 : static_cast<size_t>(reinterpret_cast<char *>(stream.next_layer().output) - answer);
}

} // namespace

extern "C" const handshaker beast_handshaker = {"beast", beast_accept_key, beast_parse, beast_whole};
