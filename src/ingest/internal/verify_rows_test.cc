#include "ingest/internal/verify_rows.h"

#include <gtest/gtest.h>

#include "ingest/internal/verdict_record.h"

namespace tarn::ingest {
namespace {

using query::Kind;
using query::Value;

VerifiedColumns sales() {
    return {{{"store", Kind::int64},
             {"day", Kind::date},
             {"note", Kind::text},
             {"price", query::Type::decimal(10, 2)}},
            {0, 1}};
}

query::Chunk rows_of(const std::vector<std::vector<Value>>& rows) {
    query::Chunk chunk;
    for (const auto& column : sales().columns) chunk.columns.emplace_back(column.type);
    for (const auto& row : rows)
        for (size_t i = 0; i < row.size(); ++i) chunk.columns[i].append(row[i]);
    return chunk;
}

TEST(VerifyRows, EqualExactlyWhenAllValuesAre) {
    const auto rows =
        rows_of({{Value(int64_t{2}), Value(int64_t{3}), Value("a"), Value(int64_t{150})},
                 {Value(int64_t{2}), Value(int64_t{3}), Value(""), Value(int64_t{150})},
                 {Value(int64_t{2}), Value(int64_t{3}), Value(), Value(int64_t{150})},
                 {Value(int64_t{3}), Value(int64_t{2}), Value("a"), Value(int64_t{150})},
                 {Value(int64_t{2}), Value(int64_t{3}), Value("a"), Value(int64_t{150})}});
    const auto of = sales();
    for (size_t a = 0; a < 4; ++a)
        for (size_t b = 0; b < a; ++b) EXPECT_NE(verify_digest(rows, a), verify_digest(rows, b));
    EXPECT_EQ(verify_digest(rows, 0), verify_digest(rows, 4));
    EXPECT_EQ(verify_key(of, rows, 0), verify_key(of, rows, 2));
    EXPECT_NE(verify_key(of, rows, 0), verify_key(of, rows, 3));
}

TEST(VerifyRows, KeysCanBeReadAgain) {
    const auto of = sales();
    const auto rows = rows_of({{Value(int64_t{-7}), Value(int64_t{0}), Value(), Value()}});
    const auto key = verify_key(of, rows, 0);
    EXPECT_EQ(key_texts(of, key), (std::vector<std::string>{"-7", "1970-01-01"}));
    EXPECT_EQ(shown_key(of, key), "store=-7, day=1970-01-01");
    VerifiedColumns text{{{"k", Kind::text}}, {0}};
    query::Chunk chunk;
    chunk.columns.emplace_back(query::Type(Kind::text));
    std::string umlauts;
    for (int i = 0; i < 300; ++i) umlauts += "\xc3\xa4";
    chunk.columns[0].append_text(umlauts);
    const auto shown = shown_key(text, verify_key(text, chunk, 0));
    EXPECT_LE(shown.size(), 203u);
    EXPECT_EQ(shown.substr(shown.size() - 5), "\xc3\xa4...");
}

TEST(VerdictRecord, ReadsWhatItWrote) {
    Verdict verdict;
    verdict.started = {5};
    verdict.finished = {7};
    verdict.scheduled = verdict.repair = true;
    TableVerdict table;
    table.database = "erp";
    table.name = "sales";
    table.state = TableVerdict::State::different;
    table.rows_source = 10;
    table.rows_lake = 9;
    table.differences = 2;
    table.repaired = 1;
    table.unsettled = 3;
    table.keys = {{KeyDifference::What::missing, "id=\"5\"", true},
                  {KeyDifference::What::extra, "id=\xff", false}};
    verdict.tables = {table};
    const auto read = decode_verdict(encode_verdict(verdict));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(encode_verdict(*read), encode_verdict(verdict));
    EXPECT_EQ(read->differences(), 1u);
    EXPECT_FALSE(read->equal());
    EXPECT_FALSE(read->running);
    EXPECT_EQ(read->tables[0].keys[0].key, "id=\"5\"");
    for (const char* bytes :
         {"", "[]", "7", "{\"tables\": 3}", "{\"tables\": [3]}", "{\"started\": \"x\"}"})
        EXPECT_EQ(decode_verdict(bytes).error().code, Code::corrupted) << bytes;
}

}  // namespace
}  // namespace tarn::ingest
