#include "tables/object_files.h"

#include <algorithm>
#include <map>

#include "fmt/format.h"

namespace tarn::tables {

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr uint64_t kReadBytes = 4u << 20;
constexpr size_t kRemovedAtOnce = 1000;

class StagedObject final : public Files::Staged {
 public:
    explicit StagedObject(std::unique_ptr<objects::Staged> staged) : staged_(std::move(staged)) {}
    void committed() override { staged_->committed(); }

 private:
    std::unique_ptr<objects::Staged> staged_;
};

}  // namespace

Result<ObjectPath> parse_object_path(std::string_view path) {
    if (path.starts_with(kScheme)) {
        const std::string_view rest = path.substr(kScheme.size());
        const size_t slash = rest.find('/');
        if (slash != std::string_view::npos && slash > 0)
            return ObjectPath{std::string(rest.substr(0, slash)),
                              std::string(rest.substr(slash + 1))};
    }
    return Error(Code::invalid_argument,
                 fmt::format("\"{}\" is no path of the form s3://bucket/key", path));
}

ObjectFiles::ObjectFiles(objects::ObjectStore& objects, security::Caller system)
    : objects_(objects), system_(std::move(system)) {}

Result<std::string> ObjectFiles::read(const std::string& path, uint64_t bytes_max) const {
    TARN_TRY(place, parse_object_path(path));
    TARN_TRY(reader, objects_.open(place.bucket, place.key));
    const uint64_t size = reader->info().size;
    if (size > bytes_max)
        return Error(Code::out_of_range, fmt::format("{}: {} bytes are more than the {} allowed",
                                                     path, size, bytes_max));
    std::string bytes;
    bytes.reserve(size);
    while (bytes.size() < size) {
        TARN_TRY(piece, reader->read(bytes.size(), std::min(kReadBytes, size - bytes.size())));
        if (piece.empty()) return Error(Code::corrupted, fmt::format("{}: ends early", path));
        bytes += piece;
    }
    return bytes;
}

Result<std::unique_ptr<Files::Staged>> ObjectFiles::stage_put(meta::Batch& batch,
                                                              const std::string& path,
                                                              std::string bytes) {
    TARN_TRY(place, parse_object_path(path));
    TARN_TRY(staged, objects_.stage_put(batch, place.bucket, place.key, bytes));
    return std::unique_ptr<Files::Staged>(std::make_unique<StagedObject>(std::move(staged)));
}

Result<std::vector<Files::Listed>> ObjectFiles::list(const std::string& prefix,
                                                     const std::string& after, size_t count) const {
    TARN_TRY(place, parse_object_path(prefix));
    objects::ListOptions options;
    options.prefix = place.key;
    options.entries_max = std::min<size_t>(count, 1000);
    if (!after.empty()) {
        TARN_TRY(from, parse_object_path(after));
        options.after = from.key;
    }
    TARN_TRY(page, objects_.list(place.bucket, options));
    std::vector<Listed> files;
    for (const auto& object : page.objects)
        files.push_back({fmt::format("{}{}/{}", kScheme, place.bucket, object.key),
                         static_cast<int64_t>(object.size), object.modified.micros});
    return files;
}

Status ObjectFiles::remove(const std::vector<std::string>& paths) {
    std::map<std::string, std::vector<std::string>> by_bucket;
    for (const auto& path : paths) {
        TARN_TRY(place, parse_object_path(path));
        by_bucket[place.bucket].push_back(std::move(place.key));
    }
    for (const auto& [bucket, keys] : by_bucket) {
        for (size_t at = 0; at < keys.size(); at += kRemovedAtOnce) {
            const auto from = keys.begin() + static_cast<std::ptrdiff_t>(at);
            const auto to = keys.begin() +
                            static_cast<std::ptrdiff_t>(std::min(keys.size(), at + kRemovedAtOnce));
            TARN_TRY(outcomes, objects_.remove_many(system_, bucket, {from, to}));
            for (const auto& outcome : outcomes)
                if (outcome.error_reason)
                    return Error(Code::io, fmt::format("{}/{} was not removed: {}", bucket,
                                                       outcome.key, outcome.error_message));
        }
    }
    return {};
}

}  // namespace tarn::tables
