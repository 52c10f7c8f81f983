// Any bytes, cut anywhere, give the same records; guessing and converting them never fails on our
// side.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/csv_guess.h"
#include "ingest/internal/folder_bytes.h"
#include "ingest/internal/folder_rows.h"

namespace {

using namespace tarn::ingest;

/// Records as one text: what must not depend on the cuts.
std::string records(std::string_view text, size_t step, CsvSyntax syntax) {
    CsvReader reader(syntax, 64);
    CsvRecord record;
    std::string out;
    const auto drain = [&] {
        while (reader.next(record)) {
            out += std::to_string(record.line) + (record.problem != nullptr ? record.problem : "");
            out.append(record.text).push_back('\n');
            if (record.problem == nullptr)
                for (const auto& field : *record.fields) out.append(field.text).push_back('|');
        }
    };
    for (size_t at = 0; at < text.size(); at += step) {
        reader.push(text.substr(at, step));
        drain();
    }
    reader.finish();
    drain();
    return out;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    const std::string plain =
        "id;name;price;day;at\n1;\"a "
        "\"\"b\"\"\nc\";1,50;20.11.2026;2026-11-20T17:30:00Z\n2;;-3;21.11.2026;2026-11-21 01:00\n";
    std::string wide = "\xff\xfe";
    for (const char c : plain) wide += {c, '\0'};
    return {std::string("\x01\x03") + plain, std::string("\x05\x02") + plain,
            std::string("\0\x01", 2) + "a,b\r\n1,'x'\r\n007,y\r\n", std::string("\x01\x01") + wide,
            std::string("\x03\x04") + "caf\xe9\tx\n\"open\n"};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
    const CsvSyntax syntax{",;|\t"[data[0] % 4], "\"'\0"[data[0] / 4 % 3]};
    const auto whole = records(bytes, bytes.size() + 1, syntax);
    TARN_ASSERT(records(bytes, 1, syntax) == whole);
    TARN_ASSERT(records(bytes, 1 + data[1] % 31, syntax) == whole);

    const auto encoding = guess_encoding(bytes, (data[1] & 1) != 0).value_or(Encoding::utf8);
    Transcoder transcoder(encoding);
    std::string text(transcoder.convert(bytes));
    text += transcoder.finish();
    const auto layout = guess_layout(text, true, {});
    CsvReader reader(layout.syntax);
    reader.push(text);
    reader.finish();
    CsvRecord record;
    std::vector<ColumnTally> tallies;
    while (reader.next(record)) {
        if (record.problem != nullptr) continue;
        if (tallies.empty()) tallies.resize(record.fields->size());
        for (size_t i = 0; i < tallies.size() && i < record.fields->size(); ++i)
            tallies[i].observe((*record.fields)[i].text);
    }
    const auto types = decide_types(tallies, {});
    std::vector<RowColumn> columns;
    for (const auto& column : types.columns) {
        RowColumn one{"c", column.type, {}};
        if (!column.format.empty()) one.format = TimeFormat::compile(column.format).value();
        columns.push_back(std::move(one));
    }
    RowBuilder rows(columns, types.decimal);
    CsvReader again(layout.syntax);
    again.push(text);
    again.finish();
    size_t added = 0;
    while (again.next(record))
        if (record.problem == nullptr && rows.add(*record.fields)) ++added;
    TARN_ASSERT(rows.take().rows() == added || columns.empty());
    return 0;
}
