#include "query/internal/files.h"

#include <cstring>

#include "duckdb/common/file_opener.hpp"
#include "query/internal/export_sink.h"

namespace tarn::query {

namespace {

struct ObjectName {
    std::string bucket;
    std::string key;
};

ObjectName parse_path(const std::string& path) {
    const size_t begin = std::strlen("s3://");
    const size_t slash = path.find('/', begin);
    if (path.rfind("s3://", 0) != 0 || slash == std::string::npos || slash + 1 == path.size())
        throw duck::IOException("not the path of an object: %s", path);
    return {path.substr(begin, slash - begin), path.substr(slash + 1)};
}

class ReadHandle final : public duck::FileHandle {
 public:
    ReadHandle(duck::FileSystem& system, const std::string& name, duck::FileOpenFlags open_flags,
               std::unique_ptr<objects::ObjectReader> reader)
        : FileHandle(system, name, open_flags), reader_(std::move(reader)) {}
    void Close() override {}

    const objects::ObjectInfo& info() const { return reader_->info(); }
    void read(void* buffer, uint64_t size, uint64_t offset) const {
        constexpr uint64_t kPiece = 4u << 20;
        auto* out = static_cast<char*>(buffer);
        while (size > 0) {
            const std::string piece = value_or_throw(reader_->read(offset, std::min(size, kPiece)));
            if (piece.empty() || piece.size() > size)
                throw duck::IOException("the file ends early: %s", path);
            std::memcpy(out, piece.data(), piece.size());
            out += piece.size();
            offset += piece.size();
            size -= piece.size();
        }
    }
    uint64_t position = 0;

 private:
    std::unique_ptr<objects::ObjectReader> reader_;
};

/// A file that is written from its beginning to its end.
class SequentialHandle : public duck::FileHandle {
 public:
    using FileHandle::FileHandle;
    virtual void write(std::string_view bytes) = 0;
    uint64_t position = 0;
};

/// The object comes to be in Close(); a handle that is dropped by an error leaves nothing.
class WriteHandle final : public SequentialHandle {
 public:
    WriteHandle(duck::FileSystem& system, const std::string& name, duck::FileOpenFlags open_flags,
                std::unique_ptr<objects::Upload> upload)
        : SequentialHandle(system, name, open_flags), upload_(std::move(upload)) {}
    void Close() override {
        if (!upload_) return;
        auto done = upload_->finish();
        upload_.reset();
        value_or_throw(std::move(done));
    }
    void write(std::string_view bytes) override {
        ok_or_throw(upload_->write(bytes));
        position += bytes.size();
    }

 private:
    std::unique_ptr<objects::Upload> upload_;
};

/// What an export writes goes to who asked for it (export_sink.h).
class ExportHandle final : public SequentialHandle {
 public:
    ExportHandle(duck::FileSystem& system, const std::string& name, duck::FileOpenFlags open_flags,
                 duck::shared_ptr<ExportSink> sink)
        : SequentialHandle(system, name, open_flags), sink_(std::move(sink)) {}
    void Close() override {}
    void write(std::string_view bytes) override {
        ok_or_throw(sink_->take(bytes));
        position += bytes.size();
    }

