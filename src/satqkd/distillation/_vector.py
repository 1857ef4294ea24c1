"""Compiled scalar functions that LLVM turns into vector code: bit casts, multiply-add, those of a check node.

A check node multiplies tanh(L / 2) of its inputs. Here every factor is kept as its *doubt* 1 - tanh(|L| / 2).

No fast-math anywhere: reordering and assumptions about infinities would break the posteriors of strongly known bits.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic


@intrinsic
def _bits(typingctx, x):
    """Bit pattern of a float32 as int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), codegen


@intrinsic
def _float(typingctx, x):
    """Float32 with the bit pattern of an int32."""

    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), codegen


@intrinsic
def _multiply_add(typingctx, a, b, c):
    """a b + c in float32, fused where the processor can."""

    def codegen(context, builder, signature, args):
        kind = ir.FloatType()
        function = builder.module.declare_intrinsic("llvm.fmuladd", [kind], ir.FunctionType(kind, [kind] * 3))
        return builder.call(function, args)

    return types.float32(types.float32, types.float32, types.float32), codegen


F = np.float32
LARGEST_EXPONENT = F(87.0)
LOG2_E = F(1.0 / math.log(2.0))
ROUNDER = F(1.5 * 2.0**23)
LN2 = F(math.log(2.0))
CENTRE = F((1.0 + math.sqrt(2.0)) / 2.0)
E1, E2, E3, E4, E5 = (F(c) for c in (0.693147182, 0.240226462, 0.0555028670, 0.00961825624, 0.00133982616))
A0, A1, A2, A3, A4 = (F(c) for c in (2.0, 0.66666667, 0.4, 0.28571429, 0.2222))
ZERO, ONE, TWO = F(0.0), F(1.0), F(2.0)
EXPONENT = np.int32(0x7F800000)
SIGN = np.int32(-(2**31))
MAGNITUDE = np.int32(0x7FFFFFFF)


@njit(inline="always")
def doubt(x):
    r""":math:`1-\tanh(x/2)` of a float32 :math:`x\ge0`, to 1e-6 of itself however small; x beyond 87 counts as 87."""
    z = (x if x < LARGEST_EXPONENT else LARGEST_EXPONENT) * -LOG2_E
    shifted = z + ROUNDER
    f = z - (shifted - ROUNDER)
    power = _multiply_add(E5, f, E4)
    power = _multiply_add(power, f, E3)
    power = _multiply_add(power, f, E2)
    power = _multiply_add(power, f, E1)
    power = _multiply_add(power, f, ONE)
    e = power * _float(np.int32((_bits(shifted) + np.int32(127)) << np.int32(23)))
    return (e + e) / (ONE + e)


@njit(inline="always")
def either(a, b):
    """Doubt of a sum of two bits, a + b - a b: small doubts keep their digits, where a product of tanh loses them."""
    return _multiply_add(b, ONE - a, a)


@njit(inline="always")
def certainty(a):
    r"""Log-likelihood ratio of a doubt in (0, 1], the inverse of :func:`doubt`: :math:`\log((2-a)/a)`.

    The quotient is brought next to 1 by a power of two, the rest is an odd series in the artanh of the quotient.
    """
    exponent = np.int32(_bits(a * CENTRE) & EXPONENT)
    scaled = a * _float(np.int32(np.int32(254 << 23) - exponent))
    other = TWO - a
    s = (other - scaled) / (other + scaled)
    t = s * s
    series = _multiply_add(A4, t, A3)
    series = _multiply_add(series, t, A2)
    series = _multiply_add(series, t, A1)
    series = _multiply_add(series, t, A0)
    k = F(np.int32(np.int32(127) - (exponent >> np.int32(23))))
    return _multiply_add(k, LN2, series * s)
