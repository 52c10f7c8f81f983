// When a schedule is due, in the lake's time zone. Pure; the zones come from the system's tz
// database.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "flows/spec.h"

namespace tarn::flows {

/// A time zone of the tz database. Immutable; copies share it.
class Zone {
 public:
    /// invalid_argument: there is no such zone.
    static Result<Zone> load(const std::string& name);
    static Zone utc();

    const std::string& name() const;
    /// The first moment after `after` at which the clock on the wall shows this minute (of that
    /// weekday: 1 is Monday; 0: of any day). A time that the spring change leaves out is due when
    /// the gap ends; one that the autumn change shows twice is due the first time only.
    Timestamp next(Timestamp after, int minute_of_day, int weekday = 0) const;

 private:
    struct Data;
    explicit Zone(std::shared_ptr<const Data> data) : data_(std::move(data)) {}
    std::shared_ptr<const Data> data_;
};

/// The next time a schedule is due after a run that began at `last`; nullopt: it has none.
std::optional<Timestamp> next_due(const Refresh& refresh, const Zone& zone, Timestamp last);

}  // namespace tarn::flows
