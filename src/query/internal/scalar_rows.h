// The arguments of a scalar function row by row, for functions that are about what they say and not
// about how fast they say it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "query/internal/duck.h"

namespace tarn::query {

class ScalarRows {
 public:
    explicit ScalarRows(duck::DataChunk& arguments) : arguments_(arguments) {
        columns_.resize(arguments.ColumnCount());
        for (size_t i = 0; i < columns_.size(); ++i)
            arguments.data[i].ToUnifiedFormat(arguments.size(), columns_[i]);
    }

    size_t columns() const { return columns_.size(); }
    const duck::LogicalType& type(size_t column) const { return arguments_.data[column].GetType(); }
    bool is_null(size_t column, duck::idx_t row) const {
        return !columns_[column].validity.RowIsValid(columns_[column].sel->get_index(row));
    }
    bool any_null(duck::idx_t row) const {
        for (size_t i = 0; i < columns_.size(); ++i)
            if (is_null(i, row)) return true;
        return false;
    }
    template <typename T>
    const T& at(size_t column, duck::idx_t row) const {
        return duck::UnifiedVectorFormat::GetData<T>(
            columns_[column])[columns_[column].sel->get_index(row)];
    }
    std::string_view text(size_t column, duck::idx_t row) const {
        const auto& text = at<duck::string_t>(column, row);
        return {text.GetData(), text.GetSize()};
    }
    duck::Value value(size_t column, duck::idx_t row) const {
        return arguments_.data[column].GetValue(row);
    }

    /// Fills `result` with write(row), which returns a T, or nullopt for NULL. `nulls`: it is asked
    /// for rows with NULLs among the arguments, too.
    template <typename T, typename Write>
    void fill(duck::Vector& result, Write write, bool nulls = false) const {
        const bool constant = arguments_.AllConstant();
        const duck::idx_t count =
            constant ? std::min<duck::idx_t>(1, arguments_.size()) : arguments_.size();
        result.SetVectorType(duck::VectorType::FLAT_VECTOR);
        auto* values = duck::FlatVector::GetData<T>(result);
        for (duck::idx_t row = 0; row < count; ++row) {
            std::optional<T> value;
            if (nulls || !any_null(row)) value = write(row);
            if (value)
                values[row] = *value;
            else
                duck::FlatVector::SetNull(result, row, true);
        }
        if (constant) result.SetVectorType(duck::VectorType::CONSTANT_VECTOR);
    }

 private:
    duck::DataChunk& arguments_;
    std::vector<duck::UnifiedVectorFormat> columns_;
};

}  // namespace tarn::query
