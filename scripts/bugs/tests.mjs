// What a known bug consists of, and short names for the tests that catch it.

/**
 * An edit that puts a bug back, and the test that must then fail.
 * @typedef {object} Bug
 * @property {string} file path from the root
 * @property {string} from text of the file; its first occurrence is replaced
 * @property {string} to
 * @property {string[]} test arguments for Vitest
 */

export const kernel = (/** @type {string} */ name) => ["test/kernels/contract.test.ts", "-t", `^${name}`];

/** @param {string} file @param {string} [name] */
export const engine = (file, name) => [`test/engine/${file}.test.ts`, ...(name ? ["-t", name] : [])];

/** @param {string} file @param {string} name */
export const server = (file, name) => [`test/server/${file}.cpu.test.ts`, "-t", name];

export const load = (/** @type {string} */ name) => server("load", name);
