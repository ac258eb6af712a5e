;; Functions with exponentials: the softmax of attention, SwiGLU.
(module
  (import "env" "memory" (memory 1 65536))

  ;; e^x, with a relative error of less than 2^-23. 0 if x is below -87, e^88 if it is above 88.
  (func $exp (param $x v128) (result v128)
    (local $none v128) (local $shifted v128) (local $n v128) (local $r v128) (local $sum v128)
    ;; NaN stays: no comparison with it is true.
    (local.set $none (f32x4.lt (local.get $x) (v128.const f32x4 -87 -87 -87 -87)))
    (local.set $x (f32x4.pmin (local.get $x) (v128.const f32x4 88 88 88 88)))
    ;; x = n ln 2 + r, |r| <= ln 2 / 2. Near 1.5 · 2^23 the units of f32 are whole numbers: the sum is rounded to
    ;; one, and its last bits are those of n.
    (local.set $shifted
      (f32x4.add
        (f32x4.mul
          (local.get $x)
          (v128.const f32x4 1.4426950408889634 1.4426950408889634 1.4426950408889634 1.4426950408889634))
        (v128.const f32x4 12582912 12582912 12582912 12582912)))
    (local.set $n
      (f32x4.sub (local.get $shifted) (v128.const f32x4 12582912 12582912 12582912 12582912)))
    ;; ln 2 in two parts. The first has nine bits: its product with n is exact.
    (local.set $r
      (f32x4.sub
        (f32x4.sub
          (local.get $x)
          (f32x4.mul (local.get $n) (v128.const f32x4 0.693359375 0.693359375 0.693359375 0.693359375)))
        (f32x4.mul
          (local.get $n)
          (v128.const f32x4
            -2.1219444005469057e-4 -2.1219444005469057e-4 -2.1219444005469057e-4 -2.1219444005469057e-4))))
    ;; The Taylor series up to r^7 / 7!: the next term is below 6e-9.
    (local.set $sum
      (v128.const f32x4
        1.984126984126984e-4 1.984126984126984e-4 1.984126984126984e-4 1.984126984126984e-4))
    ;; each c: 0.001388888888888889 0.008333333333333333 0.041666666666666664 0.16666666666666666 0.5 1 1
    (local.set $sum
      (f32x4.add (f32x4.mul (local.get $sum) (local.get $r)) (v128.const f32x4 {c} {c} {c} {c})))
    ;; end c
    ;; · 2^n, an f32 whose exponent is n + 127
    (v128.andnot
      (f32x4.mul
        (local.get $sum)
        (i32x4.add
          (i32x4.shl (local.get $shifted) (i32.const 23))
          (v128.const i32x4 0x3f800000 0x3f800000 0x3f800000 0x3f800000)))
      (local.get $none)))

  ;; Scores of a block become weights e^(score - largest). Online (Milakov and Gimelshein 2018): `largest` is
  ;; that of all blocks of a row so far, and the sums of the row shrink when it grows. There are `heads` rows of
  ;; each token. The first token sees positions [first, end) of the block, the next ones each a position
  ;; further. What a token does not see has the weight 0.
  ;; scores f32 [rows, 64], of which 4 · `fours` are in use
  ;; state f32 [rows, 2]: largest, sum of weights · sums f32 [rows, 4 · `vectors`]: of weighted values
  (func (export "softenBlock")
    (param $scores i32) (param $fours i32) (param $state i32) (param $sums i32) (param $vectors i32)
    (param $rows i32) (param $heads i32) (param $first i32) (param $end i32)
    (local $head i32) (local $four i32) (local $at i32) (local $left i32)
    (local $largest v128) (local $shrink v128) (local $sum v128) (local $v v128)
    (local.set $head (local.get $heads))
    (loop $row
      (if
        (i32.or
          (i32.gt_s (local.get $first) (i32.const 0))
          (i32.lt_s (local.get $end) (i32.shl (local.get $fours) (i32.const 2))))
        (then (call $hide (local.get $scores) (local.get $fours) (local.get $first) (local.get $end))))
      (local.set $largest (v128.load32_splat (local.get $state)))
      (local.set $four (i32.const 0))
      (loop $score
        (local.set $largest
          (f32x4.pmax
            (local.get $largest)
            (v128.load (i32.add (local.get $scores) (i32.shl (local.get $four) (i32.const 4))))))
        (local.set $four (i32.add (local.get $four) (i32.const 1)))
        (br_if $score (i32.lt_u (local.get $four) (local.get $fours))))
      (local.set $largest (call $largest (local.get $largest)))
      (local.set $shrink
        (call $exp (f32x4.sub (v128.load32_splat (local.get $state)) (local.get $largest))))

      (local.set $sum (v128.const i32x4 0 0 0 0))
      (local.set $four (i32.const 0))
      (loop $weight
        (local.set $at (i32.add (local.get $scores) (i32.shl (local.get $four) (i32.const 4))))
        (local.set $v (call $exp (f32x4.sub (v128.load (local.get $at)) (local.get $largest))))
        (v128.store (local.get $at) (local.get $v))
        (local.set $sum (f32x4.add (local.get $sum) (local.get $v)))
        (local.set $four (i32.add (local.get $four) (i32.const 1)))
        (br_if $weight (i32.lt_u (local.get $four) (local.get $fours))))
      (f32.store offset=4
        (local.get $state)
        (f32.add
          (f32.mul (f32.load offset=4 (local.get $state)) (f32x4.extract_lane 0 (local.get $shrink)))
          (f32.add
            (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
            (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum))))))
      (f32.store (local.get $state) (f32x4.extract_lane 0 (local.get $largest)))

      (local.set $left (local.get $vectors))
      (loop $vector
        (v128.store (local.get $sums) (f32x4.mul (v128.load (local.get $sums)) (local.get $shrink)))
        (local.set $sums (i32.add (local.get $sums) (i32.const 16)))
        (br_if $vector (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))

      (local.set $scores (i32.add (local.get $scores) (i32.const 256)))
      (local.set $state (i32.add (local.get $state) (i32.const 8)))
      (if (i32.eqz (local.tee $head (i32.sub (local.get $head) (i32.const 1))))
        (then
          (local.set $head (local.get $heads))
          (local.set $first (i32.add (local.get $first) (i32.const 1)))
          (local.set $end (i32.add (local.get $end) (i32.const 1)))))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Scores of positions outside of [first, end) become -infinity.
  (func $hide (param $scores i32) (param $fours i32) (param $first i32) (param $end i32)
    (local $four i32) (local $positions v128)
    (local.set $positions (v128.const i32x4 0 1 2 3))
    (loop $score
      (v128.store
        (local.get $scores)
        (v128.bitselect
          (v128.load (local.get $scores))
          (v128.const f32x4 -inf -inf -inf -inf)
          (v128.and
            (i32x4.ge_s (local.get $positions) (i32x4.splat (local.get $first)))
            (i32x4.lt_s (local.get $positions) (i32x4.splat (local.get $end))))))
      (local.set $scores (i32.add (local.get $scores) (i32.const 16)))
      (local.set $positions (i32x4.add (local.get $positions) (v128.const i32x4 4 4 4 4)))
      (local.set $four (i32.add (local.get $four) (i32.const 1)))
      (br_if $score (i32.lt_u (local.get $four) (local.get $fours)))))

  ;; The largest of four entries, four times.
  (func $largest (param $v v128) (result v128)
    (local.set $v
      (f32x4.pmax
        (local.get $v)
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v))))
    (f32x4.pmax
      (local.get $v)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $v) (local.get $v))))

  ;; hidden[i] = gate[i] / (1 + e^-gate[i]) · up[i], for `fours` times four entries
  (func (export "swiglu") (param $gate i32) (param $up i32) (param $hidden i32) (param $fours i32)
    (local $v v128)
    (loop $four
      (local.set $v (v128.load (local.get $gate)))
      (v128.store
        (local.get $hidden)
        (f32x4.mul
          (f32x4.div
            (local.get $v)
            (f32x4.add (v128.const f32x4 1 1 1 1) (call $exp (f32x4.neg (local.get $v)))))
          (v128.load (local.get $up))))
      (local.set $gate (i32.add (local.get $gate) (i32.const 16)))
      (local.set $up (i32.add (local.get $up) (i32.const 16)))
      (local.set $hidden (i32.add (local.get $hidden) (i32.const 16)))
      (br_if $four (local.tee $fours (i32.sub (local.get $fours) (i32.const 1)))))))
