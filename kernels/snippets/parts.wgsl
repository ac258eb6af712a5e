// The keys that a query sees are split into parts, a workgroup each; attention_combine adds the parts up.
// The size of a part depends on the query's own position. Up to ONE_PART keys are one part for any SPLITS, so
// its result has the same bits whether attention_combine runs or not.
override SPLITS: u32;          // parts at most
const ONE_PART: u32 = 256;
const PART_STEP: u32 = 128;    // larger parts have a multiple of this many keys

fn part_keys(visible: u32) -> u32 {
  if (visible <= ONE_PART) { return ONE_PART; }
  return (visible + PART_STEP * SPLITS - 1) / (PART_STEP * SPLITS) * PART_STEP;
}
