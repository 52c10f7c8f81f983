// The lake's objects as DuckDB's file system: reads and writes of s3://<bucket>/<key>.
#pragma once

#include "query/internal/services.h"

namespace tarn::query {

/// Only names that our own scans and writers make come here: the functions that take a path from
/// SQL are gone.
class LakeFileSystem final : public duck::FileSystem {
 public:
    explicit LakeFileSystem(Services& services) : services_(services) {}

    duck::unique_ptr<duck::FileHandle> OpenFile(
        const duck::string& path, duck::FileOpenFlags flags,
        duck::optional_ptr<duck::FileOpener> opener) override;
    void Read(duck::FileHandle& handle, void* buffer, int64_t size, duck::idx_t location) override;
    int64_t Read(duck::FileHandle& handle, void* buffer, int64_t size) override;
    int64_t Write(duck::FileHandle& handle, void* buffer, int64_t size) override;
    int64_t GetFileSize(duck::FileHandle& handle) override;
    duck::timestamp_t GetLastModifiedTime(duck::FileHandle& handle) override;
    std::string GetVersionTag(duck::FileHandle& handle) override;
    duck::FileType GetFileType(duck::FileHandle&) override {
        return duck::FileType::FILE_TYPE_REGULAR;
    }
    bool FileExists(const duck::string& path, duck::optional_ptr<duck::FileOpener> opener) override;
    void RemoveFile(const duck::string& path, duck::optional_ptr<duck::FileOpener> opener) override;
    void FileSync(duck::FileHandle&) override {}
    void Seek(duck::FileHandle& handle, duck::idx_t location) override;
    duck::idx_t SeekPosition(duck::FileHandle& handle) override;
    bool CanSeek() override { return true; }
    bool OnDiskFile(duck::FileHandle&) override { return false; }
    bool DirectoryExists(const duck::string&, duck::optional_ptr<duck::FileOpener>) override {
        return true;
    }
    void CreateDirectory(const duck::string&, duck::optional_ptr<duck::FileOpener>) override {}
    duck::vector<duck::OpenFileInfo> Glob(const duck::string& path,
                                          duck::FileOpener* opener) override;
    bool CanHandleFile(const duck::string& path) override { return path.rfind("s3://", 0) == 0; }
    std::string GetName() const override { return "TarnLake"; }

 private:
    Services& services_;
};

}  // namespace tarn::query
