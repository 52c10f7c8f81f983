#include "ingest/internal/folder_read.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>

#include "ingest/internal/folder_text.h"
#include "ingest/internal/json_lines_reader.h"

namespace tarn::ingest {
namespace {

constexpr size_t kHeadBytes = 1u << 20;
// Small enough to stay in the processor's cache until it is written.
constexpr size_t kPortionRows = 4096, kPortionBytes = 4u << 20;
constexpr size_t kFileColumnsMax = 2000;
constexpr const char* kBadUtf8 = "the line is no UTF-8: say the source's encoding";

Result<std::string> read_head(DropFile& file, std::optional<Encoding> encoding, bool* whole) {
    FileText text(file, encoding);
    std::string head;
    *whole = false;
    while (head.size() < kHeadBytes) {
        TARN_TRY(piece, text.next());
        if (piece.empty()) {
            *whole = true;
            break;
        }
        head.append(piece);
    }
    return head;
}

std::string without_gz(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    return name;
}

Error not_utf8(const FileKind& kind) {
    return Error(Code::invalid_argument, kBadUtf8, kind.encoding_known ? "" : kNotUtf8);
}

/// A part of `text`, which knows whether there is anything to look for.
bool valid(const FileText& text, std::string_view part) {
    return text.all_ascii() || simdjson::validate_utf8(part.data(), part.size());
}

/// Feeds the text of a file to a reader that wants push(), finish() and next(record).
template <typename Reader, typename Item, typename Each>
Status feed(FileText& text, Reader& reader, Item& item, Each each) {
    for (bool ended = false; !ended;) {
        TARN_TRY(piece, text.next());
        ended = piece.empty();
        if (ended)
            reader.finish();
        else
            reader.push(piece);
        while (reader.next(item)) {
            TARN_TRY(more, each(item));
            if (!more) return {};
        }
    }
    return {};
}

}  // namespace

Result<FileKind> kind_of(DropFile& file, const std::string& name, const FolderSource& from,
                         const std::optional<FilePin>& pin) {
    bool whole = false;
    TARN_TRY(head, read_head(file, std::nullopt, &whole));
    FileKind kind;
    const std::string plain = without_gz(name);
    if (from.format == FolderSource::Format::json_lines)
        kind.format = FileFormat::json_lines;
    else if (from.format == FolderSource::Format::csv)
        kind.format = FileFormat::csv;
    else if (plain.ends_with(".jsonl") || plain.ends_with(".ndjson") || plain.ends_with(".json"))
        kind.format = FileFormat::json_lines;
    else if (!plain.ends_with(".csv") && !plain.ends_with(".tsv") && !plain.ends_with(".txt") &&
             head.starts_with('{'))
        kind.format = FileFormat::json_lines;
    std::optional<std::string> said = from.csv.encoding;
    if (!said && pin && pin->encoding) said = std::string(encoding_name(*pin->encoding));
    if (said) {
        TARN_TRY(encoding, parse_encoding(*said, head));
        kind.encoding = encoding;
        kind.encoding_known = true;
        return kind;
    }
    const auto guessed = guess_encoding(head, !whole);
    kind.encoding = guessed.value_or(Encoding::utf8);
    kind.encoding_known = guessed.has_value();
    return kind;
}

namespace {

/// What is tallied of each column, with the formats that the declaration gives.
struct Tallies {
    std::vector<ColumnTally> columns;
    std::optional<TimeFormat> date, timestamp;
    std::vector<uint64_t> values, dates, timestamps;

