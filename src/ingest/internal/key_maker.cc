#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "codec/hash.h"
#include "ingest/internal/key_index.h"

namespace tarn::ingest {

namespace {

using query::Column;

uint64_t ordered(int64_t number) {
    return static_cast<uint64_t>(number) ^ (uint64_t{1} << 63);
}

/// Equal numbers, equal bytes: one zero, one NaN.
void append_real(double real, std::string& out) {
    if (real == 0) real = 0;
    if (std::isnan(real)) real = std::numeric_limits<double>::quiet_NaN();
    int64_t bits;
    std::memcpy(&bits, &real, sizeof bits);
    append_be(out, ordered(bits));
}

/// Fixed lengths as they are, in an order that keeps neighbours together; others behind their
/// length, so that no two lists of values give the same bytes.
void append_part(const Column& column, size_t row, bool alone, std::string& out) {
    switch (Column::store_of(column.type())) {
        case Column::Store::numbers:
            return append_be(out, ordered(column.number(row)));
        case Column::Store::reals:
            return append_real(column.real(row), out);
        case Column::Store::wides: {
            const auto wide = static_cast<unsigned __int128>(column.wide(row));
            append_be(out, static_cast<uint64_t>(wide >> 64));
            append_be(out, static_cast<uint64_t>(wide));
            return;
        }
        case Column::Store::texts: {
            const auto text = column.text(row);
            if (!alone) append_le(out, static_cast<uint32_t>(text.size()));
            out.append(text);
            return;
        }
        case Column::Store::intervals:
        case Column::Store::values: {
            std::string text;
            column.append_pg_text(row, text);
            append_le(out, static_cast<uint32_t>(text.size()));
            out.append(text);
            return;
        }
    }
}

}  // namespace

KeyMaker::KeyMaker(std::string seed, bool nulls) : seed_(std::move(seed)), nulls_(nulls) {}
KeyMaker::~KeyMaker() = default;
KeyMaker::KeyMaker(KeyMaker&&) noexcept = default;

std::optional<RowKey> KeyMaker::make(const query::Chunk& rows, const std::vector<size_t>& key,
                                     size_t row) {
    scratch_.clear();
    for (const size_t place : key) {
        const auto& column = rows.columns[place];
        if (nulls_) scratch_.push_back(column.is_null(row) ? 0 : 1);
        if (!column.is_null(row))
            append_part(column, row, key.size() == 1, scratch_);
        else if (!nulls_)
            return std::nullopt;
    }
    if (scratch_.size() > RowKey::kBytesMax) {
        scratch_.append(seed_);
        scratch_ = codec::md5(scratch_);
    }
    RowKey made;
    made.size = static_cast<uint8_t>(scratch_.size());
    std::memcpy(made.bytes.data(), scratch_.data(), scratch_.size());
    return made;
}

}  // namespace tarn::ingest
