#include "meta/verify.h"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_reader.h>

#include <map>
#include <set>

#include "base/bytes.h"
#include "meta/internal/reading.h"
#include "meta/internal/verify_parts.h"

namespace tarn::meta {
namespace {

/// A key as people can read it.
std::string printable(std::string_view key) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (const char c : key) {
        if (c >= ' ' && c <= '~') {
            out += c;
        } else {
            out += "\\x";
            out += kDigits[static_cast<unsigned char>(c) >> 4];
            out += kDigits[static_cast<unsigned char>(c) & 15];
        }
    }
    return out;
}

/// Every record of one state, and what the index counts about bodies.
class RecordCheck {
 public:
    RecordCheck(const ReadSources& sources, Findings& findings)
        : sources_(sources), findings_(findings) {
        files_ = sources.segments->files_with([&] { snapshot_ = sources.database->snapshot(); });
    }

    void run() {
        check_records();
        check_counts();
        check_owners();
    }

 private:
    void check_records() {
        Cursor cursor(*sources_.database, std::string(kFirstKey), {}, snapshot_);
        for (cursor.first(); cursor.valid() && !findings_.stopped(); cursor.next()) {
            const auto body = check_record(cursor.key(), cursor.value());
            findings_.looked_at(
                "records", cursor.key().size() + cursor.value().size() + (body ? body->length : 0));
            if (!body || body->length == 0) continue;
            live_[body->segment] += body->length;
            owners_[{body->segment, body->offset}] = std::string(cursor.key());
        }
        if (!cursor.status().ok()) findings_.damage("index", cursor.status().error().message);
    }

    std::optional<wal::BodyRef> check_record(std::string_view key, std::string_view value) {
        const auto stored = decode_record(value);
        if (!stored) {
            findings_.damage("record " + printable(key), "these bytes are no record");
            return std::nullopt;
        }
        if (!stored->body) return std::nullopt;
        const auto record = make_record(sources_, *files_, value);
        Status readable = ok_status();
        if (!record.ok())
            readable = record.error();
        else if (!*record)
            readable = Error(Code::corrupted, "its body lies in log segment " +
                                                  std::to_string(stored->body->segment) +
                                                  ", which is missing");
        else if (auto bytes = (*record)->body->read(0, (*record)->body->size()); !bytes.ok())
            readable = bytes.error();
        if (!readable.ok()) findings_.damage("record " + printable(key), readable.error().message);
        return stored->body;
    }

    void check_counts() {
        if (findings_.stopped()) return;
        std::map<wal::SegmentId, uint64_t> counted;
        Cursor cursor(*sources_.database, live_prefix(), prefix_after(live_prefix()), snapshot_);
        for (cursor.first(); cursor.valid(); cursor.next()) {
            const auto segment = decode_live_key(cursor.key());
            if (segment && cursor.value().size() == sizeof(uint64_t))
                counted[*segment] = load_le<uint64_t>(cursor.value().data());
            else
                findings_.damage("index", "a count of live bytes is damaged");
        }
        if (counted != live_)
            findings_.damage("index", "its counts of live bytes in the log are wrong");
    }

    void check_owners() {
        if (findings_.stopped()) return;
        for (const auto& [place, key] : owners_) {
            std::string owner;
            const auto there = sources_.database->get(owner_key(place.first, place.second), owner,
                                                      snapshot_.get());
            if (!there.ok() || !*there || owner != key)
                findings_.damage("record " + printable(key),
                                 "the index does not know that it owns its body");
        }
    }

    static std::string prefix_after(std::string prefix) {
        prefix.back() = static_cast<char>(prefix.back() + 1);
        return prefix;
    }

    const ReadSources& sources_;
    Findings& findings_;
    std::shared_ptr<const rocksdb::Snapshot> snapshot_;
    std::shared_ptr<const PinnedSegments::Files> files_;
    std::map<wal::SegmentId, uint64_t> live_;
    std::map<std::pair<wal::SegmentId, uint64_t>, std::string> owners_;
};

std::set<std::string> live_tables(rocksdb::DB& db) {
    std::vector<rocksdb::LiveFileMetaData> files;
    db.GetLiveFilesMetaData(&files);
    std::set<std::string> names;
    for (const auto& file : files) names.insert(file.db_path + file.name);
    return names;
}

}  // namespace

/// Each file by itself, so that all that are damaged are named. One that is gone meanwhile was
/// compacted into others.
void Database::verify(Findings& findings) const {
    for (const auto& path : live_tables(*db_)) {
        if (findings.stopped()) return;
        rocksdb::SstFileReader reader(db_->GetOptions());
        auto status = reader.Open(path);
        if (status.ok()) status = reader.VerifyChecksum();
        if (!status.ok() && live_tables(*db_).count(path) != 0)
            findings.damage(path, status.ToString());
        findings.looked_at("index files", 0);
    }
    // The list of files is read at an opening only.
    for (int attempt = 0; attempt < 3; ++attempt) {
        rocksdb::DB* db = nullptr;
        auto options = db_->GetOptions();
        options.info_log = nullptr;
        const auto opened = rocksdb::DB::OpenForReadOnly(options, db_->GetName(), &db);
        delete db;
        if (opened.ok()) break;
        if (attempt == 2) findings.damage(db_->GetName(), opened.ToString());
    }
    findings.looked_at("index files", 0);
}

void verify_parts(const ReadSources& sources, Findings& findings) {
    sources.log->verify(findings);
    if (!findings.stopped()) sources.database->verify(findings);
    if (!findings.stopped()) RecordCheck(sources, findings).run();
}

}  // namespace tarn::meta
