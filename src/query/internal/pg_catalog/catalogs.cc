#include "query/internal/pg_catalog/catalogs.h"

#include <sstream>

namespace tarn::query {

std::vector<CatalogColumns> catalog_columns() {
    std::vector<CatalogColumns> all;
    std::istringstream words(kCatalogColumns);
    for (CatalogColumns next; words >> next.name; next = {}) {
        std::string word;
        while (words >> word && word != "=") next.number = static_cast<uint32_t>(std::stoul(word));
        while (words >> word && word != ";") {
            const auto colon = word.find(':');
            next.columns.emplace_back(word.substr(0, colon),
                                      colon == std::string::npos ? "" : word.substr(colon + 1));
        }
        all.push_back(std::move(next));
    }
    return all;
}

}  // namespace tarn::query
