// The console's sources in front of a running lake, for who works on the page: nothing is compiled into the program.
//   node serve.mjs [LAKE [PORT]]      http://127.0.0.1:8080 and a free port; bundles anew at each load of the page that finds a source changed
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const lake = new URL(process.argv[2] ?? "http://127.0.0.1:8080");
const out = mkdtempSync(join(tmpdir(), "tarn-console-"));
const types = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", woff2: "font/woff2", html: "text/html" };
let bundled = 0;

function bundle() {
  const newest = Math.max(...readdirSync(join(here, "src"), { recursive: true }).map((path) => statSync(join(here, "src", path)).mtimeMs));
  if (newest <= bundled) return;
  bundled = newest;
  spawnSync("node", [join(here, "build.mjs"), out], { stdio: "inherit" });
}

/** The program's own answer, with our page in the place of its page. */
createServer((asked, answer) => {
  const path = asked.url.split("?")[0];
  const file = join(out, "site", path);
  const passed = request({ host: lake.hostname, port: lake.port, path: asked.url, method: asked.method, headers: asked.headers }, (found) => {
    const page = path !== "/licenses.txt" && !path.startsWith("/api/") && (found.headers["content-type"] ?? "").startsWith("text/html");
    const own = join(out, "site", `${path.split("/")[1]}.html`);
    if (page) return send(answer, existsSync(own) ? own : join(out, "site/index.html"), { "content-security-policy": found.headers["content-security-policy"], "cache-control": "no-store" });
    answer.writeHead(found.statusCode, found.headers);
    found.pipe(answer);
  });
  passed.on("error", () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
  answer.on("close", () => passed.destroy());
  if (path.startsWith("/assets/") && existsSync(file)) return send(answer, file, { "cache-control": "public, max-age=31536000, immutable" });
  if (asked.headers["sec-fetch-dest"] === "document") {
    bundle();
    delete asked.headers["if-none-match"];
  }
  asked.pipe(passed);
}).listen(Number(process.argv[3] ?? 0), "127.0.0.1", function () {
  bundle();
  console.log(`http://127.0.0.1:${this.address().port}`);
});

function send(answer, file, headers) {
  answer.writeHead(200, { ...headers, "content-type": `${types[file.split(".").pop()]}; charset=utf-8`, "content-encoding": "gzip" });
  answer.end(gzipSync(readFileSync(file)));
}
