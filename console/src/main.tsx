import { render } from "preact";
import { App } from "./app";
import { start } from "./session";

render(<App />, document.getElementById("app")!);
void start();
