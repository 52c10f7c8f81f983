// What the backend sends: structs -> bytes appended to an output, pure. "Message Formats" of the
// protocol's chapter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/chunk.h"
#include "query/engine.h"

namespace tarn::postgres {

/// One message: the type and a place for the length at construction, the length at destruction.
class MessageScope {
 public:
    MessageScope(std::string& out, char type);
    ~MessageScope();
    MessageScope(const MessageScope&) = delete;
    MessageScope& operator=(const MessageScope&) = delete;

 private:
    std::string& out_;
    const size_t at_;
};

enum class Authentication : int32_t { ok = 0, sasl = 10, sasl_continue = 11, sasl_final = 12 };

/// How a value goes over the wire.
enum class Format : int16_t { text = 0, binary = 1 };

/// One format per column; none: all are texts; one: for all.
Format format_of(const std::vector<int16_t>& formats, size_t column);

void append_empty(std::string& out, char type);  // '1', '2', '3', 'n', 'I', 's', 'c'
void append_authentication(std::string& out, Authentication kind, std::string_view data = {});
void append_negotiate_version(std::string& out, const std::vector<std::string>& unknown_options);
void append_parameter_status(std::string& out, std::string_view name, std::string_view value);
void append_backend_key(std::string& out, int32_t process_id, std::string_view key);
void append_ready(std::string& out, query::TransactionState state);
void append_row_description(std::string& out, const std::vector<query::ResultColumn>& columns,
                            const std::vector<int16_t>& formats);
/// `declared`: the client's own numbers, which it gets back (varchar is not text to it).
void append_parameter_description(std::string& out, const std::vector<query::Type>& types,
                                  const std::vector<uint32_t>& declared);
/// That append_data_row() can say each value in its column's format: 22003.
Status check_formats(const query::Chunk& rows, const std::vector<int16_t>& formats);
void append_data_row(std::string& out, const query::Chunk& rows, size_t row,
                     const std::vector<int16_t>& formats);
void append_command_complete(std::string& out, std::string_view tag);
/// `type`: 'G' for COPY FROM STDIN, 'H' for COPY TO STDOUT.
void append_copy_response(std::string& out, char type, query::CopyFormat format, size_t columns);
void append_copy_data(std::string& out, std::string_view bytes);

/// Cuts what COPY TO gives into CopyData messages of one row each, as clients expect them.
class CopyRows {
 public:
    explicit CopyRows(query::CopyFormat format) : format_(format) {}
    /// `piece` holds whole rows.
    void append(std::string& out, std::string_view piece);

 private:
    size_t row_end(std::string_view piece) const;
    size_t tuple_end(std::string_view piece) const;

    const query::CopyFormat format_;
    bool begun_ = false;
};

}  // namespace tarn::postgres
