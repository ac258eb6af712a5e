;; Products with blocks of 64 keys or values, f32 [8, vectors, 8, 4] as ring.wat reads them, of which the first
;; `groups` groups of eight positions are in use. `vectors` are those of a head. The rows are query heads.
(module
  (import "env" "memory" (memory 1 65536))

  ;; scores[r, j] = queries[r] · keys[j]
  ;; queries f32 [rows, vectors, 4] · scores f32 [rows, 64]
  (func (export "scoreBlock")
    (param $queries i32) (param $keys i32) (param $scores i32) (param $rows i32) (param $groups i32)
    (param $vectors i32)
    (local $row i32) (local $query i32) (local $key i32) (local $score i32) (local $left i32)
    (local $q v128)
    ;; each n: 0 1 2 3 4 5 6 7
    (local $sum{n} v128)
    ;; end n
    (loop $group
      (local.set $query (local.get $queries))
      (local.set $score (local.get $scores))
      (local.set $row (local.get $rows))
      (loop $row
        (local.set $key (local.get $keys))
        (local.set $left (local.get $vectors))
        ;; each n: 0 1 2 3 4 5 6 7
        (local.set $sum{n} (v128.const i32x4 0 0 0 0))
        ;; end n
        (loop $vector
          (local.set $q (v128.load (local.get $query)))
          ;; each n: 0 1 2 3 4 5 6 7
          (local.set $sum{n}
            (f32x4.add
              (local.get $sum{n})
              (f32x4.mul (local.get $q) (v128.load offset={16n} (local.get $key)))))
          ;; end n
          (local.set $query (i32.add (local.get $query) (i32.const 16)))
          (local.set $key (i32.add (local.get $key) (i32.const 128)))
          (br_if $vector (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (v128.store
          (local.get $score)
          (call $sums (local.get $sum0) (local.get $sum1) (local.get $sum2) (local.get $sum3)))
        (v128.store
          offset=16
          (local.get $score)
          (call $sums (local.get $sum4) (local.get $sum5) (local.get $sum6) (local.get $sum7)))
        (local.set $score (i32.add (local.get $score) (i32.const 256)))
        (br_if $row (local.tee $row (i32.sub (local.get $row) (i32.const 1)))))
      (local.set $keys (local.get $key))
      (local.set $scores (i32.add (local.get $scores) (i32.const 32)))
      (br_if $group (local.tee $groups (i32.sub (local.get $groups) (i32.const 1))))))

  ;; The sum of the entries of each of four vectors.
  (func $sums (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local $ab v128) (local $cd v128)
    (local.set $ab (call $halves (local.get $a) (local.get $b)))
    (local.set $cd (call $halves (local.get $c) (local.get $d)))
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $ab) (local.get $cd))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $ab) (local.get $cd))))

  ;; a0 + a2, a1 + a3, b0 + b2, b1 + b3
  (func $halves (param $a v128) (param $b v128) (result v128)
    (f32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a) (local.get $b))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a) (local.get $b))))

  ;; sums[r] += weights[r, j] · values[j]
  ;; weights f32 [rows, 64] · sums f32 [rows, strips, 8, 4], a row in whole strips of eight vectors: what is
  ;; added to its padding is any number
  (func (export "addBlock")
    (param $weights i32) (param $values i32) (param $sums i32) (param $rows i32) (param $groups i32)
    (param $vectors i32)
    (local $strip i32) (local $strips i32) (local $row i32) (local $group i32) (local $left i32)
    (local $weight i32) (local $value i32) (local $sum i32) (local $w v128)
    ;; each n: 0 1 2 3 4 5 6 7
    (local $sum{n} v128)
    ;; end n
    (local.set $strips (i32.shr_u (i32.add (local.get $vectors) (i32.const 7)) (i32.const 3)))
    (loop $strip
      (local.set $row (i32.const 0))
      (loop $row
        (local.set $weight (i32.add (local.get $weights) (i32.shl (local.get $row) (i32.const 8))))
        (local.set $value (i32.add (local.get $values) (i32.shl (local.get $strip) (i32.const 10))))
        (local.set $sum
          (i32.add
            (local.get $sums)
            (i32.shl
              (i32.add (i32.mul (local.get $row) (local.get $strips)) (local.get $strip))
              (i32.const 7))))
        ;; each n: 0 1 2 3 4 5 6 7
        (local.set $sum{n} (v128.load offset={16n} (local.get $sum)))
        ;; end n
        (local.set $group (local.get $groups))
        (loop $group
          (local.set $left (i32.const 8))
          (loop $position
            (local.set $w (v128.load32_splat (local.get $weight)))
            ;; each n: 0 1 2 3 4 5 6 7
            (local.set $sum{n}
              (f32x4.add
                (local.get $sum{n})
                (f32x4.mul (local.get $w) (v128.load offset={128n} (local.get $value)))))
            ;; end n
            (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
            (local.set $value (i32.add (local.get $value) (i32.const 16)))
            (br_if $position (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
          ;; From the end of a vector's eight positions to the same vector of the next group.
          (local.set $value
            (i32.add
              (local.get $value)
              (i32.shl (i32.sub (local.get $vectors) (i32.const 1)) (i32.const 7))))
          (br_if $group (local.tee $group (i32.sub (local.get $group) (i32.const 1)))))
        ;; each n: 0 1 2 3 4 5 6 7
        (v128.store offset={16n} (local.get $sum) (local.get $sum{n}))
        ;; end n
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br_if $row (i32.lt_u (local.get $row) (local.get $rows))))
      (local.set $strip (i32.add (local.get $strip) (i32.const 1)))
      (br_if $strip (i32.lt_u (local.get $strip) (local.get $strips))))))
