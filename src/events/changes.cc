#include "events/internal/changes.h"

#include "base/random.h"

namespace tarn::events {

bool is_silenced(const Silences& silences, const std::string& key_id, Timestamp now) {
    for (const auto& of : {std::string(), key_id}) {
        const auto found = silences.find(of);
        if (found != silences.end() && found->second.until > now) return true;
    }
    return false;
}

namespace {

OpenRecord make_open(const std::string& key_id, std::string key, std::string row,
                     const Silences& silences, Timestamp now) {
    OpenRecord out;
    out.id = "alert_" + random_hex(12);
    out.key_id = key_id;
    out.key = std::move(key);
    out.row = std::move(row);
    out.since = now;
    if (!is_silenced(silences, key_id, now)) out.told = now;
    return out;
}

std::string more(uint64_t count, bool all) {
    return "{\"more_alerts\":" + std::to_string(count) + (all ? "" : ",\"and_more\":true") + "}";
}

/// Brings `here` and `gone` to now.
void look_at_clocks(Patience& patience, const OpenByKey& open, const Found& found, Timestamp now) {
    if (patience.for_at_least.count() > 0) {
        // What was not read may have been there all the time.
        if (found.all)
            std::erase_if(patience.here,
                          [&](const auto& one) { return !found.rows.contains(one.first); });
        for (const auto& [key_id, row] : found.rows) patience.here.try_emplace(key_id, now);
    }
    std::erase_if(patience.gone, [&](const auto& one) {
        return !open.contains(one.first) || found.rows.contains(one.first) ||
               patience.stays.rows.contains(one.first);
    });
}

/// An open alert without a row of `when`.
bool has_recovered(Patience& patience, const std::string& key_id, Timestamp now) {
    if (patience.stays.rows.contains(key_id) || !patience.stays.all) return false;
    const Timestamp since = patience.gone.try_emplace(key_id, now).first->second;
    return since.plus(patience.recover_after) <= now;
}

bool is_ripe(const Patience& patience, const std::string& key_id, Timestamp now) {
    if (patience.for_at_least.count() == 0) return true;
    const auto since = patience.here.find(key_id);
    return since != patience.here.end() && since->second.plus(patience.for_at_least) <= now;
}

}  // namespace

Changes find_changes(const OpenByKey& open, const Found& found, const Silences& silences,
                     Timestamp now, const ChangeLimits& limits, Patience* patience) {
    Patience none;
    if (patience == nullptr) patience = &none;
    look_at_clocks(*patience, open, found, now);
    Changes out;
    const std::string summary_id(kSummaryKeyId);
    size_t count = open.size() - open.count(summary_id), bytes = 0;
    for (const auto& [key_id, record] : open) {
        if (record.summary()) continue;
        if (!found.rows.contains(key_id)) {
            // What was not read may still be there.
            if (!found.all || !has_recovered(*patience, key_id, now)) continue;
            out.recovered.push_back(record);
            --count;
        } else if (!record.told && !is_silenced(silences, key_id, now)) {
            out.told.push_back(record);
            out.told.back().told = now;
        }
    }
    uint64_t beyond = 0;
    for (const auto& [key_id, row] : found.rows) {
        if (open.contains(key_id) || !is_ripe(*patience, key_id, now)) continue;
        bytes += row.key.size() + row.row.size();
        if (count >= limits.open_max || bytes > limits.bytes_max) {
            ++beyond;
            continue;
        }
        ++count;
        out.opened.push_back(make_open(key_id, row.key, row.row, silences, now));
    }
    const auto summary = open.find(summary_id);
    const bool too_many = beyond > 0 || !found.all;
    if (too_many && summary == open.end())
        out.opened.push_back(make_open(summary_id, "{}", more(beyond, found.all), silences, now));
    if (!too_many && summary != open.end()) out.recovered.push_back(summary->second);
    return out;
}

void apply_changes(const Changes& changes, OpenByKey& open) {
    for (const auto& record : changes.recovered) open.erase(record.key_id);
    for (const auto& record : changes.opened) open[record.key_id] = record;
    for (const auto& record : changes.told) open[record.key_id].told = record.told;
}

}  // namespace tarn::events
