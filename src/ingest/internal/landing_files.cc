#include "ingest/internal/landing_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "query/parquet_export.h"

namespace tarn::ingest {

namespace {

const char* ending(PostgresSource::Landing format) {
    return format == PostgresSource::Landing::csv ? "csv" : "parquet";
}

void append_field(std::string_view text, std::string& out) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

}  // namespace

std::string LandingPosition::encode() const {
    const nlohmann::json json = {{"version", 1},
                                 {"load", load},
                                 {"lsn", lsn},
                                 {"ordinal", ordinal},
                                 {"load_files", load_files}};
    return json.dump();
}

Result<LandingPosition> LandingPosition::decode(std::string_view bytes) {
    try {
        const auto json = nlohmann::json::parse(bytes);
        return LandingPosition{json.at("load").get<std::string>(), json.at("lsn").get<int64_t>(),
                               json.at("ordinal").get<int64_t>(),
                               json.at("load_files").get<uint64_t>()};
    } catch (const nlohmann::json::exception&) {
        return Error(Code::corrupted, "how far the landing files go cannot be read");
    }
}

std::string load_file_key(const std::string& source, const std::string& table, uint64_t number,
                          PostgresSource::Landing format) {
    return fmt::format("{}/{}/LOAD{:08X}.{}", source, table, number, ending(format));
}

std::string change_file_key(const std::string& source, const std::string& table, Timestamp at,
                            int64_t lsn, int64_t ordinal, PostgresSource::Landing format) {
    const std::string time = format_iso8601(at);  // 2026-11-21T19:45:12.123456Z
    std::string digits;
    for (const char c : time)
        if (c >= '0' && c <= '9') digits += c;
    digits.resize(17, '0');
    return fmt::format("{}/{}/{}/{}/{}/{}-{}-{:016X}-{:08}.{}", source, table, digits.substr(0, 4),
                       digits.substr(4, 2), digits.substr(6, 2), digits.substr(0, 8),
                       digits.substr(8, 9), lsn, ordinal, ending(format));
}

std::string csv_file(const std::vector<query::ResultColumn>& columns, const query::Chunk& rows) {
    std::string out;
    for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) out += ',';
        append_field(columns[i].name, out);
    }
    out += '\n';
    std::string text;
    for (size_t row = 0; row < rows.rows(); ++row) {
        for (size_t i = 0; i < rows.columns.size(); ++i) {
            if (i > 0) out += ',';
            if (rows.columns[i].is_null(row)) continue;
            text.clear();
            rows.columns[i].append_pg_text(row, text);
            append_field(text, out);
        }
        out += '\n';
    }
    return out;
}

Result<std::string> parquet_file(query::Session& session,
                                 const std::vector<query::ResultColumn>& columns,
                                 const query::Chunk& rows) {
    std::string bytes;
    bool given = false;
    TARN_CHECK_OK(query::write_parquet(
        session, columns,
        [&]() -> Result<std::optional<query::Chunk>> {
            if (given) return std::optional<query::Chunk>();
            given = true;
            return std::optional<query::Chunk>(rows);
        },
        [&](std::string_view piece) {
            bytes += piece;
            return ok_status();
        }));
    return bytes;
}

}  // namespace tarn::ingest
