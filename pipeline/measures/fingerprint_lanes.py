"""Two steps of the compiled fingerprint pass that work on 64 values at once, written in the compiler's own language: numba has no vectors.

Both are plain vector code: LLVM makes of it what the processor has (AVX-512, AVX2, SSE2, NEON), with equal results.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pipeline.measures import text_bytes as tb

LANES = 64
_TYPES: Any = types
_BYTES, _PLACES, _BITS = ir.VectorType(ir.IntType(8), LANES), ir.VectorType(ir.IntType(32), LANES), ir.IntType(64)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any, wanted: Any) -> Any:
    """Where an array's values from a place stand, as a pointer to a vector."""
    made = context.make_array(kind)(context, builder, array)
    return builder.bitcast(builder.gep(made.data, [at]), wanted.as_pointer())


def _all(kind: Any, value: int) -> Any:
    return ir.Constant(kind, [value] * LANES)


def _swapped(builder: Any, values: Any, partner: list[int]) -> Any:
    """Each value compared with its partner's: the smaller one to the lower place."""
    others = builder.shuffle_vector(values, values, ir.Constant(_PLACES, partner))
    less = builder.icmp_unsigned("<", values, others)
    smaller, larger = builder.select(less, values, others), builder.select(less, others, values)
    return builder.shuffle_vector(smaller, larger, ir.Constant(_PLACES, [at if at < other else at + LANES for at, other in enumerate(partner)]))


def _sort_code(_typing: Any, values: Any) -> Any:
    """Sorts the first 64 of an array of unsigned integers, which has so many: a bitonic network (K. E. Batcher, Sorting networks and their applications, 1968)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width = signature.args[0].dtype.bitwidth
        place = _pointer(context, builder, signature.args[0], arguments[0], ir.Constant(_BITS, 0), ir.VectorType(ir.IntType(width), LANES))
        found = builder.load(place)
        found.align = width // 8
        run = 2
        while run <= LANES:
            found = _swapped(builder, found, [at ^ (run - 1) for at in range(LANES)])
            step = run // 4
            while step:
                found = _swapped(builder, found, [at ^ step for at in range(LANES)])
                step //= 2
            run *= 2
        builder.store(found, place).align = width // 8
        return context.get_dummy_value()

    return types.void(values), generate


sort: Any = intrinsic(_sort_code)


def _among(builder: Any, values: Any, members: list[int]) -> Any:
    """Where a byte is one of some: a comparison for each run of consecutive ones."""
    found = None
    for first in (byte for byte in members if byte - 1 not in members):
        count = next(count for count in range(1, 257) if first + count not in members)
        here = builder.icmp_unsigned("<", builder.sub(values, _all(_BYTES, first)), _all(_BYTES, count))
        found = here if found is None else builder.or_(found, here)
    return found


def _maps_code(_typing: Any, data: Any, at: Any) -> Any:
    """The classes of 64 bytes from a place as three maps, space, word and mark (see text_bytes.CLASSES): bit i stands for byte i. The caller keeps inside the array."""
    spaces, words = ([byte for byte in range(256) if tb.CLASSES[byte] & flag] for flag in (tb.SPACE, tb.WORD))
    letters = [byte for byte in words if chr(byte).isascii() and chr(byte).isalpha()]
    others = [byte for byte in words if byte not in letters]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        read = builder.load(_pointer(context, builder, signature.args[0], arguments[0], arguments[1], _BYTES))
        read.align = 1
        lower = builder.or_(read, _all(_BYTES, 0x20))  # a letter in either case, and nothing else, becomes a small letter
        space = _among(builder, read, spaces)
        word = builder.or_(_among(builder, lower, [byte for byte in letters if byte & 0x20]), _among(builder, read, others))
        mark = builder.or_(builder.not_(builder.or_(space, word)), _among(builder, read, [10]))
        return context.make_tuple(builder, signature.return_type, [builder.bitcast(found, _BITS) for found in (space, word, mark)])

    return _TYPES.UniTuple(types.uint64, 3)(data, at), generate


maps: Any = intrinsic(_maps_code)
