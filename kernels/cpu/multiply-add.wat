;; Multiply-adds in registers, for the bench.
(module
  (import "env" "memory" (memory 1 65536))

  ;; y = y / 2 + x, `rounds` times, on four vectors, and on four each `second` and `third` bytes further: twelve
  ;; chains, because a core can begin several sums before one is done.
  (func (export "multiplyAdd")
    (param $x i32) (param $y i32) (param $second i32) (param $third i32) (param $rounds i32)
    (local $x2 i32) (local $y2 i32) (local $x3 i32) (local $y3 i32)
    ;; each n: 0 1 2 3
    (local $a{n} v128) (local $b{n} v128) (local $c{n} v128)
    ;; end n
    (local.set $x2 (i32.add (local.get $x) (local.get $second)))
    (local.set $y2 (i32.add (local.get $y) (local.get $second)))
    (local.set $x3 (i32.add (local.get $x) (local.get $third)))
    (local.set $y3 (i32.add (local.get $y) (local.get $third)))
    ;; each n: 0 1 2 3
    (local.set $a{n} (v128.load offset={16n} (local.get $y)))
    (local.set $b{n} (v128.load offset={16n} (local.get $y2)))
    (local.set $c{n} (v128.load offset={16n} (local.get $y3)))
    ;; end n
    (loop $round
      ;; each n: 0 1 2 3
      (local.set $a{n}
        (f32x4.add
          (f32x4.mul (local.get $a{n}) (v128.const f32x4 0.5 0.5 0.5 0.5))
          (v128.load offset={16n} (local.get $x))))
      (local.set $b{n}
        (f32x4.add
          (f32x4.mul (local.get $b{n}) (v128.const f32x4 0.5 0.5 0.5 0.5))
          (v128.load offset={16n} (local.get $x2))))
      (local.set $c{n}
        (f32x4.add
          (f32x4.mul (local.get $c{n}) (v128.const f32x4 0.5 0.5 0.5 0.5))
          (v128.load offset={16n} (local.get $x3))))
      ;; end n
      (br_if $round (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    ;; each n: 0 1 2 3
    (v128.store offset={16n} (local.get $y) (local.get $a{n}))
    (v128.store offset={16n} (local.get $y2) (local.get $b{n}))
    (v128.store offset={16n} (local.get $y3) (local.get $c{n}))
    ;; end n
    ))
