// What the trees look at, by the share of the gain.
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Card, Empty, KeyValue } from "../../ui";
import { type Version, model_name } from "./types";

/** A bar whose length is a share of the widest; the width is set through the DOM, which the page's policy allows. */
export function Bar({ share, tone }: { share: number; tone?: string }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => bar.current?.style.setProperty("width", `${Math.max(0.5, Math.min(100, 100 * share))}%`), [share]);
  return (
    <span class="share-track" aria-hidden="true">
      <span ref={bar} class={tone ? `share-fill ${tone}` : "share-fill"} />
    </span>
  );
}

const first_shown = 15;

export function Features({ version }: { version: Version }) {
  const [all, set_all] = useState(false);
  const known = new Map(version.importance.map((one) => [one.feature, one.share]));
  const features = [...version.features].sort((a, b) => (known.get(b) ?? 0) - (known.get(a) ?? 0));
  const most = Math.max(1e-9, ...known.values());
  const shown = all ? features : features.slice(0, first_shown);
  const parameters = Object.entries(version.parameters);
  return (
    <div class="two-columns">
      <Card title="Features by importance" aside={<span class="measure">share of the gain</span>}>
        {features.length === 0 ? (
          <Empty title="No features." />
        ) : (
          <>
            <table class="shares">
              <thead class="sr-only">
                <tr>
                  <th scope="col">Feature</th>
                  <th scope="col">Bar</th>
                  <th scope="col">Share of the gain</th>
                </tr>
              </thead>
              <tbody>
                {shown.map((feature) => (
                  <tr key={feature}>
                    <th scope="row">{feature.replace(/_/g, " ")}</th>
                    <td class="share-cell">
                      <Bar share={(known.get(feature) ?? 0) / most} />
                    </td>
                    <td class="right">{known.has(feature) ? `${(100 * known.get(feature)!).toFixed(1)}%` : "unused"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {features.length > first_shown && (
              <div class="foot">
                <Button kind="quiet" onClick={() => set_all(!all)}>
                  {all ? `Show the first ${first_shown}` : `Show all ${features.length}`}
                </Button>
              </div>
            )}
          </>
        )}
      </Card>
      <Card title="How it was made">
        <KeyValue
          rows={[
            ["Trained on", version.trained_on.map((one) => model_name(one.table)).join(", ")],
            ["Up to", version.trained_to],
            ["Series", version.series.toLocaleString()],
            ["Rows learnt from", version.rows.toLocaleString()],
            ["Took", `${version.seconds.toFixed(1)} s, of it ${version.back_test.seconds.toFixed(1)} s for the back-test`],
            ["In use because", version.why],
            ["Parameters", parameters.length === 0 ? "the usual ones" : parameters.map(([name, value]) => `${name} ${value}`).join(", ")],
          ]}
        />
      </Card>
    </div>
  );
}
