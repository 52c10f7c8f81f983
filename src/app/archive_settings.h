// How a server's settings become its archive, and what the commands of copies share.
#pragma once

#include <memory>
#include <string>

#include "app/settings.h"
#include "archive/archive.h"
#include "base/result.h"

namespace tarn::app {

struct Lake;

/// The lake's side of src/archive, not started. `lake` outlives it.
Result<std::unique_ptr<archive::Archive>> open_archive(Lake& lake, const Settings& settings);

/// The access key of a destination: of `file` (an AWS credentials file, profile default) or else of
/// `prefix`ACCESS_KEY_ID and `prefix`SECRET_ACCESS_KEY in the environment. Leaves both empty when
/// there is none; the destination says whether it needs one.
Status read_destination_key(const std::string& file, const std::string& prefix,
                            archive::Place& place);

/// The one line of a file that only its owner may read. permission_denied when others may.
Result<std::string> read_passphrase_file(const std::string& path);

/// Of the file, else of TARN_BACKUP_PASSPHRASE, else, on a terminal, asked for (`twice`: until both
/// are equal); empty: there is none.
Result<std::string> find_passphrase(const std::string& file, bool twice);

}  // namespace tarn::app
