// Ids of deliveries: "msg_", 16 digits that grow, and random ones, so that ids sort in the order in
// which they were made. Lane: any, several threads at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"

namespace tarn::events {

class DeliveryIds {
 public:
    /// The clock may have gone back since the last start: new ids come after those that still wait.
    /// Idempotent.
    Status start(const meta::Store& store);
    std::string next(Timestamp now);

 private:
    std::atomic<int64_t> newest_micros_{0};
};

}  // namespace tarn::events
