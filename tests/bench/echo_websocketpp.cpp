/* SPDX-License-Identifier: MIT */
/* echo_websocketpp.cpp - an echo server on WebSocket++ over Asio, one thread. */
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <cstdio>

namespace
{

/* Without the locks of its default, which one thread does not need. */
struct config : websocketpp::config::asio {
    using concurrency_type = websocketpp::concurrency::none;
    struct transport_config : websocketpp::config::asio::transport_config {
        using concurrency_type = websocketpp::concurrency::none;
        static bool const enable_multithreading = false;
    };
    using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

using server = websocketpp::server<config>;

} // namespace

int main()
{
    server echo;
    echo.clear_access_channels(websocketpp::log::alevel::all);
    echo.clear_error_channels(websocketpp::log::elevel::all);
    echo.init_asio();
    echo.set_reuse_addr(true);
    echo.set_listen_backlog(1024);
    echo.set_tcp_post_init_handler([&echo](websocketpp::connection_hdl to) {
        echo.get_con_from_hdl(to)->get_raw_socket().set_option(boost::asio::ip::tcp::no_delay(true));
    });
    echo.set_message_handler([&echo](websocketpp::connection_hdl to, server::message_ptr message) {
        websocketpp::lib::error_code ec;
        echo.send(to, message->get_payload(), message->get_opcode(), ec);
    });
    echo.listen(boost::asio::ip::address_v4::loopback(), 0);
    echo.start_accept();
    websocketpp::lib::asio::error_code ec;
    std::printf("listening on 127.0.0.1:%u\n", echo.get_local_endpoint(ec).port());
    std::fflush(stdout);
    echo.run();
}
