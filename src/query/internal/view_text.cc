#include "query/internal/view_text.h"

#include <map>
#include <set>

#include "query/internal/pg_catalog/jsonb_operators.h"
#include "query/internal/sql_text.h"

namespace tarn::query {

namespace {

class ViewText {
 public:
    explicit ViewText(std::string_view sql) : tokens_(tokenize(sql)), edited_(sql) {}

    std::string rewrite() {
        for (size_t i = 0; i < tokens_.size(); ++i) {
            const Token& token = tokens_[i];
            const bool name =
                token.kind == Token::Kind::word || token.kind == Token::Kind::quoted_word;
            if (const auto match = matches_.find(i); match != matches_.end())
                put(i, match->second);
            else if (token.raw == "//")
                put(i, "/");
            else if (const char* jsonb = jsonb_operator(token.raw))
                put(i, jsonb);
            else if (name)
                word(i);
        }
        return edited_.finish();
    }

 private:
    const Token& at(size_t i) const {
        static const Token kNone;
        return i < tokens_.size() ? tokens_[i] : kNone;
    }
    void put(size_t i, std::string_view with) {
        edited_.replace(tokens_[i].offset, tokens_[i].raw.size(), with);
    }

    static const char* jsonb_operator(std::string_view ours) {
        for (const auto& [postgres, name] : kJsonbOperators)
            if (ours == name) return postgres;
        return nullptr;
    }

    void word(size_t i) {
        static const std::map<std::string, const char*> kSpelled = {{"double", "double precision"},
                                                                    {"float", "real"},
                                                                    {"blob", "bytea"},
                                                                    {"tinyint", "smallint"},
                                                                    {"hugeint", "numeric(38,0)"},
                                                                    {"tarn_oid", "oid"},
                                                                    {"tarn_char", "\"char\""}};
        const std::string name = lower(at(i).name());
        const bool calls = at(i + 1).is_symbol('(');
        const bool in_main = i > 1 && at(i - 1).is_symbol('.') && at(i - 2).is("main");
        if (calls && name == "count_star") {
            put(i, "count");
            matches_[i + 2] = "*)";
        } else if (calls && name == "regexp_full_match") {
            put(i, "");
            if (const size_t comma = first_comma(i + 1); comma != 0) matches_[comma] = " ~";
        } else if (calls && in_main && name == "trim") {
            put(i, "btrim");
        } else if (name == "main" && at(i + 1).is_symbol('.') && at(i + 3).is_symbol('(')) {
            put(i, "pg_catalog");
        } else if (i > 0 && at(i - 1).is("as") && casts_.contains(i) && kSpelled.contains(name)) {
            put(i, kSpelled.at(name));
        }
        if (calls && (name == "cast" || name == "try_cast"))
            if (const size_t as = type_of_cast(i + 1); as != 0) casts_.insert(as + 1);
    }

    static std::string lower(std::string text) {
        for (char& c : text) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
        return text;
    }
    /// The comma or AS of the parenthesis at `open`; 0: none.
    template <typename Wanted>
    size_t find_inside(size_t open, Wanted wanted) const {
        int depth = 0;
        size_t found = 0;
        for (size_t i = open; i < tokens_.size(); ++i) {
            if (tokens_[i].is_symbol('(')) ++depth;
            if (tokens_[i].is_symbol(')') && --depth == 0) return found;
            if (depth == 1 && wanted(tokens_[i])) found = i;
        }
        return 0;
    }
    size_t first_comma(size_t open) const {
        return find_inside(open, [](const Token& token) { return token.is_symbol(','); });
    }
    size_t type_of_cast(size_t open) const {
        return find_inside(open, [](const Token& token) { return token.is("as"); });
    }

    const std::vector<Token> tokens_;
    EditedSql edited_;
    std::map<size_t, std::string> matches_;  // other tokens to be replaced
    std::set<size_t> casts_;                 // the type in a cast
};

}  // namespace

std::string postgres_view_text(std::string_view sql) {
    return ViewText(sql).rewrite();
}

}  // namespace tarn::query
