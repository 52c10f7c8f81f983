#include "ingest/internal/folder_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "codec/checksum.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "ingest/internal/leftovers.h"
#include "ingest/internal/target.h"
#include "ingest/internal/utf8.h"
#include "objects/acting.h"
#include "objects/store.h"
#include "query/engine.h"

namespace tarn::ingest {
namespace {

constexpr int kPlansMax =
    4;  // new members, another encoding: each asks for another look at the file
constexpr int kCommitsMax = 10;

std::string fingerprint_of(const SourceSpec& spec) {
    const auto& from = std::get<FolderSource>(spec.from);
    const auto byte = [](std::optional<char> c) {
        return c ? fmt::format("{}", int(*c)) : std::string("-");
    };
    std::string text =
        fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|", spec.database, int(from.format),
                    byte(from.csv.delimiter), byte(from.csv.quote), byte(from.csv.decimal),
                    from.csv.header ? int(*from.csv.header) : -1, from.csv.encoding.value_or("-"),
                    from.csv.date_format.value_or("-"), from.csv.timestamp_format.value_or("-"),
                    int(from.new_columns), int(from.bad_rows));
    for (const auto& column : from.columns)
        text += column.name + " " + query::sql_name(column.type) + ",";
    text += fmt::format("|{}", fmt::join(from.key, ","));
    return codec::hex_encode(codec::sha256(text)).substr(0, 16);
}

/// A key of an object is UTF-8.
std::string object_key(const std::string& source, const FileRecord& record) {
    const auto day = civil({record.at_micros});
    std::string name;
    for (std::string_view rest = record.name; !rest.empty();) {
        const size_t length = utf8_length(rest);
        if (length == 0)
            name += '_';
        else
            name += rest.substr(0, length);
        rest.remove_prefix(std::max<size_t>(length, 1));
    }
    return fmt::format("{}/{:04}/{:02}/{:02}/{}_{}", source, day.year, day.month, day.day,
                       record.sha256.substr(0, 8), name);
}

/// Trouble of the file itself: it would be the same at the next attempt.
bool is_final(const Error& error) {
    return error.code == Code::invalid_argument && error.reason != kFileChanged;
}

}  // namespace

struct FileLoader::Plan {
    FileKind kind;
    FilePin pin;
    bool pin_is_new = false;  // has to be written
    tables::TablePtr table;
    bool created = false;  // staged only: comes to be with the first rows
    std::vector<RowColumn> columns;
    bool strict = false;  // the types were guessed from a part of the file
};

struct FileLoader::Wanted {
    std::vector<ColumnSpec> columns;   // that the table lacks
    std::vector<std::string> of_file;  // names, in its order
    bool from_part = false;            // guessed so
};

struct FileLoader::Digests {
    std::string sha256;      // names the content
    uint64_t crc64nvme = 0;  // finds that it is another one when it is read again
};

struct FileLoader::Portion {
    std::unique_ptr<query::RowWriter> writer;  // without a key
    std::optional<RowBuilder> rows;
    std::optional<query::Chunk> keyed;  // with a key: all rows of the file
    std::optional<tables::TableChange> appended;
    std::optional<tables::TableChange> set_aside;
    std::vector<RejectedRow> rejected;
    size_t rejected_bytes = 0;
    uint64_t row_count = 0;
};

FileLoader::FileLoader(const SourceSpec& spec, const SourcesParts& parts, const StopFlag& stop)
    : spec_(spec),
      from_(std::get<FolderSource>(spec.from)),
      parts_(parts),
      stop_(stop),
      fingerprint_(fingerprint_of(spec)) {}

Result<FileRecord> FileLoader::load(const DropFolder& folder, const SeenFile& seen) {
    FileRecord record;
    record.name = seen.name;
    record.identity = seen.identity;
    record.at_micros = parts_.clock.now().micros;
    if (seen.problem != nullptr)
        return refuse(std::move(record), Error(Code::invalid_argument, seen.problem));
    if (seen.identity.bytes == 0)
        return refuse(std::move(record), Error(Code::invalid_argument, "the file is empty"));
    TARN_TRY(file, DropFile::open(folder.folder, seen.name));
    return load_open(*file, seen);
}

