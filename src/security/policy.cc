#include "security/policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "security/internal/canonical.h"
#include "security/internal/policy_statement.h"

namespace tarn::security {
namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

Error malformed_policy(const std::string& what) {
    return Error(Code::invalid_argument, "the policy document is malformed_policy: " + what,
                 "MalformedPolicyDocument");
}

// nlohmann keeps the last of several equal names, and a reader of the document might have seen the
// first.
Result<Json> parse_json(std::string_view text) {
    std::vector<std::set<std::string>> open;
    std::string problem;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > static_cast<int>(PolicyLimits::depth)) problem = "it is nested too deeply";
        if (event == Json::parse_event_t::object_start) open.emplace_back();
        if (event == Json::parse_event_t::object_end) open.pop_back();
        if (event == Json::parse_event_t::key && !open.back().insert(parsed).second)
            problem = "\"" + parsed.get<std::string>() + "\" is given twice";
        return true;
    };
    Json document = Json::parse(text, watch, false);
    if (document.is_discarded()) return malformed_policy("it is not JSON");
    if (!problem.empty()) return malformed_policy(problem);
    if (!document.is_object()) return malformed_policy("it is not a JSON object");
    return document;
}

// IAM takes "x" for ["x"].
Result<Texts> texts_of(const Json& json, const std::string& where) {
    Texts texts;
    const auto add = [&](const Json& item) {
        if (item.is_string()) texts.push_back(item.get<std::string>());
        return item.is_string();
    };
    if (json.is_array()) {
        for (const Json& item : json)
            if (!add(item)) return malformed_policy(where + " must hold texts");
    } else if (!add(json)) {
        return malformed_policy(where + " must be a text or a list of texts");
    }
    if (texts.empty()) return malformed_policy(where + " is empty");
    return texts;
}

// Condition values may also be bare numbers and truth values.
Result<Texts> condition_values(const Json& json, const std::string& where) {
    Texts texts;
    const Json list = json.is_array() ? json : Json::array({json});
    for (const Json& item : list) {
        if (item.is_string()) {
            texts.push_back(item.get<std::string>());
        } else if (item.is_number() || item.is_boolean()) {
            texts.push_back(item.dump());
        } else {
            return malformed_policy(where + " must be a text, a number, true, false or a list of them");
        }
    }
    if (texts.empty()) return malformed_policy(where + " is empty");
    return texts;
}

bool is_action(std::string_view text) {
    if (text == "*") return true;
    const size_t colon = text.find(':');
    if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return false;
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '*' || c == '?' || c == '_';
    };
    const std::string_view service = text.substr(0, colon), operation = text.substr(colon + 1);
    return std::all_of(service.begin(), service.end(), is_name) &&
           std::all_of(operation.begin(), operation.end(), is_name);
}

class StatementParser {
 public:
    StatementParser(PolicyKind kind, bool variables, size_t number)
        : kind_(kind), variables_(variables), where_("statement " + std::to_string(number)) {
        statement_.id = "#" + std::to_string(number);
    }

    Result<PolicyStatement> parse(const Json& json) {
        if (!json.is_object()) return malformed_policy(where_ + " is not a JSON object");
        for (const auto& [name, value] : json.items()) {
            if (!is_element(name)) return malformed_policy(where_ + " has an unknown element " + name);
        }
        TARN_CHECK_OK(parse_id(json));
        TARN_CHECK_OK(parse_effect(json));
        TARN_CHECK_OK(parse_actions(json));
        TARN_CHECK_OK(parse_resources(json));
        TARN_CHECK_OK(parse_principals(json));
        TARN_CHECK_OK(parse_conditions(json));
        return std::move(statement_);
    }

 private:
    static bool is_element(std::string_view name) {
        static constexpr std::string_view kNames[] = {"Sid",       "Effect",       "Action",
                                                      "NotAction", "Resource",     "NotResource",
                                                      "Principal", "NotPrincipal", "Condition"};
        return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
    }

