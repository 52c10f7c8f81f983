// Every setting of `tarn serve`, from one table: name, what it does, default, bounds. The table
// gives the command line's flags, the environment's variables (TARN_<NAME>), the keys of the
// configuration file, and the page docs/settings.md. Flags win over the environment, the
// environment over the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::app {

struct Settings {
    std::string data;  // folder of the lake; the only one that is written to
    std::string lake;  // lakefile to apply at start
    std::string secrets_file;
    std::string source_folders;  // absolute, by commas; empty: see docs/decisions/0004
    std::string listen = "127.0.0.1";
    std::string ports;  // as given; see parse_ports
    std::string ready_file;
    std::string log_level = "info";
    std::string log_format = "plain";
    std::string tls_certificate;
    std::string tls_key;
    std::string region = "us-east-1";
    uint64_t work_threads = 64;  // a thread that waits for the log costs 25 kB, and each lets one
                                 // more write share a sync
    uint64_t sql_memory_mb = 1024;
    uint64_t sql_temporary_mb = 0;
    uint64_t sql_threads = 0;  // 0: one a core
    uint64_t audit_keep_days = 90;
    std::string audit_anchor;  // folder or s3://bucket/prefix; empty: none
    std::string audit_anchor_endpoint;
    std::string audit_anchor_region = "us-east-1";
    std::string audit_anchor_credentials_file;
    std::string audit_anchor_ca_file;
    uint64_t session_seconds = 12 * 3600;
    uint64_t session_idle_seconds = 2 * 3600;
    std::string core_files = "off";
    std::string archive;  // folder or s3://bucket/prefix; empty: none
    std::string archive_endpoint;
    std::string archive_region = "us-east-1";
    std::string archive_credentials_file;
    std::string archive_ca_file;
    std::string archive_passphrase_file;
    uint64_t archive_keep_days = 7;
    uint64_t drain_seconds = 8;
};

struct SettingInfo {
    enum class Kind { text, number, choice };
    const char* name;  // as a flag: --name; in the file: name; in the environment: TARN_NAME
    const char* help;
    Kind kind;
    std::string Settings::*text = nullptr;
    uint64_t Settings::*number = nullptr;
    uint64_t least = 0, most = 0;
    std::vector<std::string> choices = {};
};

const std::vector<SettingInfo>& setting_table();

/// The environment variable of a setting: TARN_ and the name in capitals, - as _.
std::string environment_name(const SettingInfo& setting);

/// The documentation page, in Markdown.
std::string settings_page();

/// Door name -> TCP port. Doors: aws, http, postgres, mqtt; 0 takes a free port, "off" closes a
/// door (absent from the map). Names that are left out keep their default (aws=4566, http=8080,
/// postgres=5439, mqtt=1883).
Result<std::map<std::string, uint16_t>> parse_ports(const std::string& text);

}  // namespace tarn::app
