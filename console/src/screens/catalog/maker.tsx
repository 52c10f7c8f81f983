// What makes a table's rows, as a link to its place among the pipelines.

import { path_of } from "../../api";
import type { Maker } from "./shapes";

export const MakerLink = ({ by }: { by: Maker }) => (
  <a href={by.kind === "source" ? `/pipelines?source=${encodeURIComponent(by.name)}` : path_of("/pipelines", by.name)}>{by.name}</a>
);
