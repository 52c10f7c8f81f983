// Rows that are no table's as one Parquet file, handed over piece by piece: nothing of it lies on our disk.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/engine.h"

namespace tarn::query {

/// Gives the next rows to write, until it gives none (nullopt). Precondition: of the columns' types.
using NextRows = std::function<Result<std::optional<Chunk>>()>;
using TakeBytes = std::function<Status(std::string_view bytes)>;

/// `session`: of this module's Engine, without an open transaction or cursor; one thread. At most one row group is in
/// memory. An error in the middle leaves a file without its end, which no reader takes.
Status write_parquet(Session& session, const std::vector<ResultColumn>& columns, const NextRows& next,
                     const TakeBytes& take);

}  // namespace tarn::query
