// The text of a file in UTF-8, piece by piece.
#pragma once

#include <functional>
#include <optional>

#include "ingest/internal/folder_bytes.h"
#include "ingest/internal/folder_scan.h"

namespace tarn::ingest {

class FileText {
 public:
    /// Begins at the file's beginning. `encoding` nullopt: unpacked, but not made UTF-8. `tap` sees
    /// the raw bytes.
    FileText(DropFile& file, std::optional<Encoding> encoding,
             std::function<Status(std::string_view)> tap = {});
    /// Empty at the end. Valid until the next call.
    Result<std::string_view> next();
    /// Of what next() has given.
    bool all_ascii() const { return all_ascii_; }

 private:
    Result<std::string_view> next_unpacked();
    std::string_view noted(std::string_view text);

    DropFile& file_;
    std::optional<Transcoder> transcoder_;
    std::optional<Gunzip> gunzip_;
    const std::function<Status(std::string_view)> tap_;
    bool began_ = false, ended_ = false, all_ascii_ = true;
};

}  // namespace tarn::ingest
