;; Inflates blocks of LZ4 and Snappy. All addresses are of the memory; what is at [from, end) is read, and what it says is written from `to` on,
;; never past `limit`. Each gives the address behind the last byte that it wrote, or -1 when the block is damaged or has no room. What is short
;; is copied as a whole vector, so that up to 32 bytes behind `end` are read and as many behind `limit` are written.
;;
;; `npm run generate` assembles it into blocks-wasm.ts.
(module
  (memory (export "memory") 1)

  ;; Copies bytes that do not overlap.
  (func $copy (param $to i32) (param $from i32) (param $length i32)
    (local $stop i32)
    (v128.store (local.get $to) (v128.load (local.get $from)))
    (if (i32.le_u (local.get $length) (i32.const 16)) (then (return)))
    (if (i32.gt_u (local.get $length) (i32.const 256))
      (then
        (memory.copy (local.get $to) (local.get $from) (local.get $length))
        (return)))
    (local.set $stop (i32.add (local.get $to) (local.get $length)))
    (loop $next
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (br_if $next (i32.lt_u (i32.add (local.get $to) (i32.const 16)) (local.get $stop)))))

  ;; Repeats what lies `distance` bytes before; it may overlap its own output.
  (func $repeat (param $to i32) (param $distance i32) (param $length i32)
    (local $from i32) (local $stop i32) (local $eighth i32)
    (local.set $from (i32.sub (local.get $to) (local.get $distance)))
    (local.set $stop (i32.add (local.get $to) (local.get $length)))
    (if (i32.ge_u (local.get $distance) (i32.const 16))
      (then
        (loop $next
          (v128.store (local.get $to) (v128.load (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $to (i32.add (local.get $to) (i32.const 16)))
          (br_if $next (i32.lt_u (local.get $to) (local.get $stop))))
        (return)))
    (if (i32.eq (local.get $distance) (i32.const 1))
      (then
        (memory.fill (local.get $to) (i32.load8_u (local.get $from)) (local.get $length))
        (return)))
    (if (i32.lt_u (local.get $distance) (i32.const 8))
      (then
        ;; Eight bytes one by one; the others from the least multiple of the distance that lies eight bytes and more behind.
        (local.set $eighth (i32.add (local.get $to) (i32.const 8)))
        (loop $next
          (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (local.set $to (i32.add (local.get $to) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $to) (local.get $eighth))))
        (local.set $from
          (i32.sub
            (local.get $to)
            (i32.mul
              (local.get $distance)
              (i32.div_u (i32.add (local.get $distance) (i32.const 7)) (local.get $distance)))))))
    (loop $next
      (i64.store (local.get $to) (i64.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $stop)))))

  ;; lz4_Block_format.md: sequences of a token, literals and a match, the last of literals alone. Matches reach back as far as `origin`.
  (func (export "lz4") (param $from i32) (param $end i32) (param $to i32) (param $origin i32) (param $limit i32) (result i32)
    (local $token i32) (local $length i32) (local $byte i32) (local $distance i32)
    (loop $sequence
      (if (i32.ge_u (local.get $from) (local.get $end)) (then (return (i32.const -1))))
      (local.set $token (i32.load8_u (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))

      (local.set $length (i32.shr_u (local.get $token) (i32.const 4)))
      (if (i32.eq (local.get $length) (i32.const 15))
        (then
          (loop $more
            (if (i32.ge_u (local.get $from) (local.get $end)) (then (return (i32.const -1))))
            (local.set $byte (i32.load8_u (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (local.set $length (i32.add (local.get $length) (local.get $byte)))
            (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $end) (local.get $from))) (then (return (i32.const -1))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))) (then (return (i32.const -1))))
      (call $copy (local.get $to) (local.get $from) (local.get $length))
      (local.set $from (i32.add (local.get $from) (local.get $length)))
      (local.set $to (i32.add (local.get $to) (local.get $length)))
      (if (i32.eq (local.get $from) (local.get $end)) (then (return (local.get $to))))

      (if (i32.lt_u (i32.sub (local.get $end) (local.get $from)) (i32.const 2)) (then (return (i32.const -1))))
      (local.set $distance (i32.load16_u (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 2)))
      (if (i32.eqz (local.get $distance)) (then (return (i32.const -1))))
      (if (i32.gt_u (local.get $distance) (i32.sub (local.get $to) (local.get $origin))) (then (return (i32.const -1))))
      (local.set $length (i32.and (local.get $token) (i32.const 15)))
      (if (i32.eq (local.get $length) (i32.const 15))
        (then
          (loop $more
            (if (i32.ge_u (local.get $from) (local.get $end)) (then (return (i32.const -1))))
            (local.set $byte (i32.load8_u (local.get $from)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (local.set $length (i32.add (local.get $length) (local.get $byte)))
            (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
      (local.set $length (i32.add (local.get $length) (i32.const 4)))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))) (then (return (i32.const -1))))
      (call $repeat (local.get $to) (local.get $distance) (local.get $length))
      (local.set $to (i32.add (local.get $to) (local.get $length)))
      (br $sequence))
    (unreachable))

  ;; format_description.txt, behind the length that opens a block: literals, and copies with distances of 11, 16 and 32 bits.
  (func (export "snappy") (param $from i32) (param $end i32) (param $to i32) (param $origin i32) (param $limit i32) (result i32)
    (local $tag i32) (local $length i32) (local $bytes i32) (local $distance i32)
    (loop $element
      (if (i32.eq (local.get $from) (local.get $end)) (then (return (local.get $to))))
      (local.set $tag (i32.load8_u (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))

      (if (i32.eqz (i32.and (local.get $tag) (i32.const 3)))
        (then
          (local.set $length (i32.shr_u (local.get $tag) (i32.const 2)))
          (if (i32.ge_u (local.get $length) (i32.const 60))
            (then
              (local.set $bytes (i32.sub (local.get $length) (i32.const 59)))
              (if (i32.lt_u (i32.sub (local.get $end) (local.get $from)) (local.get $bytes)) (then (return (i32.const -1))))
              ;; The lowest `bytes` of four.
              (local.set $length
                (i32.and
                  (i32.load (local.get $from))
                  (i32.shr_u (i32.const -1) (i32.sub (i32.const 32) (i32.shl (local.get $bytes) (i32.const 3))))))
              (local.set $from (i32.add (local.get $from) (local.get $bytes)))))
          ;; One more than is said; and so not more than there is when what is said is less than that.
          (if (i32.ge_u (local.get $length) (i32.sub (local.get $end) (local.get $from))) (then (return (i32.const -1))))
          (if (i32.ge_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))) (then (return (i32.const -1))))
          (local.set $length (i32.add (local.get $length) (i32.const 1)))
          (call $copy (local.get $to) (local.get $from) (local.get $length))
          (local.set $from (i32.add (local.get $from) (local.get $length)))
          (local.set $to (i32.add (local.get $to) (local.get $length)))
          (br $element)))

      (local.set $bytes (i32.and (local.get $tag) (i32.const 3)))
      (if (i32.eq (local.get $bytes) (i32.const 3)) (then (local.set $bytes (i32.const 4))))
      (if (i32.lt_u (i32.sub (local.get $end) (local.get $from)) (local.get $bytes)) (then (return (i32.const -1))))
      (if (i32.eq (local.get $bytes) (i32.const 1))
        (then
          (local.set $length (i32.add (i32.and (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 7)) (i32.const 4)))
          (local.set $distance
            (i32.or
              (i32.shl (i32.shr_u (local.get $tag) (i32.const 5)) (i32.const 8))
              (i32.load8_u (local.get $from)))))
        (else
          (local.set $length (i32.add (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 1)))
          (local.set $distance
            (if (result i32) (i32.eq (local.get $bytes) (i32.const 2))
              (then (i32.load16_u (local.get $from)))
              (else (i32.load (local.get $from)))))))
      (local.set $from (i32.add (local.get $from) (local.get $bytes)))
      (if (i32.eqz (local.get $distance)) (then (return (i32.const -1))))
      (if (i32.gt_u (local.get $distance) (i32.sub (local.get $to) (local.get $origin))) (then (return (i32.const -1))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $limit) (local.get $to))) (then (return (i32.const -1))))
      (call $repeat (local.get $to) (local.get $distance) (local.get $length))
      (local.set $to (i32.add (local.get $to) (local.get $length)))
      (br $element))
    (unreachable)))
