import { render } from "preact";
import { App } from "./app";
import { load_style } from "./routes";
import { start } from "./session";

if (location.pathname.startsWith("/embed/")) {
  // A dashboard in another site's page: no session, no frame.
  void Promise.all([import("./screens/dashboards/embed"), load_style("dashboards")]).then(([embed]) => embed.start_embedded());
} else {
  render(<App />, document.getElementById("app")!);
  void start();
}
