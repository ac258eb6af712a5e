;; Products of quantised weights and inputs of bytes. Memory is read in order, row after row. A *quad* is four groups of
;; 32 columns: their sums become one vector, which meets one vector of scales. Sums of quads are added up in blocks of 64
;; groups, so few roundings are of large numbers. The sum of a row does not depend on the number of inputs. The last quad
;; of a row may reach up to three groups past its end: there, the codes and scales of an input are 0, and any bits of a
;; weight's scale are a finite number.
;;
;; Codes of nibbles are multiplied as bytes where relaxed SIMD is known, otherwise as words of 16 bits. Either gives the
;; same bits: an input has values of -127 … 127, and weights of 0 … 15, so no sum of 16 products leaves 16 bits.
(module
  (import "env" "memory" (memory 1 65536))

  ;; Adds the products of rows and inputs to sums: those of one row, or of four that are `apart` rows apart, with one
  ;; input or two.
  (type $multiply
    (func
      (param $weights i32) (param $weight_bytes i32)  ;; the first row, and the bytes to the next one
      (param $scales i32) (param $scale_bytes i32)
      (param $quads i32)
      (param $input i32) (param $input_bytes i32)     ;; as prepareCodes writes it, and the bytes to the second one
      (param $sums i32) (param $end i32) (param $sum_bytes i32)
      (param $apart i32)))

  ;; For q8 and q4: one row, four rows. For two inputs at once, which only q4 has: the same.
  (table funcref
    (elem
      $multiply_bytes $multiply_nibbles
      $multiply_bytes_of_four $multiply_nibbles_of_four
      ;; if relaxed
      $multiply_bytes $multiply_nibbles_two
      $multiply_bytes_of_four $multiply_nibbles_two_of_four
      ;; else
      ;; end if
      ))

  ;; Bytes of an input's code: for q4, as above; for q8, 2.
  ;; if relaxed
  (global $nibble_code_bytes (export "nibbleCodeBytes") i32 (i32.const 1))
  ;; else
  (global $nibble_code_bytes (export "nibbleCodeBytes") i32 (i32.const 2))
  ;; end if

  ;; Codes of a row as the products read them: for each quad the codes of its groups, four f32 scales, and four i32 to
  ;; add to the sums. For q4 these take 8 off the weights: minus 8 times the sum of the codes. Bytes are the columns of
  ;; even numbers, then those of odd ones; words are the columns 4 · i + j for j from 0 to 3, those of even j times 16,
  ;; as weights of odd j are not moved down. Scales are 1/16 of theirs then.
  (func (export "prepareCodes")
    (param $codes i32) (param $scales i32) (param $groups i32) (param $by_nibble i32) (param $out i32)
    (local $g i32) (local $to i32) (local $code_bytes i32) (local $quad_bytes i32) (local $per_code f32)
    (local $low v128) (local $high v128) (local $even v128) (local $odd v128)
    (local.set $code_bytes (select (global.get $nibble_code_bytes) (i32.const 2) (local.get $by_nibble)))
    (local.set $quad_bytes (call $quad_bytes (local.get $by_nibble)))
    (local.set $per_code
      (select
        (f32.const 16) (f32.const 1)
        (i32.and (local.get $by_nibble) (i32.eq (local.get $code_bytes) (i32.const 2)))))
    (memory.fill
      (i32.add (local.get $out) (i32.mul (i32.shr_u (local.get $groups) (i32.const 2)) (local.get $quad_bytes)))
      (i32.const 0)
      (select (local.get $quad_bytes) (i32.const 0) (i32.and (local.get $groups) (i32.const 3))))
    (loop $next
      (local.set $to
        (i32.add
          (i32.add
            (local.get $out)
            (i32.mul (i32.shr_u (local.get $g) (i32.const 2)) (local.get $quad_bytes)))
          (i32.mul (i32.and (local.get $g) (i32.const 3)) (i32.shl (local.get $code_bytes) (i32.const 5)))))
      (local.set $low (v128.load (local.get $codes)))
      (local.set $high (v128.load offset=16 (local.get $codes)))
      (if (local.get $by_nibble)
        (then
          ;; Of each eight columns in order even_odd, the even ones and the odd ones.
          (local.set $even
            (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low) (local.get $high)))
          (local.set $odd
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low) (local.get $high)))
          ;; if relaxed
          (v128.store (local.get $to) (local.get $even))
          (v128.store offset=16 (local.get $to) (local.get $odd))
          ;; else
          (v128.store
            (local.get $to)
            (i16x8.shr_s (i16x8.shl (local.get $even) (i32.const 8)) (i32.const 4)))
          (v128.store offset=16
            (local.get $to)
            (i16x8.shr_s (i16x8.shl (local.get $odd) (i32.const 8)) (i32.const 8)))
          (v128.store offset=32
            (local.get $to)
            (i16x8.shl (i16x8.shr_s (local.get $even) (i32.const 8)) (i32.const 4)))
          (v128.store offset=48 (local.get $to) (i16x8.shr_s (local.get $odd) (i32.const 8)))
          ;; end if
          )
        (else
          (v128.store (local.get $to) (i16x8.extend_low_i8x16_s (local.get $low)))
          (v128.store offset=16 (local.get $to) (i16x8.extend_high_i8x16_s (local.get $low)))
          (v128.store offset=32 (local.get $to) (i16x8.extend_low_i8x16_s (local.get $high)))
          (v128.store offset=48 (local.get $to) (i16x8.extend_high_i8x16_s (local.get $high)))))
      (local.set $to
        (i32.add
          (i32.add
            (local.get $out)
            (i32.mul (i32.shr_u (local.get $g) (i32.const 2)) (local.get $quad_bytes)))
          (i32.add
            (i32.shl (local.get $code_bytes) (i32.const 7))
            (i32.shl (i32.and (local.get $g) (i32.const 3)) (i32.const 2)))))
      (f32.store (local.get $to) (f32.div (f32.load (local.get $scales)) (local.get $per_code)))
      (i32.store offset=16
        (local.get $to)
        (select
          (i32.trunc_sat_f32_s
            (f32.mul (f32.mul (local.get $per_code) (f32.const -8)) (f32.load offset=4 (local.get $scales))))
          (i32.const 0)
          (local.get $by_nibble)))
      (local.set $codes (i32.add (local.get $codes) (i32.const 32)))
      (local.set $scales (i32.add (local.get $scales) (i32.const 8)))
      (local.set $g (i32.add (local.get $g) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $g) (local.get $groups)))))

  ;; out[t, n] += sum_k weights[n, k] · inputs[t, k]. Four rows at once come from four places, so that memory answers
  ;; their reads together.
  (func (export "codeProducts")
    (param $by_nibble i32)
    (param $weights i32) (param $weight_bytes i32)  ;; the first row, and the bytes to the next one
    (param $scales i32) (param $scale_bytes i32)
    (param $rows i32)
    (param $inputs i32) (param $input_bytes i32)
    (param $T i32) (param $quads i32)
    (param $out i32) (param $out_bytes i32)
    (local $quarter i32)
    (local.set $quarter (i32.shr_u (local.get $rows) (i32.const 2)))
    ;; each four: 1 0
    (call $multiply_rows
      (i32.add (local.get $by_nibble) (i32.const {2four}))
      (local.get $weights) (local.get $weight_bytes)
      (local.get $scales) (local.get $scale_bytes)
      (select (i32.const 0) (i32.shl (local.get $quarter) (i32.const 2)) (i32.const {four}))
      (select (local.get $quarter) (local.get $rows) (i32.const {four}))
      (local.get $quarter)
      (local.get $inputs) (local.get $input_bytes)
      (local.get $T) (local.get $quads)
      (local.get $out) (local.get $out_bytes))
    ;; end four
    )

  ;; Calls the function at `multiply` in the table for rows from `row` to `end`, or one for two inputs in its place.
  (func $multiply_rows
    (param $multiply i32)
    (param $weights i32) (param $weight_bytes i32) (param $scales i32) (param $scale_bytes i32)
    (param $row i32) (param $end i32) (param $apart i32)
    (param $inputs i32) (param $input_bytes i32)
    (param $T i32) (param $quads i32)
    (param $out i32) (param $out_bytes i32)
    (local $quad_bytes i32) (local $input_quad_bytes i32) (local $most i32) (local $count i32) (local $quad i32)
    (local $w i32) (local $s i32) (local $input i32) (local $sums i32)
    (local $t i32) (local $two i32)
    (local.set $quad_bytes (i32.shr_u (i32.const 128) (i32.and (local.get $multiply) (i32.const 1))))
    (local.set $input_quad_bytes (call $quad_bytes (i32.and (local.get $multiply) (i32.const 1))))
    ;; Calls' rows, or fours of rows. For one input, rows of one block follow each other, and longer ones are read to
    ;; their ends. For many, eight rows and an input stay in the first cache.
    (local.set $most
      (select
        (select (local.get $end) (i32.const 1) (i32.le_u (local.get $quads) (i32.const 16)))
        (i32.shr_u (i32.const 8) (i32.and (local.get $multiply) (i32.const 2)))
        (i32.eq (local.get $T) (i32.const 1))))
    (block $done
      (loop $next_rows
        (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
        (local.set $count (call $min (local.get $most) (i32.sub (local.get $end) (local.get $row))))
        (local.set $quad (i32.const 0))
        (loop $next_block
          (local.set $w
            (i32.add
              (i32.add (local.get $weights) (i32.mul (local.get $row) (local.get $weight_bytes)))
              (i32.mul (local.get $quad) (local.get $quad_bytes))))
          (local.set $s
            (i32.add
              (i32.add (local.get $scales) (i32.mul (local.get $row) (local.get $scale_bytes)))
              (i32.shl (local.get $quad) (i32.const 3))))
          (local.set $input
            (i32.add (local.get $inputs) (i32.mul (local.get $quad) (local.get $input_quad_bytes))))
          (local.set $sums (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 2))))
          (local.set $t (i32.const 0))
          (loop $next_inputs
            ;; if relaxed
            (local.set $two
              (i32.and
                (local.get $multiply)
                (i32.gt_u (i32.sub (local.get $T) (local.get $t)) (i32.const 1))))
            ;; else
            ;; The vectors of words and of two inputs are more than there are registers.
            ;; end if
            (call_indirect (type $multiply)
              (local.get $w) (local.get $weight_bytes)
              (local.get $s) (local.get $scale_bytes)
              (call $min (i32.const 16) (i32.sub (local.get $quads) (local.get $quad)))
              (local.get $input) (local.get $input_bytes)
              (local.get $sums)
              (i32.add (local.get $sums) (i32.shl (local.get $count) (i32.const 2)))
              (local.get $out_bytes)
              (local.get $apart)
              (i32.add (local.get $multiply) (i32.shl (local.get $two) (i32.const 2))))
            (local.set $input
              (i32.add (local.get $input) (i32.shl (local.get $input_bytes) (local.get $two))))
            (local.set $sums (i32.add (local.get $sums) (i32.shl (local.get $out_bytes) (local.get $two))))
            (local.set $t (i32.add (local.get $t) (i32.add (i32.const 1) (local.get $two))))
            (br_if $next_inputs (i32.lt_u (local.get $t) (local.get $T))))
          (br_if $next_block
            (i32.lt_u (local.tee $quad (i32.add (local.get $quad) (i32.const 16))) (local.get $quads))))
        (local.set $row (i32.add (local.get $row) (local.get $count)))
        (br $next_rows))))

  ;; Of an input.
  (func $quad_bytes (param $by_nibble i32) (result i32)
    (i32.add
      (i32.shl (select (global.get $nibble_code_bytes) (i32.const 2) (local.get $by_nibble)) (i32.const 7))
      (i32.const 32)))

  (func $min (param $a i32) (param $b i32) (result i32)
    (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))

  ;; A function of type $multiply for the inputs `tokens`, and `rows` that are `apart` rows apart. A quad takes `weights`
  ;; bytes of weights, and of an input `codes` bytes, then the factors of its sums, and what is added to them before.
  ;; text multiply
  (func ${name} (type $multiply)
    (param $weights i32) (param $weight_bytes i32) (param $scales i32) (param $scale_bytes i32)
    (param $quads i32)
    (param $input i32) (param $input_bytes i32) (param $sums i32) (param $end i32) (param $sum_bytes i32)
    (param $apart i32)
    (local $to i32) (local $left i32)
    (local $low v128) (local $high v128) (local $w v128) (local $scale v128)
    (local $half_bits v128) (local $half_unit v128)
    ;; each i: 0 1 2 3
    (local $q{i} v128)
    ;; end i
    ;; each r: {rows}
    (local $at{r} i32) (local $scales_at{r} i32)
    ;; end r
    ;; each t: {tokens}
    (local $input{t} i32)
    ;; each i: 0 1 2 3
    (local $x{t}_{i} v128)
    ;; end i
    ;; each r: {rows}
    (local $sum{t}_{r} v128)
    ;; each g: 0 1 2 3
    (local $p{t}_{r}_{g} v128)
    ;; end g
    ;; end r
    ;; end t
    ;; insert constants
    (local.set $half_bits (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
    (local.set $half_unit (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112))
    (loop $next_row
      ;; each r: {rows}
      (local.set $at{r}
        (i32.add
          (local.get $weights)
          (i32.mul (i32.mul (local.get $apart) (i32.const {r})) (local.get $weight_bytes))))
      (local.set $scales_at{r}
        (i32.add
          (local.get $scales)
          (i32.mul (i32.mul (local.get $apart) (i32.const {r})) (local.get $scale_bytes))))
      ;; end r
      (local.set $left (local.get $quads))
      ;; each t: {tokens}
      (local.set $input{t} (i32.add (local.get $input) (i32.mul (local.get $input_bytes) (i32.const {t}))))
      ;; each r: {rows}
      (local.set $sum{t}_{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      ;; end t
      (loop $next_quad
        ;; each g: 0 1
        ;; insert {group} tokens={tokens} rows={rows}
        ;; insert hold tokens={tokens} rows={rows}
        ;; end g
        ;; insert halves tokens={tokens} rows={rows} lanes={lanes} a=0 b=1
        ;; each g: 2 3
        ;; insert {group} tokens={tokens} rows={rows}
        ;; insert hold tokens={tokens} rows={rows}
        ;; end g
        ;; insert halves tokens={tokens} rows={rows} lanes={lanes} a=2 b=3
        ;; insert quarters_{lanes} tokens={tokens} rows={rows}
        ;; each t: {tokens}
        (local.set $x{t}_0 (v128.load offset={codes} (local.get $input{t})))
        (local.set $x{t}_1 (v128.load offset={codes+16} (local.get $input{t})))
        (local.set $input{t} (i32.add (local.get $input{t}) (i32.const {codes+32})))
        ;; end t
        ;; each r: {rows}
        ;; As f16 to f32: the bits of an f16, moved to where those of an f32 are, mean 2^-112 of its value. So do those
        ;; of subnormals.
        (local.set $scale
          (f32x4.mul
            (v128.and
              (i32x4.shl (v128.load16x4_s (local.get $scales_at{r})) (i32.const 13))
              (local.get $half_bits))
            (local.get $half_unit)))
        ;; each t: {tokens}
        (local.set $sum{t}_{r}
          (f32x4.add
            (local.get $sum{t}_{r})
            (f32x4.mul
              (f32x4.mul (local.get $scale) (local.get $x{t}_0))
              (f32x4.convert_i32x4_s (i32x4.add (local.get $p{t}_{r}_0) (local.get $x{t}_1))))))
        ;; end t
        (local.set $at{r} (i32.add (local.get $at{r}) (i32.const {weights})))
        (local.set $scales_at{r} (i32.add (local.get $scales_at{r}) (i32.const 8)))
        ;; end r
        (br_if $next_quad (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      ;; each t: {tokens}
      ;; each r: {rows}
      (local.set $to
        (i32.add
          (local.get $sums)
          (i32.add
            (i32.mul (local.get $sum_bytes) (i32.const {t}))
            (i32.mul (local.get $apart) (i32.const {4r})))))
      (f32.store
        (local.get $to)
        (f32.add
          (f32.load (local.get $to))
          (f32.add
            (f32.add
              (f32x4.extract_lane 0 (local.get $sum{t}_{r}))
              (f32x4.extract_lane 1 (local.get $sum{t}_{r})))
            (f32.add
              (f32x4.extract_lane 2 (local.get $sum{t}_{r}))
              (f32x4.extract_lane 3 (local.get $sum{t}_{r}))))))
      ;; end r
      ;; end t
      (local.set $weights (i32.add (local.get $weights) (local.get $weight_bytes)))
      (local.set $scales (i32.add (local.get $scales) (local.get $scale_bytes)))
      (br_if $next_row
        (i32.lt_u (local.tee $sums (i32.add (local.get $sums) (i32.const 4))) (local.get $end)))))
  ;; end multiply

  ;; Holds the sums of a group before the next group is read: a condition that is never true, but on which they depend.
  ;; V8 would otherwise begin with the loads of all groups (Node 20 and 22 do), and run out of registers.
  ;; text hold
        (if (i32.eqz (local.get $left))
          (then
            ;; each t: {tokens}
            ;; each r: {rows}
            (local.set $p{t}_{r}_{g} (local.get $low))
            ;; end r
            ;; end t
            ))
  ;; end hold

  ;; Vectors of two groups become one: the sums of the first, and those of the second.
  ;; text halves
        ;; each t: {tokens}
        ;; each r: {rows}
        (local.set $p{t}_{r}_{a}
          ({lanes}.add
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
              (local.get $p{t}_{r}_{a}) (local.get $p{t}_{r}_{b}))
            (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31
              (local.get $p{t}_{r}_{a}) (local.get $p{t}_{r}_{b}))))
        ;; end r
        ;; end t
  ;; end halves

  ;; Two such vectors become one, of lanes of 32 bits.
  ;; text quarters_i32x4
        ;; each t: {tokens}
        ;; each r: {rows}
        (local.set $p{t}_{r}_0
          (i32x4.add
            (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
              (local.get $p{t}_{r}_0) (local.get $p{t}_{r}_2))
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
              (local.get $p{t}_{r}_0) (local.get $p{t}_{r}_2))))
        ;; end r
        ;; end t
  ;; end quarters_i32x4
  ;; text quarters_i16x8
        ;; each t: {tokens}
        ;; each r: {rows}
        (local.set $p{t}_{r}_0
          (i32x4.extadd_pairwise_i16x8_s
            (i16x8.add
              (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
                (local.get $p{t}_{r}_0) (local.get $p{t}_{r}_2))
              (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
                (local.get $p{t}_{r}_0) (local.get $p{t}_{r}_2)))))
        ;; end r
        ;; end t
  ;; end quarters_i16x8

  ;; The codes of a group of the inputs, which begin at `first`.
  ;; text inputs
        ;; each t: {tokens}
        ;; each i: {vectors}
        (local.set $x{t}_{i} (v128.load offset={first+16i} (local.get $input{t})))
        ;; end i
        ;; end t
  ;; end inputs

  ;; A group of words $q0 to $q3 of a row.
  ;; text words
        ;; each t: {tokens}
        (local.set $p{t}_{r}_{g}
          (i32x4.add
            (i32x4.add
              (i32x4.dot_i16x8_s (local.get $q0) (local.get $x{t}_0))
              (i32x4.dot_i16x8_s (local.get $q1) (local.get $x{t}_1)))
            (i32x4.add
              (i32x4.dot_i16x8_s (local.get $q2) (local.get $x{t}_2))
              (i32x4.dot_i16x8_s (local.get $q3) (local.get $x{t}_3)))))
        ;; end t
  ;; end words

  ;; A group of bytes.
  ;; text bytes
        ;; insert inputs tokens={tokens} vectors=0,1,2,3 first=64g
        ;; each r: {rows}
        ;; each i: 0 1 2 3
        (local.set $q{i} (v128.load8x8_s offset={32g+8i} (local.get $at{r})))
        ;; end i
        ;; insert words tokens={tokens}
        ;; end r
  ;; end bytes

  ;; A group of nibbles.
  ;; if relaxed
  ;; text nibbles
        ;; insert inputs tokens={tokens} vectors=0,1 first=32g
        ;; each r: {rows}
        (local.set $w (v128.load offset={16g} (local.get $at{r})))
        (local.set $q0 (v128.and (local.get $w) (local.get $low)))
        (local.set $q1 (v128.and (i16x8.shr_u (local.get $w) (i32.const 4)) (local.get $low)))
        ;; each t: {tokens}
        (local.set $p{t}_{r}_{g}
          (i16x8.add
            (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $x{t}_0) (local.get $q0))
            (i16x8.relaxed_dot_i8x16_i7x16_s (local.get $x{t}_1) (local.get $q1))))
        ;; end t
        ;; end r
  ;; end nibbles
  ;; text constants
    (local.set $low (v128.const i32x4 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f 0x0f0f0f0f))
  ;; end constants
  ;; insert multiply name=multiply_nibbles group=nibbles tokens=0 rows=0 lanes=i16x8 codes=128 weights=64
  ;; insert multiply name=multiply_nibbles_of_four group=nibbles tokens=0 rows=0,1,2,3 lanes=i16x8 codes=128 weights=64
  ;; insert multiply name=multiply_nibbles_two group=nibbles tokens=0,1 rows=0 lanes=i16x8 codes=128 weights=64
  ;; insert multiply name=multiply_nibbles_two_of_four group=nibbles tokens=0,1 rows=0,1,2,3 lanes=i16x8 codes=128 weights=64
  ;; else
  ;; text nibbles
        ;; insert inputs tokens={tokens} vectors=0,1,2,3 first=64g
        ;; each r: {rows}
        (local.set $w (v128.load offset={16g} (local.get $at{r})))
        (local.set $q0 (v128.and (local.get $w) (local.get $low)))
        (local.set $q1 (v128.and (local.get $w) (local.get $high)))
        (local.set $w (i16x8.shr_u (local.get $w) (i32.const 8)))
        (local.set $q2 (v128.and (local.get $w) (local.get $low)))
        (local.set $q3 (v128.and (local.get $w) (local.get $high)))
        ;; insert words tokens={tokens}
        ;; end r
  ;; end nibbles
  ;; text constants
    (local.set $low (v128.const i32x4 0x000f000f 0x000f000f 0x000f000f 0x000f000f))
    (local.set $high (v128.const i32x4 0x00f000f0 0x00f000f0 0x00f000f0 0x00f000f0))
  ;; end constants
  ;; insert multiply name=multiply_nibbles group=nibbles tokens=0 rows=0 lanes=i32x4 codes=256 weights=64
  ;; insert multiply name=multiply_nibbles_of_four group=nibbles tokens=0 rows=0,1,2,3 lanes=i32x4 codes=256 weights=64
  ;; end if
  ;; insert multiply name=multiply_bytes group=bytes tokens=0 rows=0 lanes=i32x4 codes=256 weights=128
  ;; insert multiply name=multiply_bytes_of_four group=bytes tokens=0 rows=0,1,2,3 lanes=i32x4 codes=256 weights=128
  )
