"""Maximum likelihood by expectation maximisation: the densities that make all scatterings likeliest."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled_fast
from cloudchamber.simulate.walls.crossings import Crossings
from cloudchamber.simulate.walls.rays import Rays

Average = Literal["mean", "median"]


class Fit(NamedTuple):
    """A map of scattering densities and how it came about.

    ``density_per_m`` (z, x, y): 1/X0. ``log_likelihood``: before each iteration, and of the map returned
    (with ``prior_muons``: of the posterior), up to a constant. ``crossed`` (z, x, y): weight of muons and
    planes that crossed the voxel, n_j.
    """

    density_per_m: Float[np.ndarray, "z x y"]
    log_likelihood: list[float]
    crossed: Float[np.ndarray, "z x y"]


@compiled_fast
def _expect(angle, shift, variance, noise, weight, start, voxel, moments, density, change, crossed, each):
    """Take the expectation step; returns the log-likelihood.

    Adds to each voxel the weighted sum over muons and planes of D' S^-1 W S^-1 D - tr(S^-1 W) (``change``)
    and of 1 (``crossed``); ``each`` (crossing,), unless empty, gets the former's mean over the planes.
    """
    likelihood = 0.0
    for i in range(weight.size):
        w = weight[i]
        total = noise[i, 0] + noise[i, 1] + noise[i, 2]
        first, last = start[i], start[i + 1]
        if each.size:
            each[first:last] = np.nan
        if first == last or not (w > 0 and w < np.inf and abs(total) < np.inf):
            continue
        a0 = a1 = a2 = 0.0
        for k in range(first, last):
            of_voxel = density[voxel[k]]
            a0 += of_voxel * moments[k, 0]
            a1 += of_voxel * moments[k, 1]
            a2 += of_voxel * moments[k, 2]
        if not abs(a0 + a1 + a2) < np.inf:
            continue
        # D' S^-1 W S^-1 D - tr(S^-1 W) is linear in W, so the planes are summed first.
        c0 = c1 = c2 = 0.0
        planes = 0
        for plane in range(2):
            d, s, v = angle[i, plane], shift[i, plane], variance[i, plane]
            if not abs(d + s + v) < np.inf:
                continue
            planes += 1
            b0, b1, b2 = v * a0 + noise[i, 0], v * a1 + noise[i, 1], v * a2 + noise[i, 2]
            determinant = b0 * b2 - b1 * b1
            scale = 1 / determinant
            s0, s1, s2 = b2 * scale, -b1 * scale, b0 * scale
            u0, u1 = s0 * d + s1 * s, s1 * d + s2 * s
            likelihood -= 0.5 * w * (np.log(determinant) + d * u0 + s * u1)
            c0 += v * (u0 * u0 - s0)
            c1 += 2 * v * (u0 * u1 - s1)
            c2 += v * (u1 * u1 - s2)
        for k in range(first, last):
            value = c0 * moments[k, 0] + c1 * moments[k, 1] + c2 * moments[k, 2]
            change[voxel[k]] += w * value
            crossed[voxel[k]] += w * planes
            if each.size and planes:
                each[k] = value / planes
    return likelihood


@compiled_fast
def _medians(order, edges, each, median):
    for j in range(median.size):
        values = each[order[edges[j] : edges[j + 1]]]
        values = values[~np.isnan(values)]
        median[j] = np.median(values) if values.size else 0.0


def fit_densities(
    rays: Rays,
    crossings: Crossings,
    start_per_m: Float[np.ndarray, "z x y"],
    iterations: int = 50,
    average: Average = "mean",
    prior_muons: float = 0.0,
    tolerance: float = 0.0,
) -> Fit:
    """Find the densities lambda = 1/X0 of all voxels that make the deflections and displacements likeliest.

    Of muon i the planes' D_i = (angle, shift) are normal with covariance S_i = E_i + v_i sum_j lambda_j W_ij,
    v_i its scattering variance per radiation length, E_i the covariance of its hits' errors, and of half a
    step at the mean density of the start where it crosses a side of the volume. What scattered
    it in voxel j, normal with covariance v_i lambda_j W_ij, is not seen; its expectation given D_i leads to

        S_ij = 2 lambda_j + lambda_j^2 v_i (D' S^-1 W_ij S^-1 D - tr(S^-1 W_ij))
        lambda_j <- 1 / (2 n_j) sum_i S_ij

    (Schultz et al., IEEE Trans. Image Process. 16 (2007) 1985; S_ij their name, not the covariance; v is
    their (p_0/p)^2 in other units.) The sum goes over the n_j muons and planes that cross voxel j, each with
    its weight. No step lowers the likelihood (Dempster, Laird, Rubin, J. R. Stat. Soc. B 39 (1977) 1), and
    all densities stay positive.

    Parameters
    ----------
    rays, crossings : muons and the voxels they cross; at least 28 bytes stay in memory for every crossing.
    start_per_m : densities to start from, in 1/m, also of the prior. Voxels that no muon crosses keep them.
    iterations : how many. Convergence is slow, for a muon says little of a single voxel; noise grows with
        the iterations, so that stopping early regularises.
    average : ``median`` takes the median of S_ij over muons in place of the mean, as Schultz et al. propose
        against muons that do not follow the model (wrong momenta, tails). It does not maximise the
        likelihood. As the distribution of S_ij is skewed, the map comes out low even where all is as
        modelled: in uniform soil towards ln 2 of the density. Weights only decide who takes part.
    prior_muons : strength of an inverse-gamma prior about ``start_per_m``, as if so many more muons and
        planes had said just that of each voxel: lambda <- (n lambda_EM + n_0 lambda_0) / (n + n_0).
    tolerance : stop as soon as an iteration raises the log-likelihood by less than this per muon (0: never).

    Raises
    ------
    ValueError
        if no muon can be used.
    """
    shape = start_per_m.shape
    first = np.ascontiguousarray(start_per_m, dtype=np.float64).ravel()
    density = first.copy()
    change, crossed = np.empty_like(density), np.empty_like(density)
    median = average == "median"
    each = np.empty(len(crossings.voxel) if median else 0)
    order = np.argsort(crossings.voxel, kind="stable") if median else np.empty(0, dtype=np.int64)
    edges = np.searchsorted(crossings.voxel[order], np.arange(density.size + 1)) if median else order
    noise = rays.noise + rays.variance[:, :1] * first.mean() * crossings.sides
    least_rise = tolerance * np.count_nonzero(rays.weight > 0) if tolerance > 0 else -np.inf
    trace: list[float] = []
    for iteration in range(iterations + 1):
        change[:], crossed[:] = 0.0, 0.0
        likelihood = _expect(
            rays.angle, rays.shift_m, rays.variance, noise, rays.weight, crossings.start, crossings.voxel,
            crossings.moments, density, change, crossed, each,
        )  # fmt: skip
        if not crossed.any():
            raise ValueError("no muon has two tracks, a positive weight and a path through the volume")
        trace.append(float(likelihood - prior_muons * (np.log(density) + first / density).sum()))
        rise = trace[-1] - trace[-2] if iteration else np.inf
        if iteration == iterations or rise < least_rise:
            break
        if median:
            _medians(order, edges, each, change)
        else:
            change /= np.where(crossed > 0, crossed, 1.0)
        expected = density + 0.5 * density**2 * change
        pseudo = crossed + prior_muons
        expected = (crossed * expected + prior_muons * first) / np.where(pseudo > 0, pseudo, 1.0)
        density = np.where(crossed > 0, expected, first)
    return Fit(density.reshape(shape), trace, crossed.reshape(shape))
