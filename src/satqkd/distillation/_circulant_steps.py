"""Compiled steps of a check node on a whole row of lanes at once, written as LLVM vector code.

LLVM does not turn short loops over several arrays into vectors, as it cannot know that the arrays are apart. All
arrays are C-contiguous with :data:`LANES` in the last axis and float32, signs int32; an index is a row of lanes.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8
"""Packets side by side. With 16 the arrays outgrow the cache, and a block of five packets leaves more lanes empty."""
FLOATS = ir.VectorType(ir.FloatType(), LANES)
SIGNS = ir.VectorType(ir.IntType(32), LANES)
SIGN_BIT = ir.Constant(SIGNS, [-(2**31)] * LANES)
ONES = ir.Constant(FLOATS, [1.0] * LANES)


def _row(context, builder, kind, array, index, vector):
    """Pointer to the lanes of row ``index``."""
    data = context.make_array(kind)(context, builder, array).data
    start = builder.mul(index, ir.Constant(index.type, LANES))
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _either(builder, a, b):
    """a + b - a b as in :func:`satqkd.distillation._vector.either`."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{LANES}f32")
    return builder.call(function, [b, builder.fsub(ONES, a), a])


def _rows(context, builder, signature, args, vectors):
    """Pointers of (array, index) pairs."""
    return [
        _row(context, builder, signature.args[2 * k], args[2 * k], args[2 * k + 1], vector)
        for k, vector in enumerate(vectors)
    ]


def _pairs(*arrays):
    """Signature of a step on (array, index) pairs."""
    return types.void(*[part for array in arrays for part in (array, types.intp)])


@intrinsic
def take(typingctx, posterior, i, message, j, extrinsic, k, parity, h, turned, g):
    """Extrinsic = posterior - message; its signs into ``parity``, those of the posterior into ``turned``."""

    def codegen(context, builder, signature, args):
        rows = _rows(context, builder, signature, args, [FLOATS, FLOATS, FLOATS, SIGNS, SIGNS])
        known = builder.load(rows[0], align=4)
        value = builder.fsub(known, builder.load(rows[1], align=4))
        builder.store(value, rows[2], align=4)
        for vector, row in ((value, rows[3]), (known, rows[4])):
            builder.store(builder.xor(builder.load(row, align=4), builder.bitcast(vector, SIGNS)), row, align=4)
        return context.get_dummy_value()

    return _pairs(posterior, message, extrinsic, parity, turned), codegen


@intrinsic
def forward(typingctx, own, i, running, j, others, k):
    """Others = running; running takes in own."""

    def codegen(context, builder, signature, args):
        rows = _rows(context, builder, signature, args, [FLOATS] * 3)
        before = builder.load(rows[1], align=4)
        builder.store(before, rows[2], align=4)
        builder.store(_either(builder, before, builder.load(rows[0], align=4)), rows[1], align=4)
        return context.get_dummy_value()

    return _pairs(own, running, others), codegen


@intrinsic
def backward(typingctx, own, i, running, j, others, k):
    """Others and running joined; running takes in own."""

    def codegen(context, builder, signature, args):
        rows = _rows(context, builder, signature, args, [FLOATS] * 3)
        before = builder.load(rows[1], align=4)
        builder.store(_either(builder, builder.load(rows[2], align=4), before), rows[2], align=4)
        builder.store(_either(builder, before, builder.load(rows[0], align=4)), rows[1], align=4)
        return context.get_dummy_value()

    return _pairs(own, running, others), codegen


@intrinsic
def give(typingctx, extrinsic, i, others, j, parity, h, message, k, posterior, m):
    """Message = others with the sign of the rest of the check; posterior = extrinsic + message."""

    def codegen(context, builder, signature, args):
        rows = _rows(context, builder, signature, args, [FLOATS, FLOATS, SIGNS, FLOATS, FLOATS])
        value = builder.load(rows[0], align=4)
        sign = builder.xor(builder.bitcast(value, SIGNS), builder.load(rows[2], align=4))
        magnitude = builder.bitcast(builder.load(rows[1], align=4), SIGNS)
        new = builder.bitcast(builder.or_(magnitude, builder.and_(sign, SIGN_BIT)), FLOATS)
        builder.store(new, rows[3], align=4)
        builder.store(builder.fadd(value, new), rows[4], align=4)
        return context.get_dummy_value()

    return _pairs(extrinsic, others, parity, message, posterior), codegen
