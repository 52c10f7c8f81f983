#include "protocols/admin/internal/shapes.h"

#include <cctype>

namespace tarn::admin {
namespace {

struct NamedShape {
    std::string_view name, shape;
};

constexpr NamedShape kNamed[] = {
    {"Who", "{user: string, arn: string, roles: [string], attributes: {*: string}, account: string, lake: string, csrf_token?: string, expires?: string}"},
    // A value of a table, as its column's type has it in JSON.
    {"Scalar", "string|number|boolean|null"},
    {"Cell", "Scalar|[Cell]|{*: Cell}"},
    // An alert's row, and of it the columns that name it. A text: of the rule as a whole ("").
    {"Cells", "{*: Cell}|string"},
    {"Texts", "string|[string]"},
    {"Principals", "string|{*: Texts}"},
    {"Statement",
     "{Sid?: string, Effect: string, Action?: Texts, NotAction?: Texts, Resource?: Texts, NotResource?: Texts, Principal?: Principals, "
     "NotPrincipal?: Principals, Condition?: {*: {*: Scalar|[Scalar]}}}"},
    {"Policy", "{Version?: string, Id?: string, Statement: Statement|[Statement]}"},
    {"Grant", "{read?: boolean, columns?: [string], hide?: [string], rows?: string, masks?: {*: string}, write?: [string]}"},
    {"Key", "{access_key_id: string, active: boolean, created: string, last_used: string|null}"},
    {"User", "{name: string, arn: string, created: string, roles: [string], attributes: {*: string}, policies: {*: Policy}, keys: [Key]}"},
    // What the server did by itself has no request and no key.
    {"AuditRecord",
     "{at: integer, time: string, action?: string, principal?: string, door: string, outcome: string, resource?: string, request_id?: string, "
     "access_key_id?: string, source_ip?: string, user_agent?: string, error?: string, count?: integer, bytes?: integer}"},
    {"Capture",
     "{changes: integer, changes_per_second: number, lag_bytes: integer, lag_seconds: number, position: string, protocol_version: integer, "
     "retained_bytes: integer, transactions: integer}"},
    {"SourceTable",
     "{table: string, last_commit: string|null, last_error: string, rows?: integer, rows_estimated?: integer, rows_rejected?: integer, "
     "backlog?: integer, bytes?: integer, position?: string, newest?: string|null, note?: string, paused?: string}"},
    {"Source", "{name: string, kind: string, state: string, last_error: string, tables: [SourceTable], capture?: Capture, verified?: {running: boolean, finished: string|null, equal: boolean, differences: integer, failed: boolean}|null}"},
    {"RunInput", "{table: string, before: string|null, now: string|null}"},
    {"Run",
     "{step: string, run: integer, cause: string, mode: string, outcome: string, started: string, ended: string|null, error: string, inputs: [RunInput], "
     "output_snapshot: string|null, rows_read?: integer, rows_written?: integer, rows_set_aside?: integer, bytes_written?: integer, "
     "warnings?: [string], log?: [{at: string, text: string}]}"},
    {"Progress", "{what: string, done: integer, total: integer}"},
    {"Step",
     "{step: string, state: string, table: string|null, inputs: [string], blocked_by: string, waits_for: string, failures: integer, next: string|null, "
     "last: Run|null, progress?: Progress, kind?: string, checks?: integer, schedule?: string}"},
    // What the lakefile says of a step, by its kind.
    {"TableDefinition",
     "{sql: string, key: [string], schedule: string, partition: string, description: string, checks: [{check: string, consequence: string}]}"},
    {"ForecastDefinition",
     "{forecast: string, per: [string], ahead: integer, features: [string], calendar: string, future: string, retrain: string, parameters: {*: string}, "
     "lost_sales?: string}"},
    {"StockOutDefinition", "{stock_out: string, demand: string, incoming: string, schedule: string}"},
    {"AlertDefinition",
     "{when: string, while: string, for_seconds: integer|null, recover_after_seconds: integer|null, check_every_seconds: integer, one_per: [string], "
     "tells_recovery: boolean, run_as: string}"},
    {"Definition", "TableDefinition|ForecastDefinition|StockOutDefinition|AlertDefinition"},
    // An item as its lakefile has it: docs/lakefile.schema.json says what it may hold.
    {"Item", "{*: Cell}"},
    {"StepDetail",
     "{step: string, state: string, table: string|null, inputs: [string], blocked_by: string, waits_for: string, failures: integer, next: string|null, "
     "last: Run|null, progress?: Progress, kind: string, schedule?: string, checks?: integer, ranges: boolean, readers: [string], definition: Definition|null, "
     "definition_hidden: boolean}"},
    {"Score", "{method: string, wape: number|null, mape: number|null, bias: number|null, forecasts: integer, coverage?: number|null, pinball?: number|null}"},
    {"BackTest", "{metric: string, seconds: number, total: [Score], rounds: [{round: integer, origin: string, scores: [Score]}]}"},
    {"ModelVersion",
     "{model: string, version: integer, current: boolean, promoted: boolean, usable?: boolean, why: string, created: string, trained_to: string, "
     "trained_on: [{table: string, snapshot_id: integer}], rows: integer, series: integer, seconds: number, features: [string], "
     "importance: [{feature: string, share: number}], parameters: {*: string}, fingerprint: string, object: string, back_test: BackTest}"},
    // Forecasts that were made before their time came, beside what was measured then.
    {"Outcome",
     "{time?: string, steps_ahead?: integer, forecasts: integer, mae: number, wape: number|null, seasonal_naive_mae: number, "
     "seasonal_naive_wape: number|null, coverage: number}"},
    {"Outcomes", "{total?: Outcome|null, by_time?: [Outcome], by_steps_ahead?: [Outcome], error?: {code: string, message: string}}"},
    {"Webhook", "{target: string, where: string, disabled: string, waiting: integer}"},
    {"AlertRule",
     "{rule: string, open: integer, error: string, evaluated: string|null, evaluations: integer, rows_shown: boolean, warnings: [string], webhooks: [Webhook]}"},
    {"OpenAlert",
     "{rule: string, id: string, key: Cells, row: Cells, since: string, told: string|null, silenced_until: string|null, summary: boolean}"},
    {"AlertEvent", "{rule: string, kind: string, at: string, by?: string, id?: string, key?: Cells, row?: Cells}"},
    {"Delivery",
     "{rule: string, id: string, type: string, target: string, where: string, state: string, made: string, next_attempt: string|null, key: Cells|null, "
     "attempt_count: integer, attempts: [{at: string, status: integer, took_ms: integer, answer: string}]}"},
    {"MadeBy", "{kind: string, name: string, how?: string, state?: string}"},
    {"May", "{insert: boolean, update: boolean, delete: boolean, alter: boolean}"},
    {"Sight",
     "{extent: string, columns: [{name: string, masked: boolean}], hidden: [string], may: May, "
     "grants: [{all_columns: boolean, columns: [string], masks: {*: string}, rows: string}]}"},
    {"ColumnFrom", "{column: string, table: string, from: [{table: string, column: string}]}"},
    {"ChartColumn", "{name: string, type: string, role: string, of?: string}"},
    {"Chart",
     "{title: string, kind: string, width: string, unit: string, from?: string, where?: string, by?: string, split?: string, milliseconds: number, from_cache: boolean, "
     "tables: [{name: string, snapshot_id: string, at?: string}], columns?: [ChartColumn], rows?: [[Cell]], truncated?: boolean, "
     "filters_ignored?: [string], notes?: [string], error?: {code: string, message: string}}"},
    // A chart as a lakefile has it: one of the kinds, with what it measures.
    {"ChartWords",
     "{title: string, number?: Texts, line?: Texts, area?: Texts, bar?: Texts, stacked?: Texts, scatter?: Texts, heatmap?: Texts, table?: Texts, "
     "map?: Texts, by?: string, split?: string, spark?: string, from?: string, where?: string, order?: string, sql?: string, unit?: string, "
     "colour?: string, limit?: integer, width?: string}"},
    {"Column", "{name: string, type: string}"},
    {"Query",
     "{id: string, state: string, started: string, milliseconds: number, statement: integer, statements: integer, progress?: number, "
     "returns_rows: boolean, columns: [Column], rows: integer, bytes: integer, truncated: boolean, tag: string, notices: [string], error?: {code: string, message: string, reason?: string, position?: integer}}"},
    {"Verdict",
     "{source: string, running: boolean, started: string|null, finished: string|null, scheduled: boolean, repair: boolean, equal: boolean, "
     "differences: integer, error: string, tables: [{table: string, state: string, rows_source: integer, rows_lake: integer, rows_estimated: integer, "
     "differences: integer, repaired: integer, unsettled: integer, note?: string, keys?: [{what: string, key: string, repaired: boolean}]}]}"},
    {"Lakefile", "{lakefile: string, file_name?: string, folder?: string, files?: {*: string}, replay_days?: integer}"},
    {"Plan",
     "{plan: string, changes: [{change: string, item: string, was?: string, keys?: [string], notes?: [string], rows_in?: integer, minutes?: number, "
     "rows_dropped?: integer}], changes_something: boolean, visibility: [string], drift: [string], alerts: [string], warnings: [string], "
     "problems: [{where: string, line: integer, column: integer, message: string, text: string}]}"},
    // A sample of a table, or of a source, which may fill several.
    {"Tried",
     "{items: [{item: string, error?: string, notes?: [string], name?: string, columns?: [Column], rows?: [[string|null]], "
     "tables?: [{name: string, columns: [Column], key: [string], rows: [[string|null]], "
     "rejected: [{place: string, line: integer, text: string, reason: string}]}]}]}"},
    {"Applied",
     "{lake: string, timezone: string, applied: boolean, at: string, by: string, "
     "items: [{item: string, at: string, by: string, definition: Item, text: string, tables: [string]}], "
     "kept_tables: [{table: string, was_made_by: string}], problems: [{where: string, message: string}], trouble: string}"},
    {"Digest",
     "{format: string, account: string, number: integer, first: integer, next: integer, oldest: integer, time: string, at: integer, chain: string, "
     "previous: string, signature: string}"},
    {"Backup",
     "{to: string, running: boolean, started: string, finished: string|null, error: string|null, bytes_total: integer, bytes_done: integer, "
     "bytes_sent: integer, point?: string, has_root_key?: boolean, damage?: [string]}"},
    {"Archive",
     "{to: string, following: boolean, lag_seconds: number, shipped_version: integer, bytes_sent: integer, point: string|null, has_root_key: boolean, "
     "last_success: string|null, error: string|null}"},
    {"TableLine",
     "{database: string, table: string, kind: string, owner: string, description: string, tags: [string], updated: string|null, whole: boolean, "
     "columns: integer, made_by: MadeBy|null, fresh_s?: integer, late?: boolean, rows?: integer|null, bytes?: integer|null, files?: integer|null, delete_files?: integer|null}"},
    {"Table",
     "{database: string, table: string, kind: string, owner: string, description: string, tags: [string], updated: string|null, whole: boolean, "
     "created: string, columns: [{name: string, type: string, description: string, required: boolean, masked: boolean}], may: May, "
     "made_by?: MadeBy|null, fresh_s?: integer, late?: boolean, rows?: integer|null, bytes?: integer|null, files?: integer|null, delete_files?: integer|null, sql?: string, "
     "partition?: [{name: string, column: string, transform: string}], snapshot?: string|null, snapshots?: integer, location?: string, "
     "metadata_location?: string, properties?: {*: string}}"},
    {"Snapshot",
     "{id: string, parent?: string|null, at: string, operation: string, current: boolean, rows: integer, rows_added: integer, rows_removed: integer, "
     "bytes: integer, bytes_added: integer, files: integer, files_added: integer, files_removed: integer, delete_files: integer}"},
    {"Lineage",
     "{nodes: [{id: string, kind: string, name: string, title?: string, state?: string, step?: string, how?: string}], "
     "edges: [{from: string, to: string, step?: string}], truncated: boolean, columns_from?: [ColumnFrom], columns_to?: [ColumnFrom], "
     "checks?: [{expression: string, consequence: string}], sql?: string}"},
    {"Dashboard",
     "{name: string, title: string, at: string, milliseconds: number, charts: [Chart], "
     "filters: [{name: string, values: [string], selected: [string], more: boolean}]}"},
    {"Reader",
     "{principal: string, times: integer, refused: integer, failed: integer, bytes: integer, last: string, doors: [{name: string, times: integer}], "
     "what: [{name: string, times: integer}]}"},
    {"Monitor",
     "{model: string, version: integer, errors: {points?: [{time: string, forecasts: integer, actual: number, forecast: number, model: number|null, "
     "naive: number|null, seasonal_naive: number|null, covered: number|null}], error?: {code: string, message: string}}, "
     "drift: {trained_to?: string, latest_from?: string, latest_to?: string, trained_rows?: integer, latest_rows?: integer, "
     "inputs?: [{column: string, numeric: boolean, stability_index: number|null, trained_mean: number|null, latest_mean: number|null, "
     "bins: [{label: string, trained: number, latest: number}]}], error?: {code: string, message: string}}}"},
};

constexpr std::string_view kNothing = "";
constexpr RouteShape kRouteShapes[] = {
    {"POST", "/api/v1/session", "", "{token?: string, user?: string, password?: string}", "Who"},
    {"DELETE", "/api/v1/session", "{everywhere?: string}", "", kNothing, 204},
    {"GET", "/api/v1/me", "", "", "Who"},
    {"POST", "/api/v1/sign-in-tokens", "", "{user?: string}", "{token: string}", 201},
    {"GET", "/api/v1/status", "", "",
     "{version: string, lake_id: string, account: string, started: string, uptime_seconds: integer, ready: boolean, not_ready_because?: string, "
     "warning?: string, log_version: integer, storage: {buckets: integer, objects: integer, object_bytes: integer}, doors: {*: string}, archive?: Archive}"},
    // This description; OpenAPI 3.1 says what is in it.
    {"GET", "/api/v1/openapi.json", "", "", "{openapi: string, info: {*: string}, security: [{*: [string]}], paths: {*: {*: {*: Cell}}}, components: {*: {*: {*: Cell}}}}"},
    {"POST", "/api/v1/sql", "", "{sql: string, database?: string}", "{columns: [Column], rows: [[Scalar]], tag: string, notices?: [string]}"},
    {"GET", "/api/v1/events", "{dashboard?: string, tables?: string}", "", "text/event-stream"},

    {"GET", "/api/v1/users", "", "", "{users: [User]}"},
    {"POST", "/api/v1/users", "", "{name: string, roles?: [string], attributes?: {*: string}, policies?: {*: Policy}}", "User", 201},
    {"DELETE", "/api/v1/users/{}", "", "", kNothing, 204},
    {"PUT", "/api/v1/users/{}/policies/{}", "", "Policy", kNothing, 204},
    {"PUT", "/api/v1/users/{}/roles", "", "{roles: [string]}", kNothing, 204},
    {"POST", "/api/v1/users/{}/keys", "", "{}", "{access_key_id: string, secret_access_key: string}", 201},
    {"PUT", "/api/v1/keys/{}", "", "{active: boolean}", kNothing, 204},
    {"DELETE", "/api/v1/keys/{}", "", "", kNothing, 204},
    {"GET", "/api/v1/roles", "", "", "{roles: {*: {grants: {*: Grant}, policies: {*: Policy}}}}"},
    {"PUT", "/api/v1/roles/{}", "", "{grants?: {*: Grant}, policies?: {*: Policy}}", kNothing, 204},
    {"DELETE", "/api/v1/roles/{}", "", "", kNothing, 204},
    {"GET", "/api/v1/users/{}/access", "", "",
     "{user: string, roles: [string], attributes: {*: string}, truncated: boolean, tables: [{database: string, table: string, extent: string, "
     "columns: [{name: string, masked: boolean}], hidden: [string], may: May, "
     "grants: [{all_columns: boolean, columns: [string], masks: {*: string}, rows: string}]}]}"},
    {"GET", "/api/v1/audit", "{limit?: integer, from?: string, to?: string, before?: integer, principal?: string, action?: string, resource?: string, outcome?: string}",
     "", "{records: [AuditRecord], next?: integer}"},
    {"GET", "/api/v1/audit/digests", "{from?: integer, limit?: integer}", "", "{account: string, public_key: string, digests: [Digest], next?: integer}"},
    {"POST", "/api/v1/audit/digests", "", "{}", "{digest: Digest|null}"},
    {"GET", "/api/v1/audit/check", "{from?: integer}", "",
     "{digests: integer, records: integer, oldest: integer, problems: [{kind: string, first: integer, last: integer, text: string}], next?: integer, "
     "signed_to?: integer, chained_to?: integer, end?: integer}"},
    {"GET", "/api/v1/usage", "{hours?: integer}", "", "{from: string, records: integer, truncated: boolean, readers: [Reader]}"},

    {"GET", "/api/v1/streams", "", "", "{streams: [{name: string, begin: integer, end: integer}]}"},
    {"GET", "/api/v1/streams/{}", "{offset?: integer, bytes?: integer}", "",
     "{next: integer, records: [{offset: integer, at: string, key?: string, payload?: string, key_base64?: string, payload_base64?: string}]}"},

    {"POST", "/api/v1/plan", "", "Lakefile", "Plan"},
    {"POST", "/api/v1/apply", "", "{lakefile: string, plan: string, drop_data?: boolean, file_name?: string, folder?: string, files?: {*: string}}", "Plan"},
    {"POST", "/api/v1/try", "", "{lakefile: string, name?: string, rows?: integer, file_name?: string, folder?: string, files?: {*: string}}", "Tried"},
    {"GET", "/api/v1/lakefile", "", "", "Applied"},
    {"GET", "/api/v1/secrets", "", "", "{secrets: [{name: string, from: string, changed?: string}]}"},
    {"PUT", "/api/v1/secrets/{}", "", "{value: string}", kNothing, 204},
    {"DELETE", "/api/v1/secrets/{}", "", "", kNothing, 204},

    {"GET", "/api/v1/sources", "", "", "{sources: [Source]}"},
    {"GET", "/api/v1/sources/{}/verify", "", "", "Verdict"},
    {"POST", "/api/v1/sources/{}/verify", "", "{repair?: boolean, tables?: [string]}", "{source: string, running: boolean}", 202},
    {"GET", "/api/v1/verify", "", "",
     "{running: boolean, complete: boolean, started: string|null, finished: string|null, sound: boolean, damages: integer, leftovers: integer, "
     "looked_at: {*: {count: integer, bytes: integer}}, findings: [{kind: string, where: string, what: string}]}"},
    {"POST", "/api/v1/verify", "", "{}", "{running: boolean}", 202},
    {"GET", "/api/v1/backups", "", "", "{last: Backup|null, archive: Archive|null}"},
    {"POST", "/api/v1/backups", "",
     "{to: string, keep?: integer, full?: boolean, endpoint?: string, region?: string, access_key_id?: string, secret_access_key?: string, ca_file?: string, "
     "passphrase?: string}",
     "{running: boolean}", 202},

    {"GET", "/api/v1/tables", "", "", "{tables: [Step], quiescent: boolean}"},
    {"GET", "/api/v1/runs", "{step?: string, limit?: integer}", "", "{runs: [Run]}"},
    {"POST", "/api/v1/runs", "",
     "{table?: string, step?: string, from_scratch?: boolean, downstream?: boolean, range?: {from: string, to: string}}", "{step: string, started: [string]}", 202},
    {"GET", "/api/v1/runs/{}/{}", "", "", "Run"},
    {"GET", "/api/v1/graph", "", "",
     "{at: string, quiescent: boolean, sources: [Source], steps: [Step], dashboards: [{name: string, title: string, tables: [string]}]}"},
    {"GET", "/api/v1/steps/{}", "", "", "StepDetail"},

    {"GET", "/api/v1/models", "", "", "{models: [{model: string, versions: integer, current: ModelVersion|null}]}"},
    {"GET", "/api/v1/models/{}", "{limit?: integer}", "", "{versions: [ModelVersion], outcomes: Outcomes|null}"},
    {"GET", "/api/v1/models/{}/monitor", "", "", "Monitor"},
    {"PUT", "/api/v1/models/{}/current", "", "{version: integer}", "{model: string, version: integer, current: boolean}"},

    {"GET", "/api/v1/alerts", "", "", "{alerts: [AlertRule], open: [OpenAlert], open_truncated: boolean}"},
    {"GET", "/api/v1/alert-events", "{limit?: integer}", "", "{events: [AlertEvent]}"},
    {"GET", "/api/v1/alert-deliveries", "{limit?: integer}", "", "{deliveries: [Delivery]}"},
    {"GET", "/api/v1/alerts/{}", "", "",
     "{rule: string, open: integer, error: string, evaluated: string|null, evaluations: integer, rows_shown: boolean, warnings: [string], "
     "webhooks: [Webhook], alerts: [OpenAlert], tables: [string], definition: AlertDefinition|null, silences: [{key: Cells, until: string, by: string}]}"},
    {"GET", "/api/v1/alerts/{}/events", "{limit?: integer}", "", "{events: [AlertEvent]}"},
    {"GET", "/api/v1/alerts/{}/deliveries", "{limit?: integer}", "", "{deliveries: [Delivery]}"},
    {"POST", "/api/v1/alerts/{}/silence", "", "{key?: Cells, until: string}", kNothing, 204},
    {"POST", "/api/v1/alerts/{}/test", "", "{}", "{deliveries: [string]}", 202},
    {"GET", "/api/v1/alerts/{}/webhooks/{}/secret", "", "", "{rule: string, target: string, secret: string}"},
    {"POST", "/api/v1/alerts/{}/webhooks/{}/enable", "", "{}", kNothing, 204},

    {"GET", "/api/v1/queries", "", "", "{queries: [Query]}"},
    {"POST", "/api/v1/queries", "", "{sql: string, database?: string, parameters?: [Scalar], wait_ms?: integer, timeout_ms?: integer}", "Query", 201},
    {"GET", "/api/v1/queries/{}", "{wait_ms?: integer}", "", "Query"},
    {"DELETE", "/api/v1/queries/{}", "", "", kNothing, 204},
    {"GET", "/api/v1/queries/{}/rows", "{offset?: integer, limit?: integer}", "", "{offset: integer, total: integer, state: string, rows: [[Scalar]]}"},
    {"GET", "/api/v1/queries/{}/export", "{format?: string}", "", "application/octet-stream"},

    {"GET", "/api/v1/catalog", "{search?: string}", "", "{tables: [TableLine], truncated: boolean}"},
    {"GET", "/api/v1/catalog/{}/{}", "", "", "Table"},
    {"GET", "/api/v1/catalog/{}/{}/snapshots", "{limit?: integer}", "", "{snapshots: [Snapshot], total: integer, whole: boolean}"},
    {"GET", "/api/v1/catalog/{}/{}/files", "", "",
     "{bytes: integer, total: integer, partitions_total: integer, "
     "files: [{path: string, partition: string, format: string, rows: integer, bytes: integer, delete_files: integer}], "
     "partitions: [{partition: string, files: integer, rows: integer, bytes: integer}]}"},
    {"GET", "/api/v1/catalog/{}/{}/lineage", "", "", "Lineage"},
    {"GET", "/api/v1/catalog/{}/{}/sample", "{limit?: integer, snapshot?: string}", "", "{columns: [Column], rows: [[Scalar]], truncated: boolean}"},
    {"GET", "/api/v1/catalog/{}/{}/profile", "{column?: string, snapshot?: string}", "",
     "{rows: integer, exact: boolean, partial: boolean, milliseconds: number, columns: [{name: string, type: string, masked: boolean, nulls: integer, "
     "distinct: integer|null, min: string|null, max: string|null, histogram?: {low: number, high: number, counts: [integer], each: boolean, unit: string}|null, "
     "top?: [{value: string|null, count: integer}], problem?: string, not_drawn?: boolean}]}"},
    {"PUT", "/api/v1/catalog/{}/{}/description", "", "{description?: string, column?: string, tags?: [string]}", kNothing, 204},
    {"GET", "/api/v1/catalog/{}/{}/access", "", "",
     "{table: string, roles: {*: {*: Grant}}, users: [{user: string, roles: [string], attributes: {*: string}, extent: string, columns: [{name: string, masked: boolean}], "
     "hidden: [string], may: May, grants: [{all_columns: boolean, columns: [string], masks: {*: string}, rows: string}]}]}"},
    {"GET", "/api/v1/growth", "{hours?: integer}", "", "{points: [{at: string, bytes: integer, rows: integer}], truncated: boolean}"},

    {"GET", "/api/v1/measures", "", "", "{measures: {*: {*: string}}}"},
    {"GET", "/api/v1/dashboards", "", "", "{dashboards: [{name: string, title: string, filters: [string], charts: integer}], lake?: string}"},
    {"GET", "/api/v1/dashboards/{}", "{*: string}", "", "Dashboard"},
    {"GET", "/api/v1/dashboards/{}/spec", "", "",
     "{name: string, title: string, filters: [string], embed: [string], charts: [ChartWords]}"},
    {"POST", "/api/v1/dashboards/{}/embeds", "", "{user?: string, expires_in_s?: integer, filters?: {*: [string]}}",
     "{id: string, dashboard: string, user: string, by: string, filters: {*: [string]}, made: string, expires: string, path: string, origins: [string]}", 201},
    {"GET", "/api/v1/embeds", "", "",
     "{embeds: [{id: string, dashboard: string, user: string, by: string, filters: {*: [string]}, made: string, expires: string}]}"},
    {"DELETE", "/api/v1/embeds/{}", "", "", kNothing, 204},
};

/// One pass over a shape's text.
class Parser {
 public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<Json> whole() {
        TARN_TRY(out, either());
        skip();
        if (at_ != text_.size()) return wrong("the end");
        return out;
    }

