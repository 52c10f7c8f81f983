// `tarn verify`: is what is stored as it was stored (lake_verify_command.h)? `tarn verify source`:
// does the lake hold what the database holds? A client of the API.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes: 0 all is equal; 1 something differs, could not be compared or failed; 2 wrong use.
void add_verify_command(CLI::App& app, ClientOptions& options, int& code);

}  // namespace tarn::app
