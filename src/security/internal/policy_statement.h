// A parsed statement.
#pragma once

#include <string>
#include <vector>

#include "security/internal/condition.h"
#include "security/internal/pattern.h"

namespace tarn::security {

struct PolicyStatement {
    enum class Principals { none, listed, all_but_listed };

    std::string id;  // Sid, or "#n"
    bool allow = false;
    bool not_action = false;
    std::vector<std::string> actions;  // lower case, with wildcards
    bool not_resource = false;
    std::vector<Pattern> resources;
    Principals principals = Principals::none;
    std::vector<std::string> aws_principals;  // "*", account ids, ARNs
    std::vector<Condition> conditions;        // all must hold
};

}  // namespace tarn::security
