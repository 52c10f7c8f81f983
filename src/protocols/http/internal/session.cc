#include "protocols/http/internal/session.h"

namespace tarn::http {

HttpSession::HttpSession(std::shared_ptr<const Service::Shared> service, net::Transport& transport)
    : service_(std::move(service)), transport_(transport) {
    transport_.set_deadline(service_->options.keep_alive_timeout);
}

void HttpSession::on_bytes(std::string_view bytes) {
    if (input_ended_) return;
    if (!waiting_.empty()) {
        waiting_ += bytes;
        return;
    }
    process(bytes);
}

// Each turn either uses up input or leaves.
void HttpSession::process(std::string_view input) {
    while (!input.empty() && !input_ended_) {
        if (body_parser_ && !body_parser_->complete()) {
            if (!take_body(input)) return;
            continue;
        }
        if (exchange_) {
            if (!exchange_->finished_or_call_later()) {
                waiting_ = input;
                transport_.pause_reading();
                return;
            }
            if (exchange_->closing()) return stop_input();
            exchange_.reset();
        }
        if (!take_head(input)) return;
    }
}

bool HttpSession::take_head(std::string_view& input) {
    switch (head_parser_.feed(input)) {
        case HeadParser::Step::need_more:
            if (!head_timed_) transport_.set_deadline(service_->options.head_timeout);
            head_timed_ = true;
            return false;
        case HeadParser::Step::failed:
            refuse(Refusal::Kind::malformed, head_parser_.failure().status,
                   head_parser_.failure().message);
            return false;
        case HeadParser::Step::complete:
            head_timed_ = false;
            begin_exchange(head_parser_.take());
            return true;
    }
    return false;
}

void HttpSession::begin_exchange(RequestHead head) {
    Peer peer{transport_.peer_address(), transport_.peer_port(), transport_.local_port(),
              transport_.is_tls()};
    body_parser_.emplace(head);
    discarded_bytes_ = 0;
    dispatched_ = false;
    ExchangeOwner& owner = *this;
    exchange_ = std::make_shared<Exchange>(service_, transport_.wire(), owner, std::move(head),
                                           std::move(peer));
    if (draining_) exchange_->on_drain();
    const RequestHead& begun = exchange_->head();
    if (body_parser_->complete()) return end_of_body();
    const bool wait_for_all = !begun.chunked && !begun.expects_continue &&
                              *begun.content_length <= service_->options.whole_body_bytes;
    if (!wait_for_all) return dispatch();
    exchange_->body().reserve(static_cast<size_t>(*begun.content_length));
    transport_.set_deadline(service_->options.body_timeout);
}

bool HttpSession::take_body(std::string_view& input) {
    std::string_view data;
    auto step = BodyParser::Step::data;
    const bool unread = exchange_->finished();
    while ((step = body_parser_->next(input, data)) == BodyParser::Step::data) {
        if (unread)
            discarded_bytes_ += data.size();
        else if (exchange_->body().push(data))
            transport_.pause_reading();
    }
    if (step == BodyParser::Step::complete) {
        end_of_body();
        return true;
    }
    if (step == BodyParser::Step::failed) {
        exchange_->body().fail(Error(Code::invalid_argument, std::string(body_parser_->failure())));
        exchange_->on_drain();  // no further request can be told from the rest of this one
        stop_input();
        if (unread) transport_.close_after_send();
        return false;
    }
    if (unread && discarded_bytes_ > service_->options.drain_bytes) {
        stop_input();
        transport_.close_after_send();
    }
    return false;
}

void HttpSession::end_of_body() {
    exchange_->body().finish(std::move(body_parser_->trailers()));
    if (!dispatched_) dispatch();
}

void HttpSession::dispatch() {
    dispatched_ = true;
    const auto& options = service_->options;
    Lane* lane = options.choose_lane ? options.choose_lane(exchange_->head()) : options.lane;
    if (lane == nullptr || !exchange_->run_on(*lane))
        exchange_->refuse(Refusal::Kind::busy, 503, "too many requests wait; try again later");
}

void HttpSession::refuse(Refusal::Kind kind, int status, std::string_view message) {
    stop_input();
    const Response response = service_->refuse({kind, status, message, nullptr});
    const ResponseFraming framing{response.body.size(), false, ConnectionField::close};
    transport_.send(
        format_response_head(response.status, response.headers, framing, service_->now()),
        response.body);
    service_->count(response.status, std::chrono::steady_clock::now());
    transport_.close_after_send();
}

void HttpSession::stop_input() {
    input_ended_ = true;
    waiting_ = std::string();
}

void HttpSession::on_body_room() {
    transport_.resume_reading();
}

void HttpSession::on_exchange_finished() {
    if (!exchange_ || !exchange_->finished()) return;
    transport_.resume_reading();
    if (body_parser_ && !body_parser_->complete()) {  // the rest of a body that nobody reads
        transport_.set_deadline(service_->options.body_timeout);
        return;
    }
    const std::string input = std::exchange(waiting_, {});
    process(input);
}

void HttpSession::on_drained() {
    if (exchange_) exchange_->on_drained();
}

/// A peer that has only closed its own direction still gets its answer; a stream that waits for
/// events has lost its reader.
void HttpSession::on_eof() {
    const bool answering = exchange_ && dispatched_ && !exchange_->finished();
    stop_input();
    if (!answering) return transport_.close_after_send();
    if (exchange_->detached()) return transport_.abort();
    if (!body_parser_->complete())
        exchange_->body().fail(
            Error(Code::cancelled, "the peer closed the connection within the body"));
    exchange_->on_drain();
}

void HttpSession::on_deadline() {
    if (exchange_ && dispatched_ && !exchange_->finished())
        return;  // the handler has its own time-outs
    if (exchange_ && dispatched_ && body_parser_ && !body_parser_->complete())
        return transport_.abort();
    if (head_parser_.started() || (exchange_ && !dispatched_))
        return refuse(Refusal::Kind::timeout, 408, "the request did not come in time");
    transport_.close_after_send();
}

void HttpSession::on_drain() {
    draining_ = true;
    const bool idle = !head_parser_.started() && (!exchange_ || exchange_->finished());
    if (idle) return transport_.close_after_send();
    if (exchange_) exchange_->on_drain();
}

void HttpSession::on_close() {
    if (exchange_) exchange_->on_gone();
    exchange_.reset();
}

}  // namespace tarn::http
