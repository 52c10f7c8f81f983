// Grey places for what comes: the title, the figures, a chart.

export function Waiting({ name }: { name?: string }) {
  return (
    <div class={name ? `page ${name}` : "page"} role="status" aria-busy="true" aria-label="Loading the dashboard">
      <div class="page-head">
        <span class="ghost title" />
      </div>
      <div class="tiles">
        {[0, 1, 2].map((i) => (
          <div key={i} class="tile">
            <span class="ghost" />
            <span class="ghost big" />
          </div>
        ))}
      </div>
      <div class="columns">
        <div class="charts">
          <div class="card">
            <span class="ghost" />
            <span class="ghost area" />
          </div>
        </div>
      </div>
    </div>
  );
}
