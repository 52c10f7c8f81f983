// `tarn try` for files: the first one as the source would take it, and its dialect as lakefile
// text.
#include <fmt/format.h>

#include "ingest/internal/folder_read.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/target.h"

namespace tarn::ingest {
namespace {

constexpr const char* kEnough = "enough";
constexpr size_t kRejectedShown = 100;

std::string dialect_text(const FileKind& kind, const FilePin& pin, const FolderSource& from) {
    const auto byte = [](char c) { return c == '\t' ? std::string("\\t") : std::string(1, c); };
    std::string out = fmt::format("csv: {{delimiter: \"{}\"", byte(pin.layout.syntax.delimiter));
    if (pin.layout.syntax.quote != '"' && pin.layout.syntax.quote != 0)
        out += fmt::format(", quote: \"{}\"", byte(pin.layout.syntax.quote));
    if (pin.decimal != '.') out += fmt::format(", decimal: \"{}\"", byte(pin.decimal));
    if (!pin.layout.header) out += ", header: false";
    if (kind.encoding_known && kind.encoding != Encoding::utf8)
        out += fmt::format(", encoding: {}", encoding_name(kind.encoding));
    std::optional<std::string> date = from.csv.date_format, timestamp = from.csv.timestamp_format;
    for (const auto& [column, format] : pin.formats) {
        const auto compiled = TimeFormat::compile(format);
        auto& which = compiled.ok() && compiled->has_time() ? timestamp : date;
        if (!which) which = format;
    }
    if (date) out += fmt::format(", date_format: \"{}\"", *date);
    if (timestamp) out += fmt::format(", timestamp_format: \"{}\"", *timestamp);
    return out + "}";
}

Result<Preview> preview_file(DropFile& file, const std::string& name, const SourceSpec& spec,
                             size_t rows_max) {
    const auto& from = std::get<FolderSource>(spec.from);
    TARN_TRY(kind, kind_of(file, name, from, std::nullopt));
    auto guessed = guess(file, kind, from, std::nullopt, Look::whole);
    if (!guessed.ok() && guessed.error().reason == kNotUtf8) {
        kind.encoding = Encoding::latin1;
        kind.encoding_known = true;
        guessed = guess(file, kind, from, std::nullopt, Look::whole);
    }
    TARN_CHECK_OK(guessed);
    Preview out;
    PreviewTable table;
    table.database = spec.database;
    table.name = spec.name;
    table.columns = guessed->columns;
    table.key = from.key;
    std::vector<RowColumn> columns;
    for (const auto& column : guessed->columns) {
        RowColumn one{column.name, stored_type(column.type), {}};
        if (const auto format = guessed->pin.formats.find(column.name);
            format != guessed->pin.formats.end()) {
            TARN_TRY(compiled, TimeFormat::compile(format->second));
            one.format = std::move(compiled);
        }
        columns.push_back(std::move(one));
    }
    RowBuilder rows(columns, guessed->pin.decimal);
    const Error enough(Code::cancelled, kEnough, kEnough);
    ReadCalls calls;
    calls.full = [&](RowBuilder& builder) -> Status {
        return builder.rows() >= rows_max ? Status(enough) : ok_status();
    };
    calls.reject = [&](uint64_t line, std::string_view text, std::string_view reason) -> Status {
        if (table.rejected.size() < kRejectedShown)
            table.rejected.push_back(
                {name, line, std::string(text.substr(0, 1000)), std::string(reason)});
        return {};
    };
    const Status read = read_rows(file, kind, guessed->pin, rows, calls);
    if (!read.ok() && read.error().reason != kEnough) return read.error();
    const query::Chunk all = rows.take();
    for (const auto& column : columns) table.rows.columns.emplace_back(column.type);
    for (size_t i = 0; i < columns.size(); ++i)
        for (size_t row = 0; row < std::min(rows_max, all.rows()); ++row)
            table.rows.columns[i].append(all.columns[i].value(row));
    out.notes.push_back(fmt::format("file {}", name));
    if (kind.format == FileFormat::csv)
        out.notes.push_back(dialect_text(kind, guessed->pin, from));
    else
        out.notes.push_back("JSON lines");
    for (auto& note : guessed->notes) out.notes.push_back(std::move(note));
    out.tables.push_back(std::move(table));
    return out;
}

}  // namespace

Result<Preview> preview_folder(const SourceSpec& spec, const SourcesParts&, size_t rows_max) {
    const auto& from = std::get<FolderSource>(spec.from);
    TARN_TRY(folder, parse_drop_path(from.path));
    TARN_TRY(files, list_drop_folder(folder));
    for (const auto& seen : files) {
        if (seen.problem != nullptr || seen.identity.bytes == 0) continue;
        TARN_TRY(file, DropFile::open(folder.folder, seen.name));
        auto preview = preview_file(*file, seen.name, spec, rows_max);
        if (!preview.ok()) return std::move(preview).error().within(seen.name);
        if (files.size() > 1)
            preview->notes.push_back(
                fmt::format("{} files are there, this is the oldest", files.size()));
        return preview;
    }
    return Error(Code::not_found,
                 fmt::format("no file in {} has a name like {}: drop one there, and try again",
                             folder.folder, folder.pattern));
}

}  // namespace tarn::ingest