Result<FileRecord> FileLoader::load_open(DropFile& file, const SeenFile& seen) {
    FileRecord record;
    record.name = seen.name;
    record.identity = seen.identity;
    record.at_micros = parts_.clock.now().micros;
    TARN_TRY(digests, digest(file, seen));
    record.sha256 = codec::hex_encode(digests.sha256);
    TARN_TRY(table, find_table());
    if (!table) TARN_CHECK_OK(remove_leftovers(parts_, spec_.identity()));
    if (table) {
        record.table_uuid = table->info.uuid;
        TARN_TRY(same, find_content(*parts_.store.snapshot(), spec_.identity(), record.table_uuid,
                                    record.sha256));
        if (same) {
            record.status = FileRecord::Status::duplicate;
            record.reason = same->name;
            return remember(std::move(record));
        }
    }
    Portion portion;
    Plan plan;
    for (int attempt = 0;; ++attempt) {
        auto planned = make_plan(file, seen.name, attempt > 0);
        Status done = planned.ok() ? ok_status() : Status(planned.error());
        if (planned.ok()) {
            plan = std::move(planned).value();
            portion = {};
            done = read(file, plan, record, digests, portion);
        }
        if (done.ok()) break;
        TARN_CHECK_OK(check_unchanged(file, seen));
        const bool again = done.error().reason == kNewColumn || done.error().reason == kGuessAgain;
        if (again && attempt < kPlansMax) continue;
        if (is_final(done.error())) return refuse(std::move(record), done.error());
        return std::move(done).error();
    }
    TARN_CHECK_OK(check_unchanged(file, seen));
    record.rejected = portion.rejected.size();
    record.rows = portion.row_count;
    record.table_uuid = plan.table->info.uuid;
    if (plan.created && record.rows == 0)
        return refuse(
            std::move(record),
            Error(Code::invalid_argument,
                  portion.rejected.empty()
                      ? "the file holds no rows"
                      : fmt::format("no line of it can be read; line {}: {}",
                                    portion.rejected[0].line, portion.rejected[0].reason)));
    return commit(plan, std::move(record), portion);
}

Status FileLoader::check_unchanged(const DropFile& file, const SeenFile& seen) const {
    TARN_TRY(now, file.identity());
    if (now == seen.identity) return {};
    return Error(Code::conflict, fmt::format("{} changed while it was read", seen.name),
                 kFileChanged);
}

Result<FileLoader::Digests> FileLoader::digest(DropFile& file, const SeenFile& seen) const {
    codec::Hasher hasher(codec::HashKind::sha256);
    Digests digests;
    file.rewind();
    for (;;) {
        if (stop_.stopped()) return Error(Code::cancelled, "the source was stopped");
        TARN_TRY(piece, file.read());
        if (piece.empty()) break;
        hasher.update(piece);
        digests.crc64nvme = codec::crc64nvme(piece, digests.crc64nvme);
    }
    TARN_CHECK_OK(check_unchanged(file, seen));
    digests.sha256 = hasher.finish();
    return digests;
}

Result<tables::TablePtr> FileLoader::find_table() const {
    const auto state = parts_.catalog.snapshot();
    TARN_TRY(found, state.find_relation(spec_.database, spec_.name));
    if (!found) return tables::TablePtr();
    return state.load_table(*found);
}

/// The first file decides what the declaration leaves open; the others obey.
Result<FileLoader::Plan> FileLoader::make_plan(DropFile& file, const std::string& name,
                                               bool look_again) {
    TARN_TRY(table, find_table());
    std::optional<FilePin> pin;
    if (table) {
        TARN_TRY(found, load_pin(*parts_.store.snapshot(), spec_.identity(), table->info.uuid));
        pin = std::move(found);
    }
    if (pin) {
        // What is declared now counts more than what was guessed once.
        if (from_.csv.delimiter) pin->layout.syntax.delimiter = *from_.csv.delimiter;
        if (from_.csv.quote) pin->layout.syntax.quote = *from_.csv.quote;
        if (from_.csv.header) pin->layout.header = *from_.csv.header;
        if (from_.csv.decimal) pin->decimal = *from_.csv.decimal;
    }
    TARN_TRY(kind, kind_of(file, name, from_, pin));
    auto plan = plan_with(file, kind, table, pin, look_again);
    if (!plan.ok() && plan.error().reason == kNotUtf8) {
        kind.encoding = Encoding::latin1;
        kind.encoding_known = true;
        plan = plan_with(file, kind, table, pin, look_again);
    }
    return plan;
}

