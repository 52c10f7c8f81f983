// Files of a drop folder into their table, one after another: one thread per source looks every
// half second. A file is complete when its size and time have stood still for `settle`; what was
// done is known by records in meta/, so that a restart anywhere loads each file once.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "ingest/internal/folder_load.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/thread_runner.h"

namespace tarn::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFolderLook(500);

class FolderRunner final : public ThreadRunner {
 public:
    FolderRunner(const SourceSpec& spec, const SourcesParts& parts)
        : spec_(spec),
          from_(std::get<FolderSource>(spec_.from)),
          parts_(parts),
          files_(parts.metrics.counter("tarn_folder_files_total", "Files taken into tables")),
          rows_(parts.metrics.counter("tarn_folder_rows_total", "Rows of files taken into tables")),
          rejected_(
              parts.metrics.counter("tarn_folder_rejected_total", "Lines of files set aside")),
          status_(first_status(spec, "folder")),
          loader_(spec_, parts, stop_) {}
    ~FolderRunner() override { stop(); }
    SourceStatus status() const override { return status_.get(); }

 private:
    struct Watched {
        FileIdentity identity;
        steady_clock::time_point since;       // stands still
        steady_clock::time_point not_before;  // after trouble
        int failures = 0;
    };

    void run() override;
    Status prepare();
    Status look();
    bool is_done(const SeenFile& file) const;
    void take(const SeenFile& file, Watched& watched);
    void show(const std::vector<SeenFile>& files);

    const SourceSpec spec_;
    const FolderSource& from_;
    const SourcesParts& parts_;
    Counter& files_;
    Counter& rows_;
    Counter& rejected_;
    StatusBox status_;
    FileLoader loader_;
    // Of the thread:
    DropFolder folder_;
    std::string table_uuid_;
    bool prepared_ = false;
    std::map<std::string, FileRecord> records_;  // by name
    std::map<std::string, Watched> watched_;     // files in the folder that are not done
    std::string trouble_;                        // of the last file that could not be loaded
};

void FolderRunner::run() {
    BackOff patience;
    while (!stop_.stopped()) {
        Status done = prepared_ ? ok_status() : prepare();
        if (done.ok()) done = look();
        if (done.ok()) {
            patience.reset();
            stop_.wait_for(std::min(kFolderLook, std::max(from_.settle / 2, milliseconds(20))));
        } else if (!stop_.stopped()) {
            const bool ours_to_mend = done.error().code == Code::invalid_argument;
            status_.set_error(
                ours_to_mend ? SourceStatus::State::failed : SourceStatus::State::waiting,
                done.error().message);
            // A folder that is not there yet may come at any time.
            stop_.wait_for(std::min(patience.next(), milliseconds(5000)));
        }
    }
}

Status FolderRunner::prepare() {
    TARN_TRY(folder, parse_drop_path(from_.path));
    folder_ = std::move(folder);
    for (const auto& format : {from_.csv.date_format, from_.csv.timestamp_format})
        if (format) TARN_CHECK_OK(TimeFormat::compile(*format));
    const auto state = parts_.store.snapshot();
    TARN_TRY(records, load_file_records(*state, spec_.identity()));
    records_ = std::move(records);
    prepared_ = true;
    return {};
}

/// Files whose fate is known: loaded into the table there is, or refused under the declaration
/// there is.
bool FolderRunner::is_done(const SeenFile& file) const {
    const auto found = records_.find(file.name);
    if (found == records_.end() || !(found->second.identity == file.identity)) return false;
    if (found->second.status == FileRecord::Status::refused)
        return found->second.spec == loader_.fingerprint();
    return found->second.table_uuid == table_uuid_;
}

