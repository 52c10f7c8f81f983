#include <algorithm>

#include "base/bytes.h"
#include "base/lane.h"
#include "meta/keys.h"
#include "security/audit.h"
#include "security/audit_chain.h"
#include "security/internal/audit_record.h"
#include "security/policy.h"

namespace tarn::security {
namespace {

constexpr size_t kPageRecordsMax = 1000;
// Records stand in the order of their commits: the times of neighbours may differ by what a record
// waits, and by the minute that counters gather.
constexpr std::chrono::minutes kDisorder{3};

Result<std::vector<AuditRecord>> records_at(const meta::Iterator& iterator) {
    meta::KeyReader key(iterator.key(), "a");
    const auto first = key.take_number();
    if (!first) return Error(Code::corrupted, "the audit trail holds a malformed key");
    TARN_TRY(record, iterator.record());
    return decode_block(record.value, *first);
}

Result<Timestamp> first_time_at(const meta::Iterator& iterator) {
    TARN_TRY(record, iterator.record());
    TARN_TRY(records,
             decode_block(std::string_view(record.value).substr(0, record.value.find('\n')), 0));
    return records.front().at;
}

bool is_principal(const AuditRecord& record, const std::string& wanted) {
    if (wanted.empty() || record.principal == wanted) return true;
    const std::string_view arn = record.principal;
    const size_t slash = arn.find_last_of("/:");
    return slash != arn.npos && arn.substr(slash + 1) == wanted;
}

bool is_wanted(const AuditRecord& record, const AuditQuery& query) {
    if (query.from && record.at < *query.from) return false;
    if (query.to && record.at >= *query.to) return false;
    if (query.outcome && record.outcome != *query.outcome) return false;
    return is_principal(record, query.principal) &&
           (query.action.empty() || matches_wildcard(query.action, record.action)) &&
           (query.resource.empty() || matches_wildcard(query.resource, record.resource));
}

// One past the first offset of the last block that begins before `at`: a search by halves over
// offsets, as deep as their number has bits.
Result<uint64_t> offset_after(const meta::Reader& reader, Timestamp at) {
    const std::string sequence = audit_sequence();
    auto iterator = reader.scan({sequence, meta::prefix_end(sequence), false});
    if (!iterator->valid()) return uint64_t{0};
    TARN_TRY(oldest, records_at(*iterator));
    uint64_t low = oldest.front().offset, span = 1;
    // Doubles until beyond the end or late enough, then halves.
    const auto is_late = [&](uint64_t offset) -> Result<bool> {
        iterator->seek(meta::sequence_key(sequence, offset));
        if (!iterator->valid()) {
            TARN_CHECK_OK(iterator->status());
            return true;
        }
        TARN_TRY(time, first_time_at(*iterator));
        return time >= at;
    };
    for (;; span *= 2) {
        TARN_TRY(late, is_late(low + span));
        if (late) break;
        low += span;
    }
    while (span > 1) {
        span /= 2;
        TARN_TRY(late, is_late(low + span));
        if (!late) low += span;
    }
    return low + 1;
}

}  // namespace

Result<AuditPage> AuditTrail::read(const AuditQuery& query) const {
    assert_may_block();
    const auto snapshot = store_.snapshot();
    const std::string sequence = audit_sequence();
    meta::Range range{sequence, meta::prefix_end(sequence), true};
    if (query.before) range.to = meta::sequence_key(sequence, *query.before);
    if (query.to) {
        TARN_TRY(end, offset_after(*snapshot, query.to->plus(kDisorder)));
        range.to = std::min(range.to, meta::sequence_key(sequence, end));
    }
    const size_t wanted = std::clamp<size_t>(query.records_max, 1, kPageRecordsMax);
    AuditPage page;
    size_t looked = 0;
    auto iterator = snapshot->scan(range);
    for (; iterator->valid(); iterator->next()) {
        TARN_TRY(records, records_at(*iterator));
        for (auto record = records.rbegin(); record != records.rend(); ++record) {
            if (query.before && record->offset >= *query.before) continue;
            const bool is_full = page.records.size() == wanted || looked >= query.scan_max;
            if (is_full) {
                page.next = record->offset + 1;
                return page;
            }
            ++looked;
            if (is_wanted(*record, query)) page.records.push_back(std::move(*record));
        }
        const bool all_older = query.from && records.front().at < query.from->plus(-kDisorder);
        if (all_older) return page;
    }
    TARN_CHECK_OK(iterator->status());
    return page;
}

Result<uint64_t> AuditTrail::expire(uint64_t records_max, const Caller& by, AuditChain& chain) {
    assert_may_block();
    const auto snapshot = store_.snapshot();
    const std::string sequence = audit_sequence();
    const Timestamp oldest_kept = clock_.now().plus(-options_.keep_time);
    auto newest = snapshot->scan({sequence, meta::prefix_end(sequence), true});
    if (!newest->valid()) {
        TARN_CHECK_OK(newest->status());
        return uint64_t{0};
    }
    TARN_TRY(last, records_at(*newest));
    const uint64_t end = last.back().offset + 1;
    const uint64_t first_kept = end > options_.keep_records ? end - options_.keep_records : 0;

    uint64_t over = 0, up_to = 0;
    auto iterator = snapshot->scan({sequence, meta::prefix_end(sequence), false});
    for (; iterator->valid() && over < records_max; iterator->next()) {
        TARN_TRY(records, records_at(*iterator));
        if (records.back().at >= oldest_kept && records.back().offset >= first_kept) break;
        over += records.size();
        up_to = records.back().offset + 1;
    }
    TARN_CHECK_OK(iterator->status());
    if (over == 0) return uint64_t{0};
    meta::Batch with;
    attach(with, by);
    return chain.expire(up_to, std::move(with));
}

}  // namespace tarn::security
