// What the trees look at, by the share of the gain.
import { useEffect, useRef } from "preact/hooks";
import { Card, Empty, KeyValue, Table } from "../../ui";
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

export function Features({ version }: { version: Version }) {
  const known = new Map(version.importance.map((one) => [one.feature, one.share]));
  const most = Math.max(1e-9, ...known.values());
  const parameters = Object.entries(version.parameters);
  return (
    <div class="two-columns">
      <Card title="Features by importance" aside={<span class="measure">share of the gain</span>}>
        {version.features.length === 0 ? (
          <Empty title="No features." />
        ) : (
          <Table
            label="Features by importance"
            word="features"
            find="Filter features"
            start_sort="-share"
            first={15}
            rows={version.features}
            row_key={(feature) => feature}
            columns={[
              { name: "feature", title: "Feature", value: (feature) => feature.replace(/_/g, " ") },
              { name: "bar", title: "Bar", unsorted: true, value: () => null, show: (feature) => <Bar share={(known.get(feature) ?? 0) / most} /> },
              { name: "share", title: "Share", value: (feature) => known.get(feature) ?? 0, show: (feature) => (known.has(feature) ? `${(100 * known.get(feature)!).toFixed(1)}%` : "unused"), right: true },
            ]}
          />
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
