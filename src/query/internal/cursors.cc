#include "query/internal/cursors.h"

#include <fmt/format.h>

#include "query/internal/duck_types.h"

namespace tarn::query {

namespace {

void pad(Value& value, const DeclaredType& declared) {
    if (auto* text = std::get_if<std::string>(&value.of))
        text->append(padding_of(declared, *text), ' ');
    if (auto* elements = std::get_if<Values>(&value.of))
        for (auto& element : *elements) pad(element, declared);
}

/// char(n) is kept without the spaces at its end, and shown with them.
Column padded_column(const Column& given, const DeclaredType& declared) {
    Column shown(given.type());
    shown.reserve(given.rows());
    for (size_t row = 0; row < given.rows(); ++row) {
        Value value = given.value(row);
        pad(value, declared);
        shown.append(std::move(value));
    }
    return shown;
}

Chunk chunk_from_duck(duck::DataChunk& rows, const std::vector<ResultColumn>& columns) {
    Chunk chunk;
    for (size_t i = 0; i < columns.size(); ++i) {
        Column column(columns[i].type);
        column.reserve(rows.size());
        append_vector(rows.data[i], rows.size(), column);
        const auto& declared = columns[i].origin.declared;
        const bool pads = declared.kind == DeclaredType::Kind::bpchar && declared.length > 0;
        chunk.columns.push_back(pads ? padded_column(column, declared) : std::move(column));
    }
    return chunk;
}

}  // namespace

QueryCursor::~QueryCursor() {
    session_.forget(this);
}

Result<duck::unique_ptr<duck::DataChunk>> QueryCursor::fetch() {
    auto slot = session_.enter();
    if (!slot.ok()) return session_.failed(std::move(slot).error());
    const RunningCall call(session_);
    try {
        auto rows = result_->Fetch();
        if (result_->HasError())
            return session_.failed(result_->GetErrorObject(), nullptr, slot->get());
        return rows;
    } catch (const std::exception& problem) {
        return session_.failed(duck::ErrorData(problem), nullptr, slot->get());
    }
}

Result<std::optional<Chunk>> QueryCursor::next() {
    if (ended_) return std::optional<Chunk>();
    if (kept_) {
        duck::DataChunk rows;
        kept_->InitializeScanChunk(rows);
        if (!kept_->Scan(kept_scan_, rows) || rows.size() == 0) {
            ended_ = true;
            return std::optional<Chunk>();
        }
        rows_ += rows.size();
        return std::optional<Chunk>(chunk_from_duck(rows, columns_));
    }
    auto rows = fetch();
    if (!rows.ok()) {
        ended_ = true;
        session_.forget(this);
        return std::move(rows).error();
    }
    if (!*rows || (*rows)->size() == 0) {
        ended_ = true;
        session_.forget(this);
        result_.reset();
        return std::optional<Chunk>();
    }
    rows_ += (*rows)->size();
    return std::optional<Chunk>(chunk_from_duck(**rows, columns_));
}

Status QueryCursor::detach() {
    if (ended_ || kept_) return {};
    auto kept =
        duck::make_uniq<duck::ColumnDataCollection>(*session_.connection().context, result_->types);
    while (true) {
        TARN_TRY(rows, fetch());
        if (!rows || rows->size() == 0) break;
        kept->Append(*rows);
    }
    kept_ = std::move(kept);
    kept_->InitializeScan(kept_scan_);
    result_.reset();
    return {};
}

Result<std::vector<Chunk>> SlicedCursor::slice(int64_t count) {
    std::vector<Chunk> chunks;
    while (count > 0) {
        if (!rest_) {
            TARN_TRY(chunk, inner_->next());
            if (!chunk) break;
            rest_ = std::move(chunk);
            rest_at_ = 0;
        }
        const auto left = static_cast<int64_t>(rest_->rows() - rest_at_);
        if (rest_at_ == 0 && left <= count) {
            chunks.push_back(std::move(*rest_));
            rest_.reset();
            count -= left;
            continue;
        }
        const auto now = static_cast<size_t>(std::min(left, count));
        Chunk part;
        for (const auto& column : rest_->columns) {
            part.columns.emplace_back(column.type());
            for (size_t row = 0; row < now; ++row)
                part.columns.back().append(column.value(rest_at_ + row));
        }
        chunks.push_back(std::move(part));
        rest_at_ += now;
        count -= static_cast<int64_t>(now);
        if (rest_at_ == rest_->rows()) rest_.reset();
    }
    return chunks;
}

Status LakeSession::declare(const Utility& wanted) {
    constexpr size_t kCursorsMax = 1'000;
    const bool alone = state_ == TransactionState::idle;
    if (alone && !wanted.holds)
        return Error{Code::precondition_failed,
                     "DECLARE CURSOR can only be used in transaction blocks", "25P01"};
    if (cursors_.contains(wanted.name))
        return Error{Code::already_exists, fmt::format("cursor \"{}\" already exists", wanted.name),
                     "42P03"};
    if (cursors_.size() >= kCursorsMax)
        return Error{Code::exhausted,
                     fmt::format("a session has at most {} cursors: close some", kCursorsMax),
                     "54000"};
    TARN_TRY(query, prepare(wanted.query, {}));
    if (!query->returns_rows() || query->command() != Command::select)
        return Error{Code::invalid_argument, "DECLARE CURSOR takes a query that reads", "42P11"};
    TARN_TRY(rows, execute(*query, {}));
    if (alone) TARN_CHECK_OK(settle_open_cursor());
    auto made = std::make_unique<SlicedCursor>(std::move(rows), wanted.holds);
    if (alone) made->outlives(true);
    cursors_[wanted.name] = std::move(made);
    return {};
}

Status LakeSession::close(const Utility& wanted) {
    if (wanted.all) {
        cursors_.clear();
        return {};
    }
    if (cursors_.erase(wanted.name) > 0) return {};
    return Error{Code::not_found, fmt::format("cursor \"{}\" does not exist", wanted.name),
                 "34000"};
}

/// Precondition: all that goes on has been read into memory.
void LakeSession::end_cursors(bool committed) {
    std::erase_if(cursors_, [&](const auto& each) { return !each.second->outlives(committed); });
}

/// FETCH and MOVE.
Result<std::unique_ptr<Cursor>> LakeSession::execute_fetch(PreparedSql& statement) {
    const Utility& wanted = statement.utility;
    const auto found = cursors_.find(wanted.name);
    if (found == cursors_.end())
        return failed(
            {Code::not_found, fmt::format("cursor \"{}\" does not exist", wanted.name), "34000"});
    auto& cursor = *found->second;
    TARN_TRY(chunks,
             cursor.slice(wanted.forward_all ? std::numeric_limits<int64_t>::max() : wanted.count));
    uint64_t rows = 0;
    for (const auto& chunk : chunks) rows += chunk.rows();
    std::string tag = fmt::format("{} {}", wanted.moves ? "MOVE" : "FETCH", rows);
    if (wanted.moves) chunks.clear();
    return std::unique_ptr<Cursor>(
        std::make_unique<FixedCursor>(wanted.moves ? std::vector<ResultColumn>{} : cursor.columns(),
                                      std::move(chunks), std::move(tag), rows));
}

}  // namespace tarn::query
