// What security keeps: audit blocks, the account, tokens, sessions, sealed secrets.
#include "base/assert.h"
#include "base/fuzz.h"
#include "security/audit_usage.h"
#include "security/internal/audit_record.h"
#include "security/internal/directory.h"
#include "security/internal/session_records.h"
#include "security/keyring.h"

std::vector<std::string> tarn::fuzz_seeds() {
    using namespace tarn::security;
    AuditRecord record;
    record.principal = "arn:aws:iam::123456789012:user/ann";
    record.action = "s3:GetObject";
    record.bytes = 5;
    record.count = 2;
    UsageSums sums;
    sums.readers["ann"].what["table/main/t"] = 2;
    const Keyring keyring{std::string(32, 'r')};
    return {sums.to_json(),
            record.to_json() + "\n" + record.to_json(),
            records::encode_account("123456789012", {5}),
            encode(TokenRecord{"ann", {1}, {2}}),
            encode(SessionRecord{"ann", {1}, {2}, {3}}),
            keyring.seal("name", "secret")};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace tarn::security;
    const auto bytes = tarn::fuzz_text(data, size);
    if (const auto records = decode_block(bytes, 7); records.ok())
        for (const auto& record : *records) {
            const auto any = [](std::string_view) { return true; };
            const auto again = decode_if(record.to_json(), any);
            TARN_ASSERT(again.ok() && again->has_value());
            TARN_ASSERT((*again)->to_json() == record.to_json());
            TARN_ASSERT(decode_block(record.to_json(), 7).ok());
        }
    (void)decode_if(bytes, [](std::string_view action) { return !action.empty(); }).ok();
    if (const auto sums = UsageSums::from_json(bytes); sums.ok())
        TARN_ASSERT(UsageSums::from_json(sums->to_json()).ok());
    (void)records::decode_account(bytes).ok();
    if (const auto token = decode_token(bytes); token.ok())
        TARN_ASSERT(decode_token(encode(*token))->user == token->user);
    if (const auto session = decode_session(bytes); session.ok())
        TARN_ASSERT(decode_session(encode(*session))->user == session->user);
    static const Keyring keyring{std::string(32, 's')};
    TARN_ASSERT(!keyring.unseal("name", bytes).ok());
    return 0;
}
