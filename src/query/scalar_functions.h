// Functions of numbers that a module brings to SQL: a model's score as predict_<model>(...). Free
// functions over Session, so that the doors' seam (engine.h) stays as narrow as it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/engine.h"

namespace tarn::query {

struct NumberFunction {
    std::string name;  // lower case; must not be a function that there is anyway
    std::string database,
        table;  // who may read any of this table may call it; for others it does not exist
    std::vector<std::string> arguments;  // their names, for messages; all are double precision
    /// One vector per argument, all of one length, NaN where NULL; gives as many numbers, NaN
    /// becomes NULL. Several threads at once.
    std::function<Result<std::vector<double>>(const std::vector<std::vector<double>>& columns)>
        compute;
};

/// Makes the function known to all sessions of the session's engine, in place of one of the same
/// name. Precondition: no open transaction. Goes with DuckDB itself should that fail from inside:
/// registered() tells.
Status register_function(Session& session, NumberFunction function);
bool registered(Session& session, const std::string& name);

}  // namespace tarn::query