Status FolderRunner::look() {
    TARN_TRY(files, list_drop_folder(folder_));
    TARN_TRY(table, parts_.catalog.snapshot().find_relation(spec_.database, spec_.name));
    table_uuid_ = table ? table->uuid : std::string();
    const auto now = parts_.clock.steady();
    std::set<std::string> here;
    std::vector<SeenFile> ready;
    for (const auto& file : files) {
        if (is_done(file)) continue;
        here.insert(file.name);
        auto& watched = watched_[file.name];
        if (watched.since == steady_clock::time_point() || !(watched.identity == file.identity)) {
            watched = {file.identity, now, now, 0};
        }
        if (now - watched.since >= from_.settle && now >= watched.not_before) ready.push_back(file);
    }
    std::erase_if(watched_, [&](const auto& entry) { return here.count(entry.first) == 0; });
    if (watched_.empty()) trouble_.clear();
    show(files);
    for (const auto& file : ready) {
        if (stop_.stopped()) return {};
        status_.set_state(SourceStatus::State::loading);
        take(file, watched_[file.name]);
        show(files);
    }
    return {};
}

void FolderRunner::take(const SeenFile& file, Watched& watched) {
    const auto began = parts_.clock.steady();
    auto loaded = loader_.load(folder_, file);
    if (!loaded.ok()) {
        const Error& error = loaded.error();
        if (error.code == Code::not_found || error.reason == kFileChanged)
            return;  // gone or growing: looked at again
        if (stop_.stopped()) return;
        trouble_ = fmt::format("{}: {}", file.name, error.message);
        watched.not_before =
            parts_.clock.steady() + std::chrono::seconds(1 << std::min(watched.failures++, 6));
        return;
    }
    trouble_.clear();
    const auto span =
        std::chrono::duration_cast<milliseconds>(parts_.clock.steady() - began).count();
    if (loaded->status == FileRecord::Status::loaded) {
        files_.add();
        rows_.add(static_cast<double>(loaded->rows));
        rejected_.add(static_cast<double>(loaded->rejected));
        table_uuid_ = loaded->table_uuid;
        log_info("ingest", "a file was loaded",
                 {{"source", spec_.name},
                  {"file", file.name},
                  {"rows", loaded->rows},
                  {"rejected", loaded->rejected},
                  {"ms", static_cast<int64_t>(span)}});
        status_.change_table(spec_.database, spec_.name,
                             [&](TableStatus& table) { table.last_commit = parts_.clock.now(); });
    }
    records_[file.name] = std::move(*loaded);
    watched_.erase(file.name);
}

void FolderRunner::show(const std::vector<SeenFile>& files) {
    uint64_t loaded = 0, refused = 0, rows = 0, rejected = 0, bytes = 0;
    const FileRecord* last = nullptr;
    const FileRecord* last_refused = nullptr;
    std::set<std::string> here;
    for (const auto& file : files) here.insert(file.name);
    for (const auto& [name, record] : records_) {
        if (record.status == FileRecord::Status::refused) {
            if (here.count(name) == 0) continue;  // taken away: settled
            ++refused;
            if (last_refused == nullptr || record.at_micros >= last_refused->at_micros)
                last_refused = &record;
        } else if (record.status == FileRecord::Status::loaded &&
                   record.table_uuid == table_uuid_) {
            ++loaded;
            rows += record.rows;
            rejected += record.rejected;
            bytes += record.identity.bytes;
            if (last == nullptr || record.at_micros >= last->at_micros) last = &record;
        }
    }
    std::string error = trouble_;
    if (error.empty() && last_refused != nullptr)
        error = fmt::format("{} was refused: {}", last_refused->name, last_refused->reason);
    const std::string position =
        fmt::format("{} files loaded, {} waiting, {} refused{}{}", loaded, watched_.size(), refused,
                    last != nullptr ? "; last " : "", last != nullptr ? last->name : "");
    status_.change_table(spec_.database, spec_.name, [&](TableStatus& table) {
        table.rows = rows;
        table.rows_rejected = rejected;
        table.bytes = bytes;
        table.position = position;
        table.last_error = error;
    });
    if (error.empty())
        status_.clear_error();
    else
        status_.set_error(SourceStatus::State::waiting, error);
    status_.set_state(watched_.empty() ? SourceStatus::State::following
                                       : SourceStatus::State::waiting);
}

}  // namespace

std::unique_ptr<Runner> make_folder_runner(const SourceSpec& spec, const SourcesParts& parts) {
    return std::make_unique<FolderRunner>(spec, parts);
}

}  // namespace tarn::ingest
