// What each route takes and answers, as short texts beside the table of routes; JSON Schema (2020-12) is made of them for the API's
// description. A test asks a running server and compares.
//   {name: string, since?: string|null, tables: [Table], values: {*: number}, cell: any}
// ? may be absent; {*: T} an object with any names; a capital begins one of the named shapes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocols/admin/internal/api.h"

namespace tarn::admin {

struct RouteShape {
    std::string_view method, pattern;
    std::string_view query;   // of the address: {limit?: integer}; empty: none
    std::string_view body;    // empty: it takes none
    std::string_view answer;  // empty: a 204 without a body; or a media type: "text/event-stream"
    int status = 200;
};

/// nullptr: nothing is written of it, which a test does not let be.
const RouteShape* shape_of(std::string_view method, std::string_view pattern);

/// invalid_argument, with the place, where the text is no shape.
Result<Json> schema_of(std::string_view shape);
/// All named shapes, by name.
Result<Json> named_schemas();

}  // namespace tarn::admin
