// What every connection of a Service shares.
#pragma once

#include "protocols/http/server.h"

namespace tarn::http {

struct Service::Shared {
    Shared(ServiceOptions options, Handler handler);

    Timestamp now() const {
        return options.clock != nullptr ? options.clock->now() : system_clock.now();
    }
    Response refuse(const Refusal& refusal) const;
    void count(int status, std::chrono::steady_clock::time_point begun) const;

    const ServiceOptions options;
    const Handler handler;
    const SystemClock system_clock;

 private:
    Counter* answers_[6] = {};  // by the status' first digit
    Histogram* seconds_ = nullptr;
};

}  // namespace tarn::http