    /// Which of two elements that exclude each other is there; an error unless exactly one is.
    Result<bool> is_negated(const Json& json, const char* plain, const char* negated) const {
        if (json.contains(plain) == json.contains(negated)) {
            return malformed_policy(where_ + " must have either " + std::string(plain) + " or " + negated);
        }
        return json.contains(negated);
    }

    Status parse_id(const Json& json) {
        const auto sid = json.find("Sid");
        if (sid == json.end()) return ok_status();
        if (!sid->is_string()) return malformed_policy("the Sid of " + where_ + " is not a text");
        const std::string id = sid->get<std::string>();
        const auto is_good = [&](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                   (kind_ == PolicyKind::resource && (c == ' ' || c == '-' || c == '_'));
        };
        if (id.size() > 128 || !std::all_of(id.begin(), id.end(), is_good))
            return malformed_policy("the Sid of " + where_ + " may hold letters and digits only");
        if (!id.empty()) statement_.id = id;
        return ok_status();
    }

    Status parse_effect(const Json& json) {
        const auto effect = json.find("Effect");
        if (effect == json.end()) return malformed_policy(where_ + " has no Effect");
        if (*effect != "Allow" && *effect != "Deny")
            return malformed_policy("the Effect of " + where_ + " must be Allow or Deny");
        statement_.allow = *effect == "Allow";
        return ok_status();
    }

    Status parse_actions(const Json& json) {
        TARN_TRY(negated, is_negated(json, "Action", "NotAction"));
        statement_.not_action = negated;
        const char* name = negated ? "NotAction" : "Action";
        TARN_TRY(actions, texts_of(json.at(name), std::string(name) + " of " + where_));
        for (const std::string& action : actions) {
            if (!is_action(action))
                return malformed_policy("\"" + action + "\" in " + name + " of " + where_ +
                                 " is not an action such as s3:GetObject");
            statement_.actions.push_back(lower_ascii(action));
        }
        return ok_status();
    }

    Status parse_resources(const Json& json) {
        TARN_TRY(negated, is_negated(json, "Resource", "NotResource"));
        statement_.not_resource = negated;
        const char* name = negated ? "NotResource" : "Resource";
        TARN_TRY(resources, texts_of(json.at(name), std::string(name) + " of " + where_));
        for (const std::string& resource : resources) {
            auto pattern = Pattern::parse(resource, variables_);
            if (!pattern.ok()) return malformed_policy(where_ + ": " + pattern.error().message);
            const bool is_arn = resource.starts_with("arn:") &&
                                std::count(resource.begin(), resource.end(), ':') >= 5;
            if (resource != "*" && !is_arn)
                return malformed_policy("\"" + resource + "\" in " + name + " of " + where_ +
                                 " must be an ARN or \"*\"");
            statement_.resources.push_back(std::move(pattern).value());
        }
        return ok_status();
    }

    Status parse_principals(const Json& json) {
        if (kind_ == PolicyKind::identity) {
            if (json.contains("Principal") || json.contains("NotPrincipal"))
                return malformed_policy(where_ + " names a Principal, which only a resource's policy may");
            return ok_status();
        }
        TARN_TRY(negated, is_negated(json, "Principal", "NotPrincipal"));
        statement_.principals = negated ? PolicyStatement::Principals::all_but_listed
                                        : PolicyStatement::Principals::listed;
        const Json& principal = json.at(negated ? "NotPrincipal" : "Principal");
        if (principal == "*") {
            statement_.aws_principals = {"*"};
            return ok_status();
        }
        if (!principal.is_object() || principal.empty())
            return malformed_policy("the Principal of " + where_ + " must be \"*\" or an object");
        for (const auto& [type, list] : principal.items()) {
            TARN_TRY(names, texts_of(list, type + " principals of " + where_));
            if (type != "AWS" && type != "Service" && type != "Federated" &&
                type != "CanonicalUser")
                return malformed_policy(where_ + " has an unknown kind of principal " + type);
            if (type == "AWS") statement_.aws_principals = std::move(names);
        }
        return ok_status();
    }

