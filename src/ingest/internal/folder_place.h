// Which folders of the machine a folder source may read. docs/decisions/0004-folders-of-sources.md
#pragma once

#include <string>

#include "base/result.h"

namespace tarn::ingest {

/// `real`: absolute, without links and "..". permission_denied: the system's own folders, hidden
/// ones, and data folders of lakes (they hold root.key).
Status check_real_folder(const std::string& real);
/// The same for a source's path as declared ("/srv/drop/*.csv"), links followed. A folder that is
/// not there passes: it is looked at again with each scan.
Status check_drop_folder(const std::string& path);

}  // namespace tarn::ingest
