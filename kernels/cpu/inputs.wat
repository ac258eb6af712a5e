;; The inputs of matrix products.
(module
  (import "env" "memory" (memory 1 65536))

  ;; 1 / rms of a row of $vectors · 4 floats, $K of which are no padding.
  (func $rms_factor (param $x i32) (param $vectors i32) (param $K i32) (param $eps f32) (result f32)
    (local $v v128) (local $squares v128)
    (loop $next
      (local.set $v (v128.load (local.get $x)))
      (local.set $squares (f32x4.add (local.get $squares) (f32x4.mul (local.get $v) (local.get $v))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br_if $next (local.tee $vectors (i32.sub (local.get $vectors) (i32.const 1)))))
    (f32.div
      (f32.const 1)
      (f32.sqrt
        (f32.add
          (f32.div
            (f32.add
              (f32.add (f32x4.extract_lane 0 (local.get $squares)) (f32x4.extract_lane 1 (local.get $squares)))
              (f32.add (f32x4.extract_lane 2 (local.get $squares)) (f32x4.extract_lane 3 (local.get $squares))))
            (f32.convert_i32_u (local.get $K)))
          (local.get $eps)))))

  ;; codes[k] = round(v[k] · 127 / m), v = x · gain, m the largest |v| of 32 columns. Of each such group, scales
  ;; has m / 127 · factor of the row, and the sum of the codes: kernels/quantize-input.ts.
  (func (export "quantizeRow")
    (param $x i32) (param $gain i32) (param $groups i32) (param $K i32) (param $eps f32) (param $even_odd i32)
    (param $codes i32) (param $scales i32)
    (local $factor f32) (local $largest f32) (local $bits i32) (local $finite i32) (local $usable i32)
    (local $magnitudes v128) (local $to_codes v128) (local $low v128) (local $high v128) (local $sum v128)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local $v4 v128) (local $v5 v128) (local $v6 v128) (local $v7 v128)
    (local.set $factor (f32.const 1))
    (if (local.get $gain)
      (then
        (local.set $factor
          (call $rms_factor
            (local.get $x) (i32.shl (local.get $groups) (i32.const 3)) (local.get $K) (local.get $eps)))))
    (loop $next
      ;; each i: 0 1 2 3 4 5 6 7
      (local.set $v{i} (v128.load offset={16i} (local.get $x)))
      ;; end i
      (if (local.get $gain)
        (then
          ;; each i: 0 1 2 3 4 5 6 7
          (local.set $v{i} (f32x4.mul (local.get $v{i}) (v128.load offset={16i} (local.get $gain))))
          ;; end i
          (local.set $gain (i32.add (local.get $gain) (i32.const 128)))))

      ;; The bits of magnitudes compare as the values do. Infinity and NaN are larger than any number.
      (local.set $magnitudes (v128.const i32x4 0 0 0 0))
      ;; each i: 0 1 2 3 4 5 6 7
      (local.set $magnitudes
        (i32x4.max_u
          (local.get $magnitudes)
          (v128.and (local.get $v{i}) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))))
      ;; end i
      (local.set $magnitudes
        (i32x4.max_u
          (local.get $magnitudes)
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7
            (local.get $magnitudes) (local.get $magnitudes))))
      (local.set $magnitudes
        (i32x4.max_u
          (local.get $magnitudes)
          (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11
            (local.get $magnitudes) (local.get $magnitudes))))
      (local.set $bits (i32x4.extract_lane 0 (local.get $magnitudes)))
      (local.set $largest (f32.reinterpret_i32 (local.get $bits)))
      (local.set $finite (i32.lt_u (local.get $bits) (i32.const 0x7f800000)))
      ;; Of smaller values, 127 / largest would overflow.
      (local.set $usable
        (i32.and (local.get $finite) (f32.ge (local.get $largest) (f32.const 1e-30))))

      ;; Not usable: the codes are 0, also those of NaN · 0.
      (local.set $to_codes
        (f32x4.splat
          (select
            (f32.div (f32.const 127) (local.get $largest)) (f32.const 0) (local.get $usable))))
      ;; each i: 0 1 2 3 4 5 6 7
      (local.set $v{i}
        (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (local.get $v{i}) (local.get $to_codes)))))
      ;; end i
      (local.set $low
        (i8x16.narrow_i16x8_s
          (i16x8.narrow_i32x4_s (local.get $v0) (local.get $v1))
          (i16x8.narrow_i32x4_s (local.get $v2) (local.get $v3))))
      (local.set $high
        (i8x16.narrow_i16x8_s
          (i16x8.narrow_i32x4_s (local.get $v4) (local.get $v5))
          (i16x8.narrow_i32x4_s (local.get $v6) (local.get $v7))))
      (local.set $sum
        (i32x4.extadd_pairwise_i16x8_s
          (i16x8.add
            (i16x8.extadd_pairwise_i8x16_s (local.get $low))
            (i16x8.extadd_pairwise_i8x16_s (local.get $high)))))
      (if (local.get $even_odd)
        (then
          (local.set $low
            (i8x16.shuffle 0 2 4 6 1 3 5 7 8 10 12 14 9 11 13 15 (local.get $low) (local.get $low)))
          (local.set $high
            (i8x16.shuffle 0 2 4 6 1 3 5 7 8 10 12 14 9 11 13 15 (local.get $high) (local.get $high)))))
      (v128.store (local.get $codes) (local.get $low))
      (v128.store offset=16 (local.get $codes) (local.get $high))
      (f32.store
        (local.get $scales)
        (select
          (select
            (f32.mul (f32.div (local.get $largest) (f32.const 127)) (local.get $factor))
            (f32.const 0)
            (local.get $usable))
          (f32.const nan)
          (local.get $finite)))
      (f32.store offset=4
        (local.get $scales)
        (f32.convert_i32_s
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum))))))

      (local.set $x (i32.add (local.get $x) (i32.const 128)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 32)))
      (local.set $scales (i32.add (local.get $scales) (i32.const 8)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Floats as products.wat reads them: 128 bytes a group, then for each group a vector. $by_nibble: vectors of the
  ;; columns j, 8 + j, 16 + j and 24 + j for j from 0 to 7, those of odd j times 1/16; the vector is the sum of
  ;; these columns. Otherwise the columns in order, and no vector.
  (func (export "prepareFloats")
    (param $x i32) (param $gain i32) (param $groups i32) (param $K i32) (param $eps f32) (param $by_nibble i32)
    (param $out i32)
    (local $factor v128) (local $even v128) (local $odd v128) (local $of_group i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local $v4 v128) (local $v5 v128) (local $v6 v128) (local $v7 v128)
    (local.set $of_group (i32.add (local.get $out) (i32.shl (local.get $groups) (i32.const 7))))
    (if (local.get $gain)
      (then
        (local.set $factor
          (f32x4.splat
            (call $rms_factor
              (local.get $x) (i32.shl (local.get $groups) (i32.const 3)) (local.get $K) (local.get $eps))))))
    (loop $next
      ;; each i: 0 1 2 3 4 5 6 7
      (local.set $v{i} (v128.load offset={16i} (local.get $x)))
      ;; end i
      (if (local.get $gain)
        (then
          ;; each i: 0 1 2 3 4 5 6 7
          (local.set $v{i}
            (f32x4.mul
              (f32x4.mul (local.get $v{i}) (local.get $factor))
              (v128.load offset={16i} (local.get $gain))))
          ;; end i
          (local.set $gain (i32.add (local.get $gain) (i32.const 128)))))
      (if (local.get $by_nibble)
        (then
          ;; each i: 0 1 2 3 4 5 6 7
          (local.set $v{i} (f32x4.mul (local.get $v{i}) (v128.const f32x4 1 0.0625 1 0.0625)))
          ;; end i
          ;; Lane l of $v0, $v2, $v4 and $v6 belongs to nibble l, of the others to nibble 4 + l.
          ;; each l: 0 1 2 3
          (v128.store32_lane offset={16l} {l} (local.get $out) (local.get $v0))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 4)) (local.get $v2))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 8)) (local.get $v4))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 12)) (local.get $v6))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 64)) (local.get $v1))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 68)) (local.get $v3))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 72)) (local.get $v5))
          (v128.store32_lane offset={16l} {l} (i32.add (local.get $out) (i32.const 76)) (local.get $v7))
          ;; end l
          (local.set $even (v128.const f32x4 0 0 0 0))
          (local.set $odd (v128.const f32x4 0 0 0 0))
          ;; each i: 0 1 2 3
          (local.set $even (f32x4.add (local.get $even) (v128.load offset={32i} (local.get $out))))
          (local.set $odd (f32x4.add (local.get $odd) (v128.load offset={32i+16} (local.get $out))))
          ;; end i
          (v128.store
            (local.get $of_group)
            (f32x4.add
              (local.get $even)
              (f32x4.mul (local.get $odd) (v128.const f32x4 16 16 16 16)))))
        (else
          ;; each i: 0 1 2 3 4 5 6 7
          (v128.store offset={16i} (local.get $out) (local.get $v{i}))
          ;; end i
          ))
      (local.set $x (i32.add (local.get $x) (i32.const 128)))
      (local.set $out (i32.add (local.get $out) (i32.const 128)))
      (local.set $of_group (i32.add (local.get $of_group) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))))
