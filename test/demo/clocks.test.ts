// Speeds that the demo shows, when the clock jumps because the machine slept.
import { expect, test } from "vitest";
import { ProgressMeter } from "../../demo/progress-meter.ts";
import { speed } from "../../demo/speed.ts";

const HOURS = 8 * 3600;

test("a sleep in an answer does not count for its speed; a slow model's gaps do", () => {
  const pieces = (gapMs: number, sleepMs: number) =>
    Array.from({ length: 20 }, (_, i) => ({ at: 1000 + i * gapMs + (i > 9 ? sleepMs : 0), tokens: 1 }));
  expect(speed(pieces(50, 0))).toBeCloseTo(20);
  expect(speed(pieces(50, HOURS * 1000))).toBeCloseTo(20);
  expect(speed(pieces(50, 1000))).toBeCloseTo(19 / 1.95);
  expect(speed(pieces(10_000, 0))).toBeCloseTo(0.1);
  expect(speed(pieces(10_000, HOURS * 1000))).toBeCloseTo(0.1);
  expect(speed(pieces(50, 0).slice(0, 1))).toBeUndefined();
});

test("the replacement of a lost GPU does not count for an answer's speed, however short it is", () => {
  for (const replacementMs of [500, 1900, 5000]) {
    const pieces = Array.from({ length: 20 }, (_, i) => {
      const afterLoss = i === 10;
      return { at: 1000 + i * 50 + (i > 9 ? replacementMs : 0), tokens: 1, afterLoss };
    });
    expect(speed(pieces)).toBeCloseTo(20);
  }
});

test("a sleep while loading does not count for speed and remaining time; a network that became slow does", () => {
  const meter = new ProgressMeter();
  const total = 1000e6;
  const add = (loaded: number, now: number) => meter.add({ stage: "load", name: "", loaded, total }, now);
  for (let second = 0; second <= 20; second++) add(second * 10e6, second);
  expect(meter.speed).toBeCloseTo(10e6);
  for (let second = 21; second <= 22; second++) add(second * 10e6, HOURS + second);
  expect(meter.speed).toBeCloseTo(10e6);
  expect(meter.remaining({ stage: "load", name: "", loaded: 220e6, total })).toBeCloseTo(78);
  for (let i = 1; i <= 3; i++) add(220e6 + i * 10e6, HOURS + 22 + i * 500);
  expect(meter.speed).toBeCloseTo(20e3);
});
