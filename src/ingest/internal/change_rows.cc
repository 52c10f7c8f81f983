#include "ingest/internal/change_rows.h"

namespace tarn::ingest {

namespace {

uint64_t cell(uint32_t row, uint32_t column) {
    return uint64_t{row} << 32 | column;
}

}  // namespace

void WaitingRows::wait(uint32_t row, uint32_t column, RowSource source) {
    by_cell_[cell(row, column)] = static_cast<uint32_t>(waiting_.size());
    waiting_.push_back({row, column, std::move(source)});
}

const RowSource* WaitingRows::waits(uint32_t row, uint32_t column) const {
    if (waiting_.empty()) return nullptr;
    auto found = by_cell_.find(cell(row, column));
    if (found == by_cell_.end()) found = by_cell_.find(cell(row, kAll));
    return found == by_cell_.end() ? nullptr : &waiting_[found->second].source;
}

void WaitingRows::append_cell(const WaitingRows& from, uint32_t row, uint32_t column,
                              uint32_t to_row) {
    if (const auto* source = from.waits(row, column)) {
        wait(to_row, column, *source);
        chunk_.columns[column].append_null();
    } else if (&from == this) {
        // A column must not be read while it grows.
        query::Column copy(types_[column]);
        copy_cell(chunk_.columns[column], row, copy);
        copy_cell(copy, 0, chunk_.columns[column]);
    } else {
        copy_cell(from.chunk_.columns[column], row, chunk_.columns[column]);
    }
}

void WaitingRows::append_row(const WaitingRows& from, uint32_t row) {
    const uint32_t to = rows();
    for (uint32_t column = 0; column < types_.size(); ++column) append_cell(from, row, column, to);
}

void WaitingRows::append_nulls() {
    for (auto& column : chunk_.columns) column.append_null();
}

void WaitingRows::settle(const std::vector<Fetched>& fetched) {
    if (waiting_.empty()) return;
    for (uint32_t column = 0; column < types_.size(); ++column) {
        std::map<uint32_t, const Fetched*> mended;
        for (size_t i = 0; i < waiting_.size(); ++i)
            if (fetched[i].rows && (waiting_[i].column == column || waiting_[i].column == kAll))
                mended[waiting_[i].row] = &fetched[i];
        if (mended.empty()) continue;
        query::Column made(types_[column]);
        made.reserve(rows());
        auto next = mended.begin();
        for (uint32_t row = 0; row < rows(); ++row) {
            if (next != mended.end() && next->first == row) {
                copy_cell(next->second->rows->columns[column], next->second->row, made);
                ++next;
            } else {
                copy_cell(chunk_.columns[column], row, made);
            }
        }
        chunk_.columns[column] = std::move(made);
    }
    waiting_.clear();
    by_cell_.clear();
}

void WaitingRows::clear() {
    chunk_.columns.clear();
    for (const auto& type : types_) chunk_.columns.emplace_back(type);
    waiting_.clear();
    by_cell_.clear();
}

}  // namespace tarn::ingest
