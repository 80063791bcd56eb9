"""A muon on its way through the block: what it loses, where, and where it goes.

The block is as wide as the muon needs. A place along it is a depth in material, 0 to layers * layer_mm; in
the gaps between layers the muon only drifts and bends. With the field along +y a mu+ bends towards -x.
"""

import numpy as np
from jaxtyping import Float

from cloudchamber.compiled import compiled
from cloudchamber.simulate.calorimeter.config import CalorimeterConfig
from cloudchamber.simulate.calorimeter.constants import ELECTRON, MUON
from cloudchamber.simulate.calorimeter.tables import buffers, muon_tables
from cloudchamber.simulate.random import normal, uniform

KNOCK_ON, HADRONIC, PAIR, PHOTON = range(4)  # kinds of secondaries; all but hadronic ones electromagnetic
_KIND = np.array([KNOCK_ON, PHOTON, PAIR, HADRONIC])  # by process
_IONISATION = 0
_STOPPED_GEV = 0.02  # kinetic energy below which a muon deposits the rest where it is
_LARGEST_LOSS = 0.05  # mean share of the kinetic energy lost in a step
_ROOT_12 = 12**-0.5
_LEAST_UZ = 0.05  # a muon that turns away from the axis more than that deposits the rest where it is


@compiled
def draw_loss(state, tables, kinetic, node, weight, pick):
    """Return a process and the energy lost by it; ``pick`` is a rate, from 0 to the sum of those of all.

    The distribution is that of one of the two energies of the table around the muon's, chosen by chance, on
    the span from ``soft`` to the largest loss at the muon's energy: a mixture of both.
    """
    process = 0
    while process < 3:
        rate = (1 - weight) * tables.rate[node, process] + weight * tables.rate[node + 1, process]
        if pick < rate:
            break
        pick -= rate
        process += 1
    low, high = (1 - weight) * tables.rate[node, process], weight * tables.rate[node + 1, process]
    u, state = uniform(state)
    chosen = node + 1 if u * (low + high) >= low else node
    span = (1 - weight) * tables.log_span[node, process] + weight * tables.log_span[node + 1, process]
    u, state = uniform(state)
    tail = tables.tail[process, chosen]
    first, last = 0, len(tail) - 1
    while last - first > 1:
        middle = (first + last) // 2
        if tail[middle] > u:
            first = middle
        else:
            last = middle
    part = (tail[first] - u) / max(tail[first] - tail[last], 1e-300)
    place = tables.place[first] + part * (tables.place[last] - tables.place[first])
    return process, min(tables.soft_gev * np.exp(place * span), kinetic), state


@compiled
def across(ux, uy, uz, a, b):
    """Return a vector a, b across a direction, given in the frame that turns z into it (uz > 0)."""
    f = 1 / (1 + uz)
    mixed = -ux * uy * f
    return a * (1 - ux * ux * f) + b * mixed, a * mixed + b * (1 - uy * uy * f), -a * ux - b * uy


@compiled
def knocked(state, kinetic, transfer, ux, uy, uz):
    """Return the direction of an electron that was knocked on.

    Its angle is the kinematic one, cos(angle) = T (E + m_e) / (p sqrt(T^2 + 2 m_e T)) for a transfer T.
    """
    p2 = kinetic * (kinetic + 2 * MUON)
    cosine = transfer * (kinetic + MUON + ELECTRON) / np.sqrt(p2 * transfer * (transfer + 2 * ELECTRON))
    cosine = min(cosine, 1.0)
    sine = np.sqrt(1 - cosine * cosine)
    u, state = uniform(state)
    vx, vy, vz = across(ux, uy, uz, sine * np.cos(2 * np.pi * u), sine * np.sin(2 * np.pi * u))
    return cosine * ux + vx, cosine * uy + vy, cosine * uz + vz, state


