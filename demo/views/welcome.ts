// An empty conversation: what this is, suggestions, and a larger model.
import { html, nothing, type TemplateResult } from "lit";
import { bytes } from "../format.ts";
import type { Page } from "../page.ts";
import { choiceOf, firstModels } from "../recommended.ts";

const STORIES = [
  "Tell me a story about a cat named Tom.",
  "Tell me a story about a little girl named Lily.",
  "Tell me a story about a dog and a big red ball.",
];

const QUESTIONS = [
  "Explain how a sliding attention window works.",
  "Write a short poem about the desert wind.",
  "What should I cook tonight with rice and lemons?",
];

export function welcomeView(page: Page): TemplateResult {
  const { choice } = page.session;
  const tiny = choice.kind === "embedded";
  const server = choice.kind === "server" ? new URL(choice.address).host : undefined;
  return html`
    <section class="welcome">
      <h2>${server ? "A language model behind a server" : "A language model in this page"}</h2>
      <p>
        ${
          tiny
            ? html`Tiny Tales is part of this page: five million parameters, trained on children's stories only. It runs on
                your device, and nothing you write leaves it.`
            : server
              ? html`${page.session.name} runs on ${server}: what you write is sent there.`
              : html`${page.session.name} runs on your device, and nothing you write leaves it.`
        }
      </p>
      <ul class="suggestions" aria-label="Suggestions">
        ${(tiny ? STORIES : QUESTIONS).map(
          (text) => html`<li><button type="button" @click=${() => page.send(text)}>${text}</button></li>`,
        )}
      </ul>
      ${
        tiny
          ? html`<div class="larger">
              <p>For real conversations, load a real model. You see what it needs before anything is downloaded.</p>
              ${firstModels.map(
                (model, i) => html`
                  <button type="button" class=${i === 0 ? "primary" : ""} @click=${() => page.choose(choiceOf(model))}>
                    Load ${model.title} (${bytes(model.downloadBytes)})
                  </button>`,
              )}
              <button type="button" @click=${() => page.go("models")}>Other models</button>
            </div>`
          : nothing
      }
    </section>`;
}
