// A statement kept: as a query in this browser, or as a table or a chart of the lake, which is what the lakefile says.

import { useState } from "preact/hooks";
import { Button, CodeBlock, Dialog, Field, toast } from "../../ui";
import { save_query } from "./state";
import { chart_yaml, name_from, table_yaml } from "./yaml";

const kinds = ["query", "table", "chart"] as const;
const words = { query: "Query", table: "Table", chart: "Chart" };

export function Save({ sql, title, close }: { sql: string; title: string; close: () => void }) {
  const [kind, set_kind] = useState<(typeof kinds)[number]>("query");
  const [name, set_name] = useState(title);
  const [board, set_board] = useState("explore");
  const [draw, set_draw] = useState("line");
  const yaml = kind === "table" ? table_yaml(name, sql) : chart_yaml(board, name, draw, sql);
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
          <div class="dialog-foot">
            <Button onClick={close}>Cancel</Button>
            <Button
              kind="primary"
              disabled={name.trim() === ""}
              onClick={() => {
                save_query(name.trim(), sql);
                toast("Saved in this browser.");
                close();
              }}
            >
              Save
            </Button>
          </div>
        </>
      ) : (
        <>
          <p class="hint">
            {kind === "chart" ? "The first column is the x axis, the others are drawn over it. " : ""}
            Put this into the lakefile and apply it: <code>tarn apply lake.yaml</code>
          </p>
          <CodeBlock text={yaml} label="Lakefile" />
        </>
      )}
    </Dialog>
  );
}
