// Finds a Chromium for the browser tests: the system's, or the one in @sparticuz/chromium (Linux x64), which
// carries SwiftShader, too. Imports Node's own modules only.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { CARRIER, CARRIER_VERSION, swiftshader, unpackOnce } from "../cli/swiftshader.mjs";
import { npm, QUIET, root } from "./setup.mjs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const carrier = join(root, "node_modules", ...CARRIER.split("/"));
const onCarriersPlatform = process.platform === "linux" && process.arch === "x64";

/**
 * Installs the package with a Chromium and SwiftShader where the system lacks one of them. It is no
 * dependency: 66 MB that only tests need.
 */
export async function ensureChromium() {
  if (!onCarriersPlatform || existsSync(carrier) || ("path" in findChromium() && swiftshader().icd)) return;
  const name = `${CARRIER}@${CARRIER_VERSION}`;
  console.log(`Installing ${name} (66 MB) ...`);
  // Without a network npm would try for a minute.
  if ((await npm(["install", "--no-save", ...QUIET, "--fetch-retries=0", name])) !== 0)
    console.log(`${name} could not be installed: see npm's message above.`);
}

/** @returns {import("./hosts.mjs").Host | { why: string }} one that starts, or why there is none */
export function findChromium() {
  const installed = PLACES.filter((path) => existsSync(path));
  for (const path of installed) {
    const version = start(path, {});
    if (version) return { path, env: {}, version };
  }
  const missing = `expected one of ${PLACES.join(", ")}${installed.length > 0 ? ", got one that does not start" : ""}`;
  if (!onCarriersPlatform) return { why: missing };
  if (!existsSync(join(carrier, "bin"))) return { why: `${missing}, or the package ${CARRIER}` };
  try {
    const folder = unpacked();
    const path = join(folder, "chromium");
    const given = process.env["LD_LIBRARY_PATH"];
    const libraries = [join(folder, "lib"), folder, ...(given ? [given] : [])].join(delimiter);
    // Under C.UTF-8 it makes "en-US@posix" of a locale, and numbers cannot be written.
    const env = { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder, LC_ALL: "en_US.UTF-8" };
    const version = start(path, env);
    return version ? { path, env, version } : { why: `the one in ${CARRIER} does not start here` };
  } catch (error) {
    return { why: `${CARRIER} could not be unpacked: ${/** @type {Error} */ (error).message}` };
  }
}

/**
 * @param {string} path
 * @param {Record<string, string>} env
 * @returns {string} its version; empty if it does not start
 */
function start(path, env) {
  const options = {
    env: { ...process.env, ...env },
    encoding: /** @type {const} */ ("utf8"),
    timeout: 30_000,
  };
  const { status, stdout } = spawnSync(path, ["--version", "--no-sandbox"], options);
  return status === 0 ? stdout.trim() : "";
}

/** It ends where it finds no font. Its own list has folders of a cloud service. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
`;

/** Takes about 3 s and 200 MB, once. */
function unpacked() {
  const { version } = JSON.parse(readFileSync(join(carrier, "package.json"), "utf8"));
  const cache = join(root, "node_modules", ".cache", "sirocco");
  return unpackOnce(join(cache, `chromium-${version}-with-fonts`), (unfinished) => {
    const unbrotli = (/** @type {string} */ name) =>
      brotliDecompressSync(readFileSync(join(carrier, "bin", name)));
    for (const name of ["al2023", "fonts", "swiftshader"]) {
      const input = unbrotli(`${name}.tar.br`);
      const { status, stderr } = spawnSync("tar", ["-x", "--no-same-owner", "-C", unfinished], { input });
      if (status !== 0) throw new Error(`tar: ${stderr}`);
    }
    writeFileSync(join(unfinished, "fonts.conf"), FONTS);
    writeFileSync(join(unfinished, "chromium"), unbrotli("chromium.br"), { mode: 0o755 });
  });
}
