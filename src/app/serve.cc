#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/server.h"
#include "base/log.h"
#include "io/disk.h"

namespace tarn::app {
namespace {

/// Signals are taken by sigwait in serve(); every thread inherits the mask.
sigset_t block_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit on a file's size is an error like others
    return set;
}

/// Ten thousand connections and a descriptor per log segment need more than the usual 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Memory holds keys, rows and what clients sent: no core file is written, by the kernel or by a
/// collector that it pipes to, and no other process of the same user may attach.
void forbid_core_files() {
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warning("app", "a crash may leave a core file with secrets: limits could not be set");
}

LogLevel level_of(const std::string& name) {
    if (name == "debug") return LogLevel::debug;
    if (name == "warning") return LogLevel::warning;
    if (name == "error") return LogLevel::error;
    return LogLevel::info;
}

Status write_ready_file(const Settings& settings, const Server& server) {
    nlohmann::json ready(server.doors());
    ready["pid"] = ::getpid();
    io::RealDisk disk;
    return io::replace_file(disk, settings.ready_file, ready.dump() + "\n");
}

void greet(const Server& server) {
    if (::isatty(STDOUT_FILENO) == 0) return;
    std::printf("tarn %s is ready\n", kVersion);
    for (const auto& [door, address] : server.doors())
        std::printf("  %-10s %s\n", door.c_str(), address.c_str());
    std::printf("  root key   %s\n", server.credentials_file().c_str());
    const auto aws = server.doors().find("aws");
    if (aws != server.doors().end())
        std::printf(
            "\n  export AWS_SHARED_CREDENTIALS_FILE=%s AWS_DEFAULT_REGION=us-east-1\n  aws "
            "--endpoint-url http://%s s3 ls\n\n",
            server.credentials_file().c_str(), aws->second.c_str());
    std::fflush(stdout);
}

}  // namespace

int serve(const Settings& settings) {
    configure_log(level_of(settings.log_level),
                  settings.log_format == "json" ? LogFormat::json : LogFormat::plain);
    const sigset_t signals = block_signals();
    raise_descriptor_limit();
    if (settings.core_files == "off") forbid_core_files();
    auto started = Server::start(settings);
    if (!started.ok()) {
        std::fprintf(stderr, "tarn serve: %s\n", started.error().message.c_str());
        return started.error().code == Code::invalid_argument ? 2 : 1;
    }
    Server& server = **started;
    if (!settings.ready_file.empty()) {
        const Status written = write_ready_file(settings, server);
        if (!written.ok()) {
            std::fprintf(stderr, "tarn serve: %s: %s\n", settings.ready_file.c_str(),
                         written.error().message.c_str());
            return 1;
        }
    }
    greet(server);
    for (;;) {
        int received = 0;
        sigwait(&signals, &received);
        if (received != SIGHUP) break;
        server.reload();
    }
    log_info("app", "stopping");
    server.stop();
    if (!settings.ready_file.empty()) ::unlink(settings.ready_file.c_str());
    return 0;
}

}  // namespace tarn::app
