// The errors that several files of this module give.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace tarn::tables {

inline Error invalid(std::string what) {
    return Error(Code::invalid_argument, std::move(what));
}

}  // namespace tarn::tables
