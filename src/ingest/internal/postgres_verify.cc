#include "ingest/internal/postgres_verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "ingest/internal/capture_load.h"
#include "ingest/internal/copy_text.h"
#include "query/work.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kSuspectsMax = 1000;       // then they are settled
constexpr size_t kAtOnce = 200;             // keys in one statement
constexpr size_t kKeysNamedMax = 100;       // keys named in a verdict
constexpr size_t kDifferencesMax = 10'000;  // then a new load is the better remedy
constexpr int kRoundsMax = 30;
constexpr int kTriesWhole = 5;
constexpr auto kBehindMax = std::chrono::minutes(2);
constexpr size_t kRangeBytes = 8 << 20;  // of one range, about

/// The bytes of one key part, and the rest.
std::optional<std::string_view> take_part(std::string_view& key) {
    const auto size = load_le<uint32_t>(key.data());
    key.remove_prefix(4);
    if (size == UINT32_MAX) return std::nullopt;
    const auto part = key.substr(0, size);
    key.remove_prefix(size);
    return part;
}

query::Values key_values(const VerifiedColumns& of, std::string_view key) {
    query::Values values;
    for (const size_t place : of.key) {
        const auto part = take_part(key);
        auto value = part ? query::parse_pg_binary(of.columns[place].type, *part)
                          : Result<query::Value>(query::Value());
        values.push_back(value.ok() ? std::move(*value) : query::Value());
    }
    return values;
}

template <typename Each>
void in_batches(const std::vector<std::string>& keys, const Each& each) {
    for (size_t at = 0; at < keys.size(); at += kAtOnce) {
        const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(at);
        each(std::vector<std::string>(
            begin, begin + static_cast<std::ptrdiff_t>(std::min(kAtOnce, keys.size() - at))));
    }
}

}  // namespace

TableVerifier::TableVerifier(VerifyParts parts, PostgresConnection& connection, PostgresTable table)
    : parts_(std::move(parts)), connection_(connection), table_(std::move(table)) {
    verdict_.database = parts_.source;
    verdict_.name = table_.name;
    verdict_.rows_estimated = table_.rows_estimated;
    verdict_.state = TableVerdict::State::running;
}

TableVerifier::~TableVerifier() = default;

Status TableVerifier::prepare() {
    keep_logged(table_);
    versions_ = table_.kind == 'r';
    TARN_TRY(here, find_lake_table(parts_.lake, parts_.source, parts_.identity, table_));
    if (!here || !here->capture)
        return Error(Code::precondition_failed, "it is not followed by its changes yet");
    if (here->capture->pause != CaptureTable::Pause::none)
        return Error(Code::precondition_failed, "it stands still: " + here->capture->why);
    TARN_TRY(lake, parts_.lake.catalog.snapshot().load_table(parts_.source, table_.name));
    lake_ = std::move(lake);
    for (const auto& column : table_.columns) {
        for (const auto& known : here->capture->columns) {
            if (known.number != column.number || known.gone || known.field_id == 0) continue;
            const auto* field = lake_->schema().find(known.field_id);
            if (field == nullptr) continue;
            outside_.push_back(column.outside);
            what_.columns.push_back({field->name, stored_type(type_of_iceberg(field->type))});
        }
    }
    const auto& names = table_.key.empty() ? table_.identity_index : table_.key;
    for (const auto& name : names) {
        const auto* column = table_.find(name);
        const auto found = column == nullptr
                               ? outside_.end()
                               : std::find(outside_.begin(), outside_.end(), column->outside);
        if (found == outside_.end())
            return Error(Code::precondition_failed, "its key column " + name + " is not here");
        what_.key.push_back(static_cast<size_t>(found - outside_.begin()));
    }
    TARN_TRY(session, parts_.lake.engine.connect(parts_.lake.caller(), parts_.source));
    session_ = std::move(session);
    return ok_status();
}

Result<TableVerdict> TableVerifier::run(bool repair) {
    const Status ready = prepare();
    if (!ready.ok() && ready.error().code == Code::precondition_failed) {
        verdict_.state = TableVerdict::State::unknown;
        verdict_.note = ready.error().message;
        return verdict_;
    }
    TARN_CHECK_OK(ready);
    TARN_CHECK_OK(what_.key.empty() ? compare_whole() : compare_ranges());
    if (verdict_.state == TableVerdict::State::running)
        verdict_.state =
            verdict_.differences == 0 ? TableVerdict::State::equal : TableVerdict::State::different;
    if (repair && !confirmed_.empty()) TARN_CHECK_OK(repair_all());
    return verdict_;
}

// What is asked of the source.

