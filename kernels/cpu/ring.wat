;; Positions [first, end) of a block, from consecutive rows of the ring cache: a function for each format. A
;; block is f32 [8, vectors, 8, 4]: groups of eight positions, vectors of four entries, positions of the group,
;; entries.
(module
  (import "env" "memory" (memory 1 65536))

  ;; Address of the first entries of position i.
  (func $entries_of (param $block i32) (param $i i32) (param $vectors i32) (result i32)
    (i32.add
      (i32.add
        (local.get $block)
        (i32.shl
          (i32.mul (i32.shr_u (local.get $i) (i32.const 3)) (local.get $vectors))
          (i32.const 7)))
      (i32.shl (i32.and (local.get $i) (i32.const 7)) (i32.const 4))))

  (func (export "readF32")
    (param $row i32) (param $row_bytes i32) (param $block i32) (param $first i32) (param $end i32)
    (param $vectors i32)
    (local $from i32) (local $to i32) (local $left i32)
    (loop $position
      (local.set $from (local.get $row))
      (local.set $to (call $entries_of (local.get $block) (local.get $first) (local.get $vectors)))
      (local.set $left (local.get $vectors))
      (loop $vector
        (v128.store (local.get $to) (v128.load (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (local.set $to (i32.add (local.get $to) (i32.const 128)))
        (br_if $vector (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $row (i32.add (local.get $row) (local.get $row_bytes)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $position (i32.lt_u (local.get $first) (local.get $end)))))

  (func (export "readF16")
    (param $row i32) (param $row_bytes i32) (param $block i32) (param $first i32) (param $end i32)
    (param $vectors i32)
    (local $to i32)
    (loop $position
      (local.set $to (call $entries_of (local.get $block) (local.get $first) (local.get $vectors)))
      (if (call $normal_halves (local.get $row) (local.get $to) (local.get $vectors))
        (then (call $any_halves (local.get $row) (local.get $to) (local.get $vectors))))
      (local.set $row (i32.add (local.get $row) (local.get $row_bytes)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $position (i32.lt_u (local.get $first) (local.get $end)))))

  ;; Reads a row of normal numbers. 1 if it has others: zeros, subnormal numbers, infinities, NaN.
  (func $normal_halves (param $from i32) (param $to i32) (param $vectors i32) (result i32)
    (local $halves v128) (local $others v128)
    (loop $vector
      (local.set $halves (v128.load16x4_s (local.get $from)))
      ;; Sign, exponent and fraction move to their places in f32. The bias grows from 15 to 127.
      (v128.store
        (local.get $to)
        (i32x4.add
          (v128.and
            (i32x4.shl (local.get $halves) (i32.const 13))
            (v128.const i32x4 0x8fffe000 0x8fffe000 0x8fffe000 0x8fffe000))
          (v128.const i32x4 0x38000000 0x38000000 0x38000000 0x38000000)))
      ;; Of exponents 31 and 0 alone, the upper four bits are 0 after adding 1.
      (local.set $others
        (v128.or
          (local.get $others)
          (i32x4.eq
            (v128.and
              (i32x4.add (local.get $halves) (v128.const i32x4 0x400 0x400 0x400 0x400))
              (v128.const i32x4 0x7800 0x7800 0x7800 0x7800))
            (v128.const i32x4 0 0 0 0))))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $vector (local.tee $vectors (i32.sub (local.get $vectors) (i32.const 1)))))
    (v128.any_true (local.get $others)))

  ;; Reads a row of any numbers.
  (func $any_halves (param $from i32) (param $to i32) (param $vectors i32)
    (local $halves v128) (local $exponent v128)
    (loop $vector
      (local.set $halves (v128.load16x4_s (local.get $from)))
      (local.set $exponent
        (v128.and (local.get $halves) (v128.const i32x4 0x7c00 0x7c00 0x7c00 0x7c00)))
      (v128.store
        (local.get $to)
        (v128.bitselect
          ;; Zero or subnormal: fraction · 2^-24, and the sign.
          (v128.or
            (f32x4.mul
              (f32x4.convert_i32x4_u
                (v128.and (local.get $halves) (v128.const i32x4 0x3ff 0x3ff 0x3ff 0x3ff)))
              (v128.const f32x4 0x1p-24 0x1p-24 0x1p-24 0x1p-24))
            (v128.and
              (local.get $halves)
              (v128.const i32x4 0x80000000 0x80000000 0x80000000 0x80000000)))
          ;; Normal; or infinity or NaN, where the exponent of f32 has eight ones.
          (v128.or
            (i32x4.add
              (v128.and
                (i32x4.shl (local.get $halves) (i32.const 13))
                (v128.const i32x4 0x8fffe000 0x8fffe000 0x8fffe000 0x8fffe000))
              (v128.const i32x4 0x38000000 0x38000000 0x38000000 0x38000000))
            (v128.and
              (i32x4.eq (local.get $exponent) (v128.const i32x4 0x7c00 0x7c00 0x7c00 0x7c00))
              (v128.const i32x4 0x7f800000 0x7f800000 0x7f800000 0x7f800000)))
          (i32x4.eq (local.get $exponent) (v128.const i32x4 0 0 0 0))))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 128)))
      (br_if $vector (local.tee $vectors (i32.sub (local.get $vectors) (i32.const 1))))))

  ;; A row has its codes, then a scale for every eight vectors.
  (func (export "readQ8")
    (param $row i32) (param $row_bytes i32) (param $block i32) (param $first i32) (param $end i32)
    (param $vectors i32)
    (local $scales i32) (local $to i32) (local $c i32)
    (loop $position
      (local.set $scales (i32.add (local.get $row) (i32.shl (local.get $vectors) (i32.const 2))))
      (local.set $to (call $entries_of (local.get $block) (local.get $first) (local.get $vectors)))
      (local.set $c (i32.const 0))
      (loop $vector
        (v128.store
          (local.get $to)
          (f32x4.mul
            (v128.load32_splat
              (i32.add
                (local.get $scales)
                (i32.shl (i32.shr_u (local.get $c) (i32.const 3)) (i32.const 2))))
            (f32x4.convert_i32x4_s
              (i32x4.extend_low_i16x8_s
                (i16x8.extend_low_i8x16_s
                  (v128.load32_zero
                    (i32.add (local.get $row) (i32.shl (local.get $c) (i32.const 2)))))))))
        (local.set $to (i32.add (local.get $to) (i32.const 128)))
        (local.set $c (i32.add (local.get $c) (i32.const 1)))
        (br_if $vector (i32.lt_u (local.get $c) (local.get $vectors))))
      (local.set $row (i32.add (local.get $row) (local.get $row_bytes)))
      (local.set $first (i32.add (local.get $first) (i32.const 1)))
      (br_if $position (i32.lt_u (local.get $first) (local.get $end))))))
