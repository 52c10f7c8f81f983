// A look over the whole lake, as the API tells of it. Wiring does the looking.
#pragma once

#include <string>

#include "base/findings.h"
#include "base/time.h"

namespace tarn::admin {

struct LakeVerdict {
    bool running = false;
    bool complete = false;  // it came to its end
    Timestamp started, finished;  // finished 0: it runs
    Findings::State found;

    bool sound() const { return complete && found.damages == 0; }
};

}  // namespace tarn::admin
