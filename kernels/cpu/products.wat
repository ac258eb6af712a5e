;; Products of rows of weights and inputs of floats, four rows at a time, a tile. Its sums are added up in blocks of 512
;; columns: so few roundings are of large numbers. The sums of a row do not depend on its place in a tile, nor on
;; the number of inputs.
(module
  (import "env" "memory" (memory 1 65536))

  (type $scales
    (func
      (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32)  ;; rows of scales
      (param $groups i32)
      (param $factors i32)))  ;; for each group vectors a and b of the rows: a code q stands for a · q + b
  (type $unpack
    (func
      (param $weights i32)  ;; a row
      (param $factors i32)  ;; of the row
      (param $groups i32)
      (param $to i32)))     ;; a row of the panel
  (type $multiply
    (func
      (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32)  ;; rows of weights, or of the panel
      (param $factors i32)
      (param $input i32)     ;; for each group 32 values, as inputs.wat prepares them
      (param $of_group i32)  ;; for each group sums
      (param $groups i32)
      (param $sums i32)      ;; scratch, 64 bytes
      (result v128)))        ;; of the four rows

  ;; By format, in the order of FORMATS in product.ts: what unpacks a row, what multiplies rows as they are stored,
  ;; and what multiplies unpacked ones.
  (table funcref
    (elem
      $no_scales $unpack_f32 $multiply_f32 $multiply_f32
      $no_scales $unpack_f16 $multiply_f16 $multiply_f32
      $no_scales $unpack_bf16 $multiply_bf16 $multiply_f32
      $scales $unpack_bytes $multiply_f32 $multiply_f32
      $scales_centred $unpack_nibbles $multiply_nibbles $multiply_f32
      $pairs $unpack_nibbles $multiply_nibbles $multiply_f32
      $pairs64 $unpack_nibbles $multiply_nibbles $multiply_f32
      $pairs128 $unpack_nibbles $multiply_nibbles $multiply_f32
      $super_pairs $unpack_nibbles $multiply_nibbles $multiply_f32))

  ;; text turned
  ;; Four vectors from $v{v} on, turned: each of those at ${to}, 32 bytes apart, has a lane of all.
  (local.set $low
    (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $v{v}) (local.get $v{v+1})))
  (local.set $high
    (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $v{v+2}) (local.get $v{v+3})))
  (v128.store offset={at}
    (local.get ${to})
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high)))
  (v128.store offset={at+32}
    (local.get ${to})
    (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $low) (local.get $high)))
  (local.set $low
    (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $v{v}) (local.get $v{v+1})))
  (local.set $high
    (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $v{v+2}) (local.get $v{v+3})))
  (v128.store offset={at+64}
    (local.get ${to})
    (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $low) (local.get $high)))
  (v128.store offset={at+96}
    (local.get ${to})
    (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $low) (local.get $high)))
  ;; end turned

  ;; out[t, n] = sum_k weights[n, k] · inputs[t, k]. It writes whole tiles.
  (func (export "products")
    (param $format i32)
    (param $weights i32) (param $weight_bytes i32)  ;; the first row, and the bytes of a row
    (param $scales i32) (param $scale_bytes i32)
    (param $rows i32)
    (param $inputs i32) (param $input_bytes i32)
    (param $T i32) (param $groups i32)
    (param $out i32) (param $out_bytes i32)
    (param $is_packed i32)  ;; 1: rows are multiplied as they are stored, which takes less for few inputs
    (param $work i32)  ;; 64 bytes of sums, 8 KiB of panel, 32 bytes of factors a group, of whole eights
    (local $factors i32) (local $group_bytes i32) (local $multiply i32)
    (local $row i32) (local $t i32) (local $at i32) (local $g i32) (local $count i32)
    (local $input i32) (local $of_block i32)
    (local $ahead i32) (local $next i32)  ;; of the weights: what is touched
    ;; each r: 0 1 2 3
    (local $w{r} i32) (local $s{r} i32) (local $p{r} i32)
    ;; end r
    (local.set $factors (i32.add (local.get $work) (i32.const 8256)))
    (local.set $group_bytes (i32.div_u (local.get $weight_bytes) (local.get $groups)))
    (local.set $format (i32.shl (local.get $format) (i32.const 2)))
    (local.set $multiply
      (i32.sub (i32.add (local.get $format) (i32.const 3)) (local.get $is_packed)))
    (local.set $ahead (i32.add (local.get $weights) (i32.const 2048)))
    (loop $tiles
      ;; A tile at the end computes the last row more than once.
      ;; each r: 0 1 2 3
      (local.set $at (i32.add (local.get $row) (i32.const {r})))
      (if (i32.ge_u (local.get $at) (local.get $rows))
        (then (local.set $at (i32.sub (local.get $rows) (i32.const 1)))))
      (local.set $w{r} (i32.add (local.get $weights) (i32.mul (local.get $at) (local.get $weight_bytes))))
      (local.set $s{r} (i32.add (local.get $scales) (i32.mul (local.get $at) (local.get $scale_bytes))))
      ;; end r
      (call_indirect (type $scales)
        (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3)
        (local.get $groups) (local.get $factors)
        (local.get $format))
      (local.set $g (i32.const 0))
      (loop $blocks
        (local.set $count (i32.sub (local.get $groups) (local.get $g)))
        (if (i32.gt_u (local.get $count) (i32.const 16)) (then (local.set $count (i32.const 16))))
        (local.set $of_block (i32.add (local.get $factors) (i32.shl (local.get $g) (i32.const 5))))
        ;; each r: 0 1 2 3
        (local.set $p{r} (local.get $w{r}))
        (if (i32.eqz (local.get $is_packed))
          (then
            (local.set $p{r} (i32.add (local.get $work) (i32.add (i32.const 64) (i32.const {2048r}))))
            (call_indirect (type $unpack)
              (local.get $w{r})
              (i32.add (local.get $of_block) (i32.const {4r}))
              (local.get $count)
              (local.get $p{r})
              (i32.add (local.get $format) (i32.const 1)))))
        (local.set $w{r} (i32.add (local.get $w{r}) (i32.mul (local.get $count) (local.get $group_bytes))))
        ;; end r
        ;; Four rows at a time are no order that processors recognise.
        (if (local.get $is_packed)
          (then
            (local.set $next
              (i32.add
                (local.get $ahead)
                (i32.shl (i32.mul (local.get $count) (local.get $group_bytes)) (i32.const 2))))
            (call $touch (local.get $ahead) (local.get $next))
            (local.set $ahead (local.get $next))))
        (local.set $t (i32.const 0))
        (local.set $at (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 2))))
        (local.set $input (local.get $inputs))
        (loop $tokens
          (if (i32.eqz (local.get $g)) (then (v128.store (local.get $at) (v128.const f32x4 0 0 0 0))))
          (v128.store
            (local.get $at)
            (f32x4.add
              (v128.load (local.get $at))
              (call_indirect (type $multiply)
                (local.get $p0) (local.get $p1) (local.get $p2) (local.get $p3)
                (local.get $of_block)
                (i32.add (local.get $input) (i32.shl (local.get $g) (i32.const 7)))
                (i32.add
                  (local.get $input)
                  (i32.add
                    (i32.shl (local.get $groups) (i32.const 7))
                    (i32.shl (local.get $g) (i32.const 4))))
                (local.get $count)
                (local.get $work)
                (local.get $multiply))))
          (local.set $at (i32.add (local.get $at) (local.get $out_bytes)))
          (local.set $input (i32.add (local.get $input) (local.get $input_bytes)))
          (local.set $t (i32.add (local.get $t) (i32.const 1)))
          (br_if $tokens (i32.lt_u (local.get $t) (local.get $T))))
        (local.set $g (i32.add (local.get $g) (local.get $count)))
        (br_if $blocks (i32.lt_u (local.get $g) (local.get $groups))))
      (local.set $row (i32.add (local.get $row) (i32.const 4)))
      (br_if $tiles (i32.lt_u (local.get $row) (local.get $rows)))))

  ;; Reads a byte of each of some lines of the cache, if there is such memory. Processors recognise reads in
  ;; order, and fetch what follows.
  (func $touch (param $at i32) (param $end i32)
    ;; An end beyond 4 GiB is a small number.
    (if
      (i32.or
        (i32.gt_u (local.get $at) (local.get $end))
        (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16))))
      (then (return)))
    (loop $line
      (drop (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $line (i32.lt_u (local.get $at) (local.get $end)))))

  ;; The sums of the lanes of each of four vectors.
  (func $lanes (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
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

  ;; The sums of the lanes of four vectors in memory. Functions keep sums there that apply factors: compilers
  ;; then compute a row after the other, in registers.
  (func $lanes_at (param $at i32) (result v128)
    (call $lanes
      (v128.load (local.get $at))
      (v128.load offset=16 (local.get $at))
      (v128.load offset=32 (local.get $at))
      (v128.load offset=48 (local.get $at))))

  (func $zero (param $at i32)
    ;; each r: 0 1 2 3
    (v128.store offset={16r} (local.get $at) (v128.const f32x4 0 0 0 0))
    ;; end r
    )

  ;; Floats, eight columns a round.
  (func $multiply_f32
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32) (param $factors i32)
    (param $input i32) (param $of_group i32) (param $groups i32) (param $sums i32) (result v128)
    (local $end i32) (local $x0 v128) (local $x1 v128)
    ;; each r: 0 1 2 3
    (local $sum{r} v128) (local $group{r} v128)
    ;; end r
    (loop $next
      ;; each r: 0 1 2 3
      (local.set $group{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      (local.set $end (i32.add (local.get $input) (i32.const 128)))
      (loop $eights
        (local.set $x0 (v128.load (local.get $input)))
        (local.set $x1 (v128.load offset=16 (local.get $input)))
        ;; each r: 0 1 2 3
        (local.set $group{r}
          (f32x4.add
            (local.get $group{r})
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
        (br_if $eights (i32.lt_u (local.get $input) (local.get $end))))
      ;; each r: 0 1 2 3
      (local.set $sum{r} (f32x4.add (local.get $sum{r}) (local.get $group{r})))
      ;; end r
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (call $lanes (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3)))

  ;; As $unpack_f16 and $multiply_f32 together.
  (func $multiply_f16
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32) (param $factors i32)
    (param $input i32) (param $of_group i32) (param $groups i32) (param $sums i32) (result v128)
    (local $end i32) (local $x0 v128) (local $x1 v128) (local $mask v128) (local $unit v128)
    ;; each r: 0 1 2 3
    (local $sum{r} v128) (local $group{r} v128)
    ;; end r
    (local.set $mask (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
    (local.set $unit (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112))
    (loop $next
      ;; each r: 0 1 2 3
      (local.set $group{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      (local.set $end (i32.add (local.get $input) (i32.const 128)))
      (loop $eights
        (local.set $x0 (v128.load (local.get $input)))
        (local.set $x1 (v128.load offset=16 (local.get $input)))
        ;; each r: 0 1 2 3
        (local.set $group{r}
          (f32x4.add
            (local.get $group{r})
            (f32x4.add
              (f32x4.mul
                (local.get $x0)
                (f32x4.mul
                  (v128.and
                    (i32x4.shl (v128.load16x4_s (local.get $w{r})) (i32.const 13))
                    (local.get $mask))
                  (local.get $unit)))
              (f32x4.mul
                (local.get $x1)
                (f32x4.mul
                  (v128.and
                    (i32x4.shl (v128.load16x4_s offset=8 (local.get $w{r})) (i32.const 13))
                    (local.get $mask))
                  (local.get $unit))))))
        (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
        ;; end r
        (local.set $input (i32.add (local.get $input) (i32.const 32)))
        (br_if $eights (i32.lt_u (local.get $input) (local.get $end))))
      ;; each r: 0 1 2 3
      (local.set $sum{r} (f32x4.add (local.get $sum{r}) (local.get $group{r})))
      ;; end r
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (call $lanes (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3)))

  ;; As $unpack_bf16 and $multiply_f32 together.
  (func $multiply_bf16
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32) (param $factors i32)
    (param $input i32) (param $of_group i32) (param $groups i32) (param $sums i32) (result v128)
    (local $end i32) (local $x0 v128) (local $x1 v128)
    ;; each r: 0 1 2 3
    (local $sum{r} v128) (local $group{r} v128)
    ;; end r
    (loop $next
      ;; each r: 0 1 2 3
      (local.set $group{r} (v128.const f32x4 0 0 0 0))
      ;; end r
      (local.set $end (i32.add (local.get $input) (i32.const 128)))
      (loop $eights
        (local.set $x0 (v128.load (local.get $input)))
        (local.set $x1 (v128.load offset=16 (local.get $input)))
        ;; each r: 0 1 2 3
        (local.set $group{r}
          (f32x4.add
            (local.get $group{r})
            (f32x4.add
              (f32x4.mul
                (local.get $x0)
                (i32x4.shl (v128.load16x4_u (local.get $w{r})) (i32.const 16)))
              (f32x4.mul
                (local.get $x1)
                (i32x4.shl (v128.load16x4_u offset=8 (local.get $w{r})) (i32.const 16))))))
        (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
        ;; end r
        (local.set $input (i32.add (local.get $input) (i32.const 32)))
        (br_if $eights (i32.lt_u (local.get $input) (local.get $end))))
      ;; each r: 0 1 2 3
      (local.set $sum{r} (f32x4.add (local.get $sum{r}) (local.get $group{r})))
      ;; end r
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (call $lanes (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3)))

  ;; Nibbles q of weights, and floats: a · sum_k q[k] x[k] + b · sum_k x[k] of each group, in each lane.
  (func $multiply_nibbles
    (param $w0 i32) (param $w1 i32) (param $w2 i32) (param $w3 i32) (param $factors i32)
    (param $input i32) (param $of_group i32) (param $groups i32) (param $sums i32) (result v128)
    (local $factor v128) (local $offset v128) (local $sum v128) (local $even v128) (local $odd v128) (local $w v128)
    (local $group v128)
    (call $zero (local.get $sums))
    (local.set $even (v128.const i32x4 0x0f 0x0f 0x0f 0x0f))
    (local.set $odd (v128.const i32x4 0xf0 0xf0 0xf0 0xf0))
    (loop $next
      (local.set $factor (v128.load (local.get $factors)))
      (local.set $offset (v128.load offset=16 (local.get $factors)))
      (local.set $sum (v128.load (local.get $of_group)))
      ;; each r: 0 1 2 3
      (local.set $w (v128.load (local.get $w{r})))
      (local.set $group (v128.const f32x4 0 0 0 0))
      ;; each i: 0 1 2 3
      (local.set $group
        (f32x4.add
          (local.get $group)
          (f32x4.add
            (f32x4.mul
              (v128.load offset={32i} (local.get $input))
              (f32x4.convert_i32x4_s (v128.and (local.get $w) (local.get $even))))
            (f32x4.mul
              (v128.load offset={32i+16} (local.get $input))
              (f32x4.convert_i32x4_s (v128.and (local.get $w) (local.get $odd)))))))
      (local.set $w (i32x4.shr_u (local.get $w) (i32.const 8)))
      ;; end i
      (v128.store offset={16r}
        (local.get $sums)
        (f32x4.add
          (v128.load offset={16r} (local.get $sums))
          (f32x4.add
            (f32x4.mul
              (i8x16.shuffle
                {4r} {4r+1} {4r+2} {4r+3} {4r} {4r+1} {4r+2} {4r+3}
                {4r} {4r+1} {4r+2} {4r+3} {4r} {4r+1} {4r+2} {4r+3}
                (local.get $factor) (local.get $factor))
              (local.get $group))
            (f32x4.mul
              (i8x16.shuffle
                {4r} {4r+1} {4r+2} {4r+3} {4r} {4r+1} {4r+2} {4r+3}
                {4r} {4r+1} {4r+2} {4r+3} {4r} {4r+1} {4r+2} {4r+3}
                (local.get $offset) (local.get $offset))
              (local.get $sum)))))
      (local.set $w{r} (i32.add (local.get $w{r}) (i32.const 16)))
      ;; end r
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (local.set $input (i32.add (local.get $input) (i32.const 128)))
      (local.set $of_group (i32.add (local.get $of_group) (i32.const 16)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1)))))
    (call $lanes_at (local.get $sums)))

  ;; f32 as they are.
  (func $unpack_f32 (param $weights i32) (param $factors i32) (param $groups i32) (param $to i32)
    (loop $next
      ;; each i: 0 1 2 3 4 5 6 7
      (v128.store offset={16i} (local.get $to) (v128.load offset={16i} (local.get $weights)))
      ;; end i
      (local.set $weights (i32.add (local.get $weights) (i32.const 128)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; f16, four at a time as $half converts one.
  (func $unpack_f16 (param $weights i32) (param $factors i32) (param $groups i32) (param $to i32)
    (loop $next
      ;; each i: 0 1 2 3 4 5 6 7
      (v128.store offset={16i}
        (local.get $to)
        (f32x4.mul
          (v128.and
            (i32x4.shl (v128.load16x4_s offset={8i} (local.get $weights)) (i32.const 13))
            (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
          (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112)))
      ;; end i
      (local.set $weights (i32.add (local.get $weights) (i32.const 64)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; bf16, the upper halves of f32.
  (func $unpack_bf16 (param $weights i32) (param $factors i32) (param $groups i32) (param $to i32)
    (loop $next
      ;; each i: 0 1 2 3 4 5 6 7
      (v128.store offset={16i}
        (local.get $to)
        (i32x4.shl (v128.load16x4_u offset={8i} (local.get $weights)) (i32.const 16)))
      ;; end i
      (local.set $weights (i32.add (local.get $weights) (i32.const 64)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Signed bytes, a · q.
  (func $unpack_bytes (param $weights i32) (param $factors i32) (param $groups i32) (param $to i32) (local $q v128) (local $a v128)
    (loop $next
      (local.set $a (v128.load32_splat (local.get $factors)))
      ;; each i: 0 1 2 3
      (local.set $q (v128.load8x8_s offset={8i} (local.get $weights)))
      (v128.store offset={32i}
        (local.get $to)
        (f32x4.mul (local.get $a) (f32x4.convert_i32x4_s (i32x4.extend_low_i16x8_s (local.get $q)))))
      (v128.store offset={32i+16}
        (local.get $to)
        (f32x4.mul (local.get $a) (f32x4.convert_i32x4_s (i32x4.extend_high_i16x8_s (local.get $q)))))
      ;; end i
      (local.set $weights (i32.add (local.get $weights) (i32.const 32)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; Nibbles, a · q + b: vectors of the nibbles j of four words, j from 0 to 7. Those of odd j are 16 times as
  ;; large, as they are not moved down: the input makes up for it.
  (func $unpack_nibbles (param $weights i32) (param $factors i32) (param $groups i32) (param $to i32) (local $w v128)
    (local $a v128) (local $b v128) (local $b16 v128)
    (loop $next
      (local.set $w (v128.load (local.get $weights)))
      (local.set $a (v128.load32_splat (local.get $factors)))
      (local.set $b (v128.load32_splat offset=16 (local.get $factors)))
      (local.set $b16 (f32x4.mul (local.get $b) (v128.const f32x4 16 16 16 16)))
      ;; each i: 0 1 2 3
      (v128.store offset={32i}
        (local.get $to)
        (f32x4.add
          (local.get $b)
          (f32x4.mul
            (local.get $a)
            (f32x4.convert_i32x4_s (v128.and (local.get $w) (v128.const i32x4 0x0f 0x0f 0x0f 0x0f))))))
      (v128.store offset={32i+16}
        (local.get $to)
        (f32x4.add
          (local.get $b16)
          (f32x4.mul
            (local.get $a)
            (f32x4.convert_i32x4_s (v128.and (local.get $w) (v128.const i32x4 0xf0 0xf0 0xf0 0xf0))))))
      (local.set $w (i32x4.shr_u (local.get $w) (i32.const 8)))
      ;; end i
      (local.set $weights (i32.add (local.get $weights) (i32.const 16)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; A row as floats, in the order of its columns.
  (func (export "unpackRow")
    (param $format i32)     ;; as in products
    (param $by_nibble i32)  ;; 1 for formats of nibbles
    (param $weights i32) (param $scales i32)
    (param $groups i32)
    (param $work i32)       ;; 32 bytes a group, of whole eights
    (param $to i32)
    (local.set $format (i32.shl (local.get $format) (i32.const 2)))
    (call_indirect (type $scales)
      (local.get $scales) (local.get $scales) (local.get $scales) (local.get $scales)
      (local.get $groups) (local.get $work)
      (local.get $format))
    (call_indirect (type $unpack)
      (local.get $weights) (local.get $work) (local.get $groups) (local.get $to)
      (i32.add (local.get $format) (i32.const 1)))
    (if (local.get $by_nibble) (then (call $in_order (local.get $groups) (local.get $to)))))

  ;; Groups as $unpack_nibbles leaves them, in the order of their columns.
  (func $in_order (param $groups i32) (param $at i32)
    (local $low v128) (local $high v128)
    ;; each j: 0 1 2 3 4 5 6 7
    (local $v{j} v128)
    ;; end j
    (loop $next
      ;; each j: 0 2 4 6
      (local.set $v{j} (v128.load offset={16j} (local.get $at)))
      (local.set $v{j+1}
        (f32x4.mul
          (v128.load offset={16j+16} (local.get $at))
          (v128.const f32x4 0.0625 0.0625 0.0625 0.0625)))
      ;; end j
      ;; insert turned v=0 to=at at=0
      ;; insert turned v=4 to=at at=16
      (local.set $at (i32.add (local.get $at) (i32.const 128)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; f16 to f32. The bits of an f16, moved to where those of an f32 are, mean 2^-112 of its value. So do those
  ;; of subnormals.
  (func $half (param $bits i32) (result f32)
    (f32.mul
      (f32.reinterpret_i32
        (i32.and (i32.shl (i32.extend16_s (local.get $bits)) (i32.const 13)) (i32.const 0x8fffffff)))
      (f32.const 0x1p112)))

  ;; Floats have none.
  (func $no_scales
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32))

  ;; a = scale
  (func $scales
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    (local $mask v128) (local $unit v128) (local $low v128) (local $high v128)
    ;; each r: 0 1 2 3
    (local $v{r} v128)
    ;; end r
    (local.set $mask (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
    (local.set $unit (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112))
    ;; Four groups of each row, as $half converts one; then turned, so that a vector has those of the rows.
    (block $rest
      (loop $next
        (br_if $rest (i32.lt_u (local.get $groups) (i32.const 4)))
        ;; each r: 0 1 2 3
        (local.set $v{r}
          (f32x4.mul
            (v128.and
              (i32x4.shl (v128.load16x4_s (local.get $s{r})) (i32.const 13))
              (local.get $mask))
            (local.get $unit)))
        (local.set $s{r} (i32.add (local.get $s{r}) (i32.const 8)))
        ;; end r
        ;; insert turned v=0 to=factors at=0
        (local.set $factors (i32.add (local.get $factors) (i32.const 128)))
        (local.set $groups (i32.sub (local.get $groups) (i32.const 4)))
        (br $next)))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $groups)))
        ;; each r: 0 1 2 3
        (f32.store offset={4r} (local.get $factors) (call $half (i32.load16_u (local.get $s{r}))))
        (local.set $s{r} (i32.add (local.get $s{r}) (i32.const 2)))
        ;; end r
        (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
        (local.set $groups (i32.sub (local.get $groups) (i32.const 1)))
        (br $next))))

  ;; a = scale, b = -8 · scale
  (func $scales_centred
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    (call $scales
      (local.get $s0) (local.get $s1) (local.get $s2) (local.get $s3)
      (local.get $groups) (local.get $factors))
    (loop $next
      (v128.store offset=16
        (local.get $factors)
        (f32x4.mul (v128.load (local.get $factors)) (v128.const f32x4 -8 -8 -8 -8)))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (br_if $next (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; (a, b) of a pair for 1 << $shift groups, for the row of a tile at $factors.
  (func $pair_row (param $pairs i32) (param $shift i32) (param $groups i32) (param $factors i32)
    (local $g i32) (local $pair v128) (local $a f32) (local $b f32)
    (loop $next
      (if (i32.eqz (i32.and (local.get $g) (i32.sub (i32.shl (i32.const 1) (local.get $shift)) (i32.const 1))))
        (then
          (local.set $pair
            (f32x4.mul
              (v128.and
                (i32x4.shl
                  (i32x4.extend_low_i16x8_s (v128.load32_zero (local.get $pairs)))
                  (i32.const 13))
                (v128.const i32x4 0x8fffffff 0x8fffffff 0x8fffffff 0x8fffffff))
              (v128.const f32x4 0x1p112 0x1p112 0x1p112 0x1p112)))
          (local.set $pairs (i32.add (local.get $pairs) (i32.const 4)))))
      (v128.store32_lane 0 (local.get $factors) (local.get $pair))
      (v128.store32_lane offset=16 1 (local.get $factors) (local.get $pair))
      (local.set $factors (i32.add (local.get $factors) (i32.const 32)))
      (local.set $g (i32.add (local.get $g) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $g) (local.get $groups)))))

  (func $pairs
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    ;; each r: 0 1 2 3
    (call $pair_row
      (local.get $s{r}) (i32.const 0) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    )

  (func $pairs64
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    ;; each r: 0 1 2 3
    (call $pair_row
      (local.get $s{r}) (i32.const 1) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    )

  (func $pairs128
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    ;; each r: 0 1 2 3
    (call $pair_row
      (local.get $s{r}) (i32.const 2) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    )

  ;; (a, b) = (d · scale, -dmin · minimum) of 16 bytes for eight groups, as formats/super-words.ts has them, for
  ;; the row of a tile at $factors. It writes whole eights.
  (func $super_row (param $words i32) (param $groups i32) (param $factors i32)
    (local $a v128) (local $b v128) (local $bytes v128) (local $nibbles v128) (local $v v128)
    (loop $next
      (local.set $a (f32x4.splat (call $half (i32.load16_u (local.get $words)))))
      (local.set $b (f32x4.neg (f32x4.splat (call $half (i32.load16_u offset=2 (local.get $words))))))
      (local.set $bytes (v128.load8x8_u offset=4 (local.get $words)))
      (local.set $v (v128.load32_zero offset=12 (local.get $words)))
      (local.set $nibbles
        (i16x8.extend_low_i8x16_u
          (v128.and
            (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
              (local.get $v)
              (i8x16.shr_u (local.get $v) (i32.const 4)))
            (i8x16.splat (i32.const 15)))))
      (local.set $nibbles
        (v128.or
          (local.get $nibbles)
          (i16x8.shl (i16x8.shr_u (local.get $bytes) (i32.const 6)) (i32.const 4))))
      (local.set $bytes (v128.and (local.get $bytes) (i16x8.splat (i32.const 63))))
      ;; each part: low high
      (local.set $v
        (f32x4.mul
          (local.get $a)
          (f32x4.convert_i32x4_u (i32x4.extend_{part}_i16x8_u (local.get $bytes)))))
      ;; each g: 0 1 2 3
      (v128.store32_lane offset={32g} {g} (local.get $factors) (local.get $v))
      ;; end g
      (local.set $v
        (f32x4.mul
          (local.get $b)
          (f32x4.convert_i32x4_u (i32x4.extend_{part}_i16x8_u (local.get $nibbles)))))
      ;; each g: 0 1 2 3
      (v128.store32_lane offset={32g+16} {g} (local.get $factors) (local.get $v))
      ;; end g
      (local.set $factors (i32.add (local.get $factors) (i32.const 128)))
      ;; end part
      (local.set $words (i32.add (local.get $words) (i32.const 16)))
      (br_if $next (i32.gt_s (local.tee $groups (i32.sub (local.get $groups) (i32.const 8))) (i32.const 0)))))

  (func $super_pairs
    (param $s0 i32) (param $s1 i32) (param $s2 i32) (param $s3 i32) (param $groups i32) (param $factors i32)
    ;; each r: 0 1 2 3
    (call $super_row
      (local.get $s{r}) (local.get $groups) (i32.add (local.get $factors) (i32.const {4r})))
    ;; end r
    ))
