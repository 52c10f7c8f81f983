// What every runner of one thread does the same way: start it, tell it to end, wait for it.
#pragma once

#include <thread>

#include "ingest/internal/runner.h"

namespace tarn::ingest {

/// The heir's destructor calls stop(): the thread works with the heir's members.
class ThreadRunner : public Runner {
 public:
    void start() final {
        thread_ = std::thread([this] { run(); });
    }
    void ask_to_stop() final { stop_.stop(); }
    void stop() final {
        stop_.stop();
        if (thread_.joinable()) thread_.join();
    }

 protected:
    /// On the thread, until `stop_` says so.
    virtual void run() = 0;

    StopFlag stop_;

 private:
    std::thread thread_;
};

}  // namespace tarn::ingest