/// The columns that the table must have for this file, and their order in it. Guesses where it has
/// to.
Result<FileLoader::Wanted> FileLoader::wanted_columns(DropFile& file, const FileKind& kind,
                                                      const tables::TablePtr& table,
                                                      std::optional<FilePin>& pin,
                                                      bool look_again) const {
    Wanted wanted;
    auto& of_file = wanted.of_file;
    const auto known = [&](const std::string& name) {
        return table && table->schema().find(name) != nullptr;
    };
    // JSON says its columns line by line: the file is looked through first, and when a line had a
    // new member.
    if (pin && kind.format == FileFormat::json_lines && !look_again) return wanted;
    if (pin && kind.format == FileFormat::csv) {
        TARN_TRY(names, csv_columns(file, kind, *pin));
        of_file = std::move(names);
        const auto strangers =
            std::count_if(of_file.begin(), of_file.end(), [&](const auto& n) { return !known(n); });
        if (strangers == 0) return wanted;
        if (static_cast<size_t>(strangers) == of_file.size() && table)
            return Error(Code::invalid_argument,
                         "none of its columns is one of the table's: is it another kind of file?");
    }
    // What turns out not to fit must be able to go back: nothing of the table may be there yet.
    const bool may_go_back = !table && from_.key.empty();
    TARN_TRY(guessed,
             guess(file, kind, from_, pin, may_go_back && !look_again ? Look::part : Look::whole));
    wanted.from_part = guessed.from_part;
    if (pin) guessed.pin.formats.insert(pin->formats.begin(), pin->formats.end());
    if (pin) guessed.pin.decimal = pin->decimal;
    of_file.clear();
    for (const auto& column : guessed.columns) {
        of_file.push_back(column.name);
        if (known(column.name)) continue;
        if (table && from_.new_columns == FolderSource::NewColumns::refuse)
            return Error(
                Code::invalid_argument,
                fmt::format(
                    "column {} is new, and the source refuses new columns (new_columns: add)",
                    column.name));
        wanted.columns.push_back(column);
    }
    for (const auto& column : from_.columns)
        if (!known(column.name) &&
            std::find(of_file.begin(), of_file.end(), column.name) == of_file.end())
            wanted.columns.push_back(column);
    pin = std::move(guessed.pin);
    return wanted;
}

Result<FileLoader::Plan> FileLoader::plan_with(DropFile& file, FileKind kind,
                                               const tables::TablePtr& table,
                                               std::optional<FilePin> pin, bool look_again) {
    Plan plan;
    plan.kind = kind;
    const auto before = pin;
    TARN_TRY(wanted, wanted_columns(file, kind, table, pin, look_again));
    const auto& of_file = wanted.of_file;
    plan.strict = wanted.from_part;
    for (const auto& name : from_.key)
        if (kind.format == FileFormat::csv &&
            std::find(of_file.begin(), of_file.end(), name) == of_file.end())
            return Error(Code::invalid_argument,
                         fmt::format("it has no column {}, which belongs to the key", name));
    for (const auto& name : from_.key)
        if (kind.format == FileFormat::json_lines && !(table && table->schema().find(name)) &&
            std::none_of(wanted.columns.begin(), wanted.columns.end(),
                         [&](const auto& column) { return column.name == name; }))
            return Error(Code::invalid_argument,
                         fmt::format("no line of it has {}, which belongs to the key", name));
    plan.pin = std::move(*pin);
    if (kind.encoding_known && !plan.pin.encoding) plan.pin.encoding = kind.encoding;
    plan.pin_is_new = !before || !(*before == plan.pin);
    plan.table = table;
    if (!table || !wanted.columns.empty()) {
        TargetTable target;
        target.database = spec_.database;
        target.name = spec_.name;
        target.key = from_.key;
        target.source = spec_.identity();
        for (const auto& column : wanted.columns)
            target.columns.push_back({column.name, column.type, false, {}});
        // An upsert needs the table to be there; otherwise it comes to be with its first rows.
        if (!from_.key.empty()) {
            TARN_TRY(made, ensure_table(parts_, target));
            plan.table = std::move(made);
        } else {
            TARN_TRY(staged, stage_table(parts_, target));
            plan.table = std::move(staged.table);
            plan.created = staged.created;
            if (plan.created)
                TARN_CHECK_OK(
                    note_staged(parts_, spec_.identity(), {plan.table->metadata->location}));
        }
    }
    const auto add = [&](const tables::Field& field) -> Status {
        RowColumn column{field.name, type_of_iceberg(field.type), {}};
        if (const auto format = plan.pin.formats.find(field.name);
            format != plan.pin.formats.end()) {
            TARN_TRY(compiled, TimeFormat::compile(format->second));
            column.format = std::move(compiled);
        }
        plan.columns.push_back(std::move(column));
        return {};
    };
    if (kind.format == FileFormat::json_lines) {
        for (const auto& field : plan.table->schema().fields) TARN_CHECK_OK(add(field));
        return plan;
    }
    for (const auto& name : of_file) {
        const auto* field = plan.table->schema().find(name);
        if (field == nullptr)
            return Error(Code::internal, fmt::format("column {} was not made", name));
        TARN_CHECK_OK(add(*field));
    }
    return plan;
}

