;; Products of a weight matrix and rows of inputs. A tile is four rows of the matrix times one input: for each
;; weight format a function gives its four sums. The sums of a row do not depend on the tile that it is in. They
;; are added up in blocks of 256 columns, so that few roundings are of large numbers.
(module
  (import "env" "memory" (memory 1 65536))

  (type $tile
    (func
      (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)  ;; rows of weights
      (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)  ;; rows of scales
      (param $input i32)                                               ;; as inputs.wat prepares it
      (param $groups i32)                                              ;; of 32 columns
      (param $factors i32)                                             ;; scratch, 32 bytes a group
      (result v128)))

  ;; In the order of FORMATS in product.ts.
  (table funcref
    (elem $f32 $f16 $bf16 $q8 $q4 $q4a $q4a64 $q4a128 $q8_codes $q4_codes))

  ;; out[t, n] = sum_k weights[n, k] · inputs[t, k]. It writes whole tiles.
  (func (export "products")
    (param $format i32)
    (param $weights i32) (param $weight_bytes i32)  ;; the first row, and the bytes of a row
    (param $scales i32) (param $scale_bytes i32)
    (param $rows i32)
    (param $inputs i32) (param $input_bytes i32)
    (param $T i32) (param $groups i32)
    (param $out i32) (param $out_bytes i32)
    (param $factors i32)
    (local $row i32) (local $t i32) (local $at i32)
    ;; each r: 0 1 2 3
    (local $w{r} i32) (local $s{r} i32)
    ;; end r
    (loop $tiles
      ;; A tile at the end computes the last row more than once.
      ;; each r: 0 1 2 3
      (local.set $at (i32.add (local.get $row) (i32.const {r})))
      (if (i32.ge_u (local.get $at) (local.get $rows))
        (then (local.set $at (i32.sub (local.get $rows) (i32.const 1)))))
      (local.set $w{r} (i32.add (local.get $weights) (i32.mul (local.get $at) (local.get $weight_bytes))))
      (local.set $s{r} (i32.add (local.get $scales) (i32.mul (local.get $at) (local.get $scale_bytes))))
      ;; end r
      (local.set $t (i32.const 0))
      (loop $tokens
        (v128.store
          (i32.add
            (i32.add (local.get $out) (i32.mul (local.get $t) (local.get $out_bytes)))
            (i32.shl (local.get $row) (i32.const 2)))
          (call_indirect (type $tile)
            (local.get $w0) (local.get $w1) (local.get $w2) (local.get $w3)
            (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3)
            (i32.add (local.get $inputs) (i32.mul (local.get $t) (local.get $input_bytes)))
            (local.get $groups)
            (local.get $factors)
            (local.get $format)))
        (local.set $t (i32.add (local.get $t) (i32.const 1)))
        (br_if $tokens (i32.lt_u (local.get $t) (local.get $T))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $tiles (i32.lt_u (local.get $row) (local.get $rows)))))

  ;; The sums of the lanes of a, b, c and d.
  (func $sums (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local.set $a
      (f32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b))))
    (local.set $c
      (f32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d))))
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $c))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $c))))

  ;; f16 to f32. The bits of an f16, moved to where those of an f32 are, mean 2^-112 of its value. So do those
  ;; of subnormals.
  (func $half (param $bits i32) (result f32)
    (f32.mul
      (f32.reinterpret_i32
        (i32.and
          (i32.shl (i32.extend16_s (local.get $bits)) (i32.const 13))
          (i32.const 0x8fffffff)))
      (f32.const 0x1p112)))

  ;; factors[16 · g] = scale · of the input's group, for the row of a tile at $factors.
  (func $scale_row (param $scales i32) (param $of_input i32) (param $groups i32) (param $factors i32)
    (local $v v128)
    (block $rest
      (loop $next
        (br_if $rest (i32.lt_u (local.get $groups) (i32.const 4)))
        (local.set $v
          (f32x4.mul
            (f32x4.mul
              (v128.and
                (i32x4.shl
                  (i32x4.extend_low_i16x8_s (v128.load64_zero (local.get $scales)))
                  (i32.const 13))
                (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
              (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112))
            (v128.load (local.get $of_input))))
        ;; each i: 0 1 2 3
        (v128.store32_lane offset={16i} {i} (local.get $factors) (local.get $v))
        ;; end i
        (local.set $scales (i32.add (local.get $scales) (i32.const 8)))
        (local.set $of_input (i32.add (local.get $of_input) (i32.const 16)))
        (local.set $factors (i32.add (local.get $factors) (i32.const 64)))
        (local.set $groups (i32.sub (local.get $groups) (i32.const 4)))
        (br $next)))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $groups)))
        (f32.store (local.get $factors)
          (f32.mul (call $half (i32.load16_u (local.get $scales))) (f32.load (local.get $of_input))))
        (local.set $scales (i32.add (local.get $scales) (i32.const 2)))
        (local.set $of_input (i32.add (local.get $of_input) (i32.const 4)))
        (local.set $factors (i32.add (local.get $factors) (i32.const 16)))
        (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
        (br $next))))

  ;; Nibbles times codes, both integers. The codes of a group are four vectors for the nibbles 0, 1, 2 and 3 of
  ;; words of 16 bits. Sums are 16 times too large: nibbles 1 and 3 are not moved down, codes 0 and 2 are 16
  ;; times as large. $less takes 8 off the nibbles.
  (func $q4_codes
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $scale i32) (local $less i32) (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local $even v128) (local $odd v128) (local $w v128) (local $high v128) (local $eight v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $scale (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 6))))
    (local.set $less (i32.add (local.get $scale) (i32.shl (local.get $groups) (i32.const 2))))
    ;; each r: 0 1 2 3
    (call $scale_row
      (local.get $s{r}) (local.get $scale) (local.get $groups)
      (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (local.set $even (v128.const i16x8 0x0f 0x0f 0x0f 0x0f 0x0f 0x0f 0x0f 0x0f))
    (local.set $odd (v128.const i16x8 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0 0xf0))
    (loop $next
      ;; each i: 0 1 2 3
      (local.set $c{i} (v128.load offset={16i} (local.get $input)))
      ;; end i
      (local.set $eight (v128.load32_zero (local.get $less)))
      ;; each r: 0 1 2 3
      (local.set $w (v128.load (local.get $w{r})))
      (local.set $high (i16x8.shr_u (local.get $w) (i32.const 8)))
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.mul
            (v128.load32_splat offset={4r} (local.get $factors))
            (f32x4.convert_i32x4_s
              (i32x4.add
                (i32x4.add
                  (i32x4.add
                    (i32x4.dot_i16x8_s (v128.and (local.get $w) (local.get $even)) (local.get $c0))
                    (i32x4.dot_i16x8_s (v128.and (local.get $w) (local.get $odd)) (local.get $c1)))
                  (i32x4.add
                    (i32x4.dot_i16x8_s (v128.and (local.get $high) (local.get $even)) (local.get $c2))
                    (i32x4.dot_i16x8_s (v128.and (local.get $high) (local.get $odd)) (local.get $c3))))
                (local.get $eight))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 64)))
      (local.set $less (i32.add (local.get $less) (i32.const 4)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 16)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 7)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; Bytes times codes, both integers.
  (func $q8_codes
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $scale i32) (local $c0 v128) (local $c1 v128) (local $c2 v128) (local $c3 v128)
    (local $low v128) (local $high v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $scale (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 6))))
    ;; each r: 0 1 2 3
    (call $scale_row
      (local.get $s{r}) (local.get $scale) (local.get $groups)
      (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (loop $next
      ;; each i: 0 1 2 3
      (local.set $c{i} (v128.load offset={16i} (local.get $input)))
      ;; end i
      ;; each r: 0 1 2 3
      (local.set $low (v128.load (local.get $w{r})))
      (local.set $high (v128.load offset=16 (local.get $w{r})))
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.mul
            (v128.load32_splat offset={4r} (local.get $factors))
            (f32x4.convert_i32x4_s
              (i32x4.add
                (i32x4.add
                  (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $low)) (local.get $c0))
                  (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $low)) (local.get $c1)))
                (i32x4.add
                  (i32x4.dot_i16x8_s (i16x8.extend_low_i8x16_s (local.get $high)) (local.get $c2))
                  (i32x4.dot_i16x8_s (i16x8.extend_high_i8x16_s (local.get $high)) (local.get $c3))))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 32)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 64)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 16)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 7)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; Eight columns a round.
  (func $f32
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $x0 v128) (local $x1 v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $groups (i32.shl (local.get $groups) (i32.const 2)))
    (loop $next
      (local.set $x0 (v128.load (local.get $input)))
      (local.set $x1 (v128.load offset=16 (local.get $input)))
      ;; each r: 0 1 2 3
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.add
            (f32x4.mul
              (local.get $x0)
              (v128.load (local.get $w{r})))
            (f32x4.mul
              (local.get $x1)
              (v128.load offset=16 (local.get $w{r}))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 32)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 32)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 31)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; Eight columns a round, converted as by $half.
  (func $f16
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $x0 v128) (local $x1 v128) (local $w v128) (local $mask v128) (local $unit v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $mask (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
    (local.set $unit (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112))
    (local.set $groups (i32.shl (local.get $groups) (i32.const 2)))
    (loop $next
      (local.set $x0 (v128.load (local.get $input)))
      (local.set $x1 (v128.load offset=16 (local.get $input)))
      ;; each r: 0 1 2 3
      (local.set $w (v128.load (local.get $w{r})))
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.add
            (f32x4.mul
              (local.get $x0)
              (f32x4.mul
                (v128.and
                  (i32x4.shl (i32x4.extend_low_i16x8_s (local.get $w)) (i32.const 13))
                  (local.get $mask))
                (local.get $unit)))
            (f32x4.mul
              (local.get $x1)
              (f32x4.mul
                (v128.and
                  (i32x4.shl (i32x4.extend_high_i16x8_s (local.get $w)) (i32.const 13))
                  (local.get $mask))
                (local.get $unit))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 32)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 31)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; Eight columns a round. A bf16 is the upper half of an f32.
  (func $bf16
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $x0 v128) (local $x1 v128) (local $w v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $groups (i32.shl (local.get $groups) (i32.const 2)))
    (loop $next
      (local.set $x0 (v128.load (local.get $input)))
      (local.set $x1 (v128.load offset=16 (local.get $input)))
      ;; each r: 0 1 2 3
      (local.set $w (v128.load (local.get $w{r})))
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.add
            (f32x4.mul
              (local.get $x0)
              (i32x4.shl (i32x4.extend_low_i16x8_u (local.get $w)) (i32.const 16)))
            (f32x4.mul
              (local.get $x1)
              (i32x4.shl (i32x4.extend_high_i16x8_u (local.get $w)) (i32.const 16))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 32)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 31)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; Bytes times floats, 32 columns a round.
  (func $q8
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $x v128)
    ;; each r: 0 1 2 3
    (local $group{r} v128)
    ;; end r
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    ;; each r: 0 1 2 3
    (call $scale_row
      (local.get $s{r})
      (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 7)))
      (local.get $groups)
      (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (loop $next
      ;; each r: 0 1 2 3
      (local.set $group{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      ;; each i: 0 1 2 3 4 5 6 7
      (local.set $x (v128.load offset={16i} (local.get $input)))
      ;; each r: 0 1 2 3
      (local.set $group{r}
        (f32x4.add
          (local.get $group{r})
          (f32x4.mul
            (local.get $x)
            (f32x4.convert_i32x4_s
              (i32x4.extend_low_i16x8_s
                (i16x8.extend_low_i8x16_s (v128.load32_zero offset={4i} (local.get $w{r}))))))))
      ;; end r
      ;; end i
      ;; each r: 0 1 2 3
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.mul (local.get $group{r}) (v128.load32_splat offset={4r} (local.get $factors)))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 32)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 128)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 16)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 7)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; A nibble q stands for a · q + b. The sums of a group are a · sum q x + b · sum x. factors[32 · g] has a of the
  ;; four rows, then b · sum x of them. The floats of a group are eight vectors for the nibbles of words of 32
  ;; bits. Those of odd nibbles are 1/16 of their values, as these nibbles are not moved down.
  (func $nibbles
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $x v128) (local $even v128) (local $odd v128)
    ;; each r: 0 1 2 3
    (local $nibbles{r} v128) (local $group{r} v128)
    ;; end r
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128) (local $total v128)
    (local.set $even (v128.const i32x4 0x0f 0x0f 0x0f 0x0f))
    (local.set $odd (v128.const i32x4 0xf0 0xf0 0xf0 0xf0))
    (loop $next
      ;; each r: 0 1 2 3
      (local.set $nibbles{r} (v128.load (local.get $w{r})))
      (local.set $group{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      ;; each i: 0 1 2 3
      (local.set $x (v128.load offset={32i} (local.get $input)))
      ;; each r: 0 1 2 3
      (local.set $group{r}
        (f32x4.add
          (local.get $group{r})
          (f32x4.mul
            (local.get $x)
            (f32x4.convert_i32x4_s (v128.and (local.get $nibbles{r}) (local.get $even))))))
      ;; end r
      (local.set $x (v128.load offset={32i} (i32.add (local.get $input) (i32.const 16))))
      ;; each r: 0 1 2 3
      (local.set $group{r}
        (f32x4.add
          (local.get $group{r})
          (f32x4.mul
            (local.get $x)
            (f32x4.convert_i32x4_s (v128.and (local.get $nibbles{r}) (local.get $odd))))))
      (local.set $nibbles{r} (i32x4.shr_u (local.get $nibbles{r}) (i32.const 8)))
      ;; end r
      ;; end i
      ;; each r: 0 1 2 3
      (local.set $sum{r}
        (f32x4.add
          (local.get $sum{r})
          (f32x4.add
            (f32x4.mul (local.get $group{r}) (v128.load32_splat offset={4r} (local.get $factors)))
            (v128.load32_zero offset={4r} (i32.add (local.get $factors) (i32.const 16))))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
      ;; end r
      (local.set $input (i32.add (local.get $input) (i32.const 128)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
      (if (i32.eqz (i32.and (local.get $groups) (i32.const 7)))
        (then
          (local.set $total
            (f32x4.add
              (local.get $total)
              (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3))))
          ;; each r: 0 1 2 3
          (local.set $sum{r} (v128.const f32x4 0 0 0 0))
          ;; end r
          ))
      (br_if $next (local.get $groups)))
    (local.get $total))

  ;; factors[32 · g] = a, factors[32 · g + 16] = b · sum of the input's group, for the row of a tile at $factors.
  ;; Each of the pairs (a, b) is for 1 << $shift groups.
  (func $pair_row
    (param $pairs i32) (param $shift i32) (param $sums i32) (param $groups i32) (param $factors i32)
    (local $g i32) (local $pair v128) (local $at i32)
    (loop $next
      (local.set $at
        (i32.add (local.get $pairs) (i32.shl (i32.shr_u (local.get $g) (local.get $shift)) (i32.const 2))))
      (f32.store (local.get $factors) (call $half (i32.load16_u (local.get $at))))
      (f32.store offset=16 (local.get $factors)
        (f32.mul (call $half (i32.load16_u offset=2 (local.get $at))) (f32.load (local.get $sums))))
      (local.set $sums (i32.add (local.get $sums) (i32.const 4)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (br_if $next
        (i32.lt_u (local.tee $g (i32.add (local.get $g) (i32.const 1))) (local.get $groups)))))

  ;; As $pair_row, with b = -8 · a.
  (func $centred_row (param $scales i32) (param $sums i32) (param $groups i32) (param $factors i32)
    (local $a f32)
    (loop $next
      (local.set $a (call $half (i32.load16_u (local.get $scales))))
      (f32.store (local.get $factors) (local.get $a))
      (f32.store offset=16 (local.get $factors)
        (f32.mul (f32.mul (f32.const -8) (local.get $a)) (f32.load (local.get $sums))))
      (local.set $scales (i32.add (local.get $scales) (i32.const 2)))
      (local.set $sums (i32.add (local.get $sums) (i32.const 4)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  (func $q4
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $sums i32)
    (local.set $sums (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 7))))
    ;; each r: 0 1 2 3
    (call $centred_row (local.get $s{r})
      (local.get $sums) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (call $nibbles
      (local.get $w0) (local.get $w1) (local.get $w2) (local.get $w3)
      (local.get $input) (local.get $groups) (local.get $factors)))

  (func $q4a
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $sums i32)
    (local.set $sums (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 7))))
    ;; each r: 0 1 2 3
    (call $pair_row (local.get $s{r}) (i32.const 0)
      (local.get $sums) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (call $nibbles
      (local.get $w0) (local.get $w1) (local.get $w2) (local.get $w3)
      (local.get $input) (local.get $groups) (local.get $factors)))

  (func $q4a64
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $sums i32)
    (local.set $sums (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 7))))
    ;; each r: 0 1 2 3
    (call $pair_row (local.get $s{r}) (i32.const 1)
      (local.get $sums) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (call $nibbles
      (local.get $w0) (local.get $w1) (local.get $w2) (local.get $w3)
      (local.get $input) (local.get $groups) (local.get $factors)))

  (func $q4a128
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)
    (param $input i32) (param $groups i32) (param $factors i32) (result v128)
    (local $sums i32)
    (local.set $sums (i32.add (local.get $input) (i32.shl (local.get $groups) (i32.const 7))))
    ;; each r: 0 1 2 3
    (call $pair_row (local.get $s{r}) (i32.const 2)
      (local.get $sums) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    (call $nibbles
      (local.get $w0) (local.get $w1) (local.get $w2) (local.get $w3)
      (local.get $input) (local.get $groups) (local.get $factors))))
