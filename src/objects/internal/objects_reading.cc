// Opening, heading and listing.
#include <algorithm>

#include "base/mutex.h"
#include "objects/internal/conditions.h"
#include "objects/internal/keys.h"
#include "objects/internal/objects.h"

namespace tarn::objects::internal {
namespace {

/// An object whose body lies in extents.
class ExtentReader final : public ObjectReader {
 public:
    ExtentReader(const Objects& objects, ObjectInfo info, std::vector<Piece> pieces,
                 std::shared_ptr<const BytesHold> hold)
        : objects_(objects),
          info_(std::move(info)),
          pieces_(std::move(pieces)),
          hold_(std::move(hold)) {
        uint64_t end = 0;
        for (const auto& piece : pieces_) ends_.push_back(end += piece.length);
    }
    ~ExtentReader() override {
        hold_.reset();
        objects_.free_space();
    }

    const ObjectInfo& info() const override { return info_; }
    Result<std::string> read(uint64_t offset, uint64_t length) const override {
        assert_may_block();
        std::string out;
        if (offset >= info_.size) return out;
        length = std::min(length, info_.size - offset);
        auto at = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) -
                                      ends_.begin());
        for (; length > 0; ++at) {
            const auto& piece = pieces_[at];
            const uint64_t inside = offset - (ends_[at] - piece.length);
            const uint64_t taken = std::min(length, piece.length - inside);
            TARN_TRY(bytes, hold_->read(at, piece.skip + inside, taken));
            if (out.empty())
                out = std::move(bytes);
            else
                out.append(bytes);
            offset += taken;
            length -= taken;
        }
        return out;
    }

 private:
    const Objects& objects_;
    const ObjectInfo info_;
    const std::vector<Piece> pieces_;
    std::vector<uint64_t> ends_;  // of each piece, in the object
    std::shared_ptr<const BytesHold> hold_;
};

/// An object whose body lies in the log. It is small, and the log verifies whole bodies: it is read
/// once.
class InlineReader final : public ObjectReader {
 public:
    InlineReader(ObjectInfo info, std::shared_ptr<const meta::Body> body)
        : info_(std::move(info)), body_(std::move(body)) {}

    const ObjectInfo& info() const override { return info_; }
    Result<std::string> read(uint64_t offset, uint64_t length) const override {
        assert_may_block();
        if (offset >= info_.size) return std::string();
        {
            MutexLock lock(mutex_);
            if (bytes_) return bytes_->substr(offset, length);
        }
        TARN_TRY(loaded, load());
        MutexLock lock(mutex_);
        bytes_ = std::move(loaded);
        return bytes_->substr(offset, length);
    }

 private:
    Result<std::string> load() const {
        if (!body_ || body_->size() != info_.size)
            return Error(Code::corrupted, "The body of " + info_.bucket + "/" + info_.key +
                                              " does not have the length that its record names.");
        return body_->read(0, info_.size);
    }

    const ObjectInfo info_;
    const std::shared_ptr<const meta::Body> body_;
    mutable Mutex mutex_;
    mutable std::optional<std::string> bytes_ TARN_GUARDED_BY(mutex_);
};

}  // namespace

Result<ObjectInfo> Objects::head(const std::string& bucket, const std::string& key,
                                 const ReadConditions& conditions) const {
    TARN_TRY(found, load_object(bucket, key));
    TARN_CHECK_OK(check_read(conditions, found.record.etag, found.record.modified));
    return to_info(bucket, key, found.record);
}

Result<std::unique_ptr<ObjectReader>> Objects::open(const std::string& bucket,
                                                    const std::string& key,
                                                    const ReadConditions& conditions) const {
    return open_found(bucket, key, conditions, nullptr);
}

Result<std::unique_ptr<ObjectReader>> Objects::open_found(const std::string& bucket,
                                                          const std::string& key,
                                                          const ReadConditions& conditions,
                                                          meta::Version* version) const {
    while (true) {
        TARN_TRY(found, load_object(bucket, key));
        TARN_CHECK_OK(check_read(conditions, found.record.etag, found.record.modified));
        if (version != nullptr) *version = found.version;
        auto info = to_info(bucket, key, found.record);
        if (found.record.pieces.empty())
            return std::unique_ptr<ObjectReader>(
                new InlineReader(std::move(info), std::move(found.body)));

        std::vector<Extent> extents;
        for (const auto& piece : found.record.pieces) extents.push_back(piece.extent);
        auto reader =
            std::make_unique<ExtentReader>(*this, std::move(info), std::move(found.record.pieces),
                                           bytes_.hold(std::move(extents)));
        // Held before it was looked at again: what is still named now can't be freed any more.
        TARN_TRY(again, store_.get(object_key(bucket, key)));
        if (again && again->version == found.version)
            return std::unique_ptr<ObjectReader>(std::move(reader));
    }
}

Result<ListPage> Objects::list(const std::string& bucket, const ListOptions& options) const {
    assert_may_block();
    TARN_CHECK_OK(require_bucket(bucket));
    ListPage page;
    const size_t entries_max = std::min(options.entries_max, kEntriesMax);
    if (entries_max == 0) return page;
    if (options.delimiter.empty()) page.objects.reserve(entries_max);

    const std::string base = objects_of(bucket);
    const std::string first = base + options.prefix;
    auto walk = store_.scan({first, meta::prefix_end(first)});
    if (!options.after.empty()) {
        // Behind a common prefix: behind all that it stands for.
        const size_t cut =
            options.delimiter.empty() || options.after.size() <= options.prefix.size() ||
                    options.after.compare(0, options.prefix.size(), options.prefix) != 0
                ? std::string::npos
                : options.after.find(options.delimiter, options.prefix.size());
        const std::string from =
            cut == std::string::npos
                ? base + options.after + '\0'
                : meta::prefix_end(base + options.after.substr(0, cut + options.delimiter.size()));
        if (from > first) walk->seek(from);
    }
    bool last_is_prefix = false;
    while (walk->valid()) {
        if (page.objects.size() + page.common_prefixes.size() == entries_max) {
            page.truncated = true;
            break;
        }
        const std::string_view key = walk->key().substr(base.size());
        const size_t cut = options.delimiter.empty()
                               ? std::string::npos
                               : key.find(options.delimiter, options.prefix.size());
        last_is_prefix = cut != std::string::npos;
        if (last_is_prefix) {
            page.common_prefixes.emplace_back(key.substr(0, cut + options.delimiter.size()));
            walk->seek(meta::prefix_end(base + page.common_prefixes.back()));
            continue;
        }
        TARN_TRY(record, walk->record());
        auto decoded = decode_listed(record.value);
        if (!decoded.ok())
            return std::move(decoded).error().within(bucket + "/" + std::string(key));
        decoded->key = key;
        page.objects.push_back(std::move(decoded).value());
        walk->next();
    }
    TARN_CHECK_OK(walk->status());
    if (page.truncated)
        page.next = last_is_prefix ? page.common_prefixes.back() : page.objects.back().key;
    return page;
}

}  // namespace tarn::objects::internal
