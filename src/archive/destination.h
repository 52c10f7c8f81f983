// Where kept copies lie: named immutable bytes in a folder or under a prefix of an S3 bucket. The
// names and what is in them are docs/formats/copies.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/disk.h"

namespace tarn::archive {

struct Listed {
    std::string name;
    uint64_t bytes = 0;
    Timestamp modified;  // by the destination's clock
};

/// Names are words of [0-9A-Za-z._-] with '/' between them. Lane: any but a loop, several at once.
class Destination {
 public:
    virtual ~Destination() = default;
    /// What the user named: for messages. Holds no credentials.
    virtual const std::string& place() const = 0;
    /// Whole or not at all, and durable when it returns. Replaces.
    virtual Status put(const std::string& name, std::string_view bytes) = 0;
    /// not_found; exhausted: larger than `bytes_max`.
    virtual Result<std::string> get(const std::string& name, uint64_t bytes_max) = 0;
    /// nullopt: absent.
    virtual Result<std::optional<uint64_t>> size_of(const std::string& name) = 0;
    /// Everything below the folder `under` ("" or "a/b/"), in no order. An error of `take` ends it.
    virtual Status list(const std::string& under,
                        const std::function<Status(const Listed&)>& take) = 0;
    /// The names of the folders in the folder `under`, in no order.
    virtual Result<std::vector<std::string>> list_folders(const std::string& under) = 0;
    /// Fine when it is absent.
    virtual Status remove(const std::string& name) = 0;
};

/// What a user says of a destination.
struct Place {
    std::string to;        // an absolute folder, or s3://bucket/prefix
    std::string endpoint;  // of S3; empty: AWS in `region`
    std::string region = "us-east-1";
    std::string access_key_id;
    std::string secret;
    std::string ca_file;  // PEM; empty: the system's
};

enum class Use { read, write };

/// Opens what `place` names. To write, a folder is made, and must be empty or a destination
/// already. invalid_argument: no such form, or an http endpoint that is not loopback (the bytes
/// would travel readable); unauthenticated: S3 without a key. `disk` and `clock` outlive it;
/// `cancel` (or null) ends requests under way once it is true.
Result<std::unique_ptr<Destination>> open_destination(io::Disk& disk, const Clock& clock,
                                                      const Place& place, Use use,
                                                      const std::atomic<bool>* cancel = nullptr);

}  // namespace tarn::archive
