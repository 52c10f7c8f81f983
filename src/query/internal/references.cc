#include "query/internal/references.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "query/internal/services.h"
#include "query/internal/table_rules.h"
#include "query/internal/words.h"

namespace tarn::query {

namespace {

constexpr std::string_view kReferenceProperty = "tarn.reference.";

Result<std::vector<std::string>> parse_names(Words& words) {
    std::vector<std::string> names;
    do {
        if (words.end()) return words.unexpected();
        names.push_back(words.next().name());
    } while (words.take_symbol(','));
    if (!words.take_symbol(')')) return words.unexpected();
    return names;
}

/// NO ACTION, RESTRICT, CASCADE, SET NULL, SET DEFAULT
Result<char> parse_action(Words& words) {
    if (words.take("no") && words.take("action")) return 'a';
    if (words.take("restrict")) return 'r';
    if (words.take("cascade")) return 'c';
    if (words.take("set")) {
        if (words.take("null")) return 'n';
        if (words.take("default")) return 'd';
    }
    return words.unexpected();
}

const char* action_text(char action) {
    switch (action) {
        case 'r':
            return "RESTRICT";
        case 'c':
            return "CASCADE";
        case 'n':
            return "SET NULL";
        case 'd':
            return "SET DEFAULT";
        default:
            return nullptr;
    }
}

int field_named(const tables::TableState& table, const std::string& name,
                const std::vector<size_t>* shown) {
    const auto& fields = table.schema().fields;
    for (size_t i = 0; i < fields.size(); ++i)
        if (fields[i].name == name &&
            (!shown || std::find(shown->begin(), shown->end(), i) != shown->end()))
            return fields[i].id;
    throw_error(
        {Code::not_found,
         fmt::format("column \"{}\" referenced in foreign key constraint does not exist", name),
         "42703"});
}

std::vector<int> primary_key_of(const tables::TableState& target) {
    for (const auto& key : keys_of(target.metadata->properties))
        if (key.primary) return key.fields;
    if (!target.schema().identifier_field_ids.empty()) return target.schema().identifier_field_ids;
    throw_error(
        {Code::invalid_argument,
         fmt::format("there is no primary key for referenced table \"{}\"", target.info.name),
         "42704"});
}

}  // namespace

Result<std::optional<WrittenReference>> parse_reference(std::string_view sql) {
    const auto tokens = tokenize(sql);
    Words words(sql, tokens);
    WrittenReference made;
    if (words.take("constraint")) made.name = words.next().name();
    if (!words.take("foreign") || !words.take("key")) return std::optional<WrittenReference>();
    if (!words.take_symbol('(')) return words.unexpected();
    TARN_TRY(columns, parse_names(words));
    made.columns = std::move(columns);
    if (!words.take("references") || words.end()) return words.unexpected();
    made.table = words.next().name();
    if (words.take_symbol('.')) {
        made.schema = std::move(made.table);
        made.table = words.next().name();
    }
    if (words.take_symbol('(')) {
        TARN_TRY(targets, parse_names(words));
        made.target_columns = std::move(targets);
    }
    while (!words.end()) {
        if (words.take("on")) {
            const bool deletes = words.take("delete");
            if (!deletes && !words.take("update")) return words.unexpected();
            TARN_TRY(action, parse_action(words));
            (deletes ? made.on_delete : made.on_update) = action;
        } else if (words.take("match")) {
            if (!words.take("simple") && !words.take("full")) return words.unexpected();
        } else if (words.take("initially")) {
            if (!words.take("deferred") && !words.take("immediate")) return words.unexpected();
        } else {
            words.take("not");
            if (!words.take("valid") && !words.take("deferrable") && !words.take("enforced"))
                return words.unexpected();
        }
    }
    return std::optional(std::move(made));
}

std::vector<TableReference> references_of(const tables::Properties& properties) {
    std::vector<TableReference> references;
    for (auto at = properties.lower_bound(std::string(kReferenceProperty));
         at != properties.end() && at->first.starts_with(kReferenceProperty); ++at) {
        TableReference reference;
        reference.name = at->first.substr(kReferenceProperty.size());
        std::istringstream words(at->second);
        std::string actions, word;
        words >> reference.target_uuid >> actions;
        auto* fields = &reference.fields;
        while (words >> word) {
            if (word == ">")
                fields = &reference.target_fields;
            else
                fields->push_back(std::atoi(word.c_str()));
        }
        if (actions.size() != 2 || reference.fields.empty()) continue;
        reference.on_update = actions[0];
        reference.on_delete = actions[1];
        references.push_back(std::move(reference));
    }
    return references;
}

void put_reference(const tables::TableState& table, const WrittenReference& written,
                   const tables::TableState& target, const std::vector<size_t>& target_shown,
                   const tables::Properties& taken, tables::Properties& into) {
    std::vector<int> targets;
    for (const auto& name : written.target_columns)
        targets.push_back(field_named(target, name, &target_shown));
    if (targets.empty()) targets = primary_key_of(target);
    if (targets.size() != written.columns.size())
        throw_error({Code::invalid_argument,
                     "number of referencing and referenced columns for foreign key disagree",
                     "42830"});
    std::string text =
        fmt::format("{} {}{}", target.info.uuid, written.on_update, written.on_delete);
    std::string made_name = table.info.name;
    for (const auto& name : written.columns) {
        text += ' ' + std::to_string(field_named(table, name, nullptr));
        made_name += '_' + name;
    }
    text += " >";
    for (const int id : targets) text += ' ' + std::to_string(id);
    const std::string name = written.name.empty() ? made_name + "_fkey" : written.name;
    const std::string key = std::string(kReferenceProperty) + name;
    if (taken.contains(key) || into.contains(key))
        throw_error({Code::already_exists,
                     fmt::format("constraint \"{}\" for relation \"{}\" already exists", name,
                                 table.info.name),
                     "42710"});
    into[key] = std::move(text);
}

std::string actions_text(const TableReference& reference) {
    std::string text;
    if (const char* action = action_text(reference.on_update))
        text += std::string(" ON UPDATE ") + action;
    if (const char* action = action_text(reference.on_delete))
        text += std::string(" ON DELETE ") + action;
    return text;
}

}  // namespace tarn::query
