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
    /// What a source's positions hang on (ingest::SourceSpec::id), by its name, where the two
    /// differ; names of before included, so that no other source takes their positions over.
    std::map<std::string, std::string> identities;

    std::vector<Item> all() const;
    /// A source's, declared or not: its name, unless it was renamed or somebody else has that one.
    std::string identity_of(const std::string& source) const;
    bool identity_taken(const std::string& identity, const std::string& but_by) const;
    void identify(std::vector<ingest::SourceSpec>& sources) const;
};

Result<Applied> load_applied(const meta::Reader& state);

std::string head_key();
std::string item_key(Kind kind, const std::string& name);
std::string kept_key(const std::string& table);
std::string identity_key(const std::string& source);
std::string encode_head(const Applied& applied);
std::string encode_item(const AppliedItem& item);
std::string encode_kept(const std::string& by);
std::string encode_identity(const std::string& identity);

}  // namespace tarn::lakefile
