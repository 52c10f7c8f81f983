// tarn: the command line. Only `serve` opens a data folder; every other command asks a running
// server.
#include "app/commands.h"

/// What jemalloc, the program's allocator, reads at its start (docs/decisions/0016); MALLOC_CONF in the environment comes after it.
/// Freed pages go back to the system a second later, also when nothing runs: a thread of the allocator sees to it.
extern "C" {
extern const char* const malloc_conf;
const char* const malloc_conf = "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

int main(int argc, char** argv) {
    return tarn::app::run_command_line(argc, argv);
}
