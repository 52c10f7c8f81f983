// Values of a column that was added with a default: the database keeps one value beside the rows
// that were there and sends none of them, and a table of format 2 has no such place, so the rows
// here are written again with it. Lane: a runner's own thread.
#pragma once

#include "ingest/internal/capture_tables.h"

namespace tarn::ingest {

/// True when rows of the table lack a value of a column that came (KnownColumn::unfilled).
bool needs_fill(const CaptureTable& table);
/// Writes all rows of the table again with these values, in one commit with its record. Memory is
/// bounded by a group of rows. Precondition: no row that the log has with these columns is here.
/// Errors: invalid_argument, out_of_range (a column can't hold its value), conflict (others changed
/// the table again and again, or its record).
Status fill_columns(const CaptureLoadParts& parts, const FollowedTable& table);

}  // namespace tarn::ingest
