// PostgreSQL's names of columns, put into a parsed statement as aliases.
#pragma once

#include "query/internal/duck.h"

namespace tarn::query {

/// Of what a client sees: the outermost SELECT's, also of CREATE TABLE AS and CREATE VIEW, and those
/// of RETURNING. As FigureColname in PostgreSQL's parse_target.c has it.
void name_columns(duck::SQLStatement& statement);

}  // namespace tarn::query
