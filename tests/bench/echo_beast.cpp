/* SPDX-License-Identifier: MIT */
/* echo_beast.cpp - an echo server on Boost.Beast, asynchronous, one thread. */
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <cstdio>
#include <memory>

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace
{

class session : public std::enable_shared_from_this<session>
{
  public:
    explicit session(tcp::socket socket) : stream(std::move(socket))
    {
    }

    void start()
    {
        stream.read_message_max(16 << 20);
        stream.auto_fragment(false);
        stream.async_accept([self = shared_from_this()](error_code ec) {
            if (!ec)
                self->read();
        });
    }

  private:
    void read()
    {
        stream.async_read(message, [self = shared_from_this()](error_code ec, std::size_t) {
            if (!ec)
                self->write();
        });
    }

    void write()
    {
        stream.text(stream.got_text());
        stream.async_write(message.data(), [self = shared_from_this()](error_code ec, std::size_t) {
            self->message.consume(self->message.size());
            if (!ec)
                self->read();
        });
    }

    beast::websocket::stream<tcp::socket> stream;
    beast::flat_buffer message;
};

void accept(tcp::acceptor &acceptor)
{
    acceptor.async_accept([&acceptor](error_code ec, tcp::socket socket) {
        if (!ec) {
            socket.set_option(tcp::no_delay(true));
            std::make_shared<session>(std::move(socket))->start();
        }
        accept(acceptor);
    });
}

} // namespace

int main()
{
    asio::io_context loop{1};
    tcp::acceptor acceptor{loop, {asio::ip::address_v4::loopback(), 0}};
    std::printf("listening on 127.0.0.1:%u\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    accept(acceptor);
    loop.run();
}
