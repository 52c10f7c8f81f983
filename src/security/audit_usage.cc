#include "security/audit_usage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/lane.h"
#include "codec/json.h"
#include "meta/keys.h"
#include "security/internal/audit_links.h"
#include "security/internal/audit_record.h"

namespace tarn::security {
namespace {

using Json = nlohmann::json;

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr uint64_t kRecordsBetweenSaves =
    50'000;  // summed between two commits: bounds the open hours
constexpr uint64_t kRecordsPerQuestion = 100'000;  // a tenth of a second at most
constexpr size_t kNameBytesMax = 256;

std::string hours_prefix() {
    return meta::Key("au");
}
std::string hour_key(int64_t hour) {
    return meta::Key("au").number(static_cast<uint64_t>(std::max<int64_t>(0, hour)));
}
std::string state_key() {
    return meta::Key("as");
}

int64_t hour_of(Timestamp at) {
    return at.micros / kHourMicros;
}

/// Actions that read data, of all doors.
bool reads(std::string_view action) {
    static constexpr std::string_view kActions[] = {
        "tarn:Select",      "tarn:ExecuteStatement", "tarn:CopyOut",    "tarn:GetDashboard",
        "tarn:SampleTable", "tarn:ProfileTable",     "tarn:ReadStream", "s3:GetObject",
        "iot:Subscribe",    "iot:Receive",           "tarn:StartQuery", "tarn:RunQuery"};
    return std::find(std::begin(kActions), std::end(kActions), action) != std::end(kActions);
}

std::string_view last_part(std::string_view arn, char mark) {
    const size_t at = arn.rfind(mark);
    return at == arn.npos ? arn : arn.substr(at + 1);
}

/// "table/erp/sales" of each table that a statement read; of an object its bucket.
std::vector<std::string> things_of(std::string_view resource) {
    std::vector<std::string> out;
    for (size_t at = 0; at < resource.size();) {
        const size_t end = std::min(resource.find(" arn:", at), resource.size());
        const std::string_view arn = resource.substr(at, end - at);
        std::string_view one = last_part(arn, ':');
        if (one.starts_with("table/")) one = one.substr(0, one.find('#'));
        if (arn.starts_with("arn:aws:s3:::")) one = arn.substr(13, arn.find('/', 13) - 13);
        if (one != "lake") out.emplace_back(one.substr(0, kNameBytesMax));
        at = end + 1;
    }
    return out;
}

size_t things_in(const UsageSums& hour) {
    size_t things = 0;
    for (const auto& [name, reader] : hour.readers)
        things += reader.doors.size() + reader.what.size();
    return things;
}

void write_counts(codec::JsonWriter& json, const char* name,
                  const std::map<std::string, uint64_t>& counts) {
    json.key(name).begin_object();
    for (const auto& [one, count] : counts) json.member(one, static_cast<int64_t>(count));
    json.end_object();
}

Result<UsageSums> kept_hour(const meta::Reader& store, int64_t hour) {
    TARN_TRY(kept, store.get(hour_key(hour)));
    if (!kept) return UsageSums();
    return UsageSums::from_json(kept->value);
}

}  // namespace

void ReadSums::add(const ReadSums& other) {
    times += other.times;
    refused += other.refused;
    failed += other.failed;
    bytes += other.bytes;
    last = std::max(last, other.last);
    for (const auto& [name, count] : other.doors) doors[name] += count;
    for (const auto& [name, count] : other.what) what[name] += count;
}

void UsageSums::add(const UsageSums& other) {
    for (const auto& [name, reader] : other.readers) readers[name].add(reader);
    records += other.records;
    truncated = truncated || other.truncated;
}

std::string UsageSums::to_json() const {
    codec::JsonWriter json;
    json.begin_object().member("records", static_cast<int64_t>(records));
    json.member("truncated", truncated).key("readers").begin_object();
    for (const auto& [name, reader] : readers) {
        json.key(name).begin_object();
        json.member("times", static_cast<int64_t>(reader.times));
        json.member("refused", static_cast<int64_t>(reader.refused));
        json.member("failed", static_cast<int64_t>(reader.failed));
        json.member("bytes", static_cast<int64_t>(reader.bytes));
        json.member("last", reader.last.micros);
        write_counts(json, "doors", reader.doors);
        write_counts(json, "what", reader.what);
        json.end_object();
    }
    json.end_object().end_object();
    return json.take();
}

Result<UsageSums> UsageSums::from_json(std::string_view json) {
    UsageSums sums;
    try {
        const auto parsed = Json::parse(json);
        sums.records = parsed.at("records").get<uint64_t>();
        sums.truncated = parsed.at("truncated").get<bool>();
        for (const auto& [name, kept] : parsed.at("readers").items()) {
            ReadSums& reader = sums.readers[name];
            reader.times = kept.at("times").get<uint64_t>();
            reader.refused = kept.at("refused").get<uint64_t>();
            reader.failed = kept.at("failed").get<uint64_t>();
            reader.bytes = kept.at("bytes").get<uint64_t>();
            reader.last = {kept.at("last").get<int64_t>()};
            reader.doors = kept.at("doors").get<std::map<std::string, uint64_t>>();
            reader.what = kept.at("what").get<std::map<std::string, uint64_t>>();
        }
    } catch (const Json::exception&) {
        return Error(Code::corrupted, "the sums of an hour of the audit trail can't be read");
    }
    return sums;
}

Result<std::unique_ptr<AuditUsage>> AuditUsage::open(meta::Store& store, const Clock& clock) {
    std::unique_ptr<AuditUsage> usage(new AuditUsage(store, clock));
    TARN_TRY(kept, store.get(state_key()));
    if (!kept) return usage;
    const auto parsed = Json::parse(kept->value, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("next") || !parsed["next"].is_number_unsigned())
        return Error(Code::corrupted, "the place of the audit trail's sums can't be read");
    MutexLock lock(usage->mutex_);
    usage->next_ = usage->kept_next_ = parsed["next"].get<uint64_t>();
    return usage;
}

Status AuditUsage::sum(const AuditRecord& record) {
    const int64_t hour = hour_of(record.at);
    if (hour < hour_of(clock_.now().plus(-kKept))) return ok_status();
    auto found = changed_.find(hour);
    if (found == changed_.end()) {
        TARN_TRY(kept, kept_hour(store_, hour));
        found = changed_.emplace(hour, std::move(kept)).first;
    }
    UsageSums& sums = found->second;
    ++sums.records;
    const std::string name(last_part(last_part(record.principal, ':'), '/'));
    if (!sums.readers.contains(name) && sums.readers.size() >= kReadersPerHour) {
        sums.truncated = true;
        return ok_status();
    }
    ReadSums& reader = sums.readers[name];
    const auto counter = [&]() -> uint64_t& {
        if (record.outcome == AuditOutcome::allowed) return reader.times;
        return record.outcome == AuditOutcome::denied ? reader.refused : reader.failed;
    };
    counter() += record.count;
    reader.bytes += record.bytes;
    reader.last = std::max(reader.last, record.at);
    const auto count = [&](std::map<std::string, uint64_t>& counts, const std::string& thing) {
        const auto known = counts.find(thing);
        if (known != counts.end()) {
            known->second += record.count;
        } else if (things_in(sums) < kThingsPerHour) {
            counts.emplace(thing, record.count);
        } else {
            sums.truncated = true;
        }
    };
    count(reader.doors, record.door);
    for (const std::string& thing : things_of(record.resource)) count(reader.what, thing);
    return ok_status();
}

Result<bool> AuditUsage::sum_some(uint64_t records_max) {
    const auto snapshot = store_.snapshot();
    AuditBlocks blocks(*snapshot, next_);
    AuditBlock block;
    uint64_t looked = 0;
    for (; blocks.valid() && looked < records_max; blocks.next()) {
        TARN_CHECK_OK(blocks.read(block));
        for (const std::string_view line : block.lines) {
            TARN_TRY(record, decode_if(line, reads));
            if (record) TARN_CHECK_OK(sum(*record));
        }
        looked += block.lines.size();
        next_ = block.first + block.lines.size();
    }
    TARN_CHECK_OK(blocks.status());
    return blocks.valid();
}

Status AuditUsage::keep() {
    if (changed_.empty() && next_ < kept_next_ + kRecordsBetweenSaves) return ok_status();
    int64_t oldest = hour_of(clock_.now().plus(-kKept));
    const auto snapshot = store_.snapshot();
    AuditBlocks blocks(*snapshot, 0);
    if (blocks.valid()) {
        AuditBlock block;
        TARN_CHECK_OK(blocks.read(block));
        TARN_TRY(records, decode_block(block.lines.front(), block.first));
        oldest = std::max(oldest, hour_of(records.front().at));
    }
    TARN_CHECK_OK(blocks.status());
    meta::Batch batch;
    for (const auto& [hour, sums] : changed_) batch.put(hour_key(hour), sums.to_json());
    if (store_.scan({hours_prefix(), hour_key(oldest), false})->valid())
        batch.erase_range(hours_prefix(), hour_key(oldest));
    batch.put(state_key(), "{\"next\":" + std::to_string(next_) + "}");
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    kept_next_ = next_;
    changed_.clear();
    return ok_status();
}

Status AuditUsage::advance() {
    assert_may_block();
    for (bool more = true; more;) {
        MutexLock lock(mutex_);
        TARN_TRY(left, sum_some(kRecordsBetweenSaves));
        more = left;
        TARN_CHECK_OK(keep());
    }
    return ok_status();
}

Result<AuditUsage::Report> AuditUsage::since(std::chrono::hours span) {
    assert_may_block();
    const int64_t first = hour_of(clock_.now().plus(-span));
    Report report;
    report.from = {first * kHourMicros};
    MutexLock lock(mutex_);
    TARN_TRY(behind, sum_some(kRecordsPerQuestion));
    report.behind = behind;
    auto walk = store_.scan({hour_key(first), meta::prefix_end(hours_prefix()), false});
    for (; walk->valid(); walk->next()) {
        const auto hour = meta::KeyReader(walk->key(), "au").take_number();
        if (!hour) return Error(Code::corrupted, "the audit trail's sums hold a malformed key");
        if (changed_.contains(static_cast<int64_t>(*hour))) continue;
        TARN_TRY(record, walk->record());
        TARN_TRY(kept, UsageSums::from_json(record.value));
        report.sums.add(kept);
    }
    TARN_CHECK_OK(walk->status());
    for (auto hour = changed_.lower_bound(first); hour != changed_.end(); ++hour)
        report.sums.add(hour->second);
    return report;
}

}  // namespace tarn::security
