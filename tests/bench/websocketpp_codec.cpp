/* SPDX-License-Identifier: MIT */
/* websocketpp_codec.cpp - WebSocket++ as a contestant: its processor for RFC 6455, without its transports. */
#include "handshake.h"
#include "websocket.h"

#include <websocketpp/config/core.hpp>
#include <websocketpp/processors/hybi13.hpp>
#include <websocketpp/server.hpp>

namespace
{

using config = websocketpp::config::core;
using processor = websocketpp::processor::hybi13<config>;
using messages_of = config::con_msg_manager_type;
namespace opcode = websocketpp::frame::opcode;

config::rng_type random_source;

struct connection {
    explicit connection(bool client)
        : manager(websocketpp::lib::make_shared<messages_of>()),
          machine(false, !client, manager, random_source)
    {
        machine.set_max_message_size(16 << 20);
    }

    messages_of::ptr manager;
    processor machine;
    uint8_t buf[65536];
};

void *pp_open(bool client)
{
    return new connection(client);
}

void pp_decode(void *connection_, bench_source *source, bench_sink *sink)
{
    auto *c = static_cast<connection *>(connection_);
    websocketpp::lib::error_code ec;
    size_t n;
    while ((n = bench_receive(source, c->buf, sizeof c->buf)) != 0) {
        for (size_t at = 0; at < n;) {
            at += c->machine.consume(c->buf + at, n - at, ec);
            if (ec)
                bench_fail("websocketpp: consume");
            if (!c->machine.ready())
                continue;
            auto message = c->machine.get_message();
            const std::string &payload = message->get_payload();
            bench_deliver(sink, reinterpret_cast<const uint8_t *>(payload.data()), payload.size());
            bench_deliver_end(sink);
        }
    }
}

size_t pp_encode(void *connection_, uint8_t *dst, size_t, bool text, weir_str payload)
{
    auto *c = static_cast<connection *>(connection_);
    auto in = c->manager->get_message(text ? opcode::text : opcode::binary, payload.len);
    auto out = c->manager->get_message();
    in->append_payload(payload.ptr, payload.len);
    if (c->machine.prepare_data_frame(in, out))
        bench_fail("websocketpp: prepare_data_frame");
    const std::string &header = out->get_header(), &body = out->get_payload();
    std::memcpy(dst, header.data(), header.size());
    std::memcpy(dst + header.size(), body.data(), body.size());
    return header.size() + body.size();
}

void pp_close(void *connection_)
{
    delete static_cast<connection *>(connection_);
}

/* ---- The opening handshake ------------------------------------------------------------------------- */

/* A checked request, or not. */
bool pp_request(websocketpp::http::parser::request &request, const char *text, size_t len)
{
    return request.consume(text, len) == len && request.ready() &&
           websocketpp::processor::is_websocket_handshake(request) &&
           websocketpp::processor::get_websocket_version(request) == 13;
}

bool pp_parse(char *text, size_t len, char *key)
{
    websocketpp::http::parser::request request;
    if (!pp_request(request, text, len))
        return false;
    const std::string &value = request.get_header("Sec-WebSocket-Key");
    if (value.size() != HANDSHAKE_KEY)
        return false;
    std::memcpy(key, value.data(), value.size());
    return true;
}

size_t pp_whole(char *text, size_t len, char *answer, size_t cap)
{
    websocketpp::http::parser::request request;
    websocketpp::http::parser::response response;
    connection c(false);
    if (!pp_request(request, text, len) || c.machine.validate_handshake(request))
        return 0;
    c.machine.negotiate_extensions(request);
    if (c.machine.process_handshake(request, "", response))
        return 0;
    response.set_version("HTTP/1.1");
    response.set_status(websocketpp::http::status_code::switching_protocols);
    std::string raw = c.machine.get_raw(response);
    if (raw.size() > cap)
        return 0;
    std::memcpy(answer, raw.data(), raw.size());
    return raw.size();
}

} // namespace

extern "C" const codec websocketpp_codec = {"websocketpp", pp_open, pp_decode, pp_encode, pp_close};
extern "C" const handshaker websocketpp_handshaker = {"websocketpp", nullptr, pp_parse, pp_whole};
