#include "ingest/internal/timeline.h"

#include <fmt/format.h>

#include <charconv>

namespace tarn::ingest {

namespace {

std::string_view cut(std::string_view& rest, char at) {
    const size_t end = std::min(rest.find(at), rest.size());
    const auto out = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return out;
}

std::optional<uint32_t> whole_number(std::string_view text) {
    uint32_t out = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

Error strange() {
    return Error(Code::corrupted, "the source says something unknown of its timelines");
}

}  // namespace

std::optional<Lsn> end_of_timeline(std::string_view history, uint32_t timeline) {
    // Lines of: number, tab, where it ended, tab, why.
    while (!history.empty()) {
        auto line = cut(history, '\n');
        if (whole_number(cut(line, '\t')) != timeline) continue;
        const auto end = lsn_of(cut(line, '\t'));
        return end.ok() ? std::optional(*end) : std::nullopt;
    }
    return std::nullopt;
}

Result<uint32_t> current_timeline(PostgresConnection& connection) {
    TARN_TRY(rows, connection.simple_query("IDENTIFY_SYSTEM"));
    if (rows.size() != 1 || rows[0].size() < 2 || !rows[0][1]) return strange();
    const auto timeline = whole_number(*rows[0][1]);
    if (!timeline) return strange();
    return *timeline;
}

Result<uint32_t> check_timeline(PostgresConnection& connection, const LogPlace& place) {
    TARN_TRY(now, current_timeline(connection));
    if (place.timeline == 0 || place.timeline == now) return now;
    TARN_TRY(rows, connection.simple_query(fmt::format("TIMELINE_HISTORY {}", now)));
    if (rows.size() != 1 || rows[0].size() < 2 || !rows[0][1]) return strange();
    const auto end = end_of_timeline(*rows[0][1], place.timeline);
    if (end && place.lsn <= *end) return now;
    return Error(Code::precondition_failed,
                 fmt::format("the {} is on timeline {}, which begins before what the lake has of "
                             "timeline {}",
                             connection.place(), now, place.timeline),
                 "timeline_diverged");
}

}  // namespace tarn::ingest
