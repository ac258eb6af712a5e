// `npm start`: installs, builds, and tells a story in the terminal. `npm start -- chat` runs another command.
import { join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { ensureDependencies, root, run } from "./setup.mjs";

const PROMPT = "Once upon a time";
const STORY = ["generate", PROMPT, "--max-tokens", "200", "--temperature", "0.7", "--top-p", "0.95"];

const NEXT = `
Next:
  npx sirocco chat                                      talk to the embedded model
  npx sirocco generate "The little dog" --max-tokens 80
  npm run dev                                           a chat in the browser
  npx sirocco serve                                     OpenAI's and Workers AI's calls over HTTP
  npx sirocco models                                    models with names: downloads, and GPU memory they need
  npx sirocco plan --model mistral                      whether one fits, before it is downloaded
  npx sirocco chat --model smollm2                      a first model that answers questions
  npx sirocco chat --model mistral                      the real Mistral 7B
  npm run bench -- decode                               tokens a second on this machine
  npx sirocco --help                                    all commands
  import { loadModel } from "sirocco"                   the library: see docs/api.md
`;

// `npm start | head` ends quietly.
process.stdout.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
  if (error.code !== "EPIPE") console.error(`stdout cannot be written: ${error.message}`);
  process.exit(error.code === "EPIPE" ? 0 : 1);
});
try {
  await ensureDependencies();
  if (!(await ensureBuild())) throw new Error("The build failed: see above.");
  const given = process.argv.slice(2);
  const story = given.length === 0;
  const command = story ? STORY : given;
  // A chat needs the terminal as it is; the story needs no input, and no warnings of drivers.
  const cli = join(root, "dist", "cli", "main.js");
  // `sirocco generate` prints the prompt to terminals only.
  if (story && !process.stdout.isTTY) process.stdout.write(PROMPT);
  process.exitCode = await run(process.execPath, [cli, ...command], { hideNoise: story, stdin: !story });
  if (process.exitCode === 0 && story) console.log(NEXT);
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}
