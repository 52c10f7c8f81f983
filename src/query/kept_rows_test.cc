#include <gtest/gtest.h>

#include "query/internal/kept_rows.h"
#include "query/test_rows.h"

namespace tarn::query {
namespace {

TEST(KeptRows, come_back_as_they_were) {
    const std::vector<Type> types = {Kind::int64, Kind::float64, Type::decimal(30, 2),
                                     Kind::text,  Kind::uuid,    Type::list(Type(Kind::int64)),
                                     Kind::boolean};
    const char* const texts[] = {"-5", "2.5", "12345678901234567890.25", "a \"b\"\n\u00fc",
                                 "00000000-0000-0000-0000-00000000002a", "{1,NULL,3}", "t"};
    Chunk rows;
    for (size_t i = 0; i < types.size(); ++i) {
        auto& column = rows.columns.emplace_back(types[i]);
        column.append_null();
        column.append(must(parse_pg_text(types[i], texts[i])));
        column.append(must(parse_pg_text(types[i], texts[i])));
    }
    // What has no text to be read from: an interval, and lists of them and of lists.
    const Value interval(Interval{1, 2, 3'000'000});
    const Type list = Type::list(Type(Kind::interval));
    for (const Type& type : {Type(Kind::interval), list, Type::list(list)}) {
        auto& column = rows.columns.emplace_back(type);
        column.append_null();
        Value value = interval;
        if (type.kind == Kind::list) value = Value(Values{value, Value()});
        if (type == Type::list(list)) value = Value(Values{value, Value(Values{})});
        column.append(value);
        column.append(std::move(value));
    }
    std::vector<Type> all;
    for (const auto& column : rows.columns) all.push_back(column.type());
    const std::string bytes = encode_rows(rows);
    EXPECT_EQ(text_of(must(decode_rows(bytes, all))), text_of(rows));
    // Nothing is read past the end, and nothing is left over.
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_rows(std::string_view(bytes).substr(0, size), all).ok());
    EXPECT_FALSE(decode_rows(bytes + "x", all).ok());
}

TEST(KeptRows, no_rows) {
    Chunk rows;
    rows.columns.emplace_back(Kind::text);
    EXPECT_EQ(must(decode_rows(encode_rows(rows), {Kind::text})).rows(), 0u);
}

}  // namespace
}  // namespace tarn::query
