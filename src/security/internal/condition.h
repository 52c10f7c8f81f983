// The Condition element: operators over the keys of a request.
// Specification: IAM User Guide "Condition operators", "Multivalued context keys".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/internal/pattern.h"
#include "security/policy.h"

namespace tarn::security {

/// One operator over one key: "StringLike": {"s3:prefix": ["home/*"]}.
struct Condition {
    enum class Type {
        string,
        string_ignore_case,
        string_like,
        number,
        date,
        boolean,
        binary,
        ip,
        arn,
        null
    };
    enum class Relation { equal, less, less_equal, greater, greater_equal };
    enum class Set { none, for_all, for_any };

    Type type = Type::string;
    Relation relation = Relation::equal;
    Set set = Set::none;
    bool negated = false;
    bool if_exists = false;
    std::string key;
    std::vector<Pattern> values;  // any of them
};

/// Fills in all but key and values. invalid_argument naming an operator that does not exist.
Result<Condition> parse_operator(std::string_view name);
/// invalid_argument: a value that the operator can't read (a number, a date, an address block).
Status check_value(const Condition& condition, const Pattern& value);
/// `allow`: for a statement that allows. A negated operator whose variable has no value ("not equal
/// to nothing") then does not hold; for one that denies it does: both ways the request gets less.
bool holds(const Condition& condition, const ConditionKeys& keys, bool allow);

}  // namespace tarn::security
