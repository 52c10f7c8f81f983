#include "tables/rewrites.h"

#include "tables/catalog.h"
#include "tables/internal/catalog_cache.h"

namespace tarn::tables {

void RewriteLog::add(const std::string& uuid, Rewrite rewrite) {
    const MutexLock lock(mutex_);
    if (rewrites_.size() >= kTablesMax && !rewrites_.contains(uuid)) rewrites_.clear();
    auto& of = rewrites_[uuid];
    of.push_back(std::make_shared<const Rewrite>(std::move(rewrite)));
    if (of.size() > kRewritesMax) of.pop_front();
}

std::vector<RewritePtr> RewriteLog::of(const std::string& uuid) const {
    const MutexLock lock(mutex_);
    const auto found = rewrites_.find(uuid);
    if (found == rewrites_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

void note_rewrite(Catalog& catalog, const std::string& table_uuid, Rewrite rewrite) {
    catalog.cache().rewrites().add(table_uuid, std::move(rewrite));
}

std::vector<RewritePtr> rewrites_of(Catalog& catalog, const std::string& table_uuid) {
    return catalog.cache().rewrites().of(table_uuid);
}

}  // namespace tarn::tables