 private:
    Result<Json> either() {
        TARN_TRY(first, one());
        if (!take('|')) return first;
        Json any = Json::array({std::move(first)});
        do {
            TARN_TRY(next, one());
            any.push_back(std::move(next));
        } while (take('|'));
        return Json{{"anyOf", std::move(any)}};
    }

    Result<Json> one() {
        if (take('{')) return object();
        if (take('[')) {
            TARN_TRY(items, either());
            if (!take(']')) return wrong("]");
            return Json{{"type", "array"}, {"items", std::move(items)}};
        }
        const std::string name = word();
        if (name == "any") return Json::object();
        for (const char* type : {"string", "integer", "number", "boolean", "null"})
            if (name == type) return Json{{"type", name}};
        for (const auto& named : kNamed)
            if (named.name == name) return Json{{"$ref", "#/components/schemas/" + name}};
        return wrong("a type");
    }

    /// Behind its bracket.
    Result<Json> object() {
        Json properties = Json::object(), required = Json::array();
        Json out = {{"type", "object"}, {"additionalProperties", false}};
        if (take('}')) return out;
        do {
            const bool rest = take('*');
            const std::string name = rest ? "*" : word();
            if (name.empty()) return wrong("a name");
            const bool optional = take('?');
            if (!take(':')) return wrong(":");
            TARN_TRY(value, either());
            if (rest) {
                out["additionalProperties"] = value.empty() ? Json(true) : std::move(value);
                continue;
            }
            properties[name] = std::move(value);
            if (!optional) required.push_back(name);
        } while (take(','));
        if (!take('}')) return wrong("}");
        if (!properties.empty()) out["properties"] = std::move(properties);
        if (!required.empty()) out["required"] = std::move(required);
        return out;
    }

    void skip() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    bool take(char c) {
        skip();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    std::string word() {
        skip();
        const size_t begin = at_;
        while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
        return std::string(text_.substr(begin, at_ - begin));
    }
    Error wrong(const std::string& wanted) const {
        return Error(Code::invalid_argument, "a shape wants " + wanted + " at " + std::to_string(at_) + " of " + std::string(text_));
    }

    std::string_view text_;
    size_t at_ = 0;
};

}  // namespace

const RouteShape* shape_of(std::string_view method, std::string_view pattern) {
    for (const auto& route : kRouteShapes)
        if (route.method == method && route.pattern == pattern) return &route;
    return nullptr;
}

Result<Json> schema_of(std::string_view shape) {
    return Parser(shape).whole();
}

Result<Json> named_schemas() {
    Json out = Json::object();
    for (const auto& named : kNamed) {
        TARN_TRY(schema, schema_of(named.shape));
        out[std::string(named.name)] = std::move(schema);
    }
    return out;
}

}  // namespace tarn::admin
