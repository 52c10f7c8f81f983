// How far a database that is followed by its log is ahead of the lake, and how much comes.
import { number } from "../../format";
import { Bytes, Card, KeyValue } from "../../ui";
import type { Capture } from "./types";

export function CaptureCard({ capture }: { capture: Capture }) {
  return (
    <Card title="Followed by its log">
      <KeyValue
        rows={[
          ["Behind", <>{number(Math.round(capture.lag_seconds * 10) / 10)} s</>],
          ["Log not here yet", <Bytes value={capture.lag_bytes} />],
          ["Changes", <>{number(Math.round(capture.changes_per_second * 10) / 10)} a second</>],
          ["Log that the database keeps for the lake", <Bytes value={capture.retained_bytes} />],
        ]}
      />
    </Card>
  );
}
