// COPY as clients write it: what, from where or to where, and its options in both spellings.
#include "query/internal/error.h"
#include "query/internal/statement.h"
#include "query/internal/words.h"

namespace tarn::query {

namespace {

struct CopyOption {
    std::string name;
    std::string value;
    std::vector<std::string> list;
    bool star = false;
};

Status apply_option(const CopyOption& option, bool& delimiter_set, bool& null_set, CopySpec& copy) {
    const auto one = [&](char& into) -> Status {
        if (option.value.size() != 1)
            return Error{Code::invalid_argument,
                         fmt::format("COPY {} must be a single one-byte character", option.name),
                         "22023"};
        into = option.value[0];
        return {};
    };
    if (option.name == "format") {
        if (option.value == "text")
            copy.format = CopyFormat::text;
        else if (option.value == "csv")
            copy.format = CopyFormat::csv;
        else if (option.value == "binary")
            copy.format = CopyFormat::binary;
        else
            return Error{Code::invalid_argument,
                         fmt::format("COPY format \"{}\" not recognized", option.value), "22023"};
        return {};
    }
    if (option.name == "delimiter" || option.name == "delimiters") {
        delimiter_set = true;
        return one(copy.delimiter);
    }
    if (option.name == "null") {
        null_set = true;
        copy.null_text = option.value;
        return {};
    }
    if (option.name == "header") {
        if (option.value == "match") return not_built("COPY HEADER MATCH");
        copy.header = option.value != "false" && option.value != "off" && option.value != "0";
        return {};
    }
    if (option.name == "quote") return one(copy.quote);
    if (option.name == "escape") return one(copy.escape);
    if (option.name == "force_quote") {
        copy.force_quote = option.list;
        copy.force_quote_all = option.star;
        return {};
    }
    if (option.name == "encoding" &&
        (option.value == "UTF8" || option.value == "utf8" || option.value == "UTF-8"))
        return {};
    if (option.name == "freeze" || option.name == "oids") return {};
    return not_built("COPY option " + option.name);
}

/// (name value, ...) or the words of old.
Result<std::vector<CopyOption>> parse_options(Words& words) {
    std::vector<CopyOption> options;
    words.take("with");
    if (words.take_symbol('(')) {
        while (true) {
            CopyOption option;
            option.name = words.next().name();
            if (words.peek().is_symbol('(')) {
                words.next();
                while (!words.end() && !words.take_symbol(')')) {
                    if (!words.peek().is_symbol(',')) option.list.push_back(words.peek().name());
                    words.next();
                }
            } else if (words.peek().is_symbol('*')) {
                words.next();
                option.star = true;
            } else if (!words.peek().is_symbol(',') && !words.peek().is_symbol(')')) {
                option.value = value_text(words.next());
                if (option.name == "format" || option.name == "header")
                    for (char& c : option.value)
                        c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
            }
            options.push_back(std::move(option));
            if (words.take_symbol(')')) break;
            if (!words.take_symbol(',')) return words.unexpected();
        }
    } else {
        while (!words.end()) {
            CopyOption option;
            option.name = words.next().name();
            if (option.name == "csv" || option.name == "binary") {
                option.value = option.name;
                option.name = "format";
            } else if (option.name == "delimiter" || option.name == "null" ||
                       option.name == "quote" || option.name == "escape" ||
                       option.name == "delimiters") {
                words.take("as");
                option.value = value_text(words.next());
            } else if (option.name != "header") {
                return syntax_error(option.name);
            }
            options.push_back(std::move(option));
        }
    }
    if (!words.end()) return words.unexpected();
    return options;
}

}  // namespace

Result<CopySpec> parse_copy(std::string_view sql, const std::vector<Token>& tokens) {
    Words words(sql, tokens);
    CopySpec copy;
    words.take("copy");
    if (words.peek().is_symbol('(')) {
        TARN_TRY(query, words.take_parenthesised());
        copy.query = std::move(query);
    } else {
        copy.table = words.next().name();
        if (words.take_symbol('.')) {
            copy.database = std::move(copy.table);
            copy.table = words.next().name();
        }
        if (words.take_symbol('(')) {
            while (true) {
                copy.columns.push_back(words.next().name());
                if (words.take_symbol(')')) break;
                if (!words.take_symbol(',')) return words.unexpected();
            }
        }
    }
    if (words.take("from")) {
        if (!copy.query.empty()) return words.unexpected();
        copy.from = true;
        if (!words.take("stdin"))
            return Error{Code::permission_denied, "COPY reads from STDIN only", "42501"};
    } else if (words.take("to")) {
        if (!words.take("stdout"))
            return Error{Code::permission_denied, "COPY writes to STDOUT only", "42501"};
    } else {
        return words.unexpected();
    }
    TARN_TRY(options, parse_options(words));
    bool delimiter_set = false;
    bool null_set = false;
    bool escape_set = false;
    for (const auto& option : options) {
        TARN_CHECK_OK(apply_option(option, delimiter_set, null_set, copy));
        escape_set = escape_set || option.name == "escape";
    }
    if (copy.format == CopyFormat::csv) {
        if (!delimiter_set) copy.delimiter = ',';
        if (!null_set) copy.null_text.clear();
        if (!escape_set) copy.escape = copy.quote;
    } else if (copy.header && copy.format == CopyFormat::binary) {
        return Error{Code::invalid_argument, "COPY HEADER in BINARY mode", "22023"};
    }
    return copy;
}

}  // namespace tarn::query