Status FileLoader::ensure_landing() {
    if (landing_exists_) return {};
    const auto head = parts_.objects.head_bucket(kLandingBucket);
    if (!head.ok() && head.error().code != Code::not_found) return head.error();
    if (!head.ok()) {
        const auto made = parts_.objects.create_bucket(
            objects::acting(parts_.caller(), "s3:CreateBucket", kLandingBucket), kLandingBucket);
        if (!made.ok() && made.error().code != Code::already_exists) return made.error();
    }
    landing_exists_ = true;
    return {};
}

/// The bytes that are parsed are the bytes that are kept: the store compares them with those that
/// gave the file its name.
Result<std::unique_ptr<objects::Upload>> FileLoader::begin_original(FileRecord& record,
                                                                    const Digests& digests) {
    TARN_CHECK_OK(ensure_landing());
    record.object = object_key(spec_.name, record);
    objects::PutOptions options;
    options.size = record.identity.bytes;
    options.etag_is_md5 = false;
    std::string expected;
    append_be(expected, digests.crc64nvme);
    options.expected.push_back({objects::ChecksumAlgorithm::crc64nvme,
                                objects::ChecksumType::full_object, std::move(expected)});
    const auto caller =
        objects::acting(parts_.caller(), "s3:PutObject", kLandingBucket, record.object);
    return parts_.objects.begin_put(caller, kLandingBucket, record.object, std::move(options));
}

Status FileLoader::read(DropFile& file, Plan& plan, FileRecord& record, const Digests& digests,
                        Portion& portion) {
    TARN_TRY(upload, begin_original(record, digests));
    portion.rows.emplace(plan.columns, plan.pin.decimal);
    if (plan.strict) portion.rows->be_strict();
    const bool keyed = !from_.key.empty();
    if (!keyed) {
        TARN_TRY(writer, parts_.engine.write_rows_of(plan.table, portion.rows->names()));
        portion.writer = std::move(writer);
    }
    ReadCalls calls;
    calls.bytes = [&](std::string_view raw) -> Status {
        if (stop_.stopped()) return Error(Code::cancelled, "the source was stopped");
        return upload->write(raw);
    };
    calls.full = [&](RowBuilder& rows) -> Status {
        if (keyed) {
            if (rows.bytes() <= kKeyedBytesMax) return {};
            return Error(Code::invalid_argument,
                         fmt::format("a file of a source with a key may hold {} MiB: split it",
                                     kKeyedBytesMax >> 20));
        }
        portion.row_count += rows.rows();
        return portion.writer->append(rows.take());
    };
    calls.reject = [&](uint64_t line, std::string_view text, std::string_view reason) -> Status {
        if (from_.bad_rows == FolderSource::BadRows::refuse_file)
            return Error(Code::invalid_argument, fmt::format("line {}: {}", line, reason));
        portion.rejected_bytes += text.size();
        if (portion.rejected.size() >= kRejectedMax || portion.rejected_bytes > kRejectedBytesMax)
            return Error(Code::invalid_argument,
                         fmt::format("more than {} lines do not fit: is it another kind of file? "
                                     "The first is line {}: {}",
                                     portion.rejected.size(), portion.rejected[0].line,
                                     portion.rejected[0].reason));
        portion.rejected.push_back({record.name, line, std::string(text), std::string(reason)});
        return {};
    };
    Status done = read_rows(file, plan.kind, plan.pin, *portion.rows, calls);
    if (!done.ok() && done.error().reason == kNotUtf8) {
        // Only now there was a letter: what is ASCII in latin1 too was read right, but from the
        // beginning is simpler.
        plan.kind.encoding = Encoding::latin1;
        plan.kind.encoding_known = true;
        plan.pin.encoding = Encoding::latin1;
        plan.pin_is_new = true;
        portion = {};
        upload.reset();
        return read(file, plan, record, digests, portion);
    }
    TARN_CHECK_OK(done);
    portion.row_count += portion.rows->rows();
    if (!keyed) TARN_CHECK_OK(portion.writer->append(portion.rows->take()));
    const auto kept = upload->finish();
    if (!kept.ok() &&
        (kept.error().reason == "BadDigest" || kept.error().reason == "IncompleteBody"))
        return Error(Code::conflict, fmt::format("{} changed while it was read", record.name),
                     kFileChanged);
    TARN_CHECK_OK(kept);
    return {};
}

