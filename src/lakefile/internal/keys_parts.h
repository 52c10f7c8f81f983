// The table of keys is in two files; what they share.
#pragma once

#include "lakefile/keys.h"

namespace tarn::lakefile {

KeyInfo was_key(Form form);

const ObjectInfo& forecast_model();
const ObjectInfo& stock_out_model();
const ObjectInfo& alert_object();
const ObjectInfo& dashboard_object();
const ObjectInfo& role_object();

}  // namespace tarn::lakefile
