// Progress of long work on stderr: one line that is redrawn on a terminal, a line for every tenth elsewhere.

/**
 * @param {string} label
 * @returns {(done: number, total: number) => void} call it often, and with done = total at the end
 */
export function progressLine(label) {
  const began = performance.now();
  let shown = 0;
  return (done, total) => {
    const percent = Math.floor((100 * done) / total);
    const step = process.stderr.isTTY ? 1 : 10;
    if (percent < shown + step && !(done === total && shown < 100)) return;
    shown = percent - (percent % step);
    const seconds = (performance.now() - began) / 1000;
    const left = (seconds * (total - done)) / Math.max(done, 1);
    const line = `${label} ${percent} %, ${duration(seconds)} so far, about ${duration(left)} left`;
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}${done === total ? "\n" : ""}` : `${line}\n`);
  };
}

const duration = (/** @type {number} */ seconds) =>
  seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