meta::Batch FileLoader::records_of(const Plan& plan, const FileRecord& record) const {
    meta::Batch batch;
    const std::string key = content_key(spec_.identity(), record.table_uuid, record.sha256);
    batch.require_absent(
        key, Error(Code::conflict, "the file was loaded by somebody else", "file_loaded"));
    batch.put(key, encode_file_record(record));
    batch.put(name_key(spec_.identity(), record.name), encode_file_record(record));
    if (plan.created) stage_forget_staged(batch, spec_.identity());
    if (plan.pin_is_new)
        batch.put(pin_key(spec_.identity(), record.table_uuid), encode_pin(plan.pin));
    return batch;
}

/// Data files are made once; an upsert is asked for again when others changed the same rows.
Result<std::vector<tables::TableChange>> FileLoader::changes_of(Plan& plan, Portion& portion) {
    std::vector<tables::TableChange> changes;
    if (portion.row_count > 0 && portion.writer) {
        if (!portion.appended) {
            TARN_TRY(files, portion.writer->finish());
            portion.appended = tables::TableChange::append_to(plan.table, std::move(files));
            portion.appended->create = plan.created;
        }
        changes.push_back(*portion.appended);
    } else if (portion.row_count > 0) {
        if (!portion.keyed) portion.keyed = portion.rows->take();
        TARN_TRY(change, parts_.engine.upsert(spec_.database, spec_.name, from_.key, *portion.keyed,
                                              portion.rows->names()));
        changes.push_back(std::move(change));
    }
    if (!portion.rejected.empty()) {
        if (!portion.set_aside) {
            TARN_TRY(change, reject_rows(parts_, spec_.database, spec_.name, spec_.identity(),
                                         portion.rejected));
            portion.set_aside = std::move(change);
        }
        changes.push_back(*portion.set_aside);
    }
    return changes;
}

/// Files that no commit will name.
void FileLoader::discard(const std::vector<tables::TableChange>& changes) const {
    std::vector<std::string> paths;
    for (const auto& change : changes) {
        for (const auto& file : change.append) paths.push_back(file.path);
        for (const auto& file : change.position_deletes) paths.push_back(file.path);
    }
    if (paths.empty()) return;
    const Status removed = parts_.catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("ingest", "files of a commit that failed stay behind",
                    {{"why", removed.error().message}});
}

/// Rows, rejected rows and the file's records: all or nothing.
Result<FileRecord> FileLoader::commit(Plan& plan, FileRecord record, Portion& portion) {
    for (int attempt = 0;; ++attempt) {
        if (stop_.stopped()) return Error(Code::cancelled, "the source was stopped");
        TARN_TRY(changes, changes_of(plan, portion));
        auto made = changes;
        meta::Batch records = records_of(plan, record);
        Status done;
        if (changes.empty()) {
            const auto committed = parts_.store.commit(std::move(records));
            if (!committed.ok()) done = committed.error();
        } else {
            const auto committed =
                parts_.committer.commit(parts_.caller(), std::move(changes), std::move(records));
            if (!committed.ok()) done = committed.error();
        }
        if (done.ok()) return record;
        const bool again = done.error().code == Code::conflict &&
                           done.error().reason == "rows_changed" && portion.keyed;
        if (again && attempt < kCommitsMax) {
            made.resize(1);  // the upsert is made anew, the rejected rows are not
            discard(made);
            continue;
        }
        discard(made);
        return std::move(done).error();
    }
}

Result<FileRecord> FileLoader::refuse(FileRecord record, const Error& why) {
    record.status = FileRecord::Status::refused;
    record.reason = why.message;
    record.spec = fingerprint_;
    record.object.clear();
    record.rows = record.rejected = 0;
    log_warning("ingest", "a file was refused",
                {{"source", spec_.name}, {"file", record.name}, {"why", why.message}});
    return remember(std::move(record));
}

/// For files that bring no rows.
Result<FileRecord> FileLoader::remember(FileRecord record) {
    meta::Batch batch;
    batch.put(name_key(spec_.identity(), record.name), encode_file_record(record));
    TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
    return record;
}

}  // namespace tarn::ingest