@compiled
def scattered(state, tables, kinetic, path_mm, ux, uy, uz):
    """Return ux and uy after a path in material, and the shift in x and y off the straight line.

    Angle and shift of a path are correlated Gaussians (PDG 2024, eqs. 34.16 to 34.19). The logarithm of
    Highland's formula is taken at the depth of the whole block, so that the steps add up to its angle.
    """
    p_beta = kinetic * (kinetic + 2 * MUON) / (kinetic + MUON)
    angle = np.sqrt(tables.scatter2_per_mm * path_mm) / p_beta
    a, state = normal(state)
    b, state = normal(state)
    c, state = normal(state)
    d, state = normal(state)
    vx, vy, _ = across(ux, uy, uz, angle * a, angle * b)
    dx, dy, _ = across(ux, uy, uz, 0.5 * a + c * _ROOT_12, 0.5 * b + d * _ROOT_12)
    return ux + vx, uy + vy, path_mm * angle * dx, path_mm * angle * dy, state


@compiled
def turned(ux, uz, angle):
    """Return ux and uz after a rotation about y by which a track along z gains x."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return ux * cosine + uz * sine, uz * cosine - ux * sine


@compiled
def cross_block(state, kinetic_gev, charge, x_mm, y_mm, ux, uy, tables, steps, secondaries):
    """Follow a muon from the front face through all layers; return what it lost and where.

    Parameters
    ----------
    state
        uint64 state of the random stream (simulate/random.py).
    kinetic_gev, charge, x_mm, y_mm, ux, uy
        the muon at the front face, depth 0; direction cosines in x and y (uz > 0 follows).
    tables
        ``muon_tables(config)``.
    steps, secondaries
        ``buffers(config)``. ``steps``, float64 (row, 4), is filled with depth_mm, x_mm, y_mm and energy_gev
        of what is deposited at once, at least 2 rows a layer, in the middle of equal parts of it; the layer
        is int(depth_mm / layer_mm). ``secondaries``, float64 (row, 8): kind (KNOCK_ON 0, HADRONIC 1, PAIR 2,
        PHOTON 3), kinetic_gev, depth_mm, x_mm, y_mm, uz, ux, uy. Each is one shower of that energy.

    Returns
    -------
    state, n_steps, n_secondaries, ionisation, bremsstrahlung, pair, photonuclear, kinetic_out
        the losses in GeV over the whole block and the energy left at its end. The energies of steps and
        secondaries add up to the losses, and these to kinetic_gev - kinetic_out.
    """
    uz = np.sqrt(1 - ux * ux - uy * uy)
    x, y, kinetic = x_mm, y_mm, kinetic_gev
    losses = np.zeros(4)
    n_steps, n_secondaries = 0, 0
    part = tables.layer_mm / tables.rows
    last_node = len(tables.rate) - 2
    for row in range(tables.layers * tables.rows):
        if row > 0 and row % tables.rows == 0 and tables.gap_mm > 0:
            angle = (
                -charge * tables.bend_per_mm * tables.gap_mm / (uz * np.sqrt(kinetic * (kinetic + 2 * MUON)))
            )
            vx, vz = turned(ux, uz, 0.5 * angle)
            x, y = x + tables.gap_mm * vx / vz, y + tables.gap_mm * uy / vz
            ux, uz = turned(ux, uz, angle)
        start_x, start_y = x, y
        done, deposited, variance = 0.0, 0.0, 0.0
        stops = False
        while done < part:
            place = (np.log(kinetic) - tables.log_least) * tables.nodes_per_log
            place = min(max(place, 0.0), last_node + 0.999999)
            node = int(place)
            weight = place - node
            rate, soft = 0.0, 0.0
            for process in range(4):
                rate += (1 - weight) * tables.rate[node, process] + weight * tables.rate[node + 1, process]
                soft += (1 - weight) * tables.mean[node, process] + weight * tables.mean[node + 1, process]
            soft *= tables.grams_per_mm
            u, state = uniform(state)
            free = -np.log(1 - u) / max(rate * tables.grams_per_mm, 1e-300)
            path = (part - done) / uz
            whole = path <= min(free, _LARGEST_LOSS * kinetic / soft)
            interacts = free < min(path, _LARGEST_LOSS * kinetic / soft)
            path = min(path, free, _LARGEST_LOSS * kinetic / soft)
            for process in range(4):
                each = (1 - weight) * tables.mean[node, process] + weight * tables.mean[node + 1, process]
                losses[process] += each * tables.grams_per_mm * path
            deposited += soft * path
            spread = (1 - weight) * tables.variance[node] + weight * tables.variance[node + 1]
            variance += spread * tables.grams_per_mm * path
            kinetic -= soft * path
            momentum = np.sqrt(kinetic * (kinetic + 2 * MUON))
            angle = -charge * tables.bend_per_mm * path / momentum
            vx, vz = turned(ux, uz, 0.5 * angle)
            along = part - done if whole else path * vz
            x, y = x + along * vx / vz, y + along * uy / vz
            done = part if whole else done + along
            ux, uz = turned(ux, uz, angle)
            ux, uy, dx, dy, state = scattered(state, tables, kinetic, path, ux, uy, uz)
            x, y = x + dx, y + dy
            uz = np.sqrt(max(1 - ux * ux - uy * uy, 0.0))
            if interacts and kinetic > _STOPPED_GEV and uz > _LEAST_UZ:
                u, state = uniform(state)
                process, lost, state = draw_loss(state, tables, kinetic, node, weight, u * rate)
                losses[process] += lost
                cut = max(tables.least_loss_gev, tables.least_loss_share * kinetic)
                if lost < cut or n_secondaries == len(secondaries):
                    deposited += lost
                else:
                    vx, vy, vz = ux, uy, uz
                    if process == _IONISATION:
                        vx, vy, vz, state = knocked(state, kinetic, lost, ux, uy, uz)
                    new = secondaries[n_secondaries]
                    new[0] = _KIND[process]
                    new[1] = lost
                    new[2] = row * part + min(done, part * (1 - 1e-9))
                    new[3], new[4], new[5], new[6], new[7] = x, y, vz, vx, vy
                    n_secondaries += 1
                kinetic -= lost
            if kinetic < _STOPPED_GEV or uz < _LEAST_UZ:
                stops = True
                break
        noise, state = normal(state)
        noise = min(max(np.sqrt(variance) * noise, -0.5 * deposited), kinetic)
        deposited += noise
        kinetic -= noise
        losses[_IONISATION] += noise
        if stops:
            deposited += kinetic
            losses[_IONISATION] += kinetic
            kinetic = 0.0
        step = steps[n_steps]
        step[0], step[1], step[2], step[3] = (
            (row + 0.5) * part,
            0.5 * (start_x + x),
            0.5 * (start_y + y),
            deposited,
        )
        n_steps += 1
        if kinetic <= 0:
            break
    return state, n_steps, n_secondaries, losses[0], losses[1], losses[2], losses[3], kinetic


@compiled
def _lose(states, kinetic, charge, tables, steps, secondaries, losses):
    for muon in range(len(states)):
        _, _, _, ionisation, bremsstrahlung, pair, photonuclear, _ = cross_block(
            states[muon], kinetic[muon], charge, 0.0, 0.0, 0.0, 0.0, tables, steps, secondaries
        )
        losses[muon] = ionisation, bremsstrahlung, pair, photonuclear


def lose_energy(
    config: CalorimeterConfig, kinetic_gev: Float[np.ndarray, " muon"], seed: int
) -> Float[np.ndarray, "muon 4"]:
    """Return the energy in GeV that mu- along the axis lose in the block, by each of ``PROCESSES``.

    Raises
    ------
    ValueError
        if an energy is above all of the configuration's.
    """
    tables = muon_tables(config)
    kinetic = np.ascontiguousarray(kinetic_gev, np.float64)
    highest = np.exp(tables.log_least + (len(tables.rate) - 1) / tables.nodes_per_log)
    if len(kinetic) and kinetic.max() > highest:
        raise ValueError(f"energies up to {highest:g} GeV, those of the beam")
    states = np.random.default_rng(seed).integers(0, 2**64, len(kinetic), dtype=np.uint64)
    losses = np.zeros((len(kinetic), 4))
    _lose(states, kinetic, -1.0, tables, *buffers(config), losses)
    return losses