 private:
    duck::shared_ptr<ExportSink> sink_;
};

duck::shared_ptr<ExportSink> export_sink(duck::optional_ptr<duck::FileOpener> opener) {
    const auto context = duck::FileOpener::TryGetClientContext(opener);
    auto sink = context ? context->registered_state->Get<ExportSink>(ExportSink::kKey) : nullptr;
    if (!sink) throw duck::PermissionException("no export runs here");
    return sink;
}

}  // namespace

duck::unique_ptr<duck::FileHandle> LakeFileSystem::OpenFile(
    const duck::string& path, duck::FileOpenFlags flags,
    duck::optional_ptr<duck::FileOpener> opener) {
    if (path == kExportPath && flags.OpenForWriting())
        return duck::make_uniq<ExportHandle>(*this, path, flags, export_sink(opener));
    const ObjectName name = parse_path(path);
    auto& store = services_.parts.store;
    if (flags.OpenForWriting()) {
        const auto caller = system_caller(services_.parts.clock.now());
        objects::PutOptions options;
        options.metadata.headers.content_type = "application/vnd.apache.parquet";
        options.etag_is_md5 = false;
        return duck::make_uniq<WriteHandle>(
            *this, path, flags,
            value_or_throw(store.begin_put(caller, name.bucket, name.key, options)));
    }
    auto reader = store.open(name.bucket, name.key);
    if (!reader.ok() && reader.error().code == Code::not_found && flags.ReturnNullIfNotExists())
        return nullptr;
    return duck::make_uniq<ReadHandle>(*this, path, flags, value_or_throw(std::move(reader)));
}

void LakeFileSystem::Read(duck::FileHandle& handle, void* buffer, int64_t size,
                          duck::idx_t location) {
    handle.Cast<ReadHandle>().read(buffer, static_cast<uint64_t>(size), location);
}

int64_t LakeFileSystem::Read(duck::FileHandle& handle, void* buffer, int64_t size) {
    auto& file = handle.Cast<ReadHandle>();
    const uint64_t left = file.info().size - std::min(file.info().size, file.position);
    const uint64_t now = std::min(left, static_cast<uint64_t>(size));
    file.read(buffer, now, file.position);
    file.position += now;
    return static_cast<int64_t>(now);
}

int64_t LakeFileSystem::Write(duck::FileHandle& handle, void* buffer, int64_t size) {
    handle.Cast<SequentialHandle>().write(
        {static_cast<const char*>(buffer), static_cast<size_t>(size)});
    return size;
}

int64_t LakeFileSystem::GetFileSize(duck::FileHandle& handle) {
    if (handle.GetFlags().OpenForWriting())
        return static_cast<int64_t>(handle.Cast<SequentialHandle>().position);
    return static_cast<int64_t>(handle.Cast<ReadHandle>().info().size);
}

duck::timestamp_t LakeFileSystem::GetLastModifiedTime(duck::FileHandle& handle) {
    if (handle.GetFlags().OpenForWriting()) return duck::timestamp_t(0);
    return duck::timestamp_t(handle.Cast<ReadHandle>().info().modified.micros);
}

std::string LakeFileSystem::GetVersionTag(duck::FileHandle& handle) {
    if (handle.GetFlags().OpenForWriting()) return {};
    return handle.Cast<ReadHandle>().info().version_tag();
}

bool LakeFileSystem::FileExists(const duck::string& path, duck::optional_ptr<duck::FileOpener>) {
    const ObjectName name = parse_path(path);
    return services_.parts.store.head(name.bucket, name.key).ok();
}

void LakeFileSystem::RemoveFile(const duck::string& path, duck::optional_ptr<duck::FileOpener>) {
    const ObjectName name = parse_path(path);
    ok_or_throw(services_.parts.store.remove(system_caller(services_.parts.clock.now()),
                                             name.bucket, name.key));
}

void LakeFileSystem::Seek(duck::FileHandle& handle, duck::idx_t location) {
    if (handle.GetFlags().OpenForWriting())
        throw duck::NotImplementedException("seeking in a file that is written");
    handle.Cast<ReadHandle>().position = location;
}

duck::idx_t LakeFileSystem::SeekPosition(duck::FileHandle& handle) {
    if (handle.GetFlags().OpenForWriting()) return handle.Cast<SequentialHandle>().position;
    return handle.Cast<ReadHandle>().position;
}

duck::vector<duck::OpenFileInfo> LakeFileSystem::Glob(const duck::string& path, duck::FileOpener*) {
    duck::vector<duck::OpenFileInfo> found;
    found.emplace_back(path);
    return found;
}

}  // namespace tarn::query