    static Result<Tallies> make(const FolderSource& from) {
        Tallies made;
        if (from.csv.date_format) {
            TARN_TRY(format, TimeFormat::compile(*from.csv.date_format));
            made.date = std::move(format);
        }
        if (from.csv.timestamp_format) {
            TARN_TRY(format, TimeFormat::compile(*from.csv.timestamp_format));
            made.timestamp = std::move(format);
        }
        return made;
    }
    void resize(size_t count) {
        columns.resize(count);
        for (auto* counts : {&values, &dates, &timestamps}) counts->resize(count);
    }
    void observe(size_t column, std::string_view text, bool string) {
        if (string)
            columns[column].observe_string(text);
        else
            columns[column].observe(text);
        if ((!date && !timestamp) || text.empty()) return;
        int64_t micros = 0;
        ++values[column];
        if (date && date->parse(trim(text), micros)) ++dates[column];
        if (timestamp && timestamp->parse(trim(text), micros)) ++timestamps[column];
    }
    bool most(uint64_t hits, size_t column) const {
        return hits > 0 && (values[column] - hits) * 1000 <= values[column];
    }
};

void finish_guess(const Tallies& tallies, const std::vector<std::string>& names,
                  const FolderSource& from, GuessedFile& out) {
    const auto guessed = decide_types(tallies.columns, from.csv.decimal);
    out.pin.decimal = guessed.decimal;
    for (size_t i = 0; i < names.size(); ++i) {
        query::Type type = guessed.columns[i].type;
        std::string format = guessed.columns[i].format;
        if (tallies.date && tallies.most(tallies.dates[i], i)) {
            type = query::Kind::date;
            format = tallies.date->text();
        } else if (tallies.timestamp && tallies.most(tallies.timestamps[i], i)) {
            type =
                tallies.timestamp->has_zone() ? query::Kind::timestamptz : query::Kind::timestamp;
            format = tallies.timestamp->text();
        } else if (!guessed.columns[i].note.empty()) {
            out.notes.push_back(
                fmt::format("column {} stays text: {}", names[i], guessed.columns[i].note));
        }
        for (const auto& given : from.columns)
            if (given.name == names[i]) {
                // A type that is given has the format of its kind.
                type = given.type;
                if (format.empty() && type.kind == query::Kind::date && tallies.date)
                    format = tallies.date->text();
                if (format.empty() && tallies.timestamp &&
                    (type.kind == query::Kind::timestamp || type.kind == query::Kind::timestamptz))
                    format = tallies.timestamp->text();
            }
        if (!format.empty()) out.pin.formats[names[i]] = format;
        out.columns.push_back({names[i], type});
    }
}

std::vector<std::string> names_of(const CsvRecord& first, const FilePin& pin,
                                  const FolderSource* from) {
    std::vector<std::string> outside;
    const size_t width = first.fields->size();
    for (size_t i = 0; i < width; ++i) {
        if (pin.layout.header)
            outside.emplace_back((*first.fields)[i].text);
        else if (i < pin.columns.size())
            outside.push_back(pin.columns[i]);
        else if (from != nullptr && width == from->columns.size())
            outside.push_back(from->columns[i].name);
        else
            outside.push_back("column" + std::to_string(i + 1));
    }
    return column_names(outside);
}

Error broken_header(const CsvRecord& record) {
    return Error(Code::invalid_argument,
                 fmt::format("line {}, where the names of the columns should be: {}", record.line,
                             record.problem));
}

bool is_sure(const Tallies& tallies, const FolderSource& from) {
    const auto guessed = decide_types(tallies.columns, from.csv.decimal);
    return std::all_of(guessed.columns.begin(), guessed.columns.end(),
                       [](const auto& column) { return column.sure; });
}

Result<GuessedFile> guess_csv(DropFile& file, const FileKind& kind, const FolderSource& from,
                              const std::optional<FilePin>& pin, Look look) {
    GuessedFile out;
    bool whole = false;
    {
        TARN_TRY(head, read_head(file, kind.encoding, &whole));
        out.pin.layout = pin ? pin->layout : guess_layout(head, whole, from.csv);
    }
    if (pin) out.pin.columns = pin->columns;
    TARN_TRY(tallies, Tallies::make(from));
    std::vector<std::string> names;
    FileText text(file, kind.encoding);
    CsvReader reader(out.pin.layout.syntax);
    CsvRecord record;
    uint64_t bytes = 0;
    const auto each = [&](const CsvRecord& one) -> Result<bool> {
        if (kind.encoding == Encoding::utf8 && !valid(text, one.text)) {
            if (!kind.encoding_known) return not_utf8(kind);
            return true;
        }
        if (names.empty()) {
            if (one.problem != nullptr && out.pin.layout.header) return broken_header(one);
            if (one.problem != nullptr) return true;
            names = names_of(one, out.pin, &from);
            tallies.resize(names.size());
            if (out.pin.layout.header) return true;
            out.pin.columns = names;
        }
        bytes += one.text.size();
        if (one.problem != nullptr || one.fields->size() != names.size())
            return bytes < kGuessBytesMax;
        for (size_t i = 0; i < names.size(); ++i) tallies.observe(i, (*one.fields)[i].text, false);
        if (look == Look::part && bytes >= kSampleBytes) {
            look = Look::whole;
            out.from_part = is_sure(tallies, from);
            if (out.from_part) return false;
        }
        return bytes < kGuessBytesMax;
    };
    TARN_CHECK_OK(feed(text, reader, record, each));
    if (names.empty())
        return Error(Code::invalid_argument, "the file holds no line that can be read");
    finish_guess(tallies, names, from, out);
    return out;
}

Result<GuessedFile> guess_json(DropFile& file, const FileKind& kind, const FolderSource& from) {
    GuessedFile out;
    TARN_TRY(tallies, Tallies::make(from));
    std::vector<std::string> names;
    std::unordered_map<std::string, size_t> positions;
    FileText text(file, kind.encoding);
    LineCutter lines;
    LineCutter::Line line;
    JsonLine parser;
    uint64_t bytes = 0;
    const auto each = [&](const LineCutter::Line& one) -> Result<bool> {
        bytes += one.text.size();
        if (one.problem != nullptr) return true;
        if (!kind.encoding_known && !valid(text, one.text)) return not_utf8(kind);
        (void)parser
            .read(one.text,
                  [&](const JsonMember& member) {
                      const auto [at, added] = positions.emplace(member.name, names.size());
                      if (added) {
                          // Two members may have one name in SQL: they share the column.
                          const std::string name = column_names({std::string(member.name)}).front();
                          at->second = static_cast<size_t>(
                              std::find(names.begin(), names.end(), name) - names.begin());
                          if (at->second == names.size()) names.push_back(name);
                          tallies.resize(names.size());
                      }
                      const size_t i = at->second;
                      if (member.kind == JsonMember::Kind::nested)
                          tallies.columns[i].observe_other();
                      else if (member.kind == JsonMember::Kind::boolean)
                          tallies.observe(i, member.truth ? "true" : "false", false);
                      else if (member.kind != JsonMember::Kind::null)
                          tallies.observe(i, member.text, member.kind == JsonMember::Kind::text);
                      return names.size() <= kFileColumnsMax;
                  })
            .ok();
        return bytes < kGuessBytesMax;
    };
    TARN_CHECK_OK(feed(text, lines, line, each));
    if (names.empty())
        return Error(Code::invalid_argument, "the file holds no line that is a JSON object");
    FolderSource points = from;
    points.csv.decimal = '.';
    finish_guess(tallies, names, points, out);
    return out;
}

}  // namespace

Result<GuessedFile> guess(DropFile& file, const FileKind& kind, const FolderSource& from,
                          const std::optional<FilePin>& pin, Look look) {
    if (from.csv.date_format || from.csv.timestamp_format)
        look = Look::whole;  // they count all that fit
    auto out = kind.format == FileFormat::csv ? guess_csv(file, kind, from, pin, look)
                                              : guess_json(file, kind, from);
    if (out.ok() && out->columns.size() > kFileColumnsMax)
        return Error(
            Code::invalid_argument,
            fmt::format("more than {} columns: is it another kind of file?", kFileColumnsMax));
    if (out.ok() && kind.encoding_known) out->pin.encoding = kind.encoding;
    return out;
}

Result<std::vector<std::string>> csv_columns(DropFile& file, const FileKind& kind,
                                             const FilePin& pin) {
    std::vector<std::string> names;
    FileText text(file, kind.encoding);
    CsvReader reader(pin.layout.syntax);
    CsvRecord record;
    const auto each = [&](const CsvRecord& one) -> Result<bool> {
        if (kind.encoding == Encoding::utf8 && !valid(text, one.text)) return not_utf8(kind);
        if (one.problem != nullptr && pin.layout.header) return broken_header(one);
        if (one.problem != nullptr) return true;
        names = names_of(one, pin, nullptr);
        return false;
    };
    TARN_CHECK_OK(feed(text, reader, record, each));
    if (names.empty())
        return Error(Code::invalid_argument, "the file holds no line that can be read");
    return names;
}

namespace {

Status read_csv(FileText& text, const FileKind& kind, const FilePin& pin, RowBuilder& rows,
                const ReadCalls& calls) {
    CsvReader reader(pin.layout.syntax);
    CsvRecord record;
    bool header = pin.layout.header;
    const bool check = kind.encoding == Encoding::utf8;
    return feed(text, reader, record, [&](const CsvRecord& one) -> Result<bool> {
        if (check && !valid(text, one.text)) {
            if (!kind.encoding_known) return not_utf8(kind);
            TARN_CHECK_OK(calls.reject(one.line, one.text, kBadUtf8));
            return true;
        }
        if (header) {
            header = false;
            return true;
        }
        if (one.problem != nullptr) {
            TARN_CHECK_OK(calls.reject(one.line, one.text, one.problem));
        } else if (!rows.add(*one.fields)) {
            if (rows.strict() && one.fields->size() == rows.columns().size())
                return Error(Code::invalid_argument,
                             fmt::format("line {}: {}", one.line, rows.reason()), kGuessAgain);
            TARN_CHECK_OK(calls.reject(one.line, one.text, rows.reason()));
        } else if (rows.rows() >= kPortionRows || rows.bytes() >= kPortionBytes) {
            TARN_CHECK_OK(calls.full(rows));
        }
        return true;
    });
}

/// Members of JSON objects into cells. Members come in the same order line after line, mostly.
class JsonRows {
 public:
    explicit JsonRows(RowBuilder& rows) : rows_(rows) {
        for (size_t i = 0; i < rows.columns().size(); ++i)
            by_column_.emplace(rows.columns()[i].name, i);
    }

