"""Names of particles from the numbers of the Particle Data Group."""

# Monte Carlo numbering scheme, Review of Particle Physics (2024), section 45.
_NAMES = {
    11: "e-", -11: "e+", 12: "nu_e", -12: "anti-nu_e", 13: "mu-", -13: "mu+", 14: "nu_mu", -14: "anti-nu_mu",
    15: "tau-", -15: "tau+", 22: "gamma", 111: "pi0", 211: "pi+", -211: "pi-", 130: "K0L", 310: "K0S",
    321: "K+", -321: "K-", 2112: "n", -2112: "anti-n", 2212: "p", -2212: "anti-p", 3122: "Lambda",
    3222: "Sigma+", 3212: "Sigma0", 3112: "Sigma-",
}  # fmt: skip
_NUCLEUS = 1_000_000_000


def particle_name(pdg: int) -> str:
    """Return a particle's name in ASCII, as in ``mu-``; of a nucleus its Z and A; else the number itself."""
    if pdg in _NAMES:
        return _NAMES[pdg]
    if pdg > _NUCLEUS:
        return f"nucleus Z={pdg // 10_000 % 1000} A={pdg // 10 % 1000}"
    return f"pdg {pdg}"
