// Chromium with tabs that share their cookies: browser.mjs OPTIONS. Commands name a tab; what a page writes on its
// console comes out with the tab's name.
import { chromium } from "playwright-core";
import { obey, options, tell } from "./peer.cjs";

const QUIET = ["gpu", "quic", "background-networking", "component-update", "sync"].map((name) => `--disable-${name}`);

const browser = await chromium.launch({
  executablePath: options.program,
  args: ["--no-sandbox", "--no-first-run", ...QUIET],
});
const context = await browser.newContext();
const tabs = new Map();

async function open({ tab, address }) {
  const page = await context.newPage();
  tabs.set(tab, page);
  page.on("console", (message) => {
    try {
      console.log(JSON.stringify({ ...JSON.parse(message.text()), tab }));
    } catch {
      console.log(`${tab}: ${message.text()}`); // the browser's own complaints
    }
  });
  page.on("pageerror", (error) => console.log(`${tab}: ${error}`));
  await page.goto(address);
}

obey({
  open,
  call: ({ tab, name, given }) => tabs.get(tab).evaluate(([call, value]) => { window.calls[call](value); }, [name, given]),
  quit: () => browser.close(),
});
tell("ready");
