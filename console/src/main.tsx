import { render } from "preact";
render(<p>Tarn</p>, document.getElementById("app")!);
