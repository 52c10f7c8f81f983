// One file of a drop folder into its table: original into the landing zone, rows, rejected rows and
// the record of the file in one commit. Lane: the runner's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/internal/folder_read.h"
#include "ingest/internal/folder_scan.h"
#include "ingest/internal/folder_state.h"
#include "ingest/internal/runner.h"
#include "ingest/sources.h"
#include "objects/store.h"
#include "tables/commit.h"

namespace tarn::ingest {

/// Where the originals are kept: <source>/<yyyy>/<mm>/<dd>/<first 8 of SHA-256>_<name>.
inline constexpr const char* kLandingBucket = "landing";
/// Error::reason: the file was changed while it was read; it is looked at again.
inline constexpr const char* kFileChanged = "file_changed";
inline constexpr size_t kRejectedMax = 100'000;
inline constexpr size_t kRejectedBytesMax = 64u << 20;
/// Files of sources with a key are merged as a whole, in memory.
inline constexpr size_t kKeyedBytesMax = 512u << 20;

class FileLoader {
 public:
    /// `spec.from` holds a FolderSource. All outlive the loader.
    FileLoader(const SourceSpec& spec, const SourcesParts& parts, const StopFlag& stop);

    /// What became of the file is durable when it returns. Errors: what may pass (the disk, a
    /// commit that others overtook, kFileChanged, stopped): try again.
    Result<FileRecord> load(const DropFolder& folder, const SeenFile& seen);
    /// Changes when another declaration could take files that were refused.
    const std::string& fingerprint() const { return fingerprint_; }

 private:
    struct Plan;     // of the file at hand
    struct Portion;  // what was read of it
    struct Wanted;   // columns
    struct Digests;  // of a file's bytes

    Result<FileRecord> load_open(DropFile& file, const SeenFile& seen);
    Result<Digests> digest(DropFile& file, const SeenFile& seen) const;
    Result<Plan> make_plan(DropFile& file, const std::string& name, bool look_again);
    Result<Plan> plan_with(DropFile& file, FileKind kind, const tables::TablePtr& table,
                           std::optional<FilePin> pin, bool look_again);
    Result<Wanted> wanted_columns(DropFile& file, const FileKind& kind,
                                  const tables::TablePtr& table, std::optional<FilePin>& pin,
                                  bool look_again) const;
    Result<std::unique_ptr<objects::Upload>> begin_original(FileRecord& record,
                                                            const Digests& digests);
    Status read(DropFile& file, Plan& plan, FileRecord& record, const Digests& digests,
                Portion& portion);
    Result<FileRecord> commit(Plan& plan, FileRecord record, Portion& portion);
    Result<std::vector<tables::TableChange>> changes_of(Plan& plan, Portion& portion);
    Result<FileRecord> refuse(FileRecord record, const Error& why);
    Result<FileRecord> remember(FileRecord record);
    Status ensure_landing();
    Result<tables::TablePtr> find_table() const;
    Status check_unchanged(const DropFile& file, const SeenFile& seen) const;
    void discard(const std::vector<tables::TableChange>& changes) const;
    meta::Batch records_of(const Plan& plan, const FileRecord& record) const;

    const SourceSpec& spec_;
    const FolderSource& from_;
    const SourcesParts& parts_;
    const StopFlag& stop_;
    std::string fingerprint_;
    bool landing_exists_ = false;
};

}  // namespace tarn::ingest
