#include "ingest/internal/folder_state.h"

#include <nlohmann/json.hpp>

#include "meta/keys.h"

namespace tarn::ingest {
namespace {

using nlohmann::json;

constexpr const char* kContent = "ic";
constexpr const char* kName = "in";
constexpr const char* kPin = "ip";
constexpr const char* kStatus[] = {"loaded", "duplicate", "refused"};

Error damaged(const char* what) {
    return Error(Code::corrupted,
                 std::string("a record of the ingested files is damaged: ") + what);
}

}  // namespace

bool FilePin::operator==(const FilePin& other) const {
    return encode_pin(*this) == encode_pin(other);
}

std::string encode_file_record(const FileRecord& record) {
    json out{{"version", 1},
             {"name", record.name},
             {"bytes", record.identity.bytes},
             {"modified_nanos", record.identity.modified_nanos},
             {"inode", record.identity.inode},
             {"status", kStatus[static_cast<size_t>(record.status)]},
             {"sha256", record.sha256},
             {"table", record.table_uuid},
             {"rows", record.rows},
             {"rejected", record.rejected},
             {"at_micros", record.at_micros}};
    if (!record.reason.empty()) out["reason"] = record.reason;
    if (!record.object.empty()) out["object"] = record.object;
    if (!record.spec.empty()) out["spec"] = record.spec;
    // Names of files may be any bytes.
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<FileRecord> decode_file_record(std::string_view bytes) {
    try {
        const json in = json::parse(bytes);
        if (in.at("version") != 1) return damaged("it has a version that is not known");
        FileRecord record;
        record.name = in.at("name");
        record.identity = {in.at("bytes"), in.at("modified_nanos"), in.at("inode")};
        const std::string status = in.at("status");
        for (size_t i = 0; i < std::size(kStatus); ++i)
            if (status == kStatus[i]) record.status = static_cast<FileRecord::Status>(i);
        record.sha256 = in.at("sha256");
        record.table_uuid = in.at("table");
        record.rows = in.at("rows");
        record.rejected = in.at("rejected");
        record.at_micros = in.at("at_micros");
        record.reason = in.value("reason", "");
        record.object = in.value("object", "");
        record.spec = in.value("spec", "");
        return record;
    } catch (const std::exception& problem) {
        return damaged(problem.what());
    }
}

std::string encode_pin(const FilePin& pin) {
    const auto byte = [](char c) { return c == 0 ? std::string() : std::string(1, c); };
    json out{{"version", 1},
             {"delimiter", byte(pin.layout.syntax.delimiter)},
             {"quote", byte(pin.layout.syntax.quote)},
             {"header", pin.layout.header},
             {"decimal", byte(pin.decimal)},
             {"columns", pin.columns},
             {"formats", pin.formats}};
    if (pin.encoding) out["encoding"] = encoding_name(*pin.encoding);
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<FilePin> decode_pin(std::string_view bytes) {
    try {
        const json in = json::parse(bytes);
        if (in.at("version") != 1) return damaged("it has a version that is not known");
        const auto byte = [&](const char* name) {
            const std::string text = in.at(name);
            return text.empty() ? '\0' : text[0];
        };
        FilePin pin;
        pin.layout.syntax = {byte("delimiter"), byte("quote")};
        pin.layout.header = in.at("header");
        pin.decimal = byte("decimal");
        in.at("columns").get_to(pin.columns);
        in.at("formats").get_to(pin.formats);
        if (in.contains("encoding")) {
            TARN_TRY(encoding, parse_encoding(in["encoding"].get<std::string>(), {}));
            pin.encoding = encoding;
        }
        return pin;
    } catch (const std::exception& problem) {
        return damaged(problem.what());
    }
}

std::string content_key(const std::string& source, const std::string& table_uuid,
                        const std::string& sha256) {
    return meta::Key(kContent).text(source).text(table_uuid).rest(sha256);
}

std::string name_key(const std::string& source, const std::string& name) {
    return meta::Key(kName).text(source).rest(name);
}

std::string pin_key(const std::string& source, const std::string& table_uuid) {
    return meta::Key(kPin).text(source).rest(table_uuid);
}

Result<std::map<std::string, FileRecord>> load_file_records(const meta::Reader& state,
                                                            const std::string& source) {
    const std::string prefix = meta::Key(kName).text(source);
    const auto scan = state.scan({prefix, meta::prefix_end(prefix)});
    std::map<std::string, FileRecord> records;
    for (; scan->valid(); scan->next()) {
        TARN_TRY(found, scan->record());
        TARN_TRY(record, decode_file_record(found.value));
        record.name = scan->key().substr(prefix.size());  // the name's own bytes
        std::string name = record.name;
        records.emplace(std::move(name), std::move(record));
    }
    TARN_CHECK_OK(scan->status());
    return records;
}

Result<std::optional<FilePin>> load_pin(const meta::Reader& state, const std::string& source,
                                        const std::string& table_uuid) {
    TARN_TRY(found, state.get(pin_key(source, table_uuid)));
    if (!found) return std::optional<FilePin>();
    TARN_TRY(pin, decode_pin(found->value));
    return std::optional<FilePin>(std::move(pin));
}

Result<std::optional<FileRecord>> find_content(const meta::Reader& state, const std::string& source,
                                               const std::string& table_uuid,
                                               const std::string& sha256) {
    TARN_TRY(found, state.get(content_key(source, table_uuid, sha256)));
    if (!found) return std::optional<FileRecord>();
    TARN_TRY(record, decode_file_record(found->value));
    return std::optional<FileRecord>(std::move(record));
}

}  // namespace tarn::ingest
