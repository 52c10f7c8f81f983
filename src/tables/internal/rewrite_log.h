// The rewrites of rewrites.h. Owned by the catalog's cache, which all who share a catalog share.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "tables/rewrites.h"

namespace tarn::tables {

class RewriteLog {
 public:
    void add(const std::string& uuid, Rewrite rewrite);
    std::vector<RewritePtr> of(const std::string& uuid) const;

 private:
    static constexpr size_t kTablesMax = 1000;  // then all is forgotten
    static constexpr size_t kRewritesMax = 16;  // of one table
    mutable Mutex mutex_;
    std::map<std::string, std::deque<RewritePtr>> rewrites_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::tables
