// The reference page and the JSON schema, made of the table of keys.
#include <nlohmann/json.hpp>
#include <set>

#include "lakefile/keys.h"

namespace tarn::lakefile {
namespace {

using Json = nlohmann::ordered_json;

const char* word_of(Form form) {
    switch (form) {
        case Form::none:
            return "";
        case Form::text:
            return "text";
        case Form::name:
            return "name";
        case Form::table:
            return "table";
        case Form::grantee:
            return "table, database.* or *";
        case Form::column:
            return "table.column";
        case Form::duration:
            return "duration";
        case Form::bytes:
            return "size";
        case Form::whole:
            return "whole number";
        case Form::steps:
            return "steps";
        case Form::truth:
            return "true or false";
        case Form::choice:
            return "";
        case Form::type:
            return "type";
        case Form::schedule:
            return "schedule";
        case Form::sql:
            return "SQL, or a .sql file";
        case Form::character:
            return "character";
        case Form::secret:
            return "text with secrets";
    }
    return "";
}

std::string link_to(const ObjectInfo& object) {
    return std::string("[keys](#") + object.anchor + ")";
}

std::string kind_of(const KeyInfo& key) {
    std::string single = word_of(key.form);
    for (const auto* choice : key.choices)
        single += (single.empty() ? "`" : ", `") + std::string(choice) + "`";
    if (key.object != nullptr) single += (single.empty() ? "" : " or ") + link_to(*key.object);
    switch (key.many) {
        case Many::one:
            return single;
        case Many::list:
            return "list of " + single;
        case Many::one_or_list:
            return single + ", or a list";
        case Many::map:
            return "map: " + single;
        case Many::map_of_lists:
            return "map: list of " + single;
        case Many::one_or_map:
        case Many::one_or_map_of_lists:
            return single + ", or a map of them";
    }
    return single;
}

std::string cell(std::string text) {
    for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
        text.replace(at, 1, "\\|");
    return text;
}

void append_object(const ObjectInfo& object, int level, std::set<std::string>& done,
                   std::string& page) {
    if (!done.insert(object.anchor).second) return;
    page +=
        "\n<a id=\"" + std::string(object.anchor) + "\"></a>\n" +
        std::string(static_cast<size_t>(level), '#') + " " + object.name + "\n" + object.help +
        "\n\n| key | what it takes | default | what it does | example |\n|---|---|---|---|---|\n";
    for (const auto& key : object.keys) {
        std::string help = key.help;
        if (key.not_built != nullptr) {
            std::string which;
            for (const auto* choice : key.choices_not_built)
                which += std::string(which.empty() ? "`" : ", `") + choice + "` is ";
            help += ". " + which + "not built yet: " + key.not_built;
        }
        page += "| `" + std::string(key.name) + "` | " + cell(kind_of(key)) + " | " +
                (key.required          ? "required"
                 : *key.otherwise != 0 ? "`" + std::string(key.otherwise) + "`"
                                       : "") +
                " | " + cell(help) + " | `" + cell(key.example) + "` |\n";
    }
    for (const auto& key : object.keys)
        if (key.object != nullptr) append_object(*key.object, level + 1, done, page);
}

Json pattern(const char* regex) {
    return {{"type", "string"}, {"pattern", regex}};
}

Json schema_of_form(const KeyInfo& key) {
    const Form form = key.form;
    switch (form) {
        case Form::none:
            return false;
        case Form::name:
            return pattern("^[a-z_][a-z0-9_]{0,62}$");
        case Form::table:
            return pattern("^[a-z_][a-z0-9_]*([.][a-z_][a-z0-9_]*)?$");
        case Form::grantee:
            return pattern("^([*]|[a-z_][a-z0-9_]*([.]([a-z_][a-z0-9_]*|[*]))?)$");
        case Form::column:
            return pattern("^[a-z_][a-z0-9_]*([.][a-z_][a-z0-9_]*){1,2}$");
        case Form::duration:
            return pattern("^[0-9]+(ms|s|m|h|d|w)$");
        case Form::bytes:
            return pattern("^[0-9]+([KMGT]i?)?B$");
        case Form::whole:
            return {{"type", "integer"}, {"minimum", 0}};
        case Form::steps:
            return {{"anyOf", {pattern("^[0-9]+d$"), {{"type", "integer"}, {"minimum", 1}}}}};
        case Form::truth:
            return {{"type", "boolean"}};
        case Form::choice: {
            Json words = Json::array();
            for (const auto* choice : key.choices) words.push_back(choice);
            return {{"enum", words}};
        }
        case Form::schedule:
            return pattern(
                "^([0-9]+(ms|s|m|h|d|w)|(day|monday|tuesday|wednesday|thursday|friday|saturday|"
                "sunday) [0-9]{1,2}:[0-9]{2})$");
        case Form::character:
            return {{"type", "string"}, {"minLength", 1}, {"maxLength", 1}};
        case Form::text:
        case Form::type:
        case Form::sql:
        case Form::secret:
            return {{"type", {"string", "number", "boolean"}}};
    }
    return true;
}

Json reference(const ObjectInfo& object) {
    return {{"$ref", std::string("#/$defs/") + object.anchor}};
}

Json schema_of(const KeyInfo& key) {
    Json one = schema_of_form(key);
    if (key.object != nullptr)
        one = key.form == Form::none ? reference(*key.object)
                                     : Json{{"anyOf", {one, reference(*key.object)}}};
    const auto map_of = [](const Json& value) {
        return Json{{"type", "object"}, {"additionalProperties", value}};
    };
    const auto list_of = [](const Json& value) {
        return Json{{"type", "array"}, {"items", value}, {"minItems", 1}};
    };
    switch (key.many) {
        case Many::one:
            return one;
        case Many::list:
            return list_of(one);
        case Many::one_or_list:
            return {{"anyOf", {one, list_of(one)}}};
        case Many::map:
            return map_of(one);
        case Many::map_of_lists:
            return map_of(list_of(one));
        case Many::one_or_map:
            return {{"anyOf", {one, map_of(one)}}};
        case Many::one_or_map_of_lists:
            return {{"anyOf", {one, map_of(list_of(one))}}};
    }
    return one;
}

void define(const ObjectInfo& object, Json& definitions) {
    if (definitions.contains(object.anchor)) return;
    Json schema = {{"description", object.help},
                   {"type", "object"},
                   {"additionalProperties", false},
                   {"properties", Json::object()}};
    definitions[object.anchor] = schema;
    Json required = Json::array();
    for (const auto& key : object.keys) {
        if (key.not_built != nullptr && key.choices_not_built.empty()) continue;
        Json one = schema_of(key);
        one["description"] = key.help;
        schema["properties"][key.name] = std::move(one);
        if (key.required) required.push_back(key.name);
        if (key.object != nullptr) define(*key.object, definitions);
    }
    if (!required.empty()) schema["required"] = required;
    definitions[object.anchor] = std::move(schema);
}

}  // namespace

std::string reference_page() {
    std::string page =
        "# Lakefile: all keys\n\nMade by `tarn lakefile reference`; do not edit. A lakefile is "
        "YAML: maps, lists and texts; no anchors, "
        "no tags, names once.\nNames are lower case: letters, digits and `_`. A table is `name` "
        "(of the database `main`) or "
        "`database.name`.\n\n"
        "- **duration**: a whole number and `ms`, `s`, `m`, `h`, `d` or `w`: `15m`.\n"
        "- **schedule**: a duration, or a time of the lake's time zone: `day 02:00`, `monday "
        "03:00`.\n"
        "- **size**: a whole number and `B`, `KB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or "
        "`TiB`.\n"
        "- **true or false**: these two words. `yes`, `no`, `on` and `off` are refused unless "
        "quoted.\n"
        "- **text with secrets**: `${secret:name}` stands for a value that `tarn secrets set name` "
        "keeps.\n"
        "- **SQL, or a .sql file**: a text that ends in `.sql` is the name of a file, relative to "
        "the lakefile.\n";
    std::set<std::string> done;
    append_object(top_level(), 2, done, page);
    for (const auto& section : sections()) {
        page += "\n## " + std::string(section.name) + "\n" + section.help +
                " A map: the name of each " + section.item + ", and its keys.\n";
        for (const auto& variant : section.variants) append_object(*variant.object, 3, done, page);
    }
    return page;
}

std::string json_schema() {
    Json definitions = Json::object();
    Json properties = Json::object();
    for (const auto& key : top_level().keys) {
        properties[key.name] = schema_of(key);
        properties[key.name]["description"] = key.help;
    }
    for (const auto& section : sections()) {
        Json variants = Json::array();
        for (const auto& variant : section.variants) {
            define(*variant.object, definitions);
            variants.push_back(reference(*variant.object));
        }
        properties[section.name] = {
            {"description", section.help},
            {"type", "object"},
            {"additionalProperties",
             variants.size() == 1 ? variants[0] : Json{{"anyOf", variants}}}};
    }
    const Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", "Lakefile"},
                         {"type", "object"},
                         {"additionalProperties", false},
                         {"required", {"lake"}},
                         {"properties", properties},
                         {"$defs", definitions}};
    return schema.dump(2) + "\n";
}

}  // namespace tarn::lakefile
