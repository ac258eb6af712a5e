;; Vectors of floats and rows of floats: what adapters multiply.
(module
  (import "env" "memory" (memory 1 65536))

  ;; out[i] = factor * sum_v rows[i, v] · x[v], over `vectors` vec4f. Four sums are added up at once: each waits for its
  ;; last addition.
  (func (export "floatProducts")
    (param $rows i32) (param $count i32) (param $vectors i32)
    (param $x i32) (param $factor f32) (param $out i32)
    (local $x_at i32) (local $fours_end i32) (local $x_end i32)
    ;; each i: 0 1 2 3
    (local $sum{i} v128)
    ;; end i
    (local.set $x_end (i32.add (local.get $x) (i32.shl (local.get $vectors) (i32.const 4))))
    (local.set $fours_end
      (i32.add (local.get $x) (i32.shl (i32.and (local.get $vectors) (i32.const -4)) (i32.const 4))))
    (block $done
      (loop $next_row
        (br_if $done (i32.eqz (local.get $count)))
        ;; each i: 0 1 2 3
        (local.set $sum{i} (v128.const f32x4 0 0 0 0))
        ;; end i
        (local.set $x_at (local.get $x))
        (block $fours_done
          (loop $next_four
            (br_if $fours_done (i32.ge_u (local.get $x_at) (local.get $fours_end)))
            ;; each i: 0 1 2 3
            (local.set $sum{i}
              (f32x4.add
                (local.get $sum{i})
                (f32x4.mul
                  (v128.load offset={16i} (local.get $rows))
                  (v128.load offset={16i} (local.get $x_at)))))
            ;; end i
            (local.set $rows (i32.add (local.get $rows) (i32.const 64)))
            (local.set $x_at (i32.add (local.get $x_at) (i32.const 64)))
            (br $next_four)))
        (block $all_done
          (loop $next
            (br_if $all_done (i32.ge_u (local.get $x_at) (local.get $x_end)))
            (local.set $sum0
              (f32x4.add
                (local.get $sum0)
                (f32x4.mul (v128.load (local.get $rows)) (v128.load (local.get $x_at)))))
            (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
            (local.set $x_at (i32.add (local.get $x_at) (i32.const 16)))
            (br $next)))
        (local.set $sum0
          (f32x4.add
            (f32x4.add (local.get $sum0) (local.get $sum1))
            (f32x4.add (local.get $sum2) (local.get $sum3))))
        (f32.store
          (local.get $out)
          (f32.mul
            (local.get $factor)
            (f32.add
              (f32.add (f32x4.extract_lane 0 (local.get $sum0)) (f32x4.extract_lane 1 (local.get $sum0)))
              (f32.add (f32x4.extract_lane 2 (local.get $sum0)) (f32x4.extract_lane 3 (local.get $sum0))))))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next_row))))

  ;; x[v] += sum_i factors[i] · rows[i, v], over `vectors` vec4f, a multiple of four; `count` > 0.
  (func (export "addRows")
    (param $rows i32) (param $count i32) (param $vectors i32)
    (param $factors i32) (param $x i32)
    (local $factor v128) (local $at i32) (local $end i32)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $vectors) (i32.const 4))))
    (loop $next_row
      (local.set $factor (v128.load32_splat (local.get $factors)))
      (local.set $at (local.get $x))
      (loop $next_four
        ;; each i: 0 1 2 3
        (v128.store offset={16i}
          (local.get $at)
          (f32x4.add
            (v128.load offset={16i} (local.get $at))
            (f32x4.mul (local.get $factor) (v128.load offset={16i} (local.get $rows)))))
        ;; end i
        (local.set $rows (i32.add (local.get $rows) (i32.const 64)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $next_four (i32.lt_u (local.get $at) (local.get $end))))
      (local.set $factors (i32.add (local.get $factors) (i32.const 4)))
      (br_if $next_row (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
