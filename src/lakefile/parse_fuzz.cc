#include "lakefile/lakefile.h"

#include <cstdlib>

// Whatever the text: no crash, bounded problems, and what parses is the same after a round through
// its records.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::lakefile;
    const auto secrets = [](const std::string& name) {
        return name == "none" ? std::nullopt
                              : std::optional<std::string>("https://secret.example/" + name);
    };
    Text text;
    text.text.assign(reinterpret_cast<const char*>(data), size);
    text.folder = "/fuzz";
    text.files = {{"a.sql", "select 1"}};
    (void)files_named(text.text);
    const Parsed parsed = parse(text, secrets);
    if (parsed.problems.size() > 200) std::abort();
    (void)describe(parsed.problems, "fuzz.yaml");
    if (!parsed.ok()) return 0;
    const Parsed again =
        restore(parsed.lakefile.name, parsed.lakefile.timezone, parsed.lakefile.items, secrets);
    if (!again.ok() || again.lakefile.items.size() != parsed.lakefile.items.size()) std::abort();
    if (again.lakefile.sources != parsed.lakefile.sources ||
        again.lakefile.tables != parsed.lakefile.tables ||
        again.lakefile.roles != parsed.lakefile.roles)
        std::abort();
    return 0;
}
