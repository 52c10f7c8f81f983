// The tables' files as objects of the lake bucket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "objects/store.h"
#include "security/caller.h"
#include "tables/files.h"

namespace tarn::tables {

/// Owned by wiring. `objects` outlives it; `system` is whom changes outside of batches are recorded
/// for.
class ObjectFiles final : public Files {
 public:
    ObjectFiles(objects::ObjectStore& objects, security::Caller system);

    Result<std::string> read(const std::string& path, uint64_t bytes_max) const override;
    Result<std::unique_ptr<Staged>> stage_put(meta::Batch& batch, const std::string& path,
                                              std::string bytes) override;
    Result<std::vector<Listed>> list(const std::string& prefix, const std::string& after,
                                     size_t count) const override;
    Status remove(const std::vector<std::string>& paths) override;

 private:
    objects::ObjectStore& objects_;
    const security::Caller system_;
};

struct ObjectPath {
    std::string bucket;
    std::string key;
};
/// invalid_argument: not "s3://<bucket>/<key>".
Result<ObjectPath> parse_object_path(std::string_view path);

}  // namespace tarn::tables