std::string TableVerifier::source_key(size_t place) const {
    const size_t column = what_.key[place];
    const std::string name = quote_name(outside_[column]);
    // In the order of the lake's texts: by bytes.
    return what_.columns[column].type.kind == query::Kind::text
               ? "(" + name + "::text COLLATE \"C\")"
               : name;
}

std::string TableVerifier::source_rows(const std::string& where, bool with_version) const {
    std::string list;
    for (const auto& name : outside_) list += (list.empty() ? "" : ", ") + quote_name(name);
    if (with_version && versions_) list += ", xmin::text";
    return fmt::format("SELECT {} FROM {}{}{}", list, table_.kind == 'r' ? "ONLY " : "",
                       table_.quoted(), where.empty() ? "" : " WHERE " + where);
}

std::string TableVerifier::source_where(const std::vector<std::string>& keys) const {
    std::string columns, lists;
    for (size_t i = 0; i < what_.key.size(); ++i)
        columns += (i == 0 ? "" : ", ") + quote_name(outside_[what_.key[i]]);
    for (const auto& key : keys) {
        std::string one;
        for (const auto& text : key_texts(what_, key))
            one += (one.empty() ? "" : ", ") + quote_text(text);
        lists += (lists.empty() ? "(" : ", (") + one + ")";
    }
    return fmt::format("({}) IN ({})", columns, lists);
}

std::string TableVerifier::source_after(std::string_view key) const {
    std::string columns, values;
    const auto texts = key_texts(what_, key);
    for (size_t i = 0; i < texts.size(); ++i) {
        columns += (i == 0 ? "" : ", ") + source_key(i);
        values += (i == 0 ? "" : ", ") + quote_text(texts[i]);
    }
    return fmt::format("({}) > ({})", columns, values);
}

Status TableVerifier::read_source(const std::string& select, bool with_version, query::Chunk* keep,
                                  const std::function<void(SourceRow row)>& take) {
    auto columns = what_.columns;
    const bool versions = with_version && versions_;
    if (versions) columns.push_back({"xmin", query::Kind::text});
    CopyTextDecoder decoder(columns);
    decoder.trust_utf8(connection_.knows_encoding());
    return connection_.copy_out("COPY (" + select + ") TO STDOUT", [&](std::string_view line) {
        auto rows = decoder.make_chunk(1);
        const Status decoded = decoder.decode(line, rows);
        // What a column can't hold was set aside when it came; it is no row here.
        if (!decoded.ok() && decoded.error().code == Code::corrupted) return decoded;
        if (!decoded.ok()) return ok_status();
        SourceRow row;
        if (versions) {
            row.version = rows.columns.back().text(0);
            rows.columns.pop_back();
        }
        row.key = verify_key(what_, rows, 0);
        row.digest = verify_digest(rows, 0);
        if (keep != nullptr)
            for (size_t i = 0; i < rows.columns.size(); ++i)
                copy_cell(rows.columns[i], 0, keep->columns[i]);
        take(std::move(row));
        return ok_status();
    });
}

Result<Lsn> TableVerifier::source_position() {
    TARN_TRY(rows, connection_.query("SELECT CASE WHEN pg_is_in_recovery() THEN "
                                     "pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() "
                                     "END"));
    if (rows.empty() || rows[0].empty() || !rows[0][0])
        return Error(Code::unavailable, "the " + connection_.place() +
                                            " does not say where its "
                                            "log ends");
    return lsn_of(*rows[0][0]);
}

// What is asked of the lake.

TableVerifier::Condition TableVerifier::lake_where(const std::vector<std::string>& keys) const {
    Condition out;
    for (const auto& key : keys) {
        std::string one;
        const auto values = key_values(what_, key);
        for (size_t i = 0; i < values.size(); ++i) {
            out.values.push_back(values[i]);
            one += fmt::format("{}{} = ${}", i == 0 ? "" : " AND ",
                               quote_name(what_.columns[what_.key[i]].name), out.values.size());
        }
        out.sql += (out.sql.empty() ? "(" : " OR (") + one + ")";
    }
    return out;
}

TableVerifier::Condition TableVerifier::lake_range(std::string_view after,
                                                   std::string_view to) const {
    Condition out;
    const auto add = [&](std::string_view key, const char* strictly, const char* otherwise) {
        if (key.empty()) return;
        const auto values = key_values(what_, key);
        const size_t first = out.values.size();
        std::string side, before;
        for (size_t i = 0; i < values.size(); ++i) {
            out.values.push_back(values[i]);
            const std::string name = quote_name(what_.columns[what_.key[i]].name);
            const bool last = i + 1 == values.size();
            side += fmt::format("{}({}{} {} ${})", i == 0 ? "" : " OR ", before, name,
                                last ? otherwise : strictly, first + i + 1);
            before += fmt::format("{} = ${} AND ", name, first + i + 1);
        }
        out.sql += (out.sql.empty() ? "(" : " AND (") + side + ")";
    };
    add(after, ">", ">");
    add(to, "<", "<=");
    return out;
}

