"""Compiled steps of a check node on the 50 checks of a row of circulants at once, written as LLVM vector code.

Two circulants of a row share no bit, so that its checks do not touch each other. LLVM does not turn loops over several
arrays into vectors, as it cannot know that the arrays are apart. All arrays are flat and contiguous, float32 or, for
signs, int32; an index is that of the first of 50 elements.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from satqkd.distillation.ldpc_codes import CIRCULANT

FLOATS = ir.VectorType(ir.FloatType(), CIRCULANT)
SIGNS = ir.VectorType(ir.IntType(32), CIRCULANT)
SIGN_BIT = ir.Constant(SIGNS, [-(2**31)] * CIRCULANT)
ONES = ir.Constant(FLOATS, [1.0] * CIRCULANT)


def _pointer(context, builder, kind, array, index, vector):
    """Pointer to 50 elements from ``index`` on."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _either(builder, a, b):
    """a + b - a b as in :func:`satqkd.distillation._vector.either`."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * 3)
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{CIRCULANT}f32")
    return builder.call(function, [b, builder.fsub(ONES, a), a])


def _pointers(context, builder, signature, args, vectors):
    """Pointers of (array, index) pairs."""
    return [
        _pointer(context, builder, signature.args[2 * k], args[2 * k], args[2 * k + 1], vector)
        for k, vector in enumerate(vectors)
    ]


def _pairs(*arrays):
    """Signature of a step on (array, index) pairs."""
    return types.void(*[part for array in arrays for part in (array, types.intp)])


@intrinsic
def take(typingctx, posterior, i, message, j, extrinsic, k, parity, h, turned, g):
    """Extrinsic = posterior - message; its signs into ``parity``, those of the posterior into ``turned``."""

    def codegen(context, builder, signature, args):
        at = _pointers(context, builder, signature, args, [FLOATS, FLOATS, FLOATS, SIGNS, SIGNS])
        known = builder.load(at[0], align=4)
        value = builder.fsub(known, builder.load(at[1], align=4))
        builder.store(value, at[2], align=4)
        for vector, signs in ((value, at[3]), (known, at[4])):
            builder.store(builder.xor(builder.load(signs, align=4), builder.bitcast(vector, SIGNS)), signs, align=4)
        return context.get_dummy_value()

    return _pairs(posterior, message, extrinsic, parity, turned), codegen


@intrinsic
def forward(typingctx, own, i, running, j, others, k):
    """Others = running; running takes in own."""

    def codegen(context, builder, signature, args):
        at = _pointers(context, builder, signature, args, [FLOATS] * 3)
        before = builder.load(at[1], align=4)
        builder.store(before, at[2], align=4)
        builder.store(_either(builder, before, builder.load(at[0], align=4)), at[1], align=4)
        return context.get_dummy_value()

    return _pairs(own, running, others), codegen


@intrinsic
def backward(typingctx, own, i, running, j, others, k):
    """Others and running joined; running takes in own."""

    def codegen(context, builder, signature, args):
        at = _pointers(context, builder, signature, args, [FLOATS] * 3)
        before = builder.load(at[1], align=4)
        builder.store(_either(builder, builder.load(at[2], align=4), before), at[2], align=4)
        builder.store(_either(builder, before, builder.load(at[0], align=4)), at[1], align=4)
        return context.get_dummy_value()

    return _pairs(own, running, others), codegen


@intrinsic
def give(typingctx, extrinsic, i, others, j, parity, h, message, k, first, m, second, n):
    """Message = others with the sign of the rest of the check; both copies of the posterior = extrinsic + message."""

    def codegen(context, builder, signature, args):
        at = _pointers(context, builder, signature, args, [FLOATS, FLOATS, SIGNS, FLOATS, FLOATS, FLOATS])
        value = builder.load(at[0], align=4)
        sign = builder.xor(builder.bitcast(value, SIGNS), builder.load(at[2], align=4))
        magnitude = builder.bitcast(builder.load(at[1], align=4), SIGNS)
        new = builder.bitcast(builder.or_(magnitude, builder.and_(sign, SIGN_BIT)), FLOATS)
        builder.store(new, at[3], align=4)
        total = builder.fadd(value, new)
        builder.store(total, at[4], align=4)
        builder.store(total, at[5], align=4)
        return context.get_dummy_value()

    return _pairs(extrinsic, others, parity, message, first, second), codegen
