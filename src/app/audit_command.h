// `tarn audit`: what was done, and whether the record of it is whole. A client of the API.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes: 0 done, and of `verify` that nothing is wrong; 1 something is wrong or failed; 2
/// wrong use.
void add_audit_command(CLI::App& app, ClientOptions& options, int& code);

}  // namespace tarn::app
