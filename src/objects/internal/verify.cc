#include "objects/verify.h"

#include <set>

#include "codec/hash.h"
#include "codec/text.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/keys.h"
#include "objects/internal/record.h"

namespace tarn::objects {
namespace internal {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

class Check {
 public:
    Check(const meta::Store& store, BytesBackend& bytes, io::Disk& disk,
          const LocalBytesOptions& options, Findings& findings)
        : store_(store), bytes_(bytes), disk_(disk), options_(options), findings_(findings) {}

    void run() {
        state_ = store_.snapshot();
        walk("o", [&](std::string_view key, const meta::Record& record) {
            return check_object(key, record);
        });
        walk("mp", [&](std::string_view key, const meta::Record& record) {
            return check_part(key, record);
        });
        if (findings_.stopped()) return;
        check_counts();
        check_files();
    }

 private:
    template <typename Look>
    void walk(const std::string& kind, Look look) {
        const std::string prefix = kind + "/";
        auto at = state_->scan({prefix, meta::prefix_end(prefix)});
        for (; at->valid() && !findings_.stopped(); at->next()) {
            auto record = at->record();
            const Status fits = record.ok() ? look(at->key(), *record) : Status(record.error());
            if (!fits.ok()) findings_.damage(where_, fits.error().message);
        }
        if (!at->status().ok()) findings_.damage("index", at->status().error().message);
    }

    Status check_object(std::string_view key, const meta::Record& stored) {
        meta::KeyReader reader(key, "o");
        const auto bucket = reader.take_text();
        where_ = "object " + bucket.value_or("?") + "/" + std::string(reader.rest());
        TARN_TRY(record, decode_object(stored.value));
        findings_.looked_at("objects", record.size);
        const std::string md5 = record.parts.empty() ? record.etag : "";
        if (record.pieces.empty()) {
            std::string bytes;
            if (stored.body) {
                TARN_TRY(read, stored.body->read(0, stored.body->size()));
                bytes = std::move(read);
            }
            codec::Hasher hasher(codec::HashKind::md5);
            hasher.update(bytes);
            return compare(record.size, bytes.size(), md5, hasher);
        }
        return check_pieces(key, stored, record.pieces, record.size, md5);
    }

    Status check_part(std::string_view key, const meta::Record& stored) {
        meta::KeyReader reader(key, "mp");
        const auto upload = reader.take_text();
        const auto number = reader.take_number();
        where_ =
            "part " + std::to_string(number.value_or(0)) + " of upload " + upload.value_or("?");
        TARN_TRY(record, decode_part(stored.value));
        findings_.looked_at("parts of uploads", record.size);
        return check_pieces(key, stored, record.pieces, record.size, record.etag);
    }

    Status check_pieces(std::string_view key, const meta::Record& stored,
                        const std::vector<Piece>& pieces, uint64_t size, const std::string& md5) {
        std::vector<Extent> extents;
        for (const auto& piece : pieces) {
            ++counted_[{piece.extent.file, piece.extent.offset, piece.extent.length, 0}];
            extents.push_back(piece.extent);
        }
        const auto hold = bytes_.hold(std::move(extents));
        TARN_TRY(now, store_.get(key));
        if (!now || now->version != stored.version) return ok_status();  // gone on meanwhile
        codec::Hasher hasher(codec::HashKind::md5);
        uint64_t found = 0;
        for (size_t i = 0; i < pieces.size(); ++i) {
            for (uint64_t done = 0; done < pieces[i].length && !findings_.stopped();) {
                const auto length = std::min(kPieceBytes, pieces[i].length - done);
                TARN_TRY(bytes, hold->read(i, pieces[i].skip + done, length));
                hasher.update(bytes);
                done += length;
                found += length;
            }
        }
        return findings_.stopped() ? ok_status() : compare(size, found, md5, hasher);
    }

    static Status compare(uint64_t size, uint64_t found, const std::string& etag,
                          codec::Hasher& hasher) {
        if (size != found)
            return Error(Code::corrupted, "it has " + std::to_string(found) +
                                              " bytes, its record says " + std::to_string(size));
        const bool is_md5 = etag.size() == 32 && etag.find('-') == std::string::npos;
        if (is_md5 && codec::hex_encode(hasher.finish()) != etag)
            return Error(Code::corrupted, "its bytes do not match its ETag");
        return ok_status();
    }

    void check_counts() {
        std::map<Extent, int64_t> recorded;
        auto at = state_->scan({"x/", meta::prefix_end("x/")});
        for (; at->valid(); at->next()) {
            meta::KeyReader key(at->key(), "x");
            const auto file = key.take_number(), offset = key.take_number(),
                       length = key.take_number();
            const auto record = at->record();
            if (!file || !offset || !length || !record.ok()) {
                findings_.damage("index", "a count of references cannot be read");
                continue;
            }
            recorded[{*file, *offset, *length, 0}] = meta::decode_counter(record->value);
        }
        for (const auto& [extent, count] : recorded) {
            const auto found = counted_.find(extent);
            const int64_t named = found == counted_.end() ? 0 : found->second;
            if (named != count)
                findings_.damage(path(extent.file),
                                 "the extent at " + std::to_string(extent.offset) +
                                     " is named by " + std::to_string(named) +
                                     " records and counted as " + std::to_string(count));
        }
        for (const auto& [extent, count] : counted_)
            if (recorded.count(extent) == 0)
                findings_.damage(
                    path(extent.file),
                    "the extent at " + std::to_string(extent.offset) + " is named and not counted");
    }

    void check_files() {
        const auto entries = disk_.list(options_.directory);
        if (!entries.ok()) {
            findings_.damage(options_.directory, entries.error().message);
            return;
        }
        for (const auto& entry : *entries) {
            const std::string name = options_.directory + "/" + entry.name;
            const auto id = parse_extent_file_name(entry.name);
            if (!id) {
                findings_.leftover(name, "it is no extent file");
                continue;
            }
            const Status fits = check_file(name, *id);
            const auto there = disk_.exists(name);
            if (!fits.ok() && (!there.ok() || *there)) findings_.damage(name, fits.error().message);
            findings_.looked_at("extent files", 0);
        }
    }

    Status check_file(const std::string& name, uint64_t id) {
        TARN_TRY(file, disk_.open(name, io::OpenMode::read));
        TARN_TRY(header, file->read(0, kPageBytes));
        TARN_CHECK_OK(check_extent_header(header, id, options_.lake_id));
        TARN_TRY(record, store_.get(extent_file_key(id)));
        TARN_TRY(there, disk_.exists(name));
        if (!record && there) findings_.leftover(name, "no record names this file");
        return ok_status();
    }

    std::string path(uint64_t file) const {
        return options_.directory + "/" + extent_file_name(file);
    }

    const meta::Store& store_;
    BytesBackend& bytes_;
    io::Disk& disk_;
    const LocalBytesOptions& options_;
    Findings& findings_;
    std::shared_ptr<const meta::Snapshot> state_;
    std::map<Extent, int64_t> counted_;  // without `check`
    std::string where_;
};

}  // namespace
}  // namespace internal

void verify_objects(const meta::Store& store, BytesBackend& bytes, io::Disk& disk,
                    const LocalBytesOptions& options, Findings& findings) {
    internal::Check(store, bytes, disk, options, findings).run();
}

}  // namespace tarn::objects
