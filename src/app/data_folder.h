// The folder that a server owns while it runs.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace tarn::app {

/// Holds DIR/lock exclusively: two servers never open one lake. Released by the kernel however the
/// process ends.
class DataFolder {
 public:
    /// Makes the folder (0700) when absent. unavailable: another process has it.
    static Result<std::unique_ptr<DataFolder>> take(const std::string& path);
    ~DataFolder();
    DataFolder(const DataFolder&) = delete;
    DataFolder& operator=(const DataFolder&) = delete;

    const std::string& path() const { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
    DataFolder(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::string path_;
    int lock_;
};

}  // namespace tarn::app
