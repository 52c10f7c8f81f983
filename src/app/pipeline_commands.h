// `tarn runs | silence | models`: clients of the API of what runs by declaration.
#pragma once

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

/// Exit codes of what is added: 0 done; 1 failed, with the reason on standard error; 2 wrong use.
void add_pipeline_commands(CLI::App& app, ClientOptions& options, int& code);

}  // namespace tarn::app
