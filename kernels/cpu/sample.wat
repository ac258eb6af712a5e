;; What the sampler does with every logit of a row: kernels/sample.wgsl and its snippets, bit for bit. Rows
;; have a multiple of 16 entries.
(module
  (import "env" "memory" (memory 1 65536))

  ;; Clamps floats to ±1e20; NaN becomes -1e20, subnormals 0.
  (func (export "finiteRow") (param $x i32) (param $count i32)
    (local $end i32) (local $value v128) (local $clamped v128)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (local.set $value (v128.load (local.get $x)))
      (local.set $clamped (f32x4.max (f32x4.splat (f32.const -1e20))
        (f32x4.min (f32x4.splat (f32.const 1e20)) (local.get $value))))
      (local.set $clamped (v128.bitselect
        (local.get $clamped)
        (f32x4.splat (f32.const -1e20))
        (f32x4.eq (local.get $value) (local.get $value))))
      (v128.store (local.get $x) (v128.and (local.get $clamped)
        (f32x4.ge (f32x4.abs (local.get $clamped)) (f32x4.splat (f32.const 0x1p-126)))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $x) (local.get $end)))))

  (func (export "largest") (param $x i32) (param $count i32) (result f32)
    (local $end i32) (local $largest v128)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $largest (v128.load (local.get $x)))
    (loop $next
      (local.set $largest (f32x4.pmax (local.get $largest) (v128.load (local.get $x))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $x) (local.get $end))))
    (f32.max
      (f32.max (f32x4.extract_lane 0 (local.get $largest)) (f32x4.extract_lane 1 (local.get $largest)))
      (f32.max (f32x4.extract_lane 2 (local.get $largest)) (f32x4.extract_lane 3 (local.get $largest)))))

  ;; far = (best - x) * scale: octaves by which tokens are less likely than the likeliest, in units of 2^-25.
  ;; 64 octaves and more give 0x7fffffff.
  (func (export "distances") (param $x i32) (param $count i32) (param $best f32) (param $scale f32) (param $far i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (v128.store (local.get $far) (i32x4.trunc_sat_f32x4_s (f32x4.mul
        (f32x4.sub (f32x4.splat (local.get $best)) (v128.load (local.get $x)))
        (f32x4.splat (local.get $scale)))))
      (local.set $far (i32.add (local.get $far) (i32.const 16)))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $x) (local.get $end)))))

  ;; mass = (2^28 - 1) * 2^-octaves, rounded down; 0 for tokens farther than `limit`, and from 28 octaves on.
  ;; Returns the sum.
  (func (export "masses") (param $far i32) (param $count i32) (param $limit i32) (param $mass i32) (result f64)
    (local $end i32) (local $sum v128) (local $nearest v128) (local $octaves v128) (local $is_near v128)
    (local $f v128) (local $q v128)
    (local.set $end (i32.add (local.get $far) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $nearest (i32x4.splat (select (local.get $limit) (i32.const 0x37ffffff)
      (i32.lt_s (local.get $limit) (i32.const 0x37ffffff)))))
    (loop $next
      (local.set $octaves (v128.load (local.get $far)))
      (local.set $is_near (i32x4.le_s (local.get $octaves) (local.get $nearest)))
      (local.set $q (v128.const i32x4 0 0 0 0))
      (if (v128.any_true (local.get $is_near))
        (then
          ;; The fraction of an octave, in units of 2^-32; q = (1 - 2^-f) / f.
          (local.set $f (i32x4.shl (local.get $octaves) (i32.const 7)))
          (local.set $q (i32x4.splat (i32.const 0x00078809)))
          ;; each c: 0x0054a612 0x0274f388 0x0e353290 0x3d7f7506 0xb17217df
          (local.set $q (i32x4.sub (i32x4.splat (i32.const {c}))
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
              (i64x2.extmul_low_i32x4_u (local.get $f) (local.get $q))
              (i64x2.extmul_high_i32x4_u (local.get $f) (local.get $q)))))
          ;; end c
          (local.set $q (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
            (i64x2.extmul_low_i32x4_u (local.get $f) (local.get $q))
            (i64x2.extmul_high_i32x4_u (local.get $f) (local.get $q))))
          (local.set $q (i32x4.sub
            (i32x4.splat (i32.const 0x0fffffff))
            (i32x4.shr_u (local.get $q) (i32.const 4))))
          ;; q >> whole octaves, as 16q * 2^(28 - octaves) / 2^32. The power of two is made as a float.
          (local.set $q (i32x4.shl (local.get $q) (i32.const 4)))
          (local.set $f (i32x4.trunc_sat_f32x4_s (i32x4.shl
            (i32x4.sub
              (i32x4.splat (i32.const 155))
              (i32x4.shr_u (local.get $octaves) (i32.const 25)))
            (i32.const 23))))
          (local.set $q (v128.and (local.get $is_near)
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
              (i64x2.extmul_low_i32x4_u (local.get $f) (local.get $q))
              (i64x2.extmul_high_i32x4_u (local.get $f) (local.get $q)))))))
      (v128.store (local.get $mass) (local.get $q))
      (local.set $sum (i64x2.add (local.get $sum) (i64x2.add
        (i64x2.extend_low_i32x4_u (local.get $q))
        (i64x2.extend_high_i32x4_u (local.get $q)))))
      (local.set $mass (i32.add (local.get $mass) (i32.const 16)))
      (local.set $far (i32.add (local.get $far) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $far) (local.get $end))))
    (f64.convert_i64_u (i64.add
      (i64x2.extract_lane 0 (local.get $sum))
      (i64x2.extract_lane 1 (local.get $sum)))))

  ;; Copies distance and weight of the tokens within `bound`. Returns how many these are.
  (func (export "near")
    (param $far i32) (param $count i32) (param $weight i32) (param $bound i32)
    (param $near_far i32) (param $near_weight i32) (result i32)
    (local $at i32) (local $end i32) (local $end_of_sixteen i32) (local $octaves i32) (local $near i32)
    (local.set $end (i32.shl (local.get $count) (i32.const 2)))
    (loop $sixteen
      (local.set $end_of_sixteen (i32.add (local.get $at) (i32.const 64)))
      (if (i32.le_s (call $nearest_of_sixteen (i32.add (local.get $far) (local.get $at))) (local.get $bound))
        (then
          (loop $next
            (local.set $octaves (i32.load (i32.add (local.get $far) (local.get $at))))
            (if (i32.le_s (local.get $octaves) (local.get $bound))
              (then
                (i32.store (i32.add (local.get $near_far) (local.get $near)) (local.get $octaves))
                (i32.store (i32.add (local.get $near_weight) (local.get $near))
                  (i32.load (i32.add (local.get $weight) (local.get $at))))
                (local.set $near (i32.add (local.get $near) (i32.const 4)))))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end_of_sixteen))))))
      (local.set $at (local.get $end_of_sixteen))
      (br_if $sixteen (i32.lt_u (local.get $at) (local.get $end))))
    (i32.shr_u (local.get $near) (i32.const 2)))

  (func $nearest_of_sixteen (param $far i32) (result i32)
    (local $v v128)
    (local.set $v (i32x4.min_s
      (i32x4.min_s (v128.load (local.get $far)) (v128.load offset=16 (local.get $far)))
      (i32x4.min_s (v128.load offset=32 (local.get $far)) (v128.load offset=48 (local.get $far)))))
    (local.set $v (i32x4.min_s (local.get $v)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
    (i32x4.extract_lane 0 (i32x4.min_s (local.get $v)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 (local.get $v) (local.get $v)))))

  ;; The exponential race: the token whose far + log2_exponential(random) is the least, of equal ones the
  ;; lowest. At least one token is within `limit`. work: 64 bytes.
  (func (export "race")
    (param $far i32) (param $count i32) (param $limit i32) (param $position i32)
    (param $seed_low i32) (param $seed_high i32) (param $work i32) (result i32)
    (local $token i32) (local $lane i32) (local $nearest i32) (local $octaves i32) (local $random i32)
    (local $time i32) (local $first i32) (local $winner i32)
    (local.set $first (i32.const 0xffffffff))
    (loop $sixteen
      (local.set $nearest (call $nearest_of_sixteen (local.get $far)))
      (if (i32.and
          (i32.le_s (local.get $nearest) (local.get $limit))
          (i32.lt_u (local.get $nearest) (local.get $first)))
        (then
          (call $philox (i32.shr_u (local.get $token) (i32.const 2)) (local.get $position)
            (local.get $seed_low) (local.get $seed_high) (local.get $work))
          (if (call $any_below (local.get $work) (i32.sub (local.get $first) (local.get $nearest)))
            (then
              (local.set $lane (i32.const 0))
              (loop $next
                (local.set $octaves (i32.load
                  (i32.add (local.get $far) (i32.shl (local.get $lane) (i32.const 2)))))
                (local.set $time (i32.add
                  (local.get $octaves)
                  (call $log2_exponential (call $random_of (local.get $work) (local.get $lane)))))
                (if (i32.and
                    (i32.le_s (local.get $octaves) (local.get $limit))
                    (i32.lt_u (local.get $time) (local.get $first)))
                  (then
                    (local.set $first (local.get $time))
                    (local.set $winner (i32.add (local.get $token) (local.get $lane)))))
                (local.set $lane (i32.add (local.get $lane) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $lane) (i32.const 16))))))))
      (local.set $far (i32.add (local.get $far) (i32.const 64)))
      (local.set $token (i32.add (local.get $token) (i32.const 16)))
      (br_if $sixteen (i32.lt_u (local.get $token) (local.get $count))))
    (local.get $winner))

  ;; Whether one of 16 random numbers may give a time below `octaves`: log2_exponential is never below the
  ;; whole octaves of a number, its bits. Saves most logarithms.
  (func $any_below (param $random i32) (param $octaves i32) (result i32)
    (local $bits i32)
    (local.set $bits (i32.shr_u (i32.sub (local.get $octaves) (i32.const 1)) (i32.const 25)))
    (if (i32.ge_u (local.get $bits) (i32.const 32)) (then (return (i32.const 1))))
    (v128.any_true (i32x4.lt_u
      (i32x4.min_u
        (i32x4.min_u (v128.load (local.get $random)) (v128.load offset=16 (local.get $random)))
        (i32x4.min_u (v128.load offset=32 (local.get $random)) (v128.load offset=48 (local.get $random))))
      (i32x4.splat (i32.shl (i32.const 1) (local.get $bits))))))

  ;; The number of one of 16 tokens: four tokens share a counter, whose four numbers are in four vectors.
  (func $random_of (param $work i32) (param $token i32) (result i32)
    (i32.load (i32.add (local.get $work) (i32.add
      (i32.shl (i32.and (local.get $token) (i32.const 3)) (i32.const 4))
      (i32.and (local.get $token) (i32.const 12))))))

  ;; Philox4x32-7 of the counters (counter + lane, position, 0, 0): four vectors at `out`. See philox.wgsl.
  (func $philox (param $counter i32) (param $position i32) (param $key0 i32) (param $key1 i32) (param $out i32)
    (local $round i32) (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local $low v128) (local $high v128) (local $other_low v128) (local $other_high v128)
    (local $factor v128) (local $other_factor v128)
    (local.set $factor (i32x4.splat (i32.const 0xd2511f53)))
    (local.set $other_factor (i32x4.splat (i32.const 0xcd9e8d57)))
    (local.set $c0 (i32x4.add (i32x4.splat (local.get $counter)) (v128.const i32x4 0 1 2 3)))
    (local.set $c1 (i32x4.splat (local.get $position)))
    (loop $next
      (local.set $low (i64x2.extmul_low_i32x4_u (local.get $c0) (local.get $factor)))
      (local.set $high (i64x2.extmul_high_i32x4_u (local.get $c0) (local.get $factor)))
      (local.set $other_low (i64x2.extmul_low_i32x4_u (local.get $c2) (local.get $other_factor)))
      (local.set $other_high (i64x2.extmul_high_i32x4_u (local.get $c2) (local.get $other_factor)))
      (local.set $c0 (v128.xor (v128.xor (local.get $c1) (i32x4.splat (local.get $key0)))
        (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
          (local.get $other_low) (local.get $other_high))))
      (local.set $c1 (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
        (local.get $other_low) (local.get $other_high)))
      (local.set $c2 (v128.xor (v128.xor (local.get $c3) (i32x4.splat (local.get $key1)))
        (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low) (local.get $high))))
      (local.set $c3 (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
        (local.get $low) (local.get $high)))
      (local.set $key0 (i32.add (local.get $key0) (i32.const 0x9e3779b9)))
      (local.set $key1 (i32.add (local.get $key1) (i32.const 0xbb67ae85)))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $round) (i32.const 7))))
    (v128.store (local.get $out) (local.get $c0))
    (v128.store offset=16 (local.get $out) (local.get $c1))
    (v128.store offset=32 (local.get $out) (local.get $c2))
    (v128.store offset=48 (local.get $out) (local.get $c3)))

  ;; 33 + log2(-ln(1 - v)) in octaves, for v = (h + 1/2) / 2^32. See octaves.wgsl.
  (func $log2_exponential (param $h i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $h) (i32.const 0x04000000))
      (then
        (i32.add
          (call $log2_odd (local.get $h))
          (i32.shr_u
            (call $high_product (local.get $h) (i32.add (i32.const 0xb8aa3b29)
              (call $high_product (local.get $h) (i32.add (i32.const 0x4cf198a7)
                (call $high_product (local.get $h) (i32.const 0x2e2a8eca))))))
            (i32.const 7))))
      (else
        (i32.add (i32.const 0x0cf14589) (call $log2_odd
          (i32.sub (i32.const 0x42000000) (call $log2_odd (i32.xor (local.get $h) (i32.const -1)))))))))

  ;; log2(2n + 1) in octaves.
  (func $log2_odd (param $n i32) (result i32)
    (local $zeros i32) (local $f i32) (local $q i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (local.set $zeros (i32.clz (local.get $n)))
    (local.set $f (i32.or
      (i32.shl (i32.shl (local.get $n) (local.get $zeros)) (i32.const 1))
      (i32.shl (i32.const 1) (local.get $zeros))))
    (local.set $q (i32.const 0x00f25521))
    ;; each c: 0x055e743d 0x0e50836e 0x191e5ba4 0x233a72dd 0x2ddcbe71 0x3d86e2c7 0x5c54da69 0xb8aa3ac0
    (local.set $q (i32.sub (i32.const {c}) (call $high_product (local.get $f) (local.get $q))))
    ;; end c
    (i32.add
      (i32.shl (i32.sub (i32.const 32) (local.get $zeros)) (i32.const 25))
      (i32.shr_u (call $high_product (local.get $f) (local.get $q)) (i32.const 6))))

  ;; a * b / 2^32, rounded down.
  (func $high_product (param $a i32) (param $b i32) (result i32)
    (i32.wrap_i64 (i64.shr_u
      (i64.mul (i64.extend_i32_u (local.get $a)) (i64.extend_i32_u (local.get $b)))
      (i64.const 32))))
)
