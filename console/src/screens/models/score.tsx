// Asking the model by hand: predict_<model>(...) through SQL, as the viewer.
import { useState } from "preact/hooks";
import { ApiError, ask_sql, sql_name } from "../../api";
import { number } from "../../format";
import { Button, Card, CodeBlock, Field } from "../../ui";
import { type Version, model_name } from "./types";

const first_shown = 10;

export function ScoreByHand({ version }: { version: Version }) {
  const [values, set_values] = useState<Record<string, string>>({ steps_ahead: "1" });
  const [all, set_all] = useState(false);
  const [answer, set_answer] = useState<string | null>(null);
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const known = new Map(version.importance.map((one) => [one.feature, one.share]));
  const features = [...version.features].sort((a, b) => (known.get(b) ?? 0) - (known.get(a) ?? 0));
  const shown = all ? features : features.slice(0, first_shown);
  const wrong = Object.entries(values).find(([, value]) => value.trim() !== "" && !Number.isFinite(Number(value)))?.[0];
  const argument = (feature: string): string => {
    const value = (values[feature] ?? "").trim();
    return value === "" || !Number.isFinite(Number(value)) ? "null" : String(Number(value));
  };
  const model = model_name(version.model);
  const sql = `select ${sql_name(`predict_${model.replace(/^.*\./, "")}`)}(\n  ${version.features.map((feature) => `${argument(feature)} /* ${feature.replaceAll("*/", "")} */`).join(",\n  ")}\n)`;
  const go = async () => {
    if (wrong !== undefined) return;
    set_busy(true);
    set_problem("");
    try {
      const rows = (await ask_sql(sql)).rows;
      const value = rows[0]?.[0];
      set_answer(value === null || value === undefined ? "no forecast" : number(Number(value)));
    } catch (error) {
      set_answer(null);
      set_problem(error instanceof ApiError ? error.message : String(error));
    }
    set_busy(false);
  };
  return (
    <div class="two-columns">
      <Card title="Score by hand" aside={<span class="measure">empty: not known</span>}>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void go();
          }}
        >
          <div class="score-fields">
            {shown.map((feature) => (
              <Field key={feature} label={feature.replace(/_/g, " ")} {...(feature === wrong ? { problem: "a number, or nothing" } : {})}>
                {(ids) => <input {...ids} inputMode="decimal" value={values[feature] ?? ""} onInput={(event) => set_values({ ...values, [feature]: event.currentTarget.value })} />}
              </Field>
            ))}
          </div>
          <div class="score-foot">
            <Button kind="primary" submit disabled={busy || wrong !== undefined}>
              Score
            </Button>
            {features.length > first_shown && (
              <Button kind="quiet" onClick={() => set_all(!all)}>
                {all ? "Fewer features" : `All ${features.length} features`}
              </Button>
            )}
            <output class="score-answer" aria-live="polite">
              {answer !== null && (
                <>
                  {model}: <strong>{answer}</strong>
                </>
              )}
            </output>
          </div>
          {problem && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
        </form>
      </Card>
      <Card title="The same in SQL" aside={<span class="measure">version {version.version}, in use</span>}>
        <CodeBlock text={sql} label="The statement" />
      </Card>
    </div>
  );
}
