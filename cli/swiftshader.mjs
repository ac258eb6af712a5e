// SwiftShader, a software Vulkan driver, for Linux machines that have none: no root, no download of our own.
// Used by the scripts here and, built into the package, by the `sirocco` command. Node's own modules only.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** The npm package that carries the driver, in the version whose x64 build is known to work. */
export const CARRIER = "@sparticuz/chromium";
export const CARRIER_VERSION = "147.0.0";
const ICD = "vk_swiftshader_icd.json";
const DRIVER = "libvk_swiftshader.so";
const LOADER = "libvulkan.so.1";

/** Where browsers based on Chromium keep the same driver. */
const BROWSERS = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
];

const ADVICE =
  "Install the Vulkan driver of your GPU, or a software driver: Mesa's lavapipe, version 24 or newer (Debian, Ubuntu: " +
  `the package mesa-vulkan-drivers), or SwiftShader from npm (Linux x64): npm install ${CARRIER}@${CARRIER_VERSION}`;

/**
 * Finds SwiftShader and makes it loadable.
 * @returns {{ icd: string, problem?: undefined } | { icd?: undefined, problem: string }} the file for
 * VK_DRIVER_FILES, or why there is none and what to install
 */
export function swiftshader() {
  if (process.platform !== "linux") return { problem: "SwiftShader is set up on Linux only." };
  try {
    const folder =
      BROWSERS.find((at) => existsSync(join(at, ICD)) && existsSync(join(at, DRIVER))) ?? fromNpm();
    if (!folder) return { problem: `No Vulkan driver. ${ADVICE}` };
    provideLoader(folder);
    return { icd: join(folder, ICD) };
  } catch (error) {
    return { problem: `SwiftShader could not be set up: ${/** @type {Error} */ (error).message}. ${ADVICE}` };
  }
}

/**
 * Makes SwiftShader the Vulkan driver of this process. Call it before Dawn's `create()`. After a `create()`
 * that found no adapter, call `create()` again.
 * @returns {string | undefined} why it is not available, for the user
 */
export function useSwiftshader() {
  const { icd, problem } = swiftshader();
  if (icd) Object.assign(process.env, vulkanEnv([icd]));
  return problem;
}

/**
 * Environment variables that make the Vulkan loader use these drivers and no others.
 * @param {string[]} icds
 */
export function vulkanEnv(icds) {
  const files = icds.join(delimiter);
  // Loaders before 1.3.207 read the second one.
  return { VK_DRIVER_FILES: files, VK_ICD_FILENAMES: files };
}

/** The folder with the carrier package's driver, unpacked once; undefined if the package is not installed. */
function fromNpm() {
  const archive = process.arch === "x64" ? carrierArchive() : undefined;
  if (!archive) return undefined;
  const modules = dirname(dirname(dirname(dirname(archive))));
  try {
    return unpackDriver(archive, join(modules, ".cache", "sirocco"));
  } catch (error) {
    // A global installation is read-only: unpack into this user's cache.
    const { XDG_CACHE_HOME, HOME } = process.env;
    if (!["EACCES", "EPERM", "EROFS"].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? ""))
      throw error;
    return unpackDriver(archive, join(XDG_CACHE_HOME || (HOME ? join(HOME, ".cache") : tmpdir()), "sirocco"));
  }
}

/** Looks next to this package first, then next to the program that uses it. */
function carrierArchive() {
  for (const from of [import.meta.url, join(process.cwd(), "package.json")]) {
    for (const modules of createRequire(from).resolve.paths(CARRIER) ?? []) {
      const archive = join(modules, ...CARRIER.split("/"), "bin", "swiftshader.tar.br");
      if (existsSync(archive)) return archive;
    }
  }
  return undefined;
}

/**
 * @param {string} archive
 * @param {string} cache
 */
function unpackDriver(archive, cache) {
  const { version } = JSON.parse(readFileSync(join(dirname(dirname(archive)), "package.json"), "utf8"));
  return unpackOnce(join(cache, `swiftshader-${version}`), (unfinished) => {
    const tar = brotliDecompressSync(readFileSync(archive));
    for (const name of [ICD, DRIVER, LOADER])
      writeFileSync(join(unfinished, name), tarEntry(tar, name), { mode: 0o755 });
  });
}

/**
 * Unpacks into a temporary folder and then renames it, so that `folder` is complete or absent.
 * @param {string} folder
 * @param {(unfinished: string) => void} unpack
 */
export function unpackOnce(folder, unpack) {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  try {
    unpack(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * @param {Buffer} tar blocks of 512 bytes: a header with name (0..100) and octal size (124..136), then
 * contents
 * @param {string} wanted
 */
function tarEntry(tar, wanted) {
  const text = (/** @type {number} */ start, /** @type {number} */ end) =>
    tar.toString("latin1", start, end).split("\0", 1)[0] ?? "";
  for (let at = 0; at + 512 <= tar.length; ) {
    const size = Number.parseInt(text(at + 124, at + 136), 8) || 0;
    if (
      text(at, at + 100)
        .split("/")
        .pop() === wanted
    )
      return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`${wanted} is missing in ${CARRIER}'s archive`);
}

/**
 * Copies the Vulkan loader next to Dawn, which looks there before it asks the system. Only if the system has
 * no loader: that one may be newer.
 * @param {string} folder
 */
function provideLoader(folder) {
  const dawn = join(
    dirname(createRequire(import.meta.url).resolve("webgpu")),
    "dist",
    `linux-${process.arch}`,
  );
  const target = join(dawn, LOADER);
  if (existsSync(target) || systemHasLoader() || !existsSync(join(folder, LOADER))) return;
  const unfinished = `${target}.${process.pid}`;
  copyFileSync(join(folder, LOADER), unfinished);
  renameSync(unfinished, target);
}

function systemHasLoader() {
  const folders = (process.env["LD_LIBRARY_PATH"] ?? "").split(delimiter).filter(Boolean);
  if ([...folders, "/usr/lib64", "/usr/lib"].some((at) => existsSync(join(at, LOADER)))) return true;
  // The dynamic linker's cache lists all libraries, whatever the distribution calls its folders.
  return existsSync("/etc/ld.so.cache") && readFileSync("/etc/ld.so.cache", "latin1").includes(LOADER);
}
