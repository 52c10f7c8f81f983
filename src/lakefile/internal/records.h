// What is declared as it stands in meta/: docs/formats/lakefile.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lakefile/lakefile.h"
#include "meta/store.h"

namespace tarn::lakefile {

struct AppliedItem {
    Item item;
    std::string at, by;
    meta::Version version = 0;
};

/// Everything that the records say.
struct Applied {
    bool exists = false;  // something was applied once
    std::string name, timezone = "UTC", at, by;
    std::vector<std::string> roles_pending;  // roles whose grants are not yet what the records say
    meta::Version version = 0;               // of the head record: written by every apply
    std::map<std::string, AppliedItem> items;  // by id
    std::map<std::string, std::string>
        kept;  // table -> id of the item that made it, and is no longer declared

    std::vector<Item> all() const;
};

Result<Applied> load_applied(const meta::Reader& state);

std::string head_key();
std::string item_key(Kind kind, const std::string& name);
std::string kept_key(const std::string& table);
std::string encode_head(const Applied& applied);
std::string encode_item(const AppliedItem& item);
std::string encode_kept(const std::string& by);

}  // namespace tarn::lakefile
