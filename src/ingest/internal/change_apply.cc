#include "ingest/internal/change_apply.h"

#include <fmt/format.h>

#include "ingest/internal/change_apply_impl.h"

namespace tarn::ingest {

using Mode = ChangeShape::Mode;
using Where = ChangedKeys::Where;

namespace {

constexpr size_t kKeyChunkRows = 4096;

std::optional<int64_t> snapshot_of(const tables::TableState& table) {
    const auto snapshot = table.current_snapshot();
    return snapshot ? std::optional(snapshot->snapshot_id) : std::nullopt;
}

}  // namespace

ChangeApply::Impl::Impl(Parts given, tables::TablePtr state, ChangeShape as,
                        tables::TablePtr history_state)
    : parts_(given),
      table_(std::move(state)),
      keys_made_(given.index.seed(), as.mode == Mode::whole_rows) {
    take_shape(std::move(as));
    if (!history_state) return;
    std::vector<ColumnSpec> columns;
    for (const size_t place : kept_) columns.push_back(shape_.columns[place]);
    history_ = std::make_unique<HistoryRows>(parts_.lake.engine, std::move(history_state),
                                             std::move(columns));
}

void ChangeApply::Impl::take_shape(ChangeShape as) {
    shape_ = std::move(as);
    kept_.clear();
    kept_ids_.clear();
    key_.clear();
    readers_.clear();
    place_of_.assign(shape_.columns.size(), kNotKept);
    std::vector<query::Type> types;
    for (size_t i = 0; i < shape_.columns.size(); ++i) {
        readers_.emplace_back(shape_.columns[i]);
        if (shape_.field_ids[i] == 0) continue;
        place_of_[i] = static_cast<uint32_t>(kept_.size());
        kept_.push_back(i);
        kept_ids_.push_back(shape_.field_ids[i]);
        types.push_back(shape_.columns[i].type);
    }
    for (const size_t column : shape_.key)
        if (place_of_[column] != kNotKept)
            key_.push_back(place_of_[column]);
        else
            broken_ = Error(Code::invalid_argument,
                            fmt::format("table {}: column {} of its key is not kept",
                                        table_->info.full_name(), shape_.columns[column].name));
    buffer_ = WaitingRows(types);
    clear_key_cells();
}

Status ChangeApply::Impl::check_row(const Cells& cells) const {
    if (cells.size() == shape_.columns.size()) return ok_status();
    return Error(Code::invalid_argument,
                 fmt::format("table {}: a change has {} values for {} columns",
                             table_->info.full_name(), cells.size(), shape_.columns.size()));
}

/// One row onto the end of the buffer. Cells that are unchanged come from `before` where the log
/// has it, and wait for the row of the key otherwise.
Result<uint32_t> ChangeApply::Impl::append(const Cells& after, Before kind, const Cells& before) {
    TARN_CHECK_OK(check_row(after));
    if (kind != Before::none) TARN_CHECK_OK(check_row(before));
    const uint32_t row = buffer_.rows();
    for (uint32_t column = 0; column < kept_.size(); ++column) {
        const Cell& cell = after[kept_[column]];
        auto& into = buffer_.chunk().columns[column];
        buffer_bytes_ += cell.text.size() + 8;
        if (cell.kind == Cell::Kind::null)
            into.append_null();
        else if (cell.kind == Cell::Kind::text)
            TARN_CHECK_OK(readers_[kept_[column]].read(cell.text, into));
        else
            TARN_CHECK_OK(wait_for_old(row, column, kind, before));
    }
    alive_.push_back(1);
    entry_of_row_.push_back(ChangedKeys::kNone);
    return row;
}

Status ChangeApply::Impl::wait_for_old(uint32_t row, uint32_t column, Before kind,
                                       const Cells& before) {
    auto& into = buffer_.chunk().columns[column];
    const bool in_before =
        kind == Before::row && before[kept_[column]].kind != Cell::Kind::unchanged;
    if (in_before) {
        const Cell& old = before[kept_[column]];
        if (old.kind == Cell::Kind::text) return readers_[kept_[column]].read(old.text, into);
        into.append_null();
        return ok_status();
    }
    // Whose key it is is only known when the row is complete: update() says it.
    into.append_null();
    buffer_.wait(row, column, {});
    return ok_status();
}

Result<RowKey> ChangeApply::Impl::key_of_row(uint32_t row) {
    if (const auto made = keys_made_.make(buffer_.chunk(), key_, row)) return *made;
    return Error(Code::invalid_argument,
                 fmt::format("table {}: a row whose key has a NULL", table_->info.full_name()));
}

Result<RowKey> ChangeApply::Impl::key_of_cells(const Cells& cells) {
    TARN_CHECK_OK(check_row(cells));
    // Only the key's columns are filled: they have one length.
    size_t row = 0;
    for (const size_t column : key_) {
        auto& into = key_cells_.columns[column];
        row = into.rows();
        const Cell& cell = cells[kept_[column]];
        if (cell.kind == Cell::Kind::text)
            TARN_CHECK_OK(readers_[kept_[column]].read(cell.text, into));
        else
            into.append_null();
    }
    const auto made = keys_made_.make(key_cells_, key_, row);
    if (row + 1 >= kKeyChunkRows) clear_key_cells();
    if (made) return *made;
    return Error(Code::invalid_argument,
                 fmt::format("table {}: the log has a row before whose key has a NULL",
                             table_->info.full_name()));
}

void ChangeApply::Impl::clear_key_cells() {
    key_cells_.columns.clear();
    for (const size_t column : kept_) key_cells_.columns.emplace_back(shape_.columns[column].type);
}

void ChangeApply::Impl::supersede(const ChangedKeys::Entry& entry) {
    if (entry.where == Where::buffered) alive_[entry.position] = 0;
    if (entry.where == Where::written) deleted_[entry.file].add(entry.position);
}

void ChangeApply::Impl::place(const RowKey& key, uint32_t row) {
    if (shape_.mode == Mode::whole_rows) {
        many_[key].live.push_back({kBuffered, row});
        return;
    }
    const uint32_t id = keys_.find_or_add(key);
    auto& entry = keys_.at(id);
    supersede(entry);
    entry.where = Where::buffered;
    entry.position = row;
    entry_of_row_[row] = id;
}

/// Takes the row of a key away: of the table, or one that came since.
Status ChangeApply::Impl::take_one(const RowKey& key) {
    if (shape_.mode == Mode::upsert) {
        auto& entry = keys_.at(keys_.find_or_add(key));
        supersede(entry);
        entry.where = Where::gone;
        return ok_status();
    }
    auto& many = many_[key];
    if (many.live.empty()) {
        ++many.removed;
        return ok_status();
    }
    const RowPlace last = many.live.back();
    many.live.pop_back();
    if (last.file == kBuffered)
        alive_[last.position] = 0;
    else
        deleted_[last.file].add(last.position);
    return ok_status();
}

Error ChangeApply::Impl::no_row(const RowKey& key) const {
    return Error(Code::invalid_argument,
                 fmt::format("table {}: an update leaves a large value as it was, and its row ({}) "
                             "is not here: the table lacks rows of its source; compare it with "
                             "`tarn verify source`, or load it again",
                             table_->info.full_name(), describe(key)),
                 "row_missing");
}

std::string ChangeApply::Impl::describe(const RowKey& key) const {
    std::string names;
    for (const size_t column : key_)
        names += (names.empty() ? "" : ", ") + shape_.columns[kept_[column]].name;
    std::string text;
    const auto& kinds = shape_.columns;
    if (key_.size() == 1 && key.size == 8 &&
        query::Column::store_of(kinds[kept_[key_[0]]].type) == query::Column::Store::numbers) {
        uint64_t number = 0;
        for (size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<uint8_t>(key.bytes[i]);
        text = std::to_string(static_cast<int64_t>(number ^ (uint64_t{1} << 63)));
    } else {
        for (const char c : key.view())
            text += c >= ' ' && c <= '~' ? std::string(1, c)
                                         : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    }
    return fmt::format("{} = {}", names, text);
}

Status ChangeApply::Impl::insert(const TransactionInfo& transaction, const Cells& after) {
    for (const Cell& cell : after)
        if (cell.kind == Cell::Kind::unchanged)
            return Error(Code::invalid_argument, fmt::format("table {}: an insert without a value",
                                                             table_->info.full_name()));
    TARN_TRY(row, append(after, Before::none, {}));
    ++counts_.inserted;
    if (history_) TARN_CHECK_OK(tell_history('I', transaction, Before::none, {}, {}, row));
    if (shape_.mode == Mode::append_only) return ok_status();
    TARN_TRY(key, key_of_row(row));
    place(key, row);
    return ok_status();
}

Status ChangeApply::Impl::update(const TransactionInfo& transaction, Before kind,
                                 const Cells& before, const Cells& after) {
    if (shape_.mode == Mode::append_only ||
        (shape_.mode == Mode::whole_rows && kind != Before::row))
        return Error(Code::invalid_argument,
                     fmt::format("table {}: an update of rows that nothing identifies",
                                 table_->info.full_name()));
    const size_t waited = buffer_.waiting().size();
    TARN_TRY(row, append(after, kind, before));
    ++counts_.updated;
    TARN_TRY(key, key_of_row(row));
    RowKey old_key = key;
    if (kind != Before::none) {
        TARN_TRY(named, key_of_cells(before));
        old_key = named;
    }
    // Where the cells that the log left out are.
    if (buffer_.waiting().size() > waited) TARN_CHECK_OK(find_old(waited, old_key));
    if (history_) TARN_CHECK_OK(tell_history('U', transaction, kind, before, old_key, row));
    if (shape_.mode == Mode::whole_rows || !(old_key == key)) TARN_CHECK_OK(take_one(old_key));
    place(key, row);
    return ok_status();
}

/// Says what the cells that wait (from the number `waited` on) wait for.
Status ChangeApply::Impl::find_old(size_t waited, const RowKey& key) {
    TARN_TRY(source, source_of(key));
    for (size_t i = waited; i < buffer_.waiting().size(); ++i) {
        if (!source.buffered) {
            buffer_.set_source(i, source.source);
            continue;
        }
        const uint32_t column = buffer_.waiting()[i].column;
        if (const auto* further = buffer_.waits(*source.buffered, column))
            buffer_.set_source(i, *further);
        else
            buffer_.set_source(i, {RowPlace{kBuffered, *source.buffered}, key});
    }
    return ok_status();
}

Result<ChangeApply::Impl::OldRow> ChangeApply::Impl::source_of(const RowKey& key) {
    OldRow out;
    out.source.key = key;
    if (shape_.mode == Mode::whole_rows) return no_row(key);  // the log has all of the row before
    const uint32_t id = keys_.find(key);
    if (id == ChangedKeys::kNone) {
        if (truncated_ && !spilled_) return no_row(key);
        return out;
    }
    const auto& entry = keys_.at(id);
    if (entry.where == Where::gone) return no_row(key);
    if (entry.where == Where::buffered)
        out.buffered = static_cast<uint32_t>(entry.position);
    else
        out.source.place = RowPlace{entry.file, entry.position};
    return out;
}

Status ChangeApply::Impl::remove(const TransactionInfo& transaction, Before kind,
                                 const Cells& before) {
    if (shape_.mode == Mode::append_only || kind == Before::none)
        return Error(Code::invalid_argument,
                     fmt::format("table {}: a deletion of rows that nothing identifies",
                                 table_->info.full_name()));
    TARN_TRY(key, key_of_cells(before));
    ++counts_.removed;
    if (history_) TARN_CHECK_OK(tell_history('D', transaction, kind, before, key, {}));
    return take_one(key);
}

Status ChangeApply::Impl::tell_history(char operation, const TransactionInfo& transaction,
                                       Before kind, const Cells& before,
                                       std::optional<RowKey> old_key,
                                       std::optional<uint32_t> after_row) {
    auto& old = history_->before();
    const uint32_t at = old.rows();
    OldRow source;
    bool known = kind == Before::row;
    if (old_key && !known) {
        auto found = source_of(*old_key);
        if (found.ok())
            source = *found;
        else
            old_key.reset();  // told as NULLs: the change itself decides whether that is an error
    }
    if (known) {
        for (uint32_t column = 0; column < kept_.size(); ++column) {
            const Cell& cell = before[kept_[column]];
            auto& into = old.chunk().columns[column];
            if (cell.kind == Cell::Kind::text)
                TARN_CHECK_OK(readers_[kept_[column]].read(cell.text, into));
            else
                into.append_null();
            buffer_bytes_ += cell.text.size();
        }
    } else if (old_key && source.buffered) {
        old.append_row(buffer_, *source.buffered);
    } else {
        old.append_nulls();
        if (old_key) old.wait(at, WaitingRows::kAll, source.source);
    }
    if (after_row)
        history_->after().append_row(buffer_, *after_row);
    else
        history_->after().append_nulls();
    history_->tell(operation, transaction);
    return ok_status();
}

Status ChangeApply::Impl::reshape(tables::TablePtr state, ChangeShape as,
                                  tables::TablePtr history_state) {
    TARN_CHECK_OK(flush());
    TARN_CHECK_OK(close_writer());
    writer_.reset();
    table_ = std::move(state);
    if (base_ && snapshot_of(*base_) == snapshot_of(*table_))
        base_ = table_;  // the schema alone is another: all places hold
    else if (base_ && spilled_)
        return Error(
            Code::conflict,
            fmt::format("table {}: somebody else changed it meanwhile", table_->info.full_name()),
            "rows_changed");
    else
        base_.reset();
    take_shape(std::move(as));
    if (!history_) return broken_;
    std::vector<ColumnSpec> columns;
    for (const size_t place : kept_) columns.push_back(shape_.columns[place]);
    return history_->reshape(std::move(history_state), std::move(columns));
}

uint64_t ChangeApply::Impl::bytes() const {
    uint64_t deletions = 0;
    for (const auto& [file, rows] : deleted_) deletions += rows.getSizeInBytes();
    return buffer_bytes_ * (history_ ? 3 : 1) + keys_.bytes() + many_.size() * 160 + deletions;
}

ChangeApply::ChangeApply(Parts parts, tables::TablePtr table, ChangeShape shape,
                         tables::TablePtr history)
    : impl_(std::make_unique<Impl>(parts, std::move(table), std::move(shape), std::move(history))) {
}
ChangeApply::~ChangeApply() {
    impl_->discard(false);
}

Status ChangeApply::insert(const TransactionInfo& transaction, const Cells& after) {
    impl_->told_ = true;
    return impl_->guarded([&] { return impl_->insert(transaction, after); });
}
Status ChangeApply::update(const TransactionInfo& transaction, Before kind, const Cells& before,
                           const Cells& after) {
    impl_->told_ = true;
    return impl_->guarded([&] { return impl_->update(transaction, kind, before, after); });
}
Status ChangeApply::remove(const TransactionInfo& transaction, Before kind, const Cells& before) {
    impl_->told_ = true;
    return impl_->guarded([&] { return impl_->remove(transaction, kind, before); });
}
Status ChangeApply::truncate(const TransactionInfo& transaction) {
    impl_->told_ = true;
    return impl_->guarded([&] { return impl_->truncate(transaction); });
}
Status ChangeApply::reshape(tables::TablePtr table, ChangeShape shape, tables::TablePtr history) {
    return impl_->guarded(
        [&] { return impl_->reshape(std::move(table), std::move(shape), std::move(history)); });
}
bool ChangeApply::empty() const {
    return !impl_->told_;
}
uint64_t ChangeApply::pending_bytes() const {
    return impl_->bytes();
}
const ChangeCounts& ChangeApply::counts() const {
    return impl_->counts_;
}
Result<std::vector<tables::TableChange>> ChangeApply::finish() {
    return impl_->finish();
}
Status ChangeApply::committed(tables::TablePtr after, tables::TablePtr history) {
    return impl_->committed(after, history);
}
void ChangeApply::discard(bool outcome_open) {
    impl_->discard(outcome_open);
}

}  // namespace tarn::ingest
