;; Multiply-adds in registers, for the bench.
(module
  (import "env" "memory" (memory 1 65536))

  ;; y = y / 2 + x, `rounds` times, on four vectors and on four others `second` bytes further: eight chains keep
  ;; the units of a core busy.
  (func (export "multiplyAdd") (param $x i32) (param $y i32) (param $second i32) (param $rounds i32)
    (local $other_x i32) (local $other_y i32)
    ;; each n: 0 1 2 3
    (local $a{n} v128) (local $b{n} v128) (local $sum_a{n} v128) (local $sum_b{n} v128)
    ;; end n
    (local.set $other_x (i32.add (local.get $x) (local.get $second)))
    (local.set $other_y (i32.add (local.get $y) (local.get $second)))
    ;; each n: 0 1 2 3
    (local.set $a{n} (v128.load offset={16n} (local.get $x)))
    (local.set $sum_a{n} (v128.load offset={16n} (local.get $y)))
    (local.set $b{n} (v128.load offset={16n} (local.get $other_x)))
    (local.set $sum_b{n} (v128.load offset={16n} (local.get $other_y)))
    ;; end n
    (loop $round
      ;; each n: 0 1 2 3
      (local.set $sum_a{n}
        (f32x4.add (f32x4.mul (local.get $sum_a{n}) (v128.const f32x4 0.5 0.5 0.5 0.5)) (local.get $a{n})))
      (local.set $sum_b{n}
        (f32x4.add (f32x4.mul (local.get $sum_b{n}) (v128.const f32x4 0.5 0.5 0.5 0.5)) (local.get $b{n})))
      ;; end n
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    ;; each n: 0 1 2 3
    (v128.store offset={16n} (local.get $y) (local.get $sum_a{n}))
    (v128.store offset={16n} (local.get $other_y) (local.get $sum_b{n}))
    ;; end n
    ))
