#include "query/internal/shown_column.h"

#include <gtest/gtest.h>

namespace tarn::query {
namespace {

using duck::DictionaryVector;
using duck::LogicalType;
using duck::Value;
using duck::Vector;
using duck::VectorType;

duck::SelectionVector rows_of(const std::vector<uint32_t>& rows) {
    duck::SelectionVector made(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) made.set_index(i, rows[i]);
    return made;
}

duck::buffer_ptr<duck::VectorChildBuffer> dictionary_of(const LogicalType& type,
                                                        const std::vector<Value>& values) {
    auto made = DictionaryVector::CreateReusableDictionary(type, values.size());
    for (size_t i = 0; i < values.size(); ++i) made->data.SetValue(i, values[i]);
    return made;
}

std::vector<std::string> values_of(Vector& vector, size_t count) {
    std::vector<std::string> found;
    for (size_t i = 0; i < count; ++i) found.push_back(vector.GetValue(i).ToString());
    return found;
}

/// All that can be found behind `vector`, shown or not.
std::vector<std::string> reach_of(Vector& vector) {
    if (vector.GetVectorType() != VectorType::DICTIONARY_VECTOR) return {};
    return values_of(DictionaryVector::Child(vector),
                     DictionaryVector::DictionarySize(vector).GetIndex());
}

const std::string kLong = "a text that is longer than what stands within a value";

TEST(ShownColumn, ASliceIsGatheredAndTheRestIsNotReachable) {
    for (const auto& type :
         {LogicalType(LogicalType::TINYINT), LogicalType(LogicalType::SMALLINT),
          LogicalType(LogicalType::INTEGER), LogicalType(LogicalType::BIGINT),
          LogicalType(LogicalType::HUGEINT), LogicalType(LogicalType::DOUBLE),
          LogicalType(LogicalType::VARCHAR), LogicalType(LogicalType::INTERVAL)}) {
        Vector below(type);
        const auto value = [&](int number) {
            return type == LogicalType::INTERVAL ? Value::INTERVAL(number, 2, 3)
                                                 : Value::INTEGER(number).DefaultCastAs(type);
        };
        for (int i = 0; i < 6; ++i)
            below.SetValue(static_cast<duck::idx_t>(i), i == 4 ? Value(type) : value(i * 7));
        Vector sliced(below, rows_of({5, 1, 4}), 3), shown(type);
        ShownColumn column;
        column.pass(sliced, shown, 3);
        EXPECT_EQ(shown.GetVectorType(), VectorType::FLAT_VECTOR) << type.ToString();
        EXPECT_EQ(values_of(shown, 3),
                  (std::vector<std::string>{value(35).ToString(), value(7).ToString(), "NULL"}))
            << type.ToString();
        EXPECT_NE(duck::FlatVector::GetData(shown), duck::FlatVector::GetData(below));
    }
}

TEST(ShownColumn, TextsOutliveWhatTheyCameFrom) {
    Vector shown(LogicalType::VARCHAR);
    {
        Vector below(LogicalType::VARCHAR);
        for (duck::idx_t i = 0; i < 4; ++i) below.SetValue(i, Value(kLong + std::to_string(i)));
        Vector sliced(below, rows_of({3, 0}), 2);
        ShownColumn column;
        column.pass(sliced, shown, 2);
    }
    EXPECT_EQ(values_of(shown, 2), (std::vector<std::string>{kLong + "3", kLong + "0"}));
}

TEST(ShownColumn, ASmallDictionaryBecomesOneOfWhatWasShown) {
    const auto whole = dictionary_of(
        LogicalType::VARCHAR,
        {Value(kLong), Value("hidden"), Value("b"), Value("c"), Value(LogicalType::VARCHAR)});
    ShownColumn column;
    const auto pass = [&](const std::vector<uint32_t>& rows) {
        Vector below(LogicalType::VARCHAR, nullptr);
        below.Dictionary(whole, rows_of(rows));
        auto shown = duck::make_uniq<Vector>(LogicalType::VARCHAR);
        column.pass(below, *shown, rows.size());
        return shown;
    };
    const auto first = pass({2, 0, 2, 4});
    EXPECT_EQ(values_of(*first, 4), (std::vector<std::string>{"b", kLong, "b", "NULL"}));
    EXPECT_EQ(reach_of(*first), (std::vector<std::string>{"b", kLong, "NULL"}));

    const auto again = pass({0, 0});
    EXPECT_EQ(DictionaryVector::DictionaryId(*again), DictionaryVector::DictionaryId(*first))
        << "nothing new was shown";

    const auto more = pass({3, 0});
    EXPECT_EQ(values_of(*more, 2), (std::vector<std::string>{"c", kLong}));
    EXPECT_EQ(reach_of(*more), (std::vector<std::string>{"b", kLong, "NULL", "c"}));
    EXPECT_NE(DictionaryVector::DictionaryId(*more), DictionaryVector::DictionaryId(*first));
    EXPECT_EQ(reach_of(*first).size(), 3u) << "what was handed out does not change";
}

TEST(ShownColumn, AnotherDictionaryStartsAnew) {
    ShownColumn column;
    for (const char* word : {"first", "second"}) {
        Vector below(LogicalType::VARCHAR, nullptr), shown(LogicalType::VARCHAR);
        below.Dictionary(dictionary_of(LogicalType::VARCHAR, {Value("hidden"), Value(word)}),
                         rows_of({1, 1}));
        column.pass(below, shown, 2);
        EXPECT_EQ(values_of(shown, 2), (std::vector<std::string>{word, word}));
        EXPECT_EQ(reach_of(shown), (std::vector<std::string>{word}));
    }
}

TEST(ShownColumn, ALargeDictionaryIsGathered) {
    std::vector<Value> many;
    for (int i = 0; i < 5'000; ++i) many.emplace_back(Value(kLong + std::to_string(i)));
    Vector below(LogicalType::VARCHAR, nullptr), shown(LogicalType::VARCHAR);
    below.Dictionary(dictionary_of(LogicalType::VARCHAR, many), rows_of({4'999, 7}));
    ShownColumn column;
    column.pass(below, shown, 2);
    EXPECT_EQ(shown.GetVectorType(), VectorType::FLAT_VECTOR);
    EXPECT_EQ(values_of(shown, 2), (std::vector<std::string>{kLong + "4999", kLong + "7"}));
}

TEST(ShownColumn, HiddenElementsOfListsStayBelow) {
    const auto type = LogicalType::LIST(LogicalType::INTEGER);
    Vector below(type), shown(type);
    for (int i = 0; i < 3; ++i)
        below.SetValue(
            static_cast<duck::idx_t>(i),
            Value::LIST(LogicalType::INTEGER, {Value::INTEGER(i), Value::INTEGER(10 + i)}));
    Vector sliced(below, rows_of({1}), 1);
    ShownColumn column;
    column.pass(sliced, shown, 1);
    EXPECT_EQ(values_of(shown, 1), (std::vector<std::string>{"[1, 11]"}));
    EXPECT_EQ(duck::ListVector::GetListSize(shown), 2u);

    Vector flat(type);
    column.pass(below, flat, 1);
    EXPECT_EQ(duck::ListVector::GetListSize(flat), 2u);
}

}  // namespace
}  // namespace tarn::query
