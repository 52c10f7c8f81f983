#include "app/settings.h"

#include <charconv>

namespace tarn::app {

const std::vector<SettingInfo>& setting_table() {
    using Kind = SettingInfo::Kind;
    static const std::vector<SettingInfo> table = {
        {"data", "folder that holds the lake; made when absent", Kind::text, &Settings::data},
        {"lake", "lakefile to apply at start", Kind::text, &Settings::lake},
        {"secrets-file",
         "file (0600) with lines name=value: what ${secret:name} in a lakefile stands for; "
         "TARN_SECRET_NAME in the environment does the same",
         Kind::text, &Settings::secrets_file},
        {"source-folders",
         "folders that sources of a lakefile may read files in, e.g. /srv/drop,/srv/partners; "
         "without it any but the system's, hidden ones and the lake's own",
         Kind::text, &Settings::source_folders},
        {"listen", "address to listen on; anything but loopback needs a TLS certificate",
         Kind::text, &Settings::listen},
        {"port",
         "ports of the doors, e.g. aws=4566,http=8080,postgres=5439,mqtt=1883; 0 takes a free one, "
         "off closes a door",
         Kind::text, &Settings::ports},
        {"ready-file", "written once every door answers: one JSON object with their addresses",
         Kind::text, &Settings::ready_file},
        {"log-level",
         "least level that is logged",
         Kind::choice,
         &Settings::log_level,
         nullptr,
         0,
         0,
         {"debug", "info", "warning", "error"}},
        {"log-format",
         "plain lines, or one JSON object a line",
         Kind::choice,
         &Settings::log_format,
         nullptr,
         0,
         0,
         {"plain", "json"}},
        {"tls-certificate",
         "PEM file with the certificate chain; doors accept TLS on the same ports", Kind::text,
         &Settings::tls_certificate},
        {"tls-key", "PEM file with the certificate's private key", Kind::text, &Settings::tls_key},
        {"region", "AWS region that this lake answers for", Kind::text, &Settings::region},
        {"work-threads",
         "threads that run requests",
         Kind::number,
         nullptr,
         &Settings::work_threads,
         2,
         512,
         {}},
        {"sql-memory-mb",
         "memory that queries may use before they spill to disk",
         Kind::number,
         nullptr,
         &Settings::sql_memory_mb,
         64,
         1u << 20,
         {}},
        {"sql-temporary-mb",
         "what the temporary tables of one session may take; 0: half of sql-memory-mb",
         Kind::number,
         nullptr,
         &Settings::sql_temporary_mb,
         0,
         1u << 20,
         {}},
        {"sql-threads",
         "threads that one SQL engine uses; 0: one a core",
         Kind::number,
         nullptr,
         &Settings::sql_threads,
         0,
         512,
         {}},
        {"audit-keep-days",
         "days that audit records are kept",
         Kind::number,
         nullptr,
         &Settings::audit_keep_days,
         1,
         3650,
         {}},
        {"audit-anchor",
         "folder, best on another machine, or s3://bucket/prefix, that gets a copy of each signed "
         "digest of the audit trail",
         Kind::text, &Settings::audit_anchor},
        {"audit-anchor-endpoint",
         "of the anchor's S3, e.g. https://other-tarn:4566; without it AWS", Kind::text,
         &Settings::audit_anchor_endpoint},
        {"audit-anchor-region", "AWS region of the anchor's bucket", Kind::text,
         &Settings::audit_anchor_region},
        {"audit-anchor-credentials-file",
         "AWS credentials file with the anchor's key, profile default; without it "
         "TARN_AUDIT_ANCHOR_ACCESS_KEY_ID and TARN_AUDIT_ANCHOR_SECRET_ACCESS_KEY in the "
         "environment",
         Kind::text, &Settings::audit_anchor_credentials_file},
        {"audit-anchor-ca-file", "PEM file of who signs the endpoint's certificate; without it the "
                                 "system's",
         Kind::text, &Settings::audit_anchor_ca_file},
        {"archive",
         "follow the log to here, a second behind: a folder, best of another machine, or "
         "s3://bucket/prefix",
         Kind::text, &Settings::archive},
        {"archive-endpoint", "of the archive's S3, e.g. https://other-tarn:4566; without it AWS",
         Kind::text, &Settings::archive_endpoint},
        {"archive-region", "AWS region of the archive's bucket", Kind::text,
         &Settings::archive_region},
        {"archive-credentials-file",
         "AWS credentials file with the archive's key, profile default; without it "
         "TARN_ARCHIVE_ACCESS_KEY_ID and TARN_ARCHIVE_SECRET_ACCESS_KEY in the environment",
         Kind::text, &Settings::archive_credentials_file},
        {"archive-ca-file", "PEM file of who signs the endpoint's certificate; without it the "
                            "system's",
         Kind::text, &Settings::archive_ca_file},
        {"archive-passphrase-file",
         "file (0600) with the passphrase that seals the root key in the archive; without it the "
         "key is left out",
         Kind::text, &Settings::archive_passphrase_file},
        {"archive-keep-days",
         "days that the archive's points are kept; each second of the last day, about each hour "
         "before",
         Kind::number,
         nullptr,
         &Settings::archive_keep_days,
         1,
         3650,
         {}},
        {"session-seconds",
         "how long a console session lasts at most",
         Kind::number,
         nullptr,
         &Settings::session_seconds,
         10,
         30 * 86'400,
         {}},
        {"session-idle-seconds",
         "a console session that asks for nothing for so long has ended; a page that shows live "
         "figures asks",
         Kind::number,
         nullptr,
         &Settings::session_idle_seconds,
         10,
         30 * 86'400,
         {}},
        {"core-files",
         "whether a crash may leave a core file, and a debugger attach: both show secrets",
         Kind::choice, &Settings::core_files, nullptr, 0, 0, {"off", "on"}},
        {"drain-seconds",
         "how long running requests may go on after SIGTERM",
         Kind::number,
         nullptr,
         &Settings::drain_seconds,
         0,
         600,
         {}},
    };
    return table;
}

std::string environment_name(const SettingInfo& setting) {
    std::string variable = "TARN_";
    for (const char* c = setting.name; *c != 0; ++c)
        variable.push_back(*c == '-' ? '_'
                                     : static_cast<char>(*c - ('a' <= *c && *c <= 'z' ? 32 : 0)));
    return variable;
}

std::string settings_page() {
    const Settings defaults;
    std::string page =
        "# Settings of `tarn serve`\n\nMade by `tarn settings`; do not edit. Flags win over the "
        "environment, the environment over "
        "the file given by\n`--config` (lines `name=value`).\n\n| flag | environment | default | "
        "what it does |\n|---|---|---|---|\n";
    for (const auto& setting : setting_table()) {
        const std::string variable = environment_name(setting);
        std::string value = setting.text != nullptr ? defaults.*setting.text
                                                    : std::to_string(defaults.*setting.number);
        std::string help = setting.help;
        if (setting.kind == SettingInfo::Kind::number)
            help +=
                " (" + std::to_string(setting.least) + " to " + std::to_string(setting.most) + ")";
        for (size_t i = 0; i < setting.choices.size(); ++i)
            help += (i == 0 ? " (" : ", ") + setting.choices[i] +
                    (i + 1 == setting.choices.size() ? ")" : "");
        page += std::string("| `--") + setting.name + "` | `" + variable + "` | " +
                (value.empty() ? "" : "`" + value + "`") + " | " + help + " |\n";
    }
    return page;
}

Result<std::map<std::string, uint16_t>> parse_ports(const std::string& text) {
    std::map<std::string, uint16_t> ports = {
        {"aws", 4566}, {"http", 8080}, {"postgres", 5439}, {"mqtt", 1883}};
    size_t at = 0;
    while (at < text.size()) {
        const size_t comma = std::min(text.find(',', at), text.size());
        const std::string item = text.substr(at, comma - at);
        at = comma + 1;
        const size_t equals = item.find('=');
        const std::string door = item.substr(0, equals);
        if (equals == std::string::npos || !ports.contains(door))
            return Error(
                Code::invalid_argument,
                "--port " + item + ": give door=port with a door of aws, http, postgres, mqtt");
        const std::string number = item.substr(equals + 1);
        if (number == "off") {
            ports.erase(door);
            continue;
        }
        uint16_t port = 0;
        const auto [end, failed] =
            std::from_chars(number.data(), number.data() + number.size(), port);
        if (failed != std::errc() || end != number.data() + number.size())
            return Error(Code::invalid_argument,
                         "--port " + item + ": a port is 0 to 65535, or off");
        ports[door] = port;
    }
    return ports;
}

}  // namespace tarn::app
