// `tarn backup`: asks the server for a copy of the lake, and watches it being made.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes: 0 the copy is there; 1 it is not; 2 wrong use; 3 it is there, and files of the lake
/// were damaged when they were copied.
void add_backup_command(CLI::App& app, ClientOptions& options, int& code);

}  // namespace tarn::app
