// The command line of `tarn`.
#pragma once

namespace tarn::app {

/// Exit codes: 0 done; 1 failed, with the reason on standard error; 2 wrong use.
int run_command_line(int argc, char** argv);

}  // namespace tarn::app
