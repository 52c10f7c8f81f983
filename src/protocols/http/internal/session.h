// A connection that speaks HTTP: heads and bodies in, one exchange at a time, pipelined requests in
// turn.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/session.h"
#include "protocols/http/internal/body_parser.h"
#include "protocols/http/internal/exchange.h"
#include "protocols/http/internal/head_parser.h"

namespace tarn::http {

/// Lane: the connection's loop.
class HttpSession final : public net::Session, private ExchangeOwner {
 public:
    HttpSession(std::shared_ptr<const Service::Shared> service, net::Transport& transport);

    void on_bytes(std::string_view bytes) override;
    void on_drained() override;
    void on_eof() override;
    void on_deadline() override;
    void on_drain() override;
    void on_close() override;

 private:
    void on_body_room() override;
    void on_exchange_finished() override;

    void process(std::string_view input);
    bool take_head(std::string_view& input);
    bool take_body(std::string_view& input);
    void begin_exchange(RequestHead head);
    void end_of_body();
    void dispatch();
    void refuse(Refusal::Kind kind, int status, std::string_view message);
    void stop_input();

    const std::shared_ptr<const Service::Shared> service_;
    net::Transport& transport_;
    HeadParser head_parser_;
    std::optional<BodyParser> body_parser_;
    std::shared_ptr<Exchange> exchange_;
    std::string waiting_;         // received behind a request that is still being answered
    size_t discarded_bytes_ = 0;  // of a body that nobody will read
    bool dispatched_ = false;
    bool head_timed_ = false;
    bool input_ended_ = false;  // by an error or the peer; nothing more is read
    bool draining_ = false;
};

}  // namespace tarn::http
