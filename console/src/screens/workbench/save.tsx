// A statement kept: as a query in this browser, or as a table or a chart of the lake, which is what the lakefile says.

import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { apply_item } from "../../lakefile";
import { CodeBlock, Dialog, DialogFoot, Field, toast } from "../../ui";
import { save_query } from "./state";
import { chart_measures, chart_yaml, name_from, table_yaml } from "./yaml";

const kinds = ["query", "table", "chart"] as const;
const words = { query: "Query", table: "Table", chart: "Chart" };

/** `columns`: of what the statement brought, when it ran. */
export function Save({ sql, title, columns, close }: { sql: string; title: string; columns: string[]; close: () => void }) {
  const [kind, set_kind] = useState<(typeof kinds)[number]>("query");
  const [name, set_name] = useState(title);
  const [board, set_board] = useState("explore");
  const [draw, set_draw] = useState("line");
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const apply = async () => {
    set_busy(true);
    set_problem("");
    const statement = sql.trim().replace(/;\s*$/, "");
    try {
      if (kind === "table")
        await apply_item(`tables.${name_from(name)}`, (now) => {
          if (now !== null) throw new ApiError(409, "already_exists", `The lakefile has a table ${name_from(name)} already.`);
          return { sql: statement };
        });
      else
        await apply_item(`dashboards.${name_from(board)}`, (now) => ({
          ...now,
          charts: [...((now?.charts as unknown[] | undefined) ?? []), { title: name, ...(draw === "table" ? {} : { [draw]: chart_measures(draw, columns) }), sql: statement }],
        }));
      toast(kind === "table" ? "Applied: the table is being made." : "Applied: the chart is on its dashboard.");
      close();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      set_problem(error.message);
      set_busy(false);
    }
  };
  const yaml = kind === "table" ? table_yaml(name, sql) : chart_yaml(board, name, draw, columns, sql);
  return (
    <Dialog title="Save" close={close} wide>
      <fieldset class="choices">
        <legend class="sr-only">Save as</legend>
        {kinds.map((one) => (
          <label key={one} class={one === kind ? "choice chosen" : "choice"}>
            <input type="radio" name="kind" checked={one === kind} onChange={() => set_kind(one)} />
            {words[one]}
          </label>
        ))}
      </fieldset>
      <div class="save-fields">
        <Field label={kind === "chart" ? "Title" : "Name"} {...(kind === "table" ? { hint: `In the lake: ${name_from(name)}` } : {})}>
          {(ids) => <input {...ids} value={name} onInput={(event) => set_name(event.currentTarget.value)} />}
        </Field>
        {kind === "chart" && (
          <>
            <Field label="Dashboard">{(ids) => <input {...ids} value={board} onInput={(event) => set_board(event.currentTarget.value)} />}</Field>
            <Field label="Drawn as">
              {(ids) => (
                <select {...ids} value={draw} onChange={(event) => set_draw(event.currentTarget.value)}>
                  {["line", "area", "bar", "stacked", "scatter", "number", "table"].map((one) => (
                    <option key={one}>{one}</option>
                  ))}
                </select>
              )}
            </Field>
          </>
        )}
      </div>
      {kind === "query" ? (
        <>
          <p class="hint">Kept in this browser, under History.</p>
          <DialogFoot
            word="Save"
            disabled={name.trim() === ""}
            run={() => {
              save_query(name.trim(), sql);
              toast("Saved in this browser.");
              close();
            }}
            close={close}
          />
        </>
      ) : (
        <>
          <p class="hint">
            {kind === "chart" ? "The first column is the x axis, the others are drawn over it. " : ""}
            Put this into the lakefile and apply it: <code>tarn apply lake.yaml</code>. What is applied from here alone is undone by the next apply of the file.
          </p>
          <CodeBlock text={yaml} label="Lakefile" />
          <DialogFoot word="Apply" problem={problem} disabled={name.trim() === "" || busy} run={() => void apply()} close={close} />
        </>
      )}
    </Dialog>
  );
}
