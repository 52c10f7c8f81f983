// tarn: the command line. Only `serve` opens a data folder; every other command asks a running
// server.
#include "app/commands.h"

int main(int argc, char** argv) {
    return tarn::app::run_command_line(argc, argv);
}
