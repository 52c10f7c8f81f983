// `tarn plan | apply | try | secrets | lakefile`: clients of the lakefile's API.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes of what is added: 0 done, or nothing to do; 1 failed, also a lakefile with problems;
/// 2 wrong use.
void add_lake_commands(CLI::App& app, ClientOptions& options, int& code);

/// A line for each source, step and alert, for `tarn status`. Says nothing where the caller may not
/// look.
void print_services(const ClientOptions& options);

}  // namespace tarn::app
