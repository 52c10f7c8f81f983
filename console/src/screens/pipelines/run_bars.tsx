// The latest runs as bars: how long each took, and by shape and colour what came of it. The history below is its table.
import { milliseconds } from "../../format";
import { type Run, run_path, took } from "./types";

const shown = 40;
const height = 96;

export function RunBars({ runs }: { runs: Run[] }) {
  const latest = runs.slice(0, shown).reverse();
  if (latest.length === 0) return <div class="nothing">Nothing has run yet.</div>;
  const most = Math.max(1, ...latest.map((run) => took(run) ?? 0));
  const width = 100 / shown;
  const failed = latest.filter((run) => run.outcome === "failed").length;
  return (
    <>
      <svg class="run-bars" viewBox={`0 0 400 ${height}`} preserveAspectRatio="none" role="group" aria-label={`The latest ${latest.length} runs, ${failed} failed, at most ${milliseconds(most)}. The history below has them as a table.`}>
        {latest.map((run, i) => {
          const time = took(run) ?? most;
          const tall = Math.max(4, (time / most) * (height - 8));
          const about = `Run ${run.run}, ${run.outcome}, ${milliseconds(time)}`;
          return (
            <a key={run.run} href={run_path(run.step, run.run)} aria-label={about} tabIndex={-1}>
              <title>{about}</title>
              <rect class="touch" x={i * width * 4} width={width * 4} y="0" height={height} />
              <rect class={`run-bar ${run.outcome}`} x={i * width * 4 + 1} width={width * 4 - 2} y={height - tall} height={tall} rx="1.5" />
              {run.outcome === "failed" && <rect class="run-mark" x={i * width * 4 + 1} width={width * 4 - 2} y="0" height="3" />}
            </a>
          );
        })}
      </svg>
      <div class="foot">
        <span>longest {milliseconds(most)}</span>
        <span>{failed === 0 ? "none failed" : `${failed} failed (marked at the top)`}</span>
      </div>
    </>
  );
}
