import { render } from "preact";
import { App } from "./app";
import { load_screen, load_style, screen_of } from "./routes";
import { start } from "./session";

if (location.pathname.startsWith("/embed/")) {
  // A dashboard in another site's page: no session, no frame.
  void Promise.all([import("./screens/dashboards/embed"), load_style("dashboards")]).then(([embed]) => embed.start_embedded());
} else {
  // The screen's script comes while the server says who this is. What fails is told where the screen is drawn.
  const screen = screen_of(location.pathname);
  if (screen !== null) void load_screen(screen).catch(() => undefined);
  const place = document.getElementById("app")!;
  place.replaceChildren(); // the mark that stands there until now
  render(<App />, place);
  void start();
}
