// The one table of what may stand in a lakefile. The parser checks against it, and the JSON schema
// for editors and the reference page are made of it: a key that is not here does not exist.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::lakefile {

/// What a single value looks like.
enum class Form : uint8_t {
    none,       // no single value: only the object
    text,       // anything
    name,       // lower-case letters, digits, _: a column, an alert, a role
    table,      // name, or database.name
    grantee,    // table, a database ("erp" or "erp.*"), or "*"
    column,     // table.column, or database.table.column
    duration,   // 15m
    bytes,      // 5GB
    whole,      // 7
    steps,      // 14d, or 14
    truth,      // true, false
    choice,     // one of `choices`
    type,       // bigint
    schedule,   // 15m, day 02:00, monday 03:00
    sql,        // text of SQL, or the name of a .sql file
    character,  // one character
    secret,     // text that may hold ${secret:name}
};

/// How many of them.
enum class Many : uint8_t {
    one,
    list,
    one_or_list,
    map,           // name of one's own: value
    one_or_map,    // a word, or a map
    map_of_lists,  // name of one's own: list of values
    one_or_map_of_lists,
};

struct ObjectInfo;

struct KeyInfo {
    const char* name;
    const char* help;
    const char* example;
    Many many = Many::one;
    Form form = Form::text;
    std::vector<const char*> choices = {};  // Form::choice
    const ObjectInfo* object =
        nullptr;  // what a value may be instead of (or, Form::none, only): these keys
    bool required = false;
    const char* otherwise = "";       // default, as one would write it; empty: none
    const char* not_built = nullptr;  // designed, refused for now: what to do instead
    std::vector<const char*> choices_not_built = {};
    Form name_form = Form::name;  // Many::map: of the names
};

/// The keys of one kind of map.
struct ObjectInfo {
    const char* name;  // "folder source"
    const char* help;
    const char* anchor;  // in the schema and on the page
    std::vector<KeyInfo> keys;

    const KeyInfo* find(std::string_view key) const;
};

/// One alternative of a section: recognised by the key that only it has (empty: the only one).
struct Variant {
    const char* marker;
    const ObjectInfo* object;
};
struct SectionInfo {
    const char* name;  // "sources"
    const char* item;  // "source"
    const char* help;
    Form name_form;
    std::vector<Variant> variants;
};

const std::vector<SectionInfo>& sections();
/// Keys of the file itself besides the sections.
const ObjectInfo& top_level();

/// docs/lakefile.md and docs/lakefile.schema.json.
std::string reference_page();
std::string json_schema();

/// The nearest of `names` to a misspelt word; empty when none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& names);

}  // namespace tarn::lakefile