Status TableVerifier::read_lake(
    const Condition& where, query::Chunk* keep,
    const std::function<void(std::string key, std::string digest)>& take) {
    std::string list;
    for (const auto& column : what_.columns)
        list += (list.empty() ? "" : ", ") + quote_name(column.name);
    const std::string sql =
        fmt::format("SELECT {} FROM {}.{}{}", list, quote_name(parts_.source),
                    quote_name(table_.name), where.sql.empty() ? "" : " WHERE " + where.sql);
    TARN_TRY(statement, session_->prepare(sql, {}));
    TARN_TRY(cursor, session_->execute(*statement, where.values));
    while (!parts_.stop.stopped()) {
        TARN_TRY(rows, cursor->next());
        if (!rows) return ok_status();
        for (size_t row = 0; row < rows->rows(); ++row) {
            for (size_t c = 0; keep && c < keep->columns.size(); ++c)
                keep->columns[c].append(rows->columns[c].value(row));
            take(verify_key(what_, *rows, row), verify_digest(*rows, row));
        }
    }
    return Error(Code::cancelled, "the comparison was ended");
}

/// A key that the lake has twice gets a digest that no row has.
Result<RowDigests> TableVerifier::lake_rows(const std::vector<std::string>& keys) {
    RowDigests found;
    Status done = ok_status();
    in_batches(keys, [&](const std::vector<std::string>& batch) {
        if (done.ok())
            done = read_lake(lake_where(batch), nullptr, [&](std::string key, std::string digest) {
                found[std::move(key)] += digest;
            });
    });
    TARN_CHECK_OK(done);
    return found;
}

Status TableVerifier::wait_for_lake(Lsn lsn) {
    const auto end = Steady::now() + kBehindMax;
    bool told = false;
    while (true) {
        TARN_TRY(position, load_capture_position(parts_.lake.store, parts_.identity));
        if (!position) return Error(Code::unavailable, "the source is not followed at the moment");
        if (position->lsn >= lsn) return ok_status();
        if (!std::exchange(told, true)) {
            // A quiet log ends before what was asked for, until something is written.
            const Status beat = emit_heartbeat(connection_);
            if (!beat.ok() && beat.error().code == Code::unavailable) return beat;
        }
        parts_.lake.awaited->await(parts_.identity);
        if (Steady::now() > end)
            return Error(Code::unavailable,
                         fmt::format("the lake has the source's log up to {} only, {} was asked "
                                     "for: is the source followed?",
                                     to_text(position->lsn), to_text(lsn)));
        if (!parts_.stop.wait_for(std::chrono::milliseconds(100)))
            return Error(Code::cancelled, "the comparison was ended");
    }
}

/// At most half of the time is spent on a source's and the lake's work.
Status TableVerifier::pause_for(Steady::duration busy) {
    parts_.progress(verdict_);
    const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(busy);
    if (parts_.stop.stopped() ||
        !parts_.stop.wait_for(std::max(span, std::chrono::milliseconds(1))))
        return Error(Code::cancelled, "the comparison was ended");
    return ok_status();
}

// Range by range.

Status TableVerifier::compare_ranges() {
    std::string from;
    while (true) {
        const auto begin = Steady::now();
        TARN_TRY(more, compare_range(from));
        if (suspects_.size() >= kSuspectsMax || !more) TARN_CHECK_OK(settle());
        if (!more) return ok_status();
        if (verdict_.differences >= kDifferencesMax) {
            verdict_.note = fmt::format(
                "more than {} rows differ: the rest was not compared; "
                "DROP TABLE {}.{} makes the source load it again",
                kDifferencesMax, verdict_.database, verdict_.name);
            return ok_status();
        }
        TARN_CHECK_OK(pause_for(Steady::now() - begin));
    }
}

/// False: it was the last. `from`: the last key of the range before.
Result<bool> TableVerifier::compare_range(std::string& from) {
    std::string order;
    for (size_t i = 0; i < what_.key.size(); ++i) order += (i == 0 ? "" : ", ") + source_key(i);
    const std::string select =
        fmt::format("{} ORDER BY {} LIMIT {}",
                    source_rows(from.empty() ? "" : source_after(from), false), order, range_rows_);
    RowDigests there;
    std::string last;
    size_t lines = 0, bytes = 0;
    TARN_CHECK_OK(read_source(select, false, nullptr, [&](SourceRow row) {
        ++lines;
        bytes += row.key.size() + 64;
        last = row.key;
        there[std::move(row.key)] = std::move(row.digest);
    }));
    const bool more = lines >= range_rows_;
    verdict_.rows_source += lines;
    TARN_CHECK_OK(read_lake(lake_range(from, more ? last : ""), nullptr,
                            [&](std::string key, std::string digest) {
                                ++verdict_.rows_lake;
                                const auto found = there.find(key);
                                const bool equal = found != there.end() && found->second == digest;
                                if (!equal) suspects_[key];
                                if (found != there.end()) there.erase(found);
                            }));
    for (const auto& [key, digest] : there) suspects_[key];
    from = last;
    if (lines > 0 && more)
        range_rows_ = std::clamp<size_t>(kRangeBytes / (bytes / lines + 1), 2'000, 100'000);
    return more;
}

