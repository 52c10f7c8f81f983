// One file of a drop folder from its first to its last byte: guessed, or read into rows. Lane: the
// runner's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ingest/internal/folder_bytes.h"
#include "ingest/internal/folder_rows.h"
#include "ingest/internal/folder_scan.h"
#include "ingest/internal/folder_state.h"
#include "ingest/spec.h"

namespace tarn::ingest {

/// Error::reason of a file that was taken for UTF-8 because its beginning was ASCII: read it again
/// as latin1.
inline constexpr const char* kNotUtf8 = "not_utf8";
/// Error::reason of a JSON file that has a member which the plan has no column for: guess() it,
/// then plan anew.
inline constexpr const char* kNewColumn = "new_column";
/// Error::reason of a value that does not fit types which were guessed from a part: guess() from
/// the whole, then plan anew.
inline constexpr const char* kGuessAgain = "guess_again";
/// Of one file; the rest of a larger one is not looked at for its types.
inline constexpr uint64_t kGuessBytesMax = 256u << 20;
/// After so many a guess may end that is sure of each column.
inline constexpr uint64_t kSampleBytes = 8u << 20;

enum class FileFormat : uint8_t { csv, json_lines };
struct FileKind {
    FileFormat format = FileFormat::csv;
    Encoding encoding = Encoding::utf8;
    bool encoding_known = false;  // false: all that was seen is ASCII
};
/// By name or declaration, and by its first bytes.
Result<FileKind> kind_of(DropFile& file, const std::string& name, const FolderSource& from,
                         const std::optional<FilePin>& pin);

struct GuessedFile {
    FilePin pin;
    std::vector<ColumnSpec> columns;  // in the file's order
    std::vector<std::string> notes;
    bool from_part = false;  // it is sure, see Look
};
/// `whole`: at all of the file. `part`: of a CSV file at no more than makes the guess sure of every
/// column; it is what a look at all would give as long as the rest fits (RowBuilder::be_strict).
enum class Look : uint8_t { whole, part };
/// What `pin` says is not guessed again. invalid_argument: nothing to be read from it.
Result<GuessedFile> guess(DropFile& file, const FileKind& kind, const FolderSource& from,
                          const std::optional<FilePin>& pin, Look look);

/// The columns of a CSV file as its first line, the pin or the declaration name them.
Result<std::vector<std::string>> csv_columns(DropFile& file, const FileKind& kind,
                                             const FilePin& pin);

struct ReadCalls {
    std::function<Status(std::string_view)>
        bytes;  // the file's own bytes, all of them, in order; may be empty
    std::function<Status(RowBuilder&)> full;  // the builder holds a good portion: take() it
    std::function<Status(uint64_t line, std::string_view text, std::string_view reason)> reject;
};
/// `rows`: for CSV its columns are those of the file in order. Ends early when a call fails, with
/// that error. The last portion is left in `rows`.
Status read_rows(DropFile& file, const FileKind& kind, const FilePin& pin, RowBuilder& rows,
                 const ReadCalls& calls);

}  // namespace tarn::ingest
