// `tarn restore` and `tarn backups`: from a destination of copies back to a data folder, and what
// there is to choose from. They need no server.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes: 0 all is well; 1 it is not; 2 wrong use; 3 the copy is whole, and files of the lake
/// were damaged when they were copied. `options` gives --json.
void add_restore_commands(CLI::App& app, ClientOptions& options, int& code);

}  // namespace tarn::app
