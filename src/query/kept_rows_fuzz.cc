// Any bytes as the rows of a scratch file, of columns of every kind.
#include "base/assert.h"
#include "base/fuzz.h"
#include "query/internal/kept_rows.h"

namespace {

const std::vector<tarn::query::Type>& kinds() {
    using tarn::query::Kind;
    using tarn::query::Type;
    static const std::vector<Type> types = {
        Kind::int64, Kind::float64,          Kind::text,          Kind::interval,
        Kind::uuid,  Type::list(Kind::text), Type::decimal(38, 9)};
    return types;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::query;
    Chunk rows;
    for (const auto& type : kinds()) rows.columns.emplace_back(type);
    for (auto& column : rows.columns) column.append_null();
    rows.columns[0].append_number(-5);
    rows.columns[1].append_real(0.5);
    rows.columns[2].append_text("text");
    rows.columns[3].append_interval({1, 2, 3});
    rows.columns[4].append_wide(77);
    rows.columns[5].append(Value(Values{Value("a"), Value()}));
    rows.columns[6].append_wide(-1);
    return {encode_rows(rows), encode_rows(rows, 1, 2)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::query;
    const auto rows = decode_rows(tarn::fuzz_text(data, size), kinds());
    if (!rows.ok()) return 0;
    TARN_ASSERT(decode_rows(encode_rows(*rows), kinds())->rows() == rows->rows());
    for (const auto& column : rows->columns)
        for (size_t row = 0; row < rows->rows(); ++row) {
            std::string text;
            if (!column.is_null(row) && column.type().children.empty())
                column.append_pg_text(row, text);
        }
    return 0;
}
