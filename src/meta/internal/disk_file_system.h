// RocksDB's files on an io::Disk. For disks that are not the operating system's: that is how the
// index takes part in tests with a disk that fails, and that loses what was not synced.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>

#include "io/disk.h"

namespace tarn::meta {

/// `disk` outlives it. One process only: locks are not looked at.
std::shared_ptr<rocksdb::FileSystem> make_disk_file_system(io::Disk& disk);

}  // namespace tarn::meta
