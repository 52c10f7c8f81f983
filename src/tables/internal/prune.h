// Whether any row of a file, or of a manifest, can satisfy a condition: a condition is first
// carried over to the partition values (inclusive projection), then held against what is known of
// the range of values.
#pragma once

#include <optional>
#include <vector>

#include "tables/metadata.h"
#include "tables/scan.h"

namespace tarn::tables {

/// What is known of a set of values. An absent bound says nothing.
struct ValueRange {
    std::optional<Literal> lower;
    std::optional<Literal> upper;
    bool may_be_null = true;
    bool may_be_nan = true;
    bool only_null = false;
};

/// False only when no value of the range can satisfy the condition. Values and bounds fit `type`.
bool may_match(Predicate::Op op, const std::vector<Literal>& values, const Type& type,
               const ValueRange& range);

/// The condition that every partition value must meet whose rows could meet `predicate`; nullopt:
/// nothing follows.
std::optional<Predicate> project(const Predicate& predicate, const Transform& transform,
                                 const Type& source);

/// A filter made ready for the files of one partition spec.
class Pruner {
 public:
    Pruner(const std::vector<Predicate>& filter, const Schema& schema, const PartitionSpec& spec,
           const std::vector<Type>& partition_types, bool with_columns);

    bool may_match(const ManifestFile& manifest) const;
    bool may_match(const DataFile& file) const;

 private:
    struct OnPartition {
        size_t index;  // in the spec
        Predicate predicate;
    };
    struct OnColumn {
        Type type;
        Predicate predicate;
    };

    std::vector<Type> types_;
    std::vector<OnPartition> on_partition_;
    std::vector<OnColumn> on_columns_;
};

}  // namespace tarn::tables
