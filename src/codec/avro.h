// Avro's binary encoding and object container files (Apache Avro specification 1.11, "Binary
// Encoding", "Object Container Files"), as far as Iceberg's manifests need them: codecs null and
// deflate; no recursive schemas. Lane: any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::codec {

struct AvroField;

/// A parsed schema. Named types that are used again are shared.
struct AvroSchema {
    enum class Kind : uint8_t {
        null,
        boolean,
        int_,
        long_,
        float_,
        double_,
        bytes,
        string,
        record,
        enumeration,
        array,
        map,
        union_,
        fixed
    };
    Kind kind = Kind::null;
    std::string name;               // of records, enumerations, fixed
    std::string logical_type;       // "map", "decimal", ...; empty when none
    uint32_t size = 0;              // fixed: bytes
    std::vector<AvroField> fields;  // record
    std::vector<std::shared_ptr<const AvroSchema>>
        parts;  // array and map: the item; union: its branches
};
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;

struct AvroField {
    std::string name;
    int field_id = -1;  // Iceberg's "field-id"; -1 when absent
    AvroSchemaPtr schema;
};

/// invalid_argument: no Avro schema, or one that is recursive or nested deeper than 32.
Result<AvroSchemaPtr> parse_avro_schema(std::string_view json);

/// Appends encoded values to a string of the caller's.
class AvroEncoder {
 public:
    explicit AvroEncoder(std::string& out) : out_(out) {}

    AvroEncoder& integer(int64_t v);  // int, long, union branch, enumeration: zigzag
    AvroEncoder& boolean(bool v);
    AvroEncoder& real32(float v);
    AvroEncoder& real64(double v);
    AvroEncoder& bytes(std::string_view v);  // bytes, string
    AvroEncoder& fixed(std::string_view v);
    /// One block of `count` items follows; none when 0. Close with end_blocks().
    AvroEncoder& begin_block(int64_t count);
    AvroEncoder& end_blocks() { return integer(0); }

 private:
    std::string& out_;
};

/// Reads encoded values front to back. Malformed or missing bytes turn ok() false for good; every
/// later take_ gives zero.
class AvroDecoder {
 public:
    explicit AvroDecoder(std::string_view bytes)
        : rest_(bytes), work_left_(bytes.size() * 4 + 4096) {}

    int64_t take_integer();
    bool take_boolean();
    float take_real32();
    double take_real64();
    std::string_view take_bytes();
    std::string_view take_fixed(size_t size);
    /// The number of items in the next block of an array or map; 0 at its end. Never more items
    /// than bytes are left, unless `item` may take no bytes: then at most a few thousand.
    int64_t take_block_count();
    /// The branch of a union, checked against its number of branches.
    size_t take_branch(const AvroSchema& schema);
    /// Passes over one value. Bounded by the bytes there are, whatever the schema.
    void skip(const AvroSchema& schema);

    void fail() {
        ok_ = false;
        rest_ = {};
    }
    bool ok() const { return ok_; }
    bool empty() const { return rest_.empty(); }

 private:
    std::string_view rest_;
    size_t work_left_;
    bool ok_ = true;
};

using AvroMetadata = std::map<std::string, std::string>;

/// Makes one container file with one block. Bodies above a few KiB are deflated.
std::string write_avro_file(std::string_view schema_json, const AvroMetadata& metadata,
                            int64_t records, std::string_view encoded);

struct AvroReadLimits {
    size_t block_bytes_max = 256u << 20;  // inflated
    size_t header_bytes_max = 16u << 20;  // schema and metadata
};

/// Reads a container file block by block. The bytes must outlive it.
class AvroFileReader {
 public:
    /// corrupted: no Avro file. unimplemented: another codec.
    static Result<AvroFileReader> open(std::string_view bytes, AvroReadLimits limits = {});

    const AvroSchema& schema() const { return *schema_; }
    const AvroMetadata& metadata() const { return metadata_; }

    struct Block {
        int64_t records = 0;
        std::string_view bytes;  // good until the next call of next()
    };
    /// False at the end of the file. A block has at least one byte for each record.
    Result<bool> next(Block* block);

 private:
    AvroFileReader() = default;

    AvroSchemaPtr schema_;
    AvroMetadata metadata_;
    AvroReadLimits limits_;
    bool deflated_ = false;
    std::string_view sync_;
    std::string_view rest_;
    std::string inflated_;
};

}  // namespace tarn::codec