    /// False: refused, see reason(). `unknown` is set when there is no column for a member.
    bool add(JsonLine& parser, std::string_view line) {
        rows_.begin_row();
        bool fits = true;
        unknown_.clear();
        const Status read = parser.read(line, [&](const JsonMember& member) {
            const auto column = find(member.name);
            if (!column) return false;
            fits = set(*column, member);
            return fits;
        });
        if (!read.ok()) reason_ = read.error().message;
        if (read.ok() && !fits) reason_ = rows_.reason();
        if (!read.ok() || !fits || !unknown_.empty()) return false;
        rows_.end_row();
        return true;
    }
    const std::string& reason() const { return reason_; }
    const std::string& unknown() const { return unknown_; }

 private:
    std::optional<size_t> find(std::string_view name) {
        const auto found = by_member_.find(std::string(name));
        if (found != by_member_.end()) return found->second;
        const auto column = by_column_.find(column_names({std::string(name)}).front());
        if (column == by_column_.end()) {
            unknown_ = name.empty() ? "\"\"" : name;
            return std::nullopt;
        }
        return by_member_.emplace(name, column->second).first->second;
    }
    bool set(size_t column, const JsonMember& member) {
        switch (member.kind) {
            case JsonMember::Kind::null:
                rows_.set_null(column);
                return true;
            case JsonMember::Kind::boolean:
                return rows_.set_boolean(column, member.truth);
            case JsonMember::Kind::number:
            case JsonMember::Kind::nested:
            case JsonMember::Kind::text:
                return rows_.set_text(column, member.text);
        }
        return true;
    }

