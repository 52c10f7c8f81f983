// The seam between tables and the bytes of their metadata: in the server the object store
// (ObjectFiles), in tests memory. A path is "s3://<bucket>/<key>".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/store.h"

namespace tarn::tables {

inline constexpr const char* kLakeBucket = "lake";

class Files {
 public:
    virtual ~Files() = default;

    /// Lane: any but a loop. A whole file of at most `bytes_max`.
    virtual Result<std::string> read(const std::string& path, uint64_t bytes_max) const = 0;
    /// A file that waits in somebody's batch. Call committed() once that batch has committed;
    /// destroying it without gives its bytes back.
    class Staged {
     public:
        virtual ~Staged() = default;
        virtual void committed() = 0;
    };
    /// The file comes to be when the batch commits, and not otherwise. Its name must be new.
    virtual Result<std::unique_ptr<Staged>> stage_put(meta::Batch& batch, const std::string& path,
                                                      std::string bytes) = 0;
    struct Listed {
        std::string path;
        int64_t bytes = 0;
        int64_t modified_micros = 0;
    };
    /// At most `count` files whose paths begin with `prefix` and come after `after`, in order.
    virtual Result<std::vector<Listed>> list(const std::string& prefix, const std::string& after,
                                             size_t count) const = 0;
    /// Removes files; those that are not there are fine.
    virtual Status remove(const std::vector<std::string>& paths) = 0;
};

}  // namespace tarn::tables
