// COPY FROM STDIN and TO STDOUT: "COPY Operations" of the protocol's chapter.
#include "protocols/postgres/internal/conversation.h"

namespace tarn::postgres {

Status Conversation::begin_copy_in() {
    TARN_TRY(copy, session_->copy_in(*running_->prepared->statement));
    copy_in_ = std::move(copy);
    append_copy_response(out_, 'G', copy_in_->format(), copy_in_->column_count());
    flush_ = true;
    mode_ = Mode::copy_in;
    return ok_status();
}

Status Conversation::begin_copy_out() {
    TARN_TRY(copy, session_->copy_out(*running_->prepared->statement));
    copy_out_ = std::move(copy);
    TARN_CHECK_OK(audit_read(query::Command::copy_out));
    copy_rows_.emplace(copy_out_->format());
    append_copy_response(out_, 'H', copy_out_->format(), copy_out_->column_count());
    mode_ = Mode::copy_out;
    return ok_status();
}

Status Conversation::send_copy() {
    TARN_TRY(piece, copy_out_->next());
    if (piece) {
        copy_rows_->append(out_, *piece);
        return ok_status();
    }
    append_empty(out_, 'c');
    complete("COPY " + std::to_string(copy_out_->rows()));
    return ok_status();
}

void Conversation::handle_copy(const Message& message) {
    switch (message.type) {
        case 'd': {
            const Status pushed = copy_in_->push(message.body);
            if (!pushed.ok()) fail(pushed.error());
            return;
        }
        case 'c':
            return finish_copy_in();
        case 'f': {
            const auto why = parse_text(message.body);
            return fail(Error(Code::cancelled,
                              "COPY from stdin failed: " + std::string(why.ok() ? *why : ""),
                              "57014"));
        }
        case 'H':
        case 'S':
            return;  // sent behind Execute by clients that do not know that it is a COPY
        default:
            fail(Error(Code::invalid_argument, "unexpected message type during COPY from stdin",
                       "08P01"));
    }
}

void Conversation::finish_copy_in() {
    const auto rows = copy_in_->finish();
    if (!rows.ok()) return fail(rows.error());
    complete("COPY " + std::to_string(*rows));
}

}  // namespace tarn::postgres
