#include "models/internal/due.h"

namespace tarn::models {

bool is_due(const flows::Refresh& refresh, Timestamp last, Timestamp now, int64_t utc_offset) {
    using Kind = flows::Refresh::Kind;
    constexpr int64_t kDay = 86'400;
    switch (refresh.kind) {
        case Kind::on_change:
        case Kind::manual:
            return false;
        case Kind::every:
            return now >= last.plus(refresh.every);
        case Kind::daily:
        case Kind::weekly:
            break;
    }
    // The newest moment up to now at which the wall clock showed that time (of that weekday).
    const int64_t local = now.seconds() + utc_offset;
    int64_t day = local / kDay;
    const auto due = [&] { return day * kDay + refresh.minute_of_day * 60; };
    if (due() > local) --day;
    if (refresh.kind == Kind::weekly)
        while ((day + 3) % 7 != refresh.weekday - 1) --day;  // 1970-01-01 was a Thursday
    return last.seconds() + utc_offset < due();
}

Result<int64_t> utc_offset(query::Session& session, Timestamp at) {
    TARN_TRY(answer, session.query("select date_part('timezone', make_timestamptz(" +
                                   std::to_string(at.micros) + "))::bigint"));
    return answer.columns[0].number(0);
}

}  // namespace tarn::models
