// Colours come from the page's custom properties; the fallbacks are for the panel without the page.
import { css } from "lit";

export const styles = css`
  :host {
    --i-ground: var(--ground, light-dark(#fffdfa, #191614));
    --i-raised: var(--raised, light-dark(#f6f1ea, #231f1c));
    --i-line: var(--line, light-dark(#ddd3c7, #3d3631));
    --i-edge: var(--edge, light-dark(#8c8074, #857a70));
    --i-text: var(--text, light-dark(#241f1b, #ece5de));
    --i-soft: var(--soft, light-dark(#655b52, #b3a89d));
    --i-accent: var(--accent, light-dark(#a63f22, #f2a283));
    --i-bad: var(--bad, light-dark(#b3261e, #ff9a90));
    display: block; container-type: inline-size;
    color: var(--i-text); background: var(--i-ground); font-size: .9rem; line-height: 1.5;
  }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  section { padding: 1rem; border-bottom: 1px solid var(--i-line); display: grid; gap: .6rem; min-width: 0; }
  section:last-child { border-bottom: 0; }
  h2 { margin: 0; font-size: 1rem; line-height: 1.3; }
  p, dl, dd, ul, ol { margin: 0; }
  .soft, caption, dt { color: var(--i-soft); }
  .bad { color: var(--i-bad); }
  button, select {
    font: inherit; color: inherit; background: var(--i-ground);
    border: 1px solid var(--i-edge); border-radius: .5rem; padding: .2rem .6rem; min-height: 2rem;
  }
  button { cursor: pointer; justify-self: start; }
  button:hover { background: var(--i-raised); }
  :focus-visible { outline: 2px solid var(--i-accent); outline-offset: 1px; }
  .choices { display: flex; flex-wrap: wrap; gap: .4rem 1rem; }
  .choices span { display: flex; align-items: center; gap: .4rem; }
  .facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem 1rem; }
  .facts dt { font-size: .8rem; }
  .facts dd { font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }

  table { border-collapse: collapse; inline-size: 100%; table-layout: fixed; }
  caption { text-align: start; padding-bottom: .3rem; }
  thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  th { font-weight: 500; text-align: start; overflow-wrap: anywhere; vertical-align: top; padding: .2rem .8rem .2rem 0; inline-size: 55%; }
  th .soft { font-size: .8rem; font-weight: 400; }
  td { padding: .2rem 0; vertical-align: top; }
  .value { font-variant-numeric: tabular-nums; }
  .marked :is(th, .value) { font-weight: 700; }
  .bar { display: block; block-size: .45rem; min-inline-size: 2px; border-radius: .25rem; background: var(--i-edge); }
  .marked .bar { background: var(--i-accent); }

  .ring { display: grid; grid-template-columns: repeat(auto-fill, minmax(.7rem, 1fr)); gap: 2px; }
  .ring i { aspect-ratio: 1; border-radius: 2px; }
  .legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; list-style: none; font-size: .85rem; }
  .legend li { display: flex; align-items: center; gap: .4rem; }
  .legend i { inline-size: .8rem; block-size: .8rem; border-radius: 2px; flex: none; }
  .empty { background: transparent; box-shadow: inset 0 0 0 1px var(--i-edge); }
  .occupied { background: repeating-linear-gradient(45deg, var(--i-edge) 0 2px, transparent 2px 4px); box-shadow: inset 0 0 0 1px var(--i-edge); }
  .visible { background: light-dark(#2c6f9c, #6db5e2); }
  .newest { background: var(--i-accent); border-radius: 50% !important; }

  .words { max-block-size: 12rem; overflow: auto; line-height: 2; padding: .1rem; }
  .words button {
    display: inline; min-height: 0; padding: .15rem .1rem; border: 0; border-radius: .25rem;
    border-block-end: 1px dotted var(--i-edge); white-space: pre-wrap; background: none; overflow-wrap: anywhere;
  }
  .words button:hover { background: var(--i-raised); }
  .words button[aria-pressed="true"] { background: var(--i-accent); color: var(--i-ground); }
  .seen { max-block-size: 14rem; overflow: auto; line-height: 1.8; overflow-wrap: anywhere; }
  .seen span { white-space: pre-wrap; border-radius: .2rem; padding-block: .1rem; }
  .plot { min-block-size: 190px; min-inline-size: 0; overflow: hidden; }
`;