    RowBuilder& rows_;
    std::unordered_map<std::string, size_t> by_member_, by_column_;
    std::string reason_, unknown_;
};

Status read_json(FileText& text, const FileKind& kind, RowBuilder& rows, const ReadCalls& calls) {
    LineCutter lines;
    LineCutter::Line line;
    JsonLine parser;
    JsonRows into(rows);
    return feed(text, lines, line, [&](const LineCutter::Line& one) -> Result<bool> {
        if (one.problem != nullptr) {
            TARN_CHECK_OK(calls.reject(one.number, one.text, one.problem));
        } else if (!kind.encoding_known && !valid(text, one.text)) {
            return not_utf8(kind);
        } else if (!into.add(parser, one.text)) {
            if (!into.unknown().empty())
                return Error(Code::invalid_argument,
                             fmt::format("line {}: member {} is new", one.number, into.unknown()),
                             kNewColumn);
            TARN_CHECK_OK(calls.reject(one.number, one.text, into.reason()));
        } else if (rows.rows() >= kPortionRows || rows.bytes() >= kPortionBytes) {
            TARN_CHECK_OK(calls.full(rows));
        }
        return true;
    });
}

}  // namespace

Status read_rows(DropFile& file, const FileKind& kind, const FilePin& pin, RowBuilder& rows,
                 const ReadCalls& calls) {
    FileText text(file, kind.encoding, calls.bytes);
    return kind.format == FileFormat::csv ? read_csv(text, kind, pin, rows, calls)
                                          : read_json(text, kind, rows, calls);
}

}  // namespace tarn::ingest
