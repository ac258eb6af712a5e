// y[i] = y[i] / 2 + x[i], ROUNDS times: measures the arithmetic of an adapter, with almost no memory traffic.
// One thread per four independent vec4s.

override THREADS: u32;  // of all workgroups
override ROUNDS: u32;   // of a chain

@group(0) @binding(0) var<storage, read> x: array<vec4f>;        // [4, THREADS]
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;  // [4, THREADS]

@compute @workgroup_size(64)
fn multiply_add(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= THREADS) { return; }
  let x0 = x[i];
  let x1 = x[THREADS + i];
  let x2 = x[2 * THREADS + i];
  let x3 = x[3 * THREADS + i];
  var y0 = y[i];
  var y1 = y[THREADS + i];
  var y2 = y[2 * THREADS + i];
  var y3 = y[3 * THREADS + i];
  // Hidden from the compiler: lavapipe unrolls loops whose bounds it knows.
  let rounds = select(0, ROUNDS, arrayLength(&y) > 0);
  for (var round = 0u; round < rounds; round++) {
    y0 = fma(y0, vec4f(0.5), x0);
    y1 = fma(y1, vec4f(0.5), x1);
    y2 = fma(y2, vec4f(0.5), x2);
    y3 = fma(y3, vec4f(0.5), x3);
  }
  y[i] = y0;
  y[THREADS + i] = y1;
  y[2 * THREADS + i] = y2;
  y[3 * THREADS + i] = y3;
}
