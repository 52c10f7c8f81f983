// Plans, samples and states for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tarn::app {

/// The answer of POST /api/v1/plan. `colour`: for a terminal.
std::string print_plan(const nlohmann::json& plan, bool colour);
/// The answer of POST /api/v1/try.
std::string print_samples(const nlohmann::json& tried);
/// The answer of GET /api/v1/sources, tables or alerts, a line each.
std::string print_status(const std::string& what, const nlohmann::json& answer);

}  // namespace tarn::app
