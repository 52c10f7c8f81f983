// Bundles the console and writes it as a C++ source that the program embeds:
//   node build.mjs OUT_DIR      OUT_DIR/console_assets.cc, the files themselves in OUT_DIR/site, sizes.json
// Names hold the hash of their content, so that browsers may keep them for ever; the page itself is asked for each time.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");

let esbuild;
try {
  esbuild = await import("esbuild");
} catch {
  console.error("console: its tools are not installed; run ./x setup");
  process.exit(1);
}

const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  target: ["es2022"],
  entryNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  outdir: "site",
  publicPath: "/",
  write: false,
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
};
// One chunk per screen, loaded when its address is opened.
const built = await esbuild.build({
  ...common,
  entryPoints: { app: "src/main.tsx" },
  format: "esm",
  splitting: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  chunkNames: "assets/chunk-[hash]",
  loader: { ".css": "empty" },
});
// A style sheet for each folder that has one, by itself: as part of a chunk it would hold those of all screens that the chunk can
// lead to. They are named in the page, so that a chunk's loader (src/routes.ts) can ask for them.
const folders = Object.fromEntries(readdirSync(join(here, "src/screens"), { withFileTypes: true }).filter((one) => one.isDirectory()).map(({ name }) => [name, `src/screens/${name}/style.css`]));
const sheets = await esbuild.build({ ...common, entryPoints: { style: "src/style.css", palette: "src/palette/palette.css", ...folders }, loader: { ".woff2": "file" } });

const files = [...built.outputFiles, ...sheets.outputFiles].map((file) => ({
  path: "/" + file.path.slice(join(here, "site").length + 1),
  bytes: Buffer.from(file.contents),
  immutable: true,
}));
const named = (stem, end) => files.find((file) => file.path.startsWith(`/assets/${stem}-`) && file.path.endsWith(end)).path;
const icon = readFileSync(join(here, "src/icon.svg"));
const icon_path = `/assets/icon-${createHash("sha256").update(icon).digest("hex").slice(0, 8)}.svg`;
files.push({ path: icon_path, bytes: icon, immutable: true });
const font = files.find((file) => file.path.endsWith(".woff2"));
const outputs = built.metafile.outputs;
const styles = Object.fromEntries(["palette", ...Object.keys(folders)].map((name) => [name, named(name, ".css")]));
/** The script and all that it imports at once: what a browser loads before it draws anything. */
function with_imports(path, into = new Set()) {
  if (into.has(path)) return into;
  into.add(path);
  for (const one of outputs[path].imports) if (one.kind === "import-statement") with_imports(one.path, into);
  return into;
}
const script = named("app", ".js");
const entry = [...with_imports("site" + script)].map((path) => path.replace(/^site/, ""));
const preload = (paths, after = "") => paths.map((path) => `<link rel="modulepreload" href="${path}"${after}>\n`).join("");
/** What an address's screen needs, beside the entry: asked for at once, not one after the other as each names the next. The frame is painted before it. */
function needed_by(source, name) {
  const chunk = Object.keys(outputs).find((path) => outputs[path].entryPoint === source);
  const scripts = [...with_imports(chunk)].map((path) => path.replace(/^site/, "")).filter((path) => !entry.includes(path));
  const after = ' fetchpriority="low"';
  return preload(scripts, after) + `<link rel="preload" as="style" href="${styles[name]}"${after}>\n`;
}
const page = readFileSync(join(here, "src/index.html"), "utf8")
  .replace("{{script}}", script)
  .replace("{{preload}}", preload(entry.filter((path) => path !== script)))
  .replace("{{styles}}", JSON.stringify(styles).replaceAll('"', "&quot;"))
  .replace("{{style}}", named("style", ".css"))
  .replace("{{font}}", font.path)
  .replace("{{icon}}", icon_path);
const page_of = (needed) => Buffer.from(page.replace("{{screen}}", needed));
// The page of each screen's addresses (src/protocols/admin/console.cc), named as their first segment is.
for (const name of Object.keys(folders)) files.push({ path: name === "home" ? "/" : `/${name}`, bytes: page_of(needed_by(`src/screens/${name}/index.tsx`, name)), immutable: false });
files.push({ path: "/home", bytes: page_of(""), immutable: false }); // where there is no screen
files.push({ path: "/embed", bytes: page_of(needed_by("src/screens/dashboards/embed.tsx", "dashboards")), immutable: false });
files.push({ path: "/licenses.txt", bytes: Buffer.from(licenses()), immutable: false });
files.sort((a, b) => (a.path < b.path ? -1 : 1));

/** What others wrote and we serve a copy of, with its terms. */
function licenses() {
  const packages = new Set([...Object.keys(built.metafile.inputs), ...Object.keys(sheets.metafile.inputs)].map((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
  return [...packages].sort().map((name) => {
    const folder = join(here, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const terms = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    return `${name} ${version} (${license})\n\n${terms ? readFileSync(join(folder, terms), "utf8").trim() : ""}\n`;
  }).join(`\n${"-".repeat(80)}\n\n`);
}

const types = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", woff2: "font/woff2", txt: "text/plain; charset=utf-8" };

/** The bytes as a C++ array: a compiler takes numbers of any length, but not literals. */
function array(name, bytes) {
  let text = `constexpr unsigned char ${name}[] = {`;
  for (let i = 0; i < bytes.length; i++) text += (i % 32 === 0 ? "\n" : "") + bytes[i] + ",";
  return text + "};\n";
}

let source = "// Made by console/build.mjs; the page that the program serves.\n";
source += '#include "protocols/admin/internal/console_assets.h"\n\nnamespace tarn::admin {\nnamespace {\n\n';
let table = "";
const sizes = { entry: 0, files: {} }; // bytes, compressed
rmSync(join(out, "site"), { recursive: true, force: true });
files.forEach((file, i) => {
  const packed = gzipSync(file.bytes, { level: 9 });
  const etag = createHash("sha256").update(file.bytes).digest("hex").slice(0, 32);
  const type = types[file.path.split(".").pop()] ?? "text/html; charset=utf-8";
  source += array(`plain${i}`, file.bytes) + array(`gzip${i}`, packed);
  table += `    {"${file.path}", "${type}", "\\"${etag}\\"", ${file.immutable}, text(plain${i}), text(gzip${i})},\n`;
  const target = join(out, "site", file.path === "/" ? "index.html" : file.path.includes(".") ? file.path : `${file.path}.html`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, file.bytes);
  sizes.files[file.path] = packed.length;
  if (entry.includes(file.path) || file.path === named("style", ".css")) sizes.entry += packed.length;
  if (process.env.CONSOLE_SIZES) console.log(`${file.path}: ${file.bytes.length} bytes, ${packed.length} gzip`);
});
source += `
template <size_t n>
std::string_view text(const unsigned char (&bytes)[n]) {
    return {reinterpret_cast<const char*>(bytes), n};
}

}  // namespace

std::span<const ConsoleAsset> console_assets() {
    static const ConsoleAsset assets[] = {
${table}    };
    return assets;
}

}  // namespace tarn::admin
`;
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "console_assets.cc"), source);
writeFileSync(join(out, "sizes.json"), JSON.stringify(sizes, null, 1) + "\n");
