#include "query/internal/shown_column.h"

namespace tarn::query {

namespace {

// A dictionary that grows is made anew, so a large one would be copied more often than it saves.
constexpr duck::idx_t kMostEntries = STANDARD_VECTOR_SIZE;

/// Values of one width that reach nothing but themselves, and texts, whose bytes nobody finds
/// without the value.
bool is_plain(const duck::LogicalType& type) {
    const auto physical = type.InternalType();
    return physical == duck::PhysicalType::VARCHAR || duck::TypeIsConstantSize(physical);
}

template <typename Value>
void gather_values(const duck::UnifiedVectorFormat& from, duck::data_ptr_t to, duck::idx_t count) {
    const auto* values = reinterpret_cast<const Value*>(from.data);
    auto* out = reinterpret_cast<Value*>(to);
    if (from.sel->IsSet()) {
        const auto* rows = from.sel->data();
        for (duck::idx_t i = 0; i < count; ++i) out[i] = values[rows[i]];
    } else {
        std::copy_n(values, count, out);
    }
}

/// False: not of a width known here, and nothing was done.
bool gather(duck::Vector& from, duck::Vector& to, duck::idx_t count) {
    duck::UnifiedVectorFormat rows;
    from.ToUnifiedFormat(count, rows);
    const auto out = duck::FlatVector::GetData(to);
    switch (duck::GetTypeIdSize(from.GetType().InternalType())) {
        case 1:
            gather_values<uint8_t>(rows, out, count);
            break;
        case 2:
            gather_values<uint16_t>(rows, out, count);
            break;
        case 4:
            gather_values<uint32_t>(rows, out, count);
            break;
        case 8:
            gather_values<uint64_t>(rows, out, count);
            break;
        case 16:
            gather_values<duck::uhugeint_t>(rows, out, count);
            break;
        default:
            return false;
    }
    if (!rows.validity.AllValid()) {
        auto& valid = duck::FlatVector::Validity(to);
        for (duck::idx_t i = 0; i < count; ++i)
            if (!rows.validity.RowIsValid(rows.sel->get_index(i))) valid.SetInvalid(i);
    }
    if (from.GetType().InternalType() == duck::PhysicalType::VARCHAR)
        duck::StringVector::AddHeapReference(to, from);
    return true;
}

}  // namespace

void ShownColumn::pass(duck::Vector& from, duck::Vector& to, duck::idx_t count) {
    if (count == 0) return;
    const auto kind = from.GetVectorType();
    const bool plain = is_plain(from.GetType());
    if (kind == duck::VectorType::CONSTANT_VECTOR ||
        (kind == duck::VectorType::FLAT_VECTOR && plain)) {
        to.Reference(from);
        return;
    }
    if (kind == duck::VectorType::DICTIONARY_VECTOR && plain) {
        if (pass_dictionary(from, to, count)) return;
        if (duck::DictionaryVector::Child(from).GetVectorType() == duck::VectorType::FLAT_VECTOR &&
            gather(from, to, count))
            return;
    }
    duck::VectorOperations::Copy(from, to, count, 0, 0);
}

bool ShownColumn::pass_dictionary(duck::Vector& from, duck::Vector& to, duck::idx_t count) {
    const auto size = duck::DictionaryVector::DictionarySize(from);
    const auto& id = duck::DictionaryVector::DictionaryId(from);
    auto& entries = duck::DictionaryVector::Child(from);
    if (!size.IsValid() || id.empty() || size.GetIndex() > kMostEntries ||
        entries.GetVectorType() != duck::VectorType::FLAT_VECTOR)
        return false;
    if (id != followed_) follow(id, size.GetIndex());
    const auto& below = duck::DictionaryVector::SelVector(from);
    duck::SelectionVector rows(count);
    const size_t before = shown_.size();
    for (duck::idx_t i = 0; i < count; ++i) {
        const auto entry = below.get_index(i);
        auto& place = places_[entry];
        if (place == kUnseen) {
            place = static_cast<uint32_t>(shown_.size());
            shown_.push_back(static_cast<uint32_t>(entry));
        }
        rows.set_index(i, place);
    }
    // Never changed once it is above the barrier, where its hashes may be kept: what grows gets
    // another identity.
    if (shown_.size() != before) grow(entries);
    to.Dictionary(ours_, rows);
    return true;
}

void ShownColumn::follow(const std::string& id, duck::idx_t size) {
    followed_ = id;
    places_.assign(size, kUnseen);
    shown_.clear();
    ours_.reset();
}

void ShownColumn::grow(duck::Vector& entries) {
    duck::SelectionVector chosen(shown_.data());
    duck::Vector slice(entries, chosen, shown_.size());
    ours_ = duck::DictionaryVector::CreateReusableDictionary(entries.GetType(), shown_.size());
    gather(slice, ours_->data, shown_.size());
}

}  // namespace tarn::query
