// Transactions that the source sends before they are committed, kept on disk until they are: one
// file each, in the order of the log. Rolled back parts (savepoints) are left out when a
// transaction is read back. Nothing here need survive: the source sends all again.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::ingest {

/// One thread.
class TransactionSpool {
 public:
    /// The folder is made and emptied. `bytes_max` 0: as the disk has room.
    static Result<TransactionSpool> open(const std::string& folder, uint64_t bytes_max);
    TransactionSpool(TransactionSpool&&) = default;
    TransactionSpool& operator=(TransactionSpool&&) = default;
    ~TransactionSpool();

    /// A message of (sub)transaction `sub_xid` of `xid`; `ordinal` comes back with it. exhausted:
    /// more than bytes_max; io.
    Status add(uint32_t xid, uint32_t sub_xid, uint64_t ordinal, std::string_view message);
    /// Forgets a rolled back part; with sub_xid == xid all of it.
    Status abort(uint32_t xid, uint32_t sub_xid);
    /// What is left of `xid`, in order. It stays until forget(). corrupted, io, or what `each`
    /// says.
    Status replay(uint32_t xid,
                  const std::function<Status(uint64_t ordinal, std::string_view)>& each);
    void forget(uint32_t xid);
    uint64_t bytes() const { return bytes_; }
    bool holds(uint32_t xid) const { return open_.count(xid) != 0; }

 private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    struct Kept {
        std::unique_ptr<std::FILE, Closer> file;  // one at a time; null: closed, it is appended to
        uint64_t bytes = 0;
        std::set<uint32_t> aborted;
    };
    TransactionSpool(std::string folder, uint64_t bytes_max)
        : folder_(std::move(folder)), bytes_max_(bytes_max) {}
    std::string path(uint32_t xid) const;
    Result<std::FILE*> writer(uint32_t xid);
    Error trouble(const std::string& what, uint32_t xid) const;

    std::string folder_;
    uint64_t bytes_max_ = 0, bytes_ = 0;
    uint32_t writing_ = 0;
    std::map<uint32_t, Kept> open_;
};

}  // namespace tarn::ingest