Status TableVerifier::settle() {
    Looks looks = std::exchange(suspects_, {});
    for (int round = 0; round < kRoundsMax && !looks.empty(); ++round) {
        if (round > 0 && !parts_.stop.wait_for(std::chrono::milliseconds(100 + 20 * round)))
            return Error(Code::cancelled, "the comparison was ended");
        TARN_CHECK_OK(look_again(looks));
    }
    verdict_.unsettled += looks.size();
    return ok_status();
}

Status TableVerifier::look_again(Looks& looks) {
    std::vector<std::string> keys;
    for (const auto& [key, look] : looks) keys.push_back(key);
    std::map<std::string, SourceRow> there;
    Status read = ok_status();
    in_batches(keys, [&](const std::vector<std::string>& batch) {
        if (read.ok())
            read = read_source(source_rows(source_where(batch), true), true, nullptr,
                               [&](SourceRow row) {
                                   const std::string key = row.key;
                                   there[key] = std::move(row);
                               });
    });
    TARN_CHECK_OK(read);
    TARN_TRY(lsn, source_position());
    TARN_CHECK_OK(wait_for_lake(lsn));
    TARN_TRY(here, lake_rows(keys));
    for (auto& [key, look] : looks) {
        const auto source = there.find(key);
        const auto lake = here.find(key);
        Look now;
        if (source != there.end()) {
            now.source = source->second.digest;
            now.version = source->second.version;
        }
        if (lake != here.end()) now.lake = lake->second;
        now.looks = look.looks + 1;
        if (look.looks > 0 && look.source == now.source && look.lake == now.lake &&
            look.version == now.version)
            now.same = look.same + 1;
        look = std::move(now);
    }
    for (auto it = looks.begin(); it != looks.end();) {
        const Look& look = it->second;
        // A row that kept its version did not change in between; without one it may have gone back
        // and forth.
        const int needed = look.version.empty() ? 3 : 1;
        const bool equal = look.source == look.lake;
        if (!equal && look.same >= needed) confirm(it->first, look);
        it = equal || look.same >= needed ? looks.erase(it) : std::next(it);
    }
    return ok_status();
}

void TableVerifier::confirm(const std::string& key, const Look& look) {
    using What = KeyDifference::What;
    ++verdict_.differences;
    if (verdict_.keys.size() < kKeysNamedMax)
        verdict_.keys.push_back({look.lake.empty()     ? What::missing
                                 : look.source.empty() ? What::extra
                                                       : What::different,
                                 shown_key(what_, key), false});
    if (confirmed_.size() < kDifferencesMax) confirmed_.emplace_back(key, look);
}

/// A table whose rows nothing tells apart: their number, and the sum of their digests.
Status TableVerifier::compare_whole() {
    struct Sum {
        uint64_t rows = 0, low = 0, high = 0;
        bool operator==(const Sum&) const = default;
        void add(const std::string& digest) {
            ++rows;
            low += load_le<uint64_t>(digest.data());
            high += load_le<uint64_t>(digest.data() + 8);
        }
    };
    std::optional<std::pair<Sum, Sum>> before;
    for (int i = 0; i < kTriesWhole; ++i) {
        const auto begin = Steady::now();
        Sum there, here;
        TARN_CHECK_OK(read_source(source_rows("", false), false, nullptr,
                                  [&](SourceRow row) { there.add(row.digest); }));
        TARN_TRY(lsn, source_position());
        TARN_CHECK_OK(wait_for_lake(lsn));
        TARN_CHECK_OK(
            read_lake({}, nullptr, [&](std::string, std::string digest) { here.add(digest); }));
        verdict_.rows_source = there.rows;
        verdict_.rows_lake = here.rows;
        if (there == here) return ok_status();
        if (before && before->first == there && before->second == here) {
            verdict_.differences = 1;
            verdict_.note = "it has no key that could name the rows that differ";
            return ok_status();
        }
        before = {there, here};
        TARN_CHECK_OK(pause_for(Steady::now() - begin));
    }
    verdict_.state = TableVerdict::State::unknown;
    verdict_.note = "it has no key, and changes too often to be compared as a whole";
    return ok_status();
}

}  // namespace tarn::ingest
