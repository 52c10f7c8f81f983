#include "flows/internal/schedule.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

namespace tarn::flows {

struct Zone::Data {
    std::string name;
    absl::TimeZone zone;
};

Result<Zone> Zone::load(const std::string& name) {
    auto data = std::make_shared<Data>();
    data->name = name;
    // Only names: absl also takes paths and "localtime".
    const bool plain = !name.empty() && name.front() != '/' &&
                       name.find("..") == std::string::npos && name != "localtime" &&
                       name.find(':') == std::string::npos;
    if (!plain || !absl::LoadTimeZone(name, &data->zone))
        return Error{Code::invalid_argument, "\"" + name +
                                                 "\" is not a time zone: names are those of the tz "
                                                 "database, such as America/Bogota"};
    return Zone(std::move(data));
}

Zone Zone::utc() {
    auto data = std::make_shared<Data>();
    data->name = "UTC";
    data->zone = absl::UTCTimeZone();
    return Zone(std::move(data));
}

const std::string& Zone::name() const {
    return data_->name;
}

Timestamp Zone::next(Timestamp after, int minute_of_day, int weekday) const {
    const absl::TimeZone& zone = data_->zone;
    absl::CivilDay day(absl::ToCivilDay(absl::FromUnixMicros(after.micros), zone));
    // A day earlier: in a zone that skips a day the first tries may lie before `after`.
    --day;
    for (int tries = 0; tries < 16; ++tries, ++day) {
        if (weekday != 0) {
            const int its =
                static_cast<int>(absl::GetWeekday(day)) + 1;  // absl counts from Monday, 0
            if (its != weekday) continue;
        }
        const absl::CivilMinute wanted(day.year(), day.month(), day.day(), minute_of_day / 60,
                                       minute_of_day % 60);
        const auto info = zone.At(absl::CivilSecond(wanted));
        // In a gap: when it ends. Shown twice or once: the first time.
        const absl::Time at =
            info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
        const Timestamp due{absl::ToUnixMicros(at)};
        if (due > after) return due;
    }
    return after.plus(std::chrono::hours(24 * 7));
}

std::optional<Timestamp> next_due(const Refresh& refresh, const Zone& zone, Timestamp last) {
    switch (refresh.kind) {
        case Refresh::Kind::on_change:
        case Refresh::Kind::manual:
            return std::nullopt;
        case Refresh::Kind::every:
            return last.plus(std::max(refresh.every, std::chrono::seconds(1)));
        case Refresh::Kind::daily:
            return zone.next(last, refresh.minute_of_day);
        case Refresh::Kind::weekly:
            return zone.next(last, refresh.minute_of_day, refresh.weekday);
    }
    return std::nullopt;
}

}  // namespace tarn::flows
