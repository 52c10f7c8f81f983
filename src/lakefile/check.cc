#include "lakefile/internal/check.h"

#include <algorithm>

#include "lakefile/internal/scalars.h"
#include "query/types.h"
#include "tables/catalog.h"

namespace tarn::lakefile {
namespace {

/// Words that YAML 1.1 reads as truth values and YAML 1.2 as texts: refused, so that nobody has to
/// know.
bool is_yaml_word(const std::string& text) {
    std::string lower;
    for (const char c : text.substr(0, 4))
        lower.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
    return lower == "yes" || lower == "no" || lower == "on" || lower == "off";
}

const char* describe(const Node& node) {
    return node.is_list()  ? "a list"
           : node.is_map() ? "a map"
           : node.empty    ? "nothing"
                           : "a single value";
}

bool takes_object(const KeyInfo& key) {
    return key.object != nullptr;
}

/// "a duration (15m)".
std::string wanted(const KeyInfo& key) {
    return std::string("as in ") + key.name + ": " + key.example;
}

}  // namespace

std::string with_article(std::string_view noun) {
    const bool vowel = !noun.empty() && std::string_view("aeio").find(noun[0]) != noun.npos;
    return std::string(vowel ? "an " : "a ").append(noun);
}

std::string words(const std::vector<const char*>& list) {
    std::string out;
    for (size_t i = 0; i < list.size(); ++i)
        out += (i == 0 ? "" : i + 1 == list.size() ? " or " : ", ") + std::string(list[i]);
    return out;
}

void Checker::problem(const Node& at, const std::string& where, std::string message) {
    problems_.push_back({where, at.line, at.column, std::move(message)});
}

void Checker::object(Node& node, const ObjectInfo& info, const std::string& where) {
    if (!node.is_map())
        return problem(
            node, where,
            std::string(describe(node)) + " stands where keys of a " + info.name + " belong");
    for (auto& one : node.members) member(one, info, where);
    for (const auto& key : info.keys)
        if (key.required && node.find(key.name) == nullptr)
            problem(node, where,
                    "'" + std::string(key.name) + "' is missing: " + key.help + ", " + wanted(key));
}

void Checker::member(Node::Member& member, const ObjectInfo& info, const std::string& where) {
    const std::string here = where.empty() ? member.name : where + "." + member.name;
    const KeyInfo* key = info.find(member.name);
    if (key != nullptr) return value(member.value, *key, here);
    std::vector<std::string> names;
    std::string all;
    for (const auto& one : info.keys) {
        names.emplace_back(one.name);
        all += (all.empty() ? "" : ", ") + std::string(one.name);
    }
    const std::string near = nearest(member.name, names);
    problems_.push_back(
        {here, member.line, member.column,
         with_article(info.name) + " has no key '" + member.name + "'" +
             (near.empty() ? "; there are " + all : "; did you mean '" + near + "'?")});
}

void Checker::value(Node& node, const KeyInfo& key, const std::string& where) {
    if (key.not_built != nullptr && key.choices_not_built.empty())
        return problem(node, where, "not built yet: " + std::string(key.not_built));
    if (node.is_scalar() && node.empty)
        return problem(node, where, "nothing stands here; give a value, " + wanted(key));
    switch (key.many) {
        case Many::one:
            return one(node, key, where);
        case Many::list:
            return list(node, key, where);
        case Many::one_or_list:
            return node.is_list() ? list(node, key, where) : one(node, key, where);
        case Many::map:
        case Many::map_of_lists:
            return map(node, key, where);
        case Many::one_or_map:
        case Many::one_or_map_of_lists:
            return node.is_map() ? map(node, key, where) : one(node, key, where);
    }
}

void Checker::one(Node& node, const KeyInfo& key, const std::string& where) {
    if (node.is_map() && takes_object(key)) return object(node, *key.object, where);
    if (node.is_scalar() && key.form != Form::none) return scalar(node, key, where);
    const char* kind = key.form == Form::none ? "a map of keys"
                       : takes_object(key)    ? "a single value or a map"
                                              : "a single value";
    problem(node, where,
            std::string(describe(node)) + " stands where " + kind + " belongs, " + wanted(key));
}

void Checker::list(Node& node, const KeyInfo& key, const std::string& where) {
    if (!node.is_list())
        return problem(
            node, where,
            std::string(describe(node)) + " stands where a list belongs, " + wanted(key));
    if (node.items.empty())
        return problem(node, where, "the list is empty; leave the key out, or name something");
    std::set<std::string> seen;
    for (size_t i = 0; i < node.items.size(); ++i) {
        Node& item = node.items[i];
        if (item.is_scalar() && item.empty) {
            problem(item, where, "an element of the list is empty");
            continue;
        }
        one(item, key, where);
        if (item.is_scalar() && !seen.insert(item.text).second)
            problem(item, where, "'" + item.text + "' stands twice in the list");
    }
}

void Checker::map(Node& node, const KeyInfo& key, const std::string& where) {
    if (!node.is_map())
        return problem(
            node, where,
            std::string(describe(node)) + " stands where a map of names belongs, " + wanted(key));
    if (node.members.empty())
        return problem(node, where, "the map is empty; leave the key out, or name something");
    for (auto& member : node.members) {
        const std::string here = where + "." + member.name;
        const Status named = name_of(key.name_form, member.name);
        if (!named.ok())
            problems_.push_back({here, member.line, member.column, named.error().message});
        if (member.value.is_scalar() && member.value.empty)
            problem(member.value, here, "nothing stands here; give a value, " + wanted(key));
        else if (key.many == Many::map_of_lists || key.many == Many::one_or_map_of_lists)
            list(member.value, key, here);
        else
            one(member.value, key, here);
    }
}

Status Checker::name_of(Form form, const std::string& text) const {
    if (form == Form::text) return ok_status();
    std::string_view name = text;
    if (form == Form::grantee) {
        if (name == "*") return ok_status();
        if (name.ends_with(".*")) name.remove_suffix(2);
    }
    if (form != Form::name) {
        TARN_CHECK_OK(parse_table(name));
        return ok_status();
    }
    if (tables::check_name("name", name).ok()) return ok_status();
    return Error(Code::invalid_argument,
                 "'" + text.substr(0, 60) +
                     "' is no name: lower-case letters, digits and _, at most 63, no digit first");
}

void Checker::choice(const Node& node, const KeyInfo& key, const std::string& where) {
    const auto is = [&](const char* word) { return node.text == word; };
    if (std::any_of(key.choices_not_built.begin(), key.choices_not_built.end(), is))
        return problem(node, where, "'" + node.text + "' is not built yet: " + key.not_built);
    if (std::any_of(key.choices.begin(), key.choices.end(), is)) return;
    const std::string near = nearest(node.text, {key.choices.begin(), key.choices.end()});
    problem(node, where,
            "'" + node.text.substr(0, 60) + "' is not one of " + words(key.choices) +
                (takes_object(key) ? ", or a map of keys" : "") +
                (near.empty() ? std::string() : "; did you mean '" + near + "'?"));
}

void Checker::sql(Node& node, const std::string& where) {
    const bool is_file =
        node.text.ends_with(".sql") && node.text.find_first_of(" \t\n") == std::string::npos;
    if (is_file) named_.insert(node.text);
    if (files_ == nullptr) return;
    if (is_file) {
        const auto found = files_->find(node.text);
        if (found == files_->end())
            return problem(node, where, "there is no file " + node.text + " beside the lakefile");
        if (first_byte_not_text(found->second) != std::string_view::npos)
            return problem(node, where, node.text + " is not a text in UTF-8");
        node.file = node.text;
        node.text = found->second;
    }
    const size_t end = node.text.find_last_not_of(" \t\r\n;");
    node.text.resize(end == std::string::npos ? 0 : end + 1);
    if (node.text.empty()) problem(node, where, "the SQL is empty");
}

Status Checker::form(const Node& node, const KeyInfo& key) const {
    const auto status_of = [](const auto& parsed) {
        return parsed.ok() ? ok_status() : Status(parsed.error());
    };
    const auto refuse = [](std::string what) {
        return Status(Error(Code::invalid_argument, std::move(what)));
    };
    switch (key.form) {
        case Form::none:
        case Form::text:
        case Form::choice:
        case Form::sql:
            return ok_status();
        case Form::name:
        case Form::table:
        case Form::grantee:
            return name_of(key.form, node.text);
        case Form::column:
            return status_of(parse_column(node.text));
        case Form::duration:
            return status_of(parse_duration(node.text));
        case Form::bytes:
            return status_of(parse_bytes(node.text));
        case Form::whole:
            return status_of(parse_whole(node.text));
        case Form::steps:
            return status_of(parse_steps(node.text));
        case Form::schedule:
            return status_of(parse_schedule(node.text));
        case Form::truth:
            if (!node.quoted && (node.text == "true" || node.text == "false")) return ok_status();
            return refuse("write true or false, without quotes");
        case Form::type:
            if (query::parse_type(node.text).ok()) return ok_status();
            return refuse(
                "'" + node.text.substr(0, 60) +
                "' is no type of a column: bigint, double, text, timestamptz, numeric(10,2) ...");
        case Form::character:
            if (node.text.size() == 1) return ok_status();
            return refuse("one character, in quotes (\";\"); a tab is \"\\t\"");
        case Form::secret:
            return status_of(resolve_secrets(
                node.text, [](const std::string&) { return std::optional<std::string>(""); }));
    }
    return ok_status();
}

void Checker::scalar(Node& node, const KeyInfo& key, const std::string& where) {
    if (files_ != nullptr && !node.quoted && is_yaml_word(node.text))
        return problem(
            node, where,
            "'" + node.text + "' is read as a word by some and as a truth value by others: write " +
                (key.form == Form::truth ? "true or false" : "it in quotes if it is a text"));
    if (key.form != Form::secret && node.text.find("${secret:") != std::string::npos)
        return problem(node, where,
                       "a secret cannot stand here: only addresses and keys take ${secret:name}");
    if (key.form != Form::secret && key.form != Form::sql &&
        node.text.find("${") != std::string::npos)
        return problem(node, where,
                       "a lakefile has no variables: write the value itself (paths are relative to "
                       "the lakefile)");
    if (key.form == Form::choice) return choice(node, key, where);
    if (key.form == Form::sql) return sql(node, where);
    const Status fits = form(node, key);
    if (!fits.ok()) problem(node, where, fits.error().message);
}

}  // namespace tarn::lakefile
