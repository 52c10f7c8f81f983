#include "query/internal/setting_functions.h"

#include <fmt/format.h>

#include <mutex>

#include "query/internal/services.h"

namespace tarn::query {

namespace {

struct SettingAccess : duck::ClientContextState {
    std::mutex mutex;  // several threads compute the rows of one statement
    GetSetting get;
    SetSetting set;
    static constexpr const char* kKey = "tarn_settings";
};

SettingAccess& settings_of(duck::ExpressionState& state) {
    const auto found = state.GetContext().registered_state->Get<SettingAccess>(SettingAccess::kKey);
    if (!found) throw_error({Code::unimplemented, "there are no settings outside of a session", "0A000"});
    return *found;
}

/// current_setting(name [, missing_ok])
std::optional<std::string> current_setting(SettingAccess& settings, const std::vector<duck::Value>& arguments) {
    if (arguments[0].IsNull()) return std::nullopt;
    const auto name = arguments[0].GetValue<std::string>();
    auto value = settings.get(name);
    const bool missing_ok = arguments.size() > 1 && !arguments[1].IsNull() && arguments[1].GetValue<bool>();
    if (!value && !missing_ok)
        throw_error({Code::not_found, fmt::format("unrecognized configuration parameter \"{}\"", name), "42704"});
    return value;
}

/// set_config(name, value, is_local)
std::optional<std::string> set_config(SettingAccess& settings, const std::vector<duck::Value>& arguments) {
    if (arguments[0].IsNull() || arguments[1].IsNull())
        throw_error({Code::invalid_argument, "set_config takes a name and a value", "22004"});
    const bool local = !arguments[2].IsNull() && arguments[2].GetValue<bool>();
    const auto name = arguments[0].GetValue<std::string>();
    ok_or_throw(settings.set(name, arguments[1].GetValue<std::string>(),
                             local ? SettingScope::transaction : SettingScope::session));
    return settings.get(name);
}

template <typename Compute>
duck::ScalarFunction row_by_row(const char* name, duck::vector<duck::LogicalType> arguments, Compute compute) {
    duck::ScalarFunction function(
        name, std::move(arguments), duck::LogicalType::VARCHAR,
        [compute](duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
            auto& settings = settings_of(state);
            const std::lock_guard<std::mutex> lock(settings.mutex);
            for (duck::idx_t row = 0; row < chunk.size(); ++row) {
                std::vector<duck::Value> values;
                for (auto& column : chunk.data) values.push_back(column.GetValue(row));
                const auto made = compute(settings, values);
                result.SetValue(row, made ? duck::Value(*made) : duck::Value(duck::LogicalType::VARCHAR));
            }
        });
    function.SetNullHandling(duck::FunctionNullHandling::SPECIAL_HANDLING);
    function.SetStability(duck::FunctionStability::VOLATILE);  // never while planning
    function.SetFallible();
    return function;
}

}  // namespace

void open_settings(duck::ClientContext& context, GetSetting get, SetSetting set) {
    const auto access = context.registered_state->GetOrCreate<SettingAccess>(SettingAccess::kKey);
    access->get = std::move(get);
    access->set = std::move(set);
}

void add_setting_functions(duck::ClientContext& context, duck::Catalog& system) {
    const duck::LogicalType text = duck::LogicalType::VARCHAR, yes_no = duck::LogicalType::BOOLEAN;
    duck::ScalarFunctionSet current("current_setting");
    current.AddFunction(row_by_row("current_setting", {text}, current_setting));
    current.AddFunction(row_by_row("current_setting", {text, yes_no}, current_setting));
    duck::ScalarFunctionSet config("set_config");
    config.AddFunction(row_by_row("set_config", {text, text, yes_no}, set_config));
    for (auto& set : {current, config}) {
        duck::CreateScalarFunctionInfo info(set);
        info.schema = "pg_catalog";
        info.internal = true;
        info.on_conflict = duck::OnCreateConflict::REPLACE_ON_CONFLICT;
        system.CreateFunction(context, info);
    }
}

}  // namespace tarn::query
