"""Gauss quadrature of a discrete measure: few nodes that stand for many time slots."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from satqkd.errors import InputError

__all__ = ["gauss_nodes"]


def gauss_nodes(
    values: ArrayLike, weights: ArrayLike, *, order: int = 12
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Nodes and weights that integrate polynomials over a discrete measure exactly.

    Parameters
    ----------
    values : array_like, shape (n,)
        Points of the measure, such as the transmittance of every slot.
    weights : array_like, shape (n,)
        Their weights, at least 0, such as the pulses sent in every slot.
    order : int
        Largest number of nodes. [1]

    Returns
    -------
    tuple of ndarray
        Nodes, increasing and within the range of ``values``, and weights. There are ``order`` of them, or fewer if
        fewer represent the measure exactly; none if all the weights are zero.

    Raises
    ------
    InputError
        If the shapes differ, a number is not finite, or a weight is negative.

    Notes
    -----
    :math:`\sum_t w_t f(\eta_t) = \sum_{i\le n} W_i f(x_i)` for every polynomial of degree up to :math:`2n-1`: the nodes
    are the eigenvalues of the Jacobi matrix of the measure [1]_, made by the Lanczos process with full
    reorthogonalisation. If every value is multiplied by a number so is every node; the weights stay.

    References
    ----------
    .. [1] W. Gautschi, "Orthogonal Polynomials: Computation and Approximation", Oxford University Press (2004).

    Examples
    --------
    >>> x, w = gauss_nodes([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 2.0, 1.0], order=2)
    >>> round(float(w @ x**3), 9), 0 + 2 * 1 + 3 * 8 + 2 * 27 + 64
    (144.0, 144)
    """
    from satqkd.security._lanczos import lanczos

    points = np.ascontiguousarray(values, dtype=np.float64).ravel()
    mass = np.ascontiguousarray(weights, dtype=np.float64).ravel()
    if points.shape != mass.shape:
        raise InputError(f"gauss_nodes: {points.size} values and {mass.size} weights must be equally many")
    if order < 1:
        raise InputError(f"gauss_nodes: order = {order!r} must be at least 1")
    jacobi = np.zeros((order, order))
    low, high, total, rows = lanczos(points, mass, jacobi)
    if math.isnan(total):
        raise InputError("gauss_nodes: values and weights must be finite and weights not negative")
    if total == 0.0:
        return np.empty(0), np.empty(0)
    n = int(rows)
    if n == 0:
        return np.array([float(points @ mass) / total]), np.array([total])
    eigenvalues, vectors = np.linalg.eigh(jacobi[:n, :n])  # of the lower triangle
    nodes = np.minimum(np.maximum(0.5 * (low + high) + 0.5 * (high - low) * eigenvalues, low), high)
    return nodes, total * vectors[0] ** 2