    Status parse_conditions(const Json& json) {
        const auto block = json.find("Condition");
        if (block == json.end()) return ok_status();
        if (!block->is_object()) return malformed_policy("the Condition of " + where_ + " is no object");
        for (const auto& [name, keys] : block->items()) {
            auto parsed = parse_operator(name);
            if (!parsed.ok()) return malformed_policy(where_ + ": " + parsed.error().message);
            if (!keys.is_object() || keys.empty())
                return malformed_policy(name + " of " + where_ + " must hold condition keys");
            for (const auto& [key, values] : keys.items()) {
                Condition condition = parsed.value();
                condition.key = key;
                TARN_CHECK_OK(parse_values(name, values, condition));
                statement_.conditions.push_back(std::move(condition));
            }
        }
        return ok_status();
    }

    Status parse_values(const std::string& name, const Json& values, Condition& condition) {
        const std::string where = name + " " + condition.key + " of " + where_;
        if (condition.key.empty() || condition.key.find(':') == std::string::npos)
            return malformed_policy("\"" + condition.key + "\" in " + name + " of " + where_ +
                             " is not a condition key such as aws:SourceIp");
        TARN_TRY(texts, condition_values(values, where));
        for (const std::string& text : texts) {
            auto pattern = Pattern::parse(text, variables_);
            if (!pattern.ok()) return malformed_policy(where + ": " + pattern.error().message);
            const Status good = check_value(condition, pattern.value());
            if (!good.ok()) return malformed_policy(where + ": " + good.error().message);
            condition.values.push_back(std::move(pattern).value());
        }
        return ok_status();
    }

    const PolicyKind kind_;
    const bool variables_;
    const std::string where_;
    PolicyStatement statement_;
};

Result<bool> has_variables(const Json& document) {
    const auto version = document.find("Version");
    if (version == document.end() || *version == "2008-10-17") return false;
    if (*version == "2012-10-17") return true;
    return malformed_policy("its Version must be 2012-10-17 or 2008-10-17");
}

Result<std::vector<PolicyStatement>> parse_document(const Json& document, PolicyKind kind) {
    for (const auto& [name, value] : document.items()) {
        if (name != "Version" && name != "Id" && name != "Statement")
            return malformed_policy("it has an unknown element " + name);
        if (name == "Id" && !value.is_string()) return malformed_policy("its Id is not a text");
    }
    TARN_TRY(variables, has_variables(document));
    const auto list = document.find("Statement");
    if (list == document.end()) return malformed_policy("it has no Statement");
    const Json statements = list->is_array() ? *list : Json::array({*list});
    if (statements.empty()) return malformed_policy("its Statement is empty");
    if (statements.size() > PolicyLimits::statements)
        return malformed_policy("it has more than " + std::to_string(PolicyLimits::statements) +
                         " statements");
    std::vector<PolicyStatement> parsed;
    std::set<std::string> ids;
    for (const Json& statement : statements) {
        TARN_TRY(one, StatementParser(kind, variables, parsed.size() + 1).parse(statement));
        if (!ids.insert(one.id).second) return malformed_policy("the Sid " + one.id + " is given twice");
        parsed.push_back(std::move(one));
    }
    return parsed;
}

}  // namespace

bool LessIgnoringCase::operator()(std::string_view a, std::string_view b) const {
    return std::lexicographical_compare(
        a.begin(), a.end(), b.begin(), b.end(),
        [](unsigned char x, unsigned char y) { return std::tolower(x) < std::tolower(y); });
}

Result<Policy> Policy::parse(std::string_view json, PolicyKind kind, std::string id) {
    if (json.size() > PolicyLimits::bytes)
        return malformed_policy("it is larger than " + std::to_string(PolicyLimits::bytes) + " bytes");
    try {
        TARN_TRY(document, parse_json(json));
        TARN_TRY(statements, parse_document(document, kind));
        Policy policy;
        policy.id_ = std::move(id);
        policy.statements_ =
            std::make_shared<const std::vector<PolicyStatement>>(std::move(statements));
        return policy;
    } catch (const Json::exception& error) {
        return malformed_policy(error.what());
    }
}

}  // namespace tarn::security
