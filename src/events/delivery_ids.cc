#include "events/internal/delivery_ids.h"

#include <algorithm>
#include <cstdio>

#include "base/random.h"
#include "events/internal/records.h"
#include "meta/keys.h"

namespace tarn::events {

std::string DeliveryIds::next(Timestamp now) {
    int64_t before = newest_micros_.load();
    int64_t next = 0;
    do {
        next = std::max(before + 1, now.micros);
    } while (!newest_micros_.compare_exchange_weak(before, next));
    char text[24];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(next));
    return "msg_" + std::string(text) + random_hex(6);
}

Status DeliveryIds::start(const meta::Store& store) {
    if (newest_micros_ != 0) return ok_status();
    const std::string prefix = waiting_prefix();
    const auto walk = store.scan({prefix, meta::prefix_end(prefix), true});
    int64_t newest = 1;
    if (walk->valid()) {
        const auto id = walk->key().substr(prefix.size());
        unsigned long long micros = 0;
        if (std::sscanf(std::string(id).c_str(), "msg_%16llx", &micros) == 1)
            newest = static_cast<int64_t>(micros);
    }
    TARN_CHECK_OK(walk->status());
    newest_micros_ = newest;
    return ok_status();
}

}  // namespace tarn::events
