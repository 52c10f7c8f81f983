// What every fuzz target (x_fuzz.cc) begins with. A target includes this file once, defines
// fuzz_seeds() and LLVMFuzzerTestOneInput(); `TARGET --write-seeds FOLDER` writes the seeds as
// files, from where libFuzzer takes them: tools/fuzz.py does both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// A few inputs that reach deep: made by our own writers where there are some, else written out.
std::vector<std::string> fuzz_seeds();

inline std::string_view fuzz_text(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Inputs of two parts: the first line, and what is behind it.
inline std::pair<std::string_view, std::string_view> fuzz_line(std::string_view input) {
    const size_t end = input.find('\n');
    if (end == input.npos) return {input, {}};
    return {input.substr(0, end), input.substr(end + 1)};
}

}  // namespace tarn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/// libFuzzer calls it before anything else.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    if (*argc < 3 || std::string_view((*argv)[1]) != "--write-seeds") return 0;
    size_t number = 0;
    for (const auto& seed : tarn::fuzz_seeds()) {
        const std::string path = std::string((*argv)[2]) + "/seed" + std::to_string(number++);
        if (!std::ofstream(path, std::ios::binary)
                 .write(seed.data(), static_cast<std::streamsize>(seed.size()))) {
            std::fprintf(stderr, "%s can't be written\n", path.c_str());
            std::exit(1);
        }
    }
    std::exit(0);
}
