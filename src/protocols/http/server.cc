#include "protocols/http/server.h"

#include "protocols/http/internal/session.h"
#include "protocols/http/internal/shared.h"

namespace tarn::http {

Service::Shared::Shared(ServiceOptions service_options, Handler request_handler)
    : options(std::move(service_options)), handler(std::move(request_handler)) {
    Metrics* metrics = options.metrics;
    if (metrics == nullptr) return;
    for (const int digit : {2, 3, 4, 5})
        answers_[digit] =
            &metrics->counter("tarn_http_requests_total", "requests answered, by status",
                              {{"door", options.door}, {"status", std::to_string(digit) + "xx"}});
    seconds_ = &metrics->histogram("tarn_http_request_seconds",
                                   "from a request's head to its answer's last byte",
                                   latency_bounds(), {{"door", options.door}});
}

Response Service::Shared::refuse(const Refusal& refusal) const {
    if (options.refuse) return options.refuse(refusal);
    return {refusal.status, {{"Content-Type", "text/plain"}}, std::string(refusal.message) + "\n"};
}

void Service::Shared::count(int status, std::chrono::steady_clock::time_point begun) const {
    if (seconds_ == nullptr) return;
    const int digit = status / 100;
    if (digit >= 2 && digit <= 5) answers_[digit]->add();
    seconds_->observe(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
}

Service::Service(ServiceOptions options, Handler handler)
    : shared_(std::make_shared<Shared>(std::move(options), std::move(handler))) {}

Service::~Service() = default;

net::SessionFactory Service::factory() {
    return [shared = shared_](net::Transport& transport) -> std::unique_ptr<net::Session> {
        return std::make_unique<HttpSession>(shared, transport);
    };
}

}  // namespace tarn::http
