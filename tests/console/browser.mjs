// Drives a headless Chromium for tests: one JSON command a line in, one JSON answer a line out (headless_browser.py is its face).
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../console/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

const browser = await chromium.launch({
  executablePath: process.env.TARN_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
let page;
let problems = [];

async function fresh({ width = 1280, height = 900, scheme = "light" }) {
  const old = page?.context();
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-US", timezoneId: "UTC" });
  page = await context.newPage();
  await old?.close();
  problems = [];
  page.on("console", (message) => {
    // A refused request is told by the browser itself; whether that is right is for the test to say.
    if (["error", "warning"].includes(message.type())) problems.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["127.0.0.1", "localhost"].includes(url.hostname) && url.protocol !== "data:") problems.push(`outside request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
}

const timeout = 15_000;
const held = new Map(); // path -> what lets its requests go
const axe_source = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const commands = {
  fresh,
  open: async ({ url }) => void (await page.goto(url)),
  look: async ({ width, height, scheme }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
  },
  back: async () => void (await page.goBack()),
  hold: async ({ path }) => {
    const gate = new Promise((open) => held.set(path, open));
    await page.route((url) => url.pathname === path, async (route) => {
      await gate;
      await route.continue();
    });
  },
  let_go: async ({ path }) => void held.get(path)(),
  clear_cookies: async () => void (await page.context().clearCookies()),
  /** What axe finds wrong with the page as it stands: [{id, impact, where: [selector]}]. */
  axe: async ({ rules, inside }) => {
    if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe_source);
    const found = await page.evaluate(
      ([only, where]) => axe.run(where ?? document, { resultTypes: ["violations"], runOnly: only ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
      [rules, inside],
    );
    return found.violations.map((one) => ({ id: one.id, impact: one.impact, help: one.help, where: one.nodes.slice(0, 5).map((node) => `${node.target.join(" ")} | ${node.failureSummary}`) }));
  },
  paper: async ({ on }) => void (await page.emulateMedia({ media: on ? "print" : "screen" })),
  motion: async ({ wish }) => void (await page.emulateMedia({ reducedMotion: wish })),
  reload: async () => void (await page.reload()),
  fill: async ({ label, text }) => void (await page.getByLabel(label, { exact: true }).fill(text, { timeout })),
  press: async ({ key }) => {
    for (const one of key.split(" ")) await page.keyboard.press(one);
  },
  click: async ({ role, name }) => void (await page.getByRole(role, { name }).first().click({ timeout })),
  // Steps in between, as a hand makes them: a drag begins with the first move and needs another over its goal.
  drag: async ({ name, to }) => {
    const middle = async (one) => {
      const box = await page.getByRole("button", { name: one }).first().boundingBox({ timeout });
      return [box.x + box.width / 2, box.y + box.height / 2];
    };
    const goal = await middle(to);
    await page.mouse.move(...(await middle(name)));
    await page.mouse.down();
    await page.mouse.move(...goal, { steps: 8 });
    await page.mouse.move(goal[0] + 1, goal[1] + 1);
    await page.mouse.up();
  },
  // From the middle of a part, by so many pixels.
  pull: async ({ role, name, x, y }) => {
    const box = await page.getByRole(role, { name }).first().boundingBox({ timeout });
    const from = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(from[0] + x, from[1] + y, { steps: 4 });
    await page.mouse.up();
  },
  focus: async ({ role, name }) => void (await page.getByRole(role, { name }).first().focus({ timeout })),
  choose: async ({ label, value }) => void (await page.getByRole("combobox", { name: label }).selectOption(value, { timeout })),
  see: async ({ role, name }) => void (await page.getByRole(role, { name }).first().waitFor({ timeout })),
  see_text: async ({ text }) => void (await page.getByText(text).first().waitFor({ timeout })),
  gone: async ({ text }) => void (await page.getByText(text).first().waitFor({ state: "hidden", timeout })),
  text: async ({ role, name }) => await page.getByRole(role, { name }).first().innerText({ timeout }),
  holds: async ({ role, name, text }) => void (await page.getByRole(role, { name }).filter({ hasText: text }).first().waitFor({ timeout })),
  lacks: async ({ role, name, text }) => {
    const until = Date.now() + timeout;
    while ((await page.getByRole(role, { name }).first().innerText({ timeout })).includes(text)) {
      if (Date.now() > until) throw new Error(`${role} "${name}" still holds "${text}"`);
      await page.waitForTimeout(50);
    }
  },
  evaluate: async ({ js }) => await page.evaluate(js),
  problems: async () => problems.splice(0),
  screenshot: async ({ path, full = false }) => void (await page.screenshot({ path, fullPage: full })),
};

await fresh({});
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const { run, ...words } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await commands[run](words)) ?? null }));
  } catch (error) {
    const shown = await page.evaluate(() => `${location.href}\n${document.body.innerText.slice(0, 1500)}`).catch(() => "no page");
    console.log(JSON.stringify({ error: `${error.message ?? error}\n${problems.join("\n")}\nthe page: ${shown}` }));
  }
}
await browser.close();
