#include "ingest/internal/change_history.h"

#include <fmt/format.h>

#include <numeric>

namespace tarn::ingest {

namespace {

using query::Kind;

constexpr size_t kHistoryNameMax = 63;

/// `name` between `before` and `after`. One that is too long is cut and ends with a digest of all
/// of it, so that two that begin alike stay two.
std::string fitted(std::string_view before, const std::string& name, std::string_view after) {
    if (before.size() + name.size() + after.size() <= kHistoryNameMax)
        return fmt::format("{}{}{}", before, name, after);
    uint32_t digest = 2166136261u;  // FNV-1a: the same in every version of the program
    for (const char c : name) digest = (digest ^ static_cast<uint8_t>(c)) * 16777619u;
    const std::string end = fmt::format("_{:08x}{}", digest, after);
    return fmt::format("{}{}{}", before, name.substr(0, kHistoryNameMax - before.size() - end.size()),
                       end);
}

const std::vector<ColumnSpec>& fact_columns() {
    static const std::vector<ColumnSpec> columns = {{"operation", Kind::text},
                                                    {"transaction_id", Kind::int64},
                                                    {"commit_lsn", Kind::int64},
                                                    {"ordinal", Kind::int64},
                                                    {"committed_at", Kind::timestamptz}};
    return columns;
}

std::vector<query::Type> types_of(const std::vector<ColumnSpec>& columns) {
    std::vector<query::Type> types;
    for (const auto& column : columns) types.push_back(column.type);
    return types;
}

query::Chunk make_chunk(const std::vector<ColumnSpec>& columns) {
    query::Chunk chunk;
    for (const auto& column : columns) chunk.columns.emplace_back(column.type);
    return chunk;
}

}  // namespace

TargetTable history_target(const TargetTable& of) {
    constexpr std::string_view kEnd = "_history";
    TargetTable target;
    target.database = of.database;
    target.name = fitted("", of.name, kEnd);
    target.comment = fmt::format("each change of {} with the row before and after it", of.name);
    target.source = of.source;
    static const char* const kSays[] = {
        "I inserted, U updated, D deleted, T truncated", "of the source, 32 bits; 0: a repair",
        "place of the commit in the source's log: orders transactions",
        "from 1, in the transaction", "by the source's clock"};
    for (size_t i = 0; i < fact_columns().size(); ++i)
        target.columns.push_back({fact_columns()[i].name, fact_columns()[i].type, false, kSays[i]});
    for (const char* side : {"before_", "after_"})
        for (const auto& column : of.columns)
            target.columns.push_back({fitted(side, column.name, ""), column.type, false, ""});
    return target;
}

HistoryRows::HistoryRows(query::Engine& engine, tables::TablePtr history,
                         std::vector<ColumnSpec> columns)
    : engine_(engine),
      table_(std::move(history)),
      columns_(std::move(columns)),
      before_(types_of(columns_)),
      after_(types_of(columns_)),
      facts_(make_chunk(fact_columns())) {}

Status HistoryRows::reshape(tables::TablePtr history, std::vector<ColumnSpec> columns) {
    TARN_CHECK_OK(flush());
    if (writer_) {
        TARN_TRY(files, writer_->close());
        files_.insert(files_.end(), files.begin(), files.end());
        writer_.reset();
    }
    if (history) table_ = std::move(history);
    columns_ = std::move(columns);
    before_ = WaitingRows(types_of(columns_));
    after_ = WaitingRows(types_of(columns_));
    return ok_status();
}

void HistoryRows::begin_behind(const TransactionInfo& transaction, int64_t ordinal) {
    xid_ = transaction.xid;
    lsn_ = transaction.commit_lsn;
    ordinal_ = ordinal;
}

void HistoryRows::tell(char operation, const TransactionInfo& transaction) {
    if (transaction.xid != xid_ || transaction.commit_lsn != lsn_) ordinal_ = 0;
    xid_ = transaction.xid;
    lsn_ = transaction.commit_lsn;
    facts_.columns[0].append_text(std::string_view(&operation, 1));
    facts_.columns[1].append_number(xid_);
    facts_.columns[2].append_number(static_cast<int64_t>(lsn_));
    facts_.columns[3].append_number(++ordinal_);
    facts_.columns[4].append_number(transaction.committed.micros);
}

Status HistoryRows::open() {
    if (writer_) return ok_status();
    std::vector<int> ids;
    const auto add = [&](const std::string& name) -> Status {
        const auto* field = table_->schema().find(name);
        if (!field)
            return Error(Code::invalid_argument,
                         fmt::format("table {} has no column {}: drop it, it will be made anew",
                                     table_->info.full_name(), name));
        ids.push_back(field->id);
        return ok_status();
    };
    for (const auto& column : fact_columns()) TARN_CHECK_OK(add(column.name));
    for (const char* side : {"before_", "after_"})
        for (const auto& column : columns_) TARN_CHECK_OK(add(fitted(side, column.name, "")));
    TARN_TRY(opened, query::open_placed_writer(engine_, table_, ids));
    writer_ = std::move(opened);
    return ok_status();
}

Status HistoryRows::flush() {
    if (facts_.rows() == 0) return ok_status();
    TARN_CHECK_OK(open());
    query::Chunk rows = std::move(facts_);
    for (auto& column : before_.chunk().columns) rows.columns.push_back(std::move(column));
    for (auto& column : after_.chunk().columns) rows.columns.push_back(std::move(column));
    facts_ = make_chunk(fact_columns());
    before_.clear();
    after_.clear();
    std::vector<uint32_t> all(rows.rows());
    std::iota(all.begin(), all.end(), 0u);
    std::vector<query::PlacedRow> places;
    return writer_->append(rows, all, places);
}

Result<std::optional<tables::TableChange>> HistoryRows::finish() {
    TARN_CHECK_OK(flush());
    if (writer_) {
        TARN_TRY(files, writer_->close());
        files_.insert(files_.end(), files.begin(), files.end());
        writer_.reset();
    }
    if (files_.empty()) return std::optional<tables::TableChange>();
    return std::optional(tables::TableChange::append_to(table_, std::exchange(files_, {})));
}

void HistoryRows::committed(tables::TablePtr after) {
    if (after) table_ = std::move(after);
}

void HistoryRows::discard() {
    writer_.reset();
    files_.clear();
    before_.clear();
    after_.clear();
    facts_ = make_chunk(fact_columns());
    xid_ = 0;
    lsn_ = 0;
    ordinal_ = 0;
}

}  // namespace tarn::ingest
