#include "meta/internal/reading.h"

#include <algorithm>

#include "base/lane.h"

namespace tarn::meta {

namespace {

using Files = PinnedSegments::Files;

/// A body whose segment was removed has been relocated before, so a second look finds it; more than
/// a few tries mean that the index points nowhere.
constexpr int kLookUpsMax = 8;

class LogBody final : public Body {
 public:
    LogBody(const wal::Log& log, std::shared_ptr<const wal::SegmentFile> file, wal::BodyRef body)
        : log_(log), file_(std::move(file)), body_(body) {}

    uint64_t size() const override { return body_.length; }

    Result<std::string> read(uint64_t offset, uint64_t length) const override {
        assert_may_block();
        offset = std::min<uint64_t>(offset, body_.length);
        length = std::min<uint64_t>(length, body_.length - offset);
        if (length == 0) return std::string();
        return log_.read(*file_, body_, offset, length);
    }

 private:
    const wal::Log& log_;
    const std::shared_ptr<const wal::SegmentFile> file_;
    const wal::BodyRef body_;
};

class EmptyBody final : public Body {
 public:
    uint64_t size() const override { return 0; }
    Result<std::string> read(uint64_t, uint64_t) const override { return std::string(); }
};

class IndexIterator final : public Iterator {
 public:
    IndexIterator(const ReadSources& sources, Cursor cursor, std::shared_ptr<const Files> files,
                  bool reverse)
        : sources_(sources),
          cursor_(std::move(cursor)),
          files_(std::move(files)),
          reverse_(reverse) {
        reverse_ ? cursor_.last() : cursor_.first();
    }

    bool valid() const override { return cursor_.valid(); }
    std::string_view key() const override { return cursor_.key(); }
    void next() override { reverse_ ? cursor_.previous() : cursor_.next(); }
    void seek(std::string_view key) override {
        reverse_ ? cursor_.seek_back(key) : cursor_.seek(key);
    }
    Status status() const override { return cursor_.status(); }

    Result<Record> record() const override {
        TARN_TRY(record, make_record(sources_, *files_, cursor_.value()));
        if (!record) return Error(Code::corrupted, "a record's body lies in a missing log segment");
        return std::move(*record);
    }

 private:
    const ReadSources sources_;
    Cursor cursor_;
    const std::shared_ptr<const Files> files_;
    const bool reverse_;
};

Cursor open_cursor(const ReadSources& sources, Range range,
                   std::shared_ptr<const rocksdb::Snapshot> snapshot) {
    range.from = std::max(std::move(range.from), std::string(kFirstKey));
    return {*sources.database, std::move(range.from), std::move(range.to), std::move(snapshot)};
}

class IndexSnapshot final : public Snapshot {
 public:
    IndexSnapshot(const ReadSources& sources, std::shared_ptr<const rocksdb::Snapshot> snapshot,
                  std::shared_ptr<const Files> files)
        : sources_(sources), snapshot_(std::move(snapshot)), files_(std::move(files)) {
        std::string bytes;
        const auto present = sources_.database->get(state_key(), bytes, snapshot_.get());
        if (!present.ok() || !*present) return;
        const auto state = decode_state(bytes);
        if (state.ok()) version_ = state->sequence;
    }

    Version version() const override { return version_; }

    Result<std::optional<Record>> get(std::string_view key) const override {
        assert_may_block();
        if (key < kFirstKey) return std::optional<Record>();
        std::string bytes;
        TARN_TRY(present, sources_.database->get(key, bytes, snapshot_.get()));
        if (!present) return std::optional<Record>();
        TARN_TRY(record, make_record(sources_, *files_, bytes));
        if (!record) return Error(Code::corrupted, "a record's body lies in a missing log segment");
        return record;
    }

    std::unique_ptr<Iterator> scan(Range range) const override {
        assert_may_block();
        const bool reverse = range.reverse;
        return std::make_unique<IndexIterator>(
            sources_, open_cursor(sources_, std::move(range), snapshot_), files_, reverse);
    }

 private:
    const ReadSources sources_;
    const std::shared_ptr<const rocksdb::Snapshot> snapshot_;
    const std::shared_ptr<const Files> files_;
    Version version_ = 0;
};

}  // namespace

Result<std::optional<Record>> make_record(const ReadSources& sources, const Files& files,
                                          std::string_view bytes) {
    const auto stored = decode_record(bytes);
    if (!stored) return Error(Code::corrupted, "a record of the index is damaged");
    Record record{std::string(stored->value), stored->version, nullptr};
    if (!stored->body) return std::optional(std::move(record));
    if (stored->body->length == 0) {
        record.body = std::make_shared<EmptyBody>();
        return std::optional(std::move(record));
    }
    const auto file = files.find(stored->body->segment);
    if (file == files.end()) return std::optional<Record>();
    record.body = std::make_shared<LogBody>(*sources.log, file->second, *stored->body);
    return std::optional(std::move(record));
}

Result<std::optional<Record>> get_now(const ReadSources& sources, std::string_view key) {
    assert_may_block();
    if (key < kFirstKey) return std::optional<Record>();
    std::string bytes;
    for (int i = 0; i < kLookUpsMax; ++i) {
        TARN_TRY(present, sources.database->get(key, bytes));
        if (!present) return std::optional<Record>();
        TARN_TRY(record, make_record(sources, *sources.segments->files(), bytes));
        if (record) return record;
    }
    return Error(Code::corrupted, "a record's body lies in a missing log segment");
}

std::unique_ptr<Iterator> scan_now(const ReadSources& sources, Range range) {
    assert_may_block();
    const bool reverse = range.reverse;
    std::optional<Cursor> cursor;
    auto files = sources.segments->files_with(
        [&] { cursor.emplace(open_cursor(sources, std::move(range), nullptr)); });
    return std::make_unique<IndexIterator>(sources, std::move(*cursor), std::move(files), reverse);
}

std::shared_ptr<const Snapshot> snapshot_now(const ReadSources& sources) {
    assert_may_block();
    std::shared_ptr<const rocksdb::Snapshot> snapshot;
    auto files = sources.segments->files_with([&] { snapshot = sources.database->snapshot(); });
    return std::make_shared<IndexSnapshot>(sources, std::move(snapshot), std::move(files));
}

}  // namespace tarn::meta
