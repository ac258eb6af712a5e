;; Rows of f32 bit patterns become codes and scales: the searches of formats/quantise.ts, quantise-pair.ts and
;; quantise-super.ts, word for word. A group's weights are integers x, |x| <= 2^18, in units of 2^(exponent - 144), as in
;; formats/fixed-point.ts. Floats hold them, where every step is exact or its error cannot change a code.
(module
  (import "env" "memory" (memory 1 65536))

  ;; A float of 2^23 + n, 0 <= n < 2^23, has the bits of 2^23 plus n. So adding 2^23 rounds to the nearest
  ;; integer, and these bits taken off give it as i32. The best scale of a group so far, the squared error
  ;; that it saves, sum(|x q|) and sum(q^2).
  (global $best_scale (mut i32) (i32.const 0))
  (global $best_saved (mut i64) (i64.const 0))
  (global $best_xq (mut i32) (i32.const 0))
  (global $best_qq (mut i32) (i32.const 0))

  ;; Of the pair measured last: sum(q), sum(q^2), sum((x - mean) q).
  (global $q (mut i32) (i32.const 0))
  (global $qq (mut i32) (i32.const 0))
  (global $yq (mut i32) (i32.const 0))
  ;; The best pair so far, its squared error, and the same sums.
  (global $best_a (mut i32) (i32.const 0))
  (global $best_b (mut i32) (i32.const 0))
  (global $best_error (mut i64) (i64.const 0))
  (global $best_q (mut i32) (i32.const 0))
  (global $best_pair_qq (mut i32) (i32.const 0))
  (global $best_yq (mut i32) (i32.const 0))
  ;; sum(x)
  (global $sum (mut i32) (i32.const 0))
  ;; No offset b is above it.
  (global $highest (mut i32) (i32.const 0x7fffffff))

  ;; ---- Numbers of a group ----

  ;; The largest exponent of `count` finite floats, from 106 to `limit`. count: a multiple of 4.
  (func $group_exponent (param $bits i32) (param $count i32) (param $limit i32) (result i32)
    (local $end i32) (local $exponents v128) (local $largest v128)
    (local.set $end (i32.add (local.get $bits) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $largest (i32x4.splat (i32.const 106)))
    (loop $next
      (local.set $exponents (i32x4.shr_u (i32x4.shl (v128.load (local.get $bits)) (i32.const 1)) (i32.const 24)))
      (local.set $largest (i32x4.max_s (local.get $largest)
        (v128.andnot (local.get $exponents)
          (i32x4.eq (local.get $exponents) (i32x4.splat (i32.const 255))))))
      (local.set $bits (i32.add (local.get $bits) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $bits) (local.get $end))))
    (call $min (call $horizontal_max (local.get $largest)) (local.get $limit)))

  (func $horizontal_max (param $v v128) (result i32)
    (local.set $v (i32x4.max_s (local.get $v)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
    (local.set $v (i32x4.max_s (local.get $v)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 (local.get $v) (local.get $v))))
    (i32x4.extract_lane 0 (local.get $v)))

  (func $horizontal_sum (param $v v128) (result i32)
    (local.set $v (i32x4.add (local.get $v)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
    (i32.add (i32x4.extract_lane 0 (local.get $v)) (i32x4.extract_lane 1 (local.get $v))))

  (func $min (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_s (local.get $a) (local.get $b))))

  (func $abs (param $x i32) (result i32)
    (select (i32.sub (i32.const 0) (local.get $x)) (local.get $x) (i32.lt_s (local.get $x) (i32.const 0))))

  (func $max (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.gt_s (local.get $a) (local.get $b))))

  ;; 2^(144 - exponent), in all lanes.
  (func $units (param $exponent i32) (result v128)
    (i32x4.splat (i32.shl (i32.sub (i32.const 271) (local.get $exponent)) (i32.const 23))))

  ;; |x| of four floats, as floats: to the nearest, ties up, at most 2^18. NaN and infinities count as 0.
  (func $magnitudes (param $bits v128) (param $units v128) (result v128)
    (local $x v128) (local $whole v128)
    (local.set $x (v128.and (local.get $bits) (i32x4.splat (i32.const 0x7fffffff))))
    (local.set $x (v128.and (local.get $x)
      (i32x4.lt_s (local.get $x) (i32x4.splat (i32.const 0x7f800000)))))
    (local.set $x (f32x4.min (f32x4.mul (local.get $x) (local.get $units)) (f32x4.splat (f32.const 262144))))
    (local.set $whole (f32x4.floor (local.get $x)))
    (f32x4.add (local.get $whole)
      (v128.and (f32x4.splat (f32.const 1))
        (f32x4.ge (f32x4.sub (local.get $x) (local.get $whole)) (f32x4.splat (f32.const 0.5))))))

  ;; A number of units rounded to the 11 bits of an f16 or to its smallest step, at most 65504.
  (func $round_f16 (param $x i32) (param $exponent i32) (result i32)
    (local $magnitude i32) (local $dropped i32)
    (local.set $magnitude (call $abs (local.get $x)))
    (local.set $dropped (call $max (i32.const 0) (call $max
      (i32.sub (i32.const 21) (i32.clz (i32.or (local.get $magnitude) (i32.const 1))))
      (i32.sub (i32.const 120) (local.get $exponent)))))
    (local.set $magnitude (call $min
      (i32.shl
        (i32.shr_u
          (i32.add (local.get $magnitude) (i32.shr_u (i32.shl (i32.const 1) (local.get $dropped)) (i32.const 1)))
          (local.get $dropped))
        (local.get $dropped))
      (i32.shl (i32.const 65504) (call $min (i32.sub (i32.const 144) (local.get $exponent)) (i32.const 3)))))
    (select (i32.sub (i32.const 0) (local.get $magnitude)) (local.get $magnitude)
      (i32.lt_s (local.get $x) (i32.const 0))))

  ;; A number of units that $round_f16 gave, as f16 bits: through the f32 of the same value.
  (func $f16_bits (param $x i32) (param $exponent i32) (result i32)
    (local $bits i32) (local $magnitude i32)
    (if (i32.eqz (local.get $x)) (then (return (i32.const 0))))
    (local.set $bits (i32.reinterpret_f32 (f32.mul (f32.convert_i32_s (local.get $x))
      (f32.reinterpret_i32 (i32.shl (i32.sub (local.get $exponent) (i32.const 17)) (i32.const 23))))))
    (local.set $magnitude (i32.and (local.get $bits) (i32.const 0x7fffffff)))
    (i32.or
      (i32.and (i32.shr_u (local.get $bits) (i32.const 16)) (i32.const 0x8000))
      (if (result i32) (i32.ge_u (local.get $magnitude) (i32.const 0x38800000))
        (then (i32.shr_u (i32.sub (local.get $magnitude) (i32.const 0x38000000)) (i32.const 13)))
        ;; Subnormal: in units of 2^-24.
        (else (i32.trunc_f32_u (f32.mul (f32.reinterpret_i32 (local.get $magnitude)) (f32.const 16777216)))))))

  ;; Stores the codes of 32 columns, eight vectors of i32 from -8 to 7 at `q`, as nibbles of code + `zero`.
  (func $store_nibbles (param $q i32) (param $zero i32) (param $weight i32)
    (v128.store (local.get $weight) (i8x16.narrow_i16x8_u
      (call $nibbles (call $bytes (local.get $q)) (local.get $zero))
      (call $nibbles (call $bytes (i32.add (local.get $q) (i32.const 64))) (local.get $zero)))))

  ;; 16 codes as bytes.
  (func $bytes (param $q i32) (result v128)
    (i8x16.narrow_i16x8_s
      (i16x8.narrow_i32x4_s (v128.load (local.get $q)) (v128.load offset=16 (local.get $q)))
      (i16x8.narrow_i32x4_s (v128.load offset=32 (local.get $q)) (v128.load offset=48 (local.get $q)))))

  ;; 16 bytes as nibbles, two in each i16.
  (func $nibbles (param $bytes v128) (param $zero i32) (result v128)
    (local.set $bytes (i8x16.add (local.get $bytes) (i8x16.splat (local.get $zero))))
    (v128.or
      (v128.and (local.get $bytes) (i16x8.splat (i32.const 0x000f)))
      (v128.and (i16x8.shr_u (local.get $bytes) (i32.const 4)) (i16x8.splat (i32.const 0x00f0)))))

  ;; ---- A scale for each 32 columns: q4, q8 ----

  ;; Stores `groups` groups of 32. Codes are -codes .. codes - 1; the scales max |x| * steps / d are tried, d
  ;; = first .. last, with either sign. work: 512 bytes, four vectors of [32]: |x| + 1/4 as floats; |x|; the
  ;; largest |q| under a positive scale, and under a negative one.
  (func (export "quantiseScaled")
    (param $bits i32) (param $groups i32) (param $codes i32)
    (param $first i32) (param $last i32) (param $steps i32)
    (param $work i32) (param $weight i32) (param $scale i32)
    (local $group i32)
    (loop $next
      (local.set $group (i32.add (local.get $group) (i32.const 1)))
      (call $quantise_group (local.get $bits) (local.get $codes) (local.get $first) (local.get $last)
        (local.get $steps) (local.get $work) (local.get $weight) (local.get $scale)
        (i32.and (local.get $group) (i32.const 1)))
      (local.set $bits (i32.add (local.get $bits) (i32.const 128)))
      (local.set $scale (i32.add (local.get $scale) (i32.const 2)))
      (local.set $weight (i32.add (local.get $weight)
        (select (i32.const 16) (i32.const 32) (i32.eq (local.get $codes) (i32.const 8)))))
      (br_if $next (i32.lt_u (local.get $group) (local.get $groups)))))

  (func $quantise_group
    (param $bits i32) (param $codes i32) (param $first i32) (param $last i32) (param $steps i32)
    (param $work i32) (param $weight i32) (param $scale i32) (param $is_even i32)
    (local $exponent i32) (local $largest i32) (local $divisor i32) (local $s i32) (local $half i32)
    (local.set $exponent (call $group_exponent (local.get $bits) (i32.const 32) (i32.const 144)))
    (local.set $largest (call $load_scaled
      (local.get $bits) (local.get $exponent) (local.get $codes) (local.get $work)))

    (global.set $best_scale (i32.const 0))
    (global.set $best_saved (i64.const 0))
    (global.set $best_qq (i32.const 0))
    (local.set $divisor (local.get $first))
    (loop $next
      (local.set $s (call $round_scale (i32.mul (local.get $largest) (local.get $steps)) (local.get $divisor)
        (local.get $exponent)))
      (call $attempt (local.get $s) (i32.const 1) (local.get $work))
      ;; Unless max |x| has the code `codes`, the other sign gives the same.
      (if (i32.ge_u
          (i32.add (i32.shl (local.get $largest) (i32.const 1)) (local.get $s))
          (i32.mul (i32.shl (local.get $codes) (i32.const 1)) (local.get $s)))
        (then (call $attempt (local.get $s) (i32.const -1) (local.get $work))))
      (local.set $divisor (i32.add (local.get $divisor) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $divisor) (local.get $last))))
    (call $refine (local.get $exponent) (local.get $work))
    (call $refine (local.get $exponent) (local.get $work))

    (call $scaled_codes (local.get $codes) (local.get $work))
    (if (i32.eq (local.get $codes) (i32.const 8))
      (then (call $store_nibbles (local.get $work) (i32.const 8) (local.get $weight)))
      (else
        (v128.store (local.get $weight) (call $bytes (local.get $work)))
        (v128.store offset=16 (local.get $weight) (call $bytes (i32.add (local.get $work) (i32.const 64))))))
    (local.set $half (call $f16_bits (global.get $best_scale) (local.get $exponent)))
    ;; The first half of a word clears the second.
    (if (local.get $is_even)
      (then (i32.store (local.get $scale) (local.get $half)))
      (else (i32.store16 (local.get $scale) (local.get $half)))))

  ;; Fills `work`. Returns max |x|.
  (func $load_scaled (param $bits i32) (param $exponent i32) (param $codes i32) (param $work i32) (result i32)
    (local $end i32) (local $units v128) (local $x v128) (local $is_negative v128) (local $most v128)
    (local $whole v128) (local $largest v128)
    (local.set $end (i32.add (local.get $work) (i32.const 128)))
    (local.set $units (call $units (local.get $exponent)))
    (local.set $most (i32x4.splat (i32.sub (local.get $codes) (i32.const 1))))
    (loop $next
      (local.set $x (call $magnitudes (v128.load (local.get $bits)) (local.get $units)))
      (local.set $whole (i32x4.trunc_sat_f32x4_s (local.get $x)))
      (local.set $largest (i32x4.max_s (local.get $largest) (local.get $whole)))
      ;; -1 in the lanes of negative weights: they may have one code more under a positive scale.
      (local.set $is_negative (i32x4.shr_s (v128.load (local.get $bits)) (i32.const 31)))
      (v128.store (local.get $work) (f32x4.add (local.get $x) (f32x4.splat (f32.const 0.25))))
      (v128.store offset=128 (local.get $work) (local.get $whole))
      (v128.store offset=256 (local.get $work) (i32x4.sub (local.get $most) (local.get $is_negative)))
      (v128.store offset=384 (local.get $work)
        (i32x4.sub (local.get $most) (v128.not (local.get $is_negative))))
      (local.set $bits (i32.add (local.get $bits) (i32.const 16)))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end))))
    (call $horizontal_max (local.get $largest)))

  ;; numerator / denominator, as f16 can hold it.
  (func $round_scale (param $numerator i32) (param $denominator i32) (param $exponent i32) (result i32)
    (call $round_f16
      (i32.div_u
        (i32.add (local.get $numerator) (i32.shr_u (local.get $denominator) (i32.const 1)))
        (local.get $denominator))
      (local.get $exponent)))

  ;; The closed form s = sum(x q) / sum(q^2) for the codes of the best scale.
  (func $refine (param $exponent i32) (param $work i32)
    (local $s i32)
    (if (i32.eqz (global.get $best_qq)) (then (return)))
    (local.set $s (call $round_scale (global.get $best_xq) (global.get $best_qq) (local.get $exponent)))
    (if (i32.eq (local.get $s) (call $abs (global.get $best_scale))) (then (return)))
    (call $attempt
      (local.get $s)
      (select (i32.const 1) (i32.const -1) (i32.gt_s (global.get $best_scale) (i32.const 0)))
      (local.get $work)))

  ;; Measures the scale sign * s, and keeps it if it saves more than the best. s >= 0. A code is |x| / s to
  ;; the nearest, ties up: (2|x| + s) / 2s rounded down. That is (|x| + 1/4) / s to the nearest: a quarter
  ;; keeps the quotient at least 1 / 4s from a tie, and its error is below 2^-5 / s.
  (func $attempt (param $s i32) (param $sign i32) (param $work i32)
    (local $most i32) (local $inverse v128) (local $two_23 v128) (local $bits_of_two_23 v128)
    (local $q v128) (local $xq v128) (local $qq v128)
    (local $sum_xq i32) (local $sum_qq i32) (local $saved i64)
    (if (i32.eqz (local.get $s)) (then (return)))
    (local.set $most (call $most_at (local.get $work) (local.get $sign)))
    (local.set $inverse (call $inverse (local.get $s)))
    (local.set $two_23 (f32x4.splat (f32.const 8388608)))
    (local.set $bits_of_two_23 (i32x4.splat (i32.const 0x4b000000)))
    ;; each at: 0 16 32 48 64 80 96 112
    (local.set $q (i32x4.min_s
      (v128.load offset={at} (local.get $most))
      (i32x4.sub
        (f32x4.add
          (f32x4.mul (v128.load offset={at} (local.get $work)) (local.get $inverse))
          (local.get $two_23))
        (local.get $bits_of_two_23))))
    (local.set $xq (i32x4.add (local.get $xq)
      (i32x4.mul (v128.load offset={at} (i32.add (local.get $work) (i32.const 128))) (local.get $q))))
    (local.set $qq (i32x4.add (local.get $qq) (i32x4.dot_i16x8_s (local.get $q) (local.get $q))))
    ;; end at
    (local.set $sum_xq (call $horizontal_sum (local.get $xq)))
    (local.set $sum_qq (call $horizontal_sum (local.get $qq)))
    ;; sum(x^2) - sum((x - s q)^2) = s (2 xq - s qq)
    (local.set $saved (i64.mul (i64.extend_i32_u (local.get $s))
      (i64.sub
        (i64.shl (i64.extend_i32_u (local.get $sum_xq)) (i64.const 1))
        (i64.mul (i64.extend_i32_u (local.get $s)) (i64.extend_i32_u (local.get $sum_qq))))))
    (if (i64.gt_s (local.get $saved) (global.get $best_saved))
      (then
        (global.set $best_scale (i32.mul (local.get $s) (local.get $sign)))
        (global.set $best_saved (local.get $saved))
        (global.set $best_xq (local.get $sum_xq))
        (global.set $best_qq (local.get $sum_qq)))))

  ;; Where the largest codes under a scale of this sign are.
  (func $most_at (param $work i32) (param $sign i32) (result i32)
    (i32.add (local.get $work)
      (select (i32.const 256) (i32.const 384) (i32.gt_s (local.get $sign) (i32.const 0)))))

  ;; 1 / s in all lanes, 0 for 0.
  (func $inverse (param $s i32) (result v128)
    (if (i32.eqz (local.get $s)) (then (return (v128.const i32x4 0 0 0 0))))
    (f32x4.splat (f32.div (f32.const 1) (f32.convert_i32_s (local.get $s)))))

  ;; The signed codes under the best scale replace the first vectors of `work`.
  (func $scaled_codes (param $codes i32) (param $work i32)
    (local $end i32) (local $inverse v128) (local $most_at i32) (local $most v128) (local $q v128)
    (local $is_negative v128)
    (local.set $end (i32.add (local.get $work) (i32.const 128)))
    (local.set $most_at (call $most_at (local.get $work) (global.get $best_scale)))
    (local.set $inverse (f32x4.abs (call $inverse (global.get $best_scale))))
    (loop $next
      (local.set $most (v128.load (local.get $most_at)))
      (local.set $q (i32x4.min_s (local.get $most) (i32x4.trunc_sat_f32x4_s (f32x4.nearest
        (f32x4.mul (v128.load (local.get $work)) (local.get $inverse))))))
      ;; Negative codes are those that may be -codes. Negation: flip all bits, add 1.
      (local.set $is_negative (i32x4.eq (local.get $most) (i32x4.splat (local.get $codes))))
      (v128.store (local.get $work)
        (i32x4.sub (v128.xor (local.get $q) (local.get $is_negative)) (local.get $is_negative)))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (local.set $most_at (i32.add (local.get $most_at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end)))))

  ;; ---- A pair (a, b) for each 32, 64 or 128 columns: q4a ----

  ;; Stores a row of `columns`, and the padding up to a multiple of 32. work: 1536 bytes, three vectors of
  ;; [128]: x as floats; x - mean; -1 for columns and 0 for padding.
  (func (export "quantisePairs")
    (param $bits i32) (param $columns i32) (param $group i32)
    (param $work i32) (param $weight i32) (param $scale i32)
    (local $count i32)
    (loop $next
      (local.set $count (call $min (local.get $group) (local.get $columns)))
      (i32.store (local.get $scale)
        (call $quantise_pair (local.get $bits) (local.get $count) (local.get $work) (local.get $weight)))
      (local.set $bits (i32.add (local.get $bits) (i32.shl (local.get $group) (i32.const 2))))
      (local.set $scale (i32.add (local.get $scale) (i32.const 4)))
      (local.set $weight (i32.add (local.get $weight) (i32.shr_u (local.get $group) (i32.const 1))))
      (local.set $columns (i32.sub (local.get $columns) (local.get $group)))
      (br_if $next (i32.gt_s (local.get $columns) (i32.const 0)))))

  ;; Stores the codes of a group of `count` columns. Returns a and b as f16, a in the low half.
  (func $quantise_pair (param $bits i32) (param $count i32) (param $work i32) (param $weight i32) (result i32)
    (local $exponent i32) (local $width i32) (local $end i32)
    (local.set $width (i32.and (i32.add (local.get $count) (i32.const 31)) (i32.const -32)))
    (local.set $exponent (call $group_exponent (local.get $bits) (local.get $width) (i32.const 142)))
    (call $search_pair (local.get $bits) (local.get $count) (local.get $width) (local.get $exponent)
      (local.get $work))
    (call $pair_codes (local.get $width) (local.get $work))
    (local.set $end (i32.add (local.get $work) (i32.shl (local.get $width) (i32.const 2))))
    (loop $next
      (call $store_nibbles (local.get $work) (i32.const 0) (local.get $weight))
      (local.set $weight (i32.add (local.get $weight) (i32.const 16)))
      (local.set $work (i32.add (local.get $work) (i32.const 128)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end))))
    (i32.or
      (call $f16_bits (global.get $best_a) (local.get $exponent))
      (i32.shl (call $f16_bits (global.get $best_b) (local.get $exponent)) (i32.const 16))))

  ;; The pair of least squared error, for weights in units of an exponent. Fills `work`.
  (func $search_pair
    (param $bits i32) (param $count i32) (param $width i32) (param $exponent i32) (param $work i32)
    (local $low i32) (local $high i32) (local $mean i32) (local $rest i32)
    (local $divisor i32) (local $slope i32) (local $i i32)
    (call $load_signed (local.get $bits) (local.get $width) (local.get $exponent) (local.get $work))
    (call $sums (local.get $count) (local.get $work))
    (local.set $high)
    (local.set $low (call $min (global.get $highest)))
    (local.set $mean (i32.div_s (global.get $sum) (local.get $count)))
    (local.set $rest (i32.rem_s (global.get $sum) (local.get $count)))
    (call $load_residuals (local.get $count) (local.get $width) (local.get $mean) (local.get $work))

    ;; Ranges tried: a = (max x - min x) / 14, .. / 20, around the middle, and the closed form for the codes
    ;; of each.
    (global.set $best_error (i64.const 0x7fffffffffffffff))
    (local.set $divisor (i32.const 14))
    (loop $next
      (local.set $slope (call $round_f16
        (i32.div_s
          (i32.add (i32.sub (local.get $high) (local.get $low)) (i32.shr_u (local.get $divisor) (i32.const 1)))
          (local.get $divisor))
        (local.get $exponent)))
      (call $try_pair
        (local.get $slope)
        (call $round_f16
          (i32.div_s
            (i32.sub (i32.add (local.get $low) (local.get $high)) (i32.mul (i32.const 15) (local.get $slope)))
            (i32.const 2))
          (local.get $exponent))
        (local.get $width) (local.get $work))
      (call $try_closed_form (global.get $q) (global.get $qq) (global.get $yq)
        (local.get $count) (local.get $width) (local.get $mean) (local.get $rest) (local.get $exponent)
        (local.get $work))
      (local.set $divisor (i32.add (local.get $divisor) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $divisor) (i32.const 20))))
    (loop $next
      (call $try_closed_form (global.get $best_q) (global.get $best_pair_qq) (global.get $best_yq)
        (local.get $count) (local.get $width) (local.get $mean) (local.get $rest) (local.get $exponent)
        (local.get $work))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 4)))))

  ;; x, as floats and as integers.
  (func $load_signed (param $bits i32) (param $width i32) (param $exponent i32) (param $work i32)
    (local $end i32) (local $units v128) (local $sign v128) (local $x v128)
    (local.set $end (i32.add (local.get $work) (i32.shl (local.get $width) (i32.const 2))))
    (local.set $units (call $units (local.get $exponent)))
    (loop $next
      (local.set $sign (v128.and (v128.load (local.get $bits)) (i32x4.splat (i32.const 0x80000000))))
      (local.set $x (v128.or
        (local.get $sign)
        (call $magnitudes (v128.load (local.get $bits)) (local.get $units))))
      (v128.store (local.get $work) (local.get $x))
      (v128.store offset=512 (local.get $work) (i32x4.trunc_sat_f32x4_s (local.get $x)))
      (local.set $bits (i32.add (local.get $bits) (i32.const 16)))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end)))))

  ;; Leaves sum(x) in $sum. Returns min x and max x.
  (func $sums (param $count i32) (param $work i32) (result i32 i32)
    (local $end i32) (local $x i32) (local $low i32) (local $high i32)
    (local.set $end (i32.add (local.get $work) (i32.shl (local.get $count) (i32.const 2))))
    (local.set $low (i32.load offset=512 (local.get $work)))
    (local.set $high (local.get $low))
    (global.set $sum (i32.const 0))
    (loop $next
      (local.set $x (i32.load offset=512 (local.get $work)))
      (local.set $low (call $min (local.get $low) (local.get $x)))
      (local.set $high (call $max (local.get $high) (local.get $x)))
      (global.set $sum (i32.add (global.get $sum) (local.get $x)))
      (local.set $work (i32.add (local.get $work) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end))))
    (local.get $low)
    (local.get $high))

  ;; x - mean, and which columns are no padding.
  (func $load_residuals (param $count i32) (param $width i32) (param $mean i32) (param $work i32)
    (local $i i32) (local $lanes v128)
    (local.set $lanes (v128.const i32x4 0 1 2 3))
    (loop $next
      (v128.store offset=512 (local.get $work)
        (i32x4.sub (v128.load offset=512 (local.get $work)) (i32x4.splat (local.get $mean))))
      (v128.store offset=1024 (local.get $work)
        (i32x4.lt_s (local.get $lanes) (i32x4.splat (local.get $count))))
      (local.set $lanes (i32x4.add (local.get $lanes) (i32x4.splat (i32.const 4))))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $width)))))

  ;; Tries the pair of least squared error for codes with these sums.
  (func $try_closed_form
    (param $q i32) (param $qq i32) (param $yq i32) (param $count i32) (param $width i32)
    (param $mean i32) (param $rest i32) (param $exponent i32) (param $work i32)
    (local $spread i32) (local $product i32) (local $slope i32)
    (local.set $spread (i32.sub
      (i32.mul (local.get $count) (local.get $qq))
      (i32.mul (local.get $q) (local.get $q))))
    (local.set $product (call $max (i32.const 0) (i32.sub
      (local.get $yq)
      (i32.div_s (i32.mul (local.get $q) (local.get $rest)) (local.get $count)))))
    (if (i32.gt_s (local.get $spread) (i32.const 0))
      (then
        (local.set $slope (i32.wrap_i64 (i64.div_s
          (i64.add
            (i64.mul (i64.extend_i32_s (local.get $product)) (i64.extend_i32_s (local.get $count)))
            (i64.extend_i32_u (i32.shr_u (local.get $spread) (i32.const 1))))
          (i64.extend_i32_s (local.get $spread)))))))
    (local.set $slope (call $round_f16 (local.get $slope) (local.get $exponent)))
    (call $try_pair
      (local.get $slope)
      (call $round_f16
        (i32.add (local.get $mean) (i32.div_s
          (i32.sub (local.get $rest) (i32.mul (local.get $slope) (local.get $q)))
          (local.get $count)))
        (local.get $exponent))
      (local.get $width) (local.get $work)))

  ;; Measures a pair, and keeps it if its error is less than the best. A code is (x - b) / a to the nearest,
  ;; ties up, from 0 to 15. As in $attempt, a quarter keeps it from a tie.
  (func $try_pair (param $a i32) (param $b i32) (param $width i32) (param $work i32)
    (local $end i32) (local $slope v128) (local $offset v128) (local $inverse v128)
    (local $quarter v128) (local $two_23 v128) (local $bits_of_two_23 v128) (local $fifteen v128) (local $zero v128)
    (local $largest v128) (local $lower_half v128)
    (local $distance v128) (local $rounded v128) (local $code v128) (local $residual v128) (local $inside v128)
    (local $q v128) (local $qq v128) (local $yq v128) (local $high v128) (local $low v128)
    (local.set $b (call $min (local.get $b) (global.get $highest)))
    (local.set $end (i32.add (local.get $work) (i32.shl (local.get $width) (i32.const 2))))
    (local.set $slope (f32x4.splat (f32.convert_i32_s (local.get $a))))
    (local.set $offset (f32x4.splat (f32.convert_i32_s (local.get $b))))
    (local.set $inverse (call $inverse (local.get $a)))
    (local.set $quarter (f32x4.splat (f32.const 0.25)))
    (local.set $two_23 (f32x4.splat (f32.const 8388608)))
    (local.set $bits_of_two_23 (i32x4.splat (i32.const 0x4b000000)))
    (local.set $fifteen (f32x4.splat (f32.const 15)))
    (local.set $largest (f32x4.splat (f32.const 65535)))
    (local.set $lower_half (i32x4.splat (i32.const 0xffff)))
    (loop $next
      (local.set $distance (f32x4.sub (v128.load (local.get $work)) (local.get $offset)))
      (local.set $rounded (f32x4.add (local.get $two_23)
        (f32x4.pmax (local.get $zero) (f32x4.pmin (local.get $fifteen)
          (f32x4.mul (f32x4.add (local.get $distance) (local.get $quarter)) (local.get $inverse))))))
      (local.set $residual (f32x4.add (local.get $two_23) (f32x4.pmin (local.get $largest)
        (f32x4.abs (f32x4.sub (local.get $distance)
          (f32x4.mul (local.get $slope) (f32x4.sub (local.get $rounded) (local.get $two_23))))))))
      (local.set $inside (v128.load offset=1024 (local.get $work)))
      (local.set $code (v128.and (local.get $inside) (i32x4.sub (local.get $rounded) (local.get $bits_of_two_23))))
      (local.set $residual
        (v128.and (local.get $inside) (i32x4.sub (local.get $residual) (local.get $bits_of_two_23))))
      (local.set $residual (i32x4.mul (local.get $residual) (local.get $residual)))
      (local.set $high (i32x4.add (local.get $high) (i32x4.shr_u (local.get $residual) (i32.const 16))))
      (local.set $low (i32x4.add (local.get $low) (v128.and (local.get $residual) (local.get $lower_half))))
      (local.set $q (i32x4.add (local.get $q) (local.get $code)))
      (local.set $qq (i32x4.add (local.get $qq) (i32x4.dot_i16x8_s (local.get $code) (local.get $code))))
      (local.set $yq (i32x4.add (local.get $yq)
        (i32x4.mul (v128.load offset=512 (local.get $work)) (local.get $code))))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end))))
    (global.set $q (call $horizontal_sum (local.get $q)))
    (global.set $qq (call $horizontal_sum (local.get $qq)))
    (global.set $yq (call $horizontal_sum (local.get $yq)))
    (call $keep (local.get $a) (local.get $b) (i64.add
      (i64.shl (i64.extend_i32_u (call $horizontal_sum (local.get $high))) (i64.const 16))
      (i64.extend_i32_u (call $horizontal_sum (local.get $low))))))

  (func $keep (param $a i32) (param $b i32) (param $error i64)
    (if (i64.ge_s (local.get $error) (global.get $best_error)) (then (return)))
    (global.set $best_error (local.get $error))
    (global.set $best_a (local.get $a))
    (global.set $best_b (local.get $b))
    (global.set $best_q (global.get $q))
    (global.set $best_pair_qq (global.get $qq))
    (global.set $best_yq (global.get $yq)))

  ;; The codes under the best pair replace x in `work`.
  (func $pair_codes (param $width i32) (param $work i32)
    (local $end i32) (local $offset v128) (local $inverse v128)
    (local.set $end (i32.add (local.get $work) (i32.shl (local.get $width) (i32.const 2))))
    (local.set $offset (f32x4.splat (f32.sub (f32.convert_i32_s (global.get $best_b)) (f32.const 0.25))))
    (local.set $inverse (call $inverse (global.get $best_a)))
    (loop $next
      (v128.store (local.get $work) (v128.and
        (v128.load offset=1024 (local.get $work))
        (i32x4.trunc_sat_f32x4_s (f32x4.nearest
          (f32x4.max (f32x4.splat (f32.const 0)) (f32x4.min (f32x4.splat (f32.const 15))
            (f32x4.mul (f32x4.sub (v128.load (local.get $work)) (local.get $offset)) (local.get $inverse))))))))
      (local.set $work (i32.add (local.get $work) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $work) (local.get $end)))))

  ;; ---- Scales and minima of 6 bits for each 32 columns, d and dmin for each 256: q4k ----

  ;; Stores a row of `columns`, and the padding up to a multiple of 32. work: 1600 bytes, those of
  ;; $quantise_pair and a pair for each 32 columns.
  (func (export "quantiseSuper")
    (param $bits i32) (param $columns i32) (param $work i32) (param $weight i32) (param $scale i32)
    (global.set $highest (i32.const 0))
    (loop $next
      (call $quantise_super (local.get $bits) (call $min (i32.const 256) (local.get $columns))
        (local.get $work) (local.get $weight) (local.get $scale))
      (local.set $bits (i32.add (local.get $bits) (i32.const 1024)))
      (local.set $weight (i32.add (local.get $weight) (i32.const 128)))
      (local.set $scale (i32.add (local.get $scale) (i32.const 16)))
      (local.set $columns (i32.sub (local.get $columns) (i32.const 256)))
      (br_if $next (i32.gt_s (local.get $columns) (i32.const 0))))
    (global.set $highest (i32.const 0x7fffffff)))

  (func $quantise_super
    (param $bits i32) (param $count i32) (param $work i32) (param $weight i32) (param $scale i32)
    (local $exponent i32) (local $finer i32) (local $d i32) (local $dmin i32) (local $i i32)
    (local $pair i32)
    (local.set $exponent (call $max (i32.const 112) (call $group_exponent (local.get $bits)
      (i32.and (i32.add (local.get $count) (i32.const 31)) (i32.const -32)) (i32.const 142))))
    (local.set $pair (i32.add (local.get $work) (i32.const 1536)))
    (loop $next
      (call $search_pair (i32.add (local.get $bits) (i32.shl (local.get $i) (i32.const 2)))
        (call $min (i32.const 32) (i32.sub (local.get $count) (local.get $i))) (i32.const 32)
        (local.get $exponent) (local.get $work))
      (i32.store (local.get $pair) (global.get $best_a))
      (i32.store offset=4 (local.get $pair) (i32.sub (i32.const 0) (global.get $best_b)))
      (local.set $d (call $max (local.get $d) (global.get $best_a)))
      (local.set $dmin (call $max (local.get $dmin) (i32.sub (i32.const 0) (global.get $best_b))))
      (local.set $pair (i32.add (local.get $pair) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 32)))
      (br_if $next (i32.lt_s (local.get $i) (local.get $count))))

    ;; 63 times d and dmin reach the largest. So they are in units of 2^-6.
    (local.set $finer (i32.sub (local.get $exponent) (i32.const 6)))
    (local.set $d (call $round_scale
      (i32.shl (local.get $d) (i32.const 6)) (i32.const 63) (local.get $finer)))
    (local.set $dmin (call $round_scale
      (i32.shl (local.get $dmin) (i32.const 6)) (i32.const 63) (local.get $finer)))
    (i32.store (local.get $scale) (i32.or
      (call $f16_bits (local.get $d) (local.get $finer))
      (i32.shl (call $f16_bits (local.get $dmin) (local.get $finer)) (i32.const 16))))
    (i64.store offset=4 align=4 (local.get $scale) (i64.const 0))
    (i32.store offset=12 (local.get $scale) (i32.const 0))

    (local.set $pair (i32.add (local.get $work) (i32.const 1536)))
    (local.set $i (i32.const 0))
    (loop $next
      (call $load_signed (i32.add (local.get $bits) (i32.shl (local.get $i) (i32.const 2)))
        (i32.const 32) (local.get $exponent) (local.get $work))
      (call $load_residuals
        (call $min (i32.const 32) (i32.sub (local.get $count) (local.get $i))) (i32.const 32)
        (i32.const 0) (local.get $work))
      (call $round_pair
        (call $nearest_six (i32.load (local.get $pair)) (local.get $d))
        (call $nearest_six (i32.load offset=4 (local.get $pair)) (local.get $dmin))
        (local.get $d) (local.get $dmin) (i32.shr_u (local.get $i) (i32.const 5))
        (local.get $scale) (local.get $work))
      (call $pair_codes (i32.const 32) (local.get $work))
      (call $store_nibbles (local.get $work) (i32.const 0)
        (i32.add (local.get $weight) (i32.shr_u (local.get $i) (i32.const 1))))
      (local.set $pair (i32.add (local.get $pair) (i32.const 8)))
      (local.set $i (i32.add (local.get $i) (i32.const 32)))
      (br_if $next (i32.lt_s (local.get $i) (local.get $count)))))

  ;; value / step to the nearest, at most 63.
  (func $nearest_six (param $value i32) (param $step i32) (result i32)
    (if (i32.eqz (local.get $step)) (then (return (i32.const 0))))
    (call $six_bits (i32.div_u
      (i32.add (i32.shl (local.get $value) (i32.const 6)) (i32.shr_u (local.get $step) (i32.const 1)))
      (local.get $step))))

  (func $six_bits (param $value i32) (result i32)
    (call $max (i32.const 0) (call $min (i32.const 63) (local.get $value))))

  ;; Of a scale and a minimum and their nine neighbours keeps those of least squared error, in the words at
  ;; `scale` for sub-group j.
  (func $round_pair
    (param $nearest_scale i32) (param $nearest_minimum i32) (param $d i32) (param $dmin i32)
    (param $j i32) (param $scale i32) (param $work i32)
    (local $neighbour i32) (local $a i32) (local $b i32) (local $best_scale i32) (local $best_minimum i32)
    (local $before i64)
    (global.set $best_error (i64.const 0x7fffffffffffffff))
    (loop $next
      (local.set $a (call $six_bits (i32.add (local.get $nearest_scale)
        (i32.sub (i32.div_u (local.get $neighbour) (i32.const 3)) (i32.const 1)))))
      (local.set $b (call $six_bits (i32.add (local.get $nearest_minimum)
        (i32.sub (i32.rem_u (local.get $neighbour) (i32.const 3)) (i32.const 1)))))
      (local.set $before (global.get $best_error))
      (call $try_pair
        (call $coarser (i32.mul (local.get $d) (local.get $a)))
        (i32.sub (i32.const 0) (call $coarser (i32.mul (local.get $dmin) (local.get $b))))
        (i32.const 32) (local.get $work))
      (if (i64.lt_s (global.get $best_error) (local.get $before))
        (then
          (local.set $best_scale (local.get $a))
          (local.set $best_minimum (local.get $b))))
      (local.set $neighbour (i32.add (local.get $neighbour) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $neighbour) (i32.const 9))))
    ;; A byte: the scale, and the upper two bits of the minimum. Its other four are in the last word.
    (i32.store8 offset=4 (i32.add (local.get $scale) (local.get $j))
      (i32.or (local.get $best_scale)
        (i32.shl (i32.shr_u (local.get $best_minimum) (i32.const 4)) (i32.const 6))))
    (i32.store offset=12 (local.get $scale)
      (i32.or (i32.load offset=12 (local.get $scale))
        (i32.shl (i32.and (local.get $best_minimum) (i32.const 15)) (i32.shl (local.get $j) (i32.const 2))))))

  ;; Units of 2^-6 to units, to the nearest.
  (func $coarser (param $value i32) (result i32)
    (i32.shr_s (i32.add (local.get $value) (i32.const 32)) (i32.const 6)))
)
