// `tarn verify`: is all that is stored as it was stored? Of a lake that is served a client of the
// API; with --data the folder of one that is not.
#pragma once

#include <memory>

#include "app/client.h"

namespace CLI {
class App;
}

namespace tarn::app {

struct LakeVerifyWanted {
    std::string data;  // empty: the lake that is served
    bool last = false;
};

/// Exit codes: 0 nothing is damaged; 1 something is, or could not be looked at; 2 wrong use.
int verify_whole_lake(const ClientOptions& options, const LakeVerifyWanted& wanted);

}  // namespace tarn::app
