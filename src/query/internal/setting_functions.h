// current_setting() and set_config(): the session's settings in expressions, as drivers and frameworks ask for them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "query/internal/duck.h"
#include "query/internal/settings.h"

namespace tarn::query {

using GetSetting = std::function<std::optional<std::string>(const std::string& name)>;
using SetSetting =
    std::function<Status(const std::string& name, const std::string& value, SettingScope scope)>;
/// What the functions ask in statements of this connection.
void open_settings(duck::ClientContext& context, GetSetting get, SetSetting set);

/// Puts the functions into the system catalog, where DuckDB's own current_setting is no more. Throws.
void add_setting_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
